"""
Everything that a message of ours carries beside its body. The only place where these names stand.

AMQP properties
    message_id        delivery id, the same in every attempt: receivers drop what they have seen
    correlation_id    appeal id
    type              task.created, task.updated, task.cancelled, …
    content_type      application/json
    timestamp         when the delivery was made, whole seconds
    app_id            suqiu
    delivery_mode     2, on disk

Headers
    ce-*              CloudEvents 1.0, binary mode, so that any CloudEvents library reads it
    suqiu-*           below
    traceparent       W3C trace context; the trace is the appeal, the parent span the delivery

No content_encoding: some clients would hand out text where they hand out bytes otherwise. No
personal data: properties and headers are shown by the broker's management pages and its traces.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from router.ports import Outgoing

APP_ID = "suqiu"
CONTENT_TYPE = "application/json"
PERSISTENT = 2

DESTINATION = "suqiu-destination"
"""The destination's id, as in the queue's name."""
SEQUENCE = "suqiu-sequence"
"""Position among all messages about this appeal to this destination; apply in this order."""
ATTEMPT = "suqiu-attempt"
"""1 for the first. The broker's own counters (x-death, x-delivery-count) mean something else."""
CONFIG = "suqiu-config"
"""Hash of the configuration that the delivery was made under."""
SHA256 = "suqiu-sha256"
"""Of the body's bytes, in hexadecimal."""
TRACEPARENT = "traceparent"

CE_SPECVERSION = "ce-specversion"
CE_ID = "ce-id"
CE_SOURCE = "ce-source"
CE_TYPE = "ce-type"
CE_SUBJECT = "ce-subject"
CE_TIME = "ce-time"

SPECVERSION = "1.0"
SOURCE = "/suqiu"
"""With the delivery id this makes an event unique, as CloudEvents asks."""

KNOWN = frozenset(
    {
        DESTINATION,
        SEQUENCE,
        ATTEMPT,
        CONFIG,
        SHA256,
        TRACEPARENT,
        CE_SPECVERSION,
        CE_ID,
        CE_SOURCE,
        CE_TYPE,
        CE_SUBJECT,
        CE_TIME,
    }
)
"""What is kept of a message that comes back. Everything else in it is the broker's or a stranger's."""

FIRST_DEATH_REASON = "x-first-death-reason"
FIRST_DEATH_QUEUE = "x-first-death-queue"
DEATHS = "x-death"
"""The broker's notes on a dead letter. Read, never sent on: up to 3.13 it would believe them again."""


def headers(message: Outgoing) -> dict[str, str | int]:
    """The header table of one message."""
    table: dict[str, str | int] = {
        CE_SPECVERSION: SPECVERSION,
        CE_ID: message.delivery_id,
        CE_SOURCE: SOURCE,
        CE_TYPE: message.type,
        CE_SUBJECT: message.appeal_id,
        CE_TIME: written(message.created_at),
        DESTINATION: message.destination,
        SEQUENCE: message.sequence,
        ATTEMPT: message.attempt,
        CONFIG: message.config_hash,
        SHA256: sha256(message.body).hexdigest(),
    }
    trace = traceparent(message.appeal_id, message.delivery_id)
    if trace:
        table[TRACEPARENT] = trace
    return table


def written(moment: datetime) -> str:
    """A time as CloudEvents wants it."""
    return moment.isoformat().replace("+00:00", "Z")


def traceparent(appeal_id: str, delivery_id: str) -> str:
    """The appeal's UUID is the trace, the random half of the delivery's the span. Empty without UUIDs.

    So a unit's traces of one appeal lie together, and no state of tracing is kept here. The sampled
    flag is set: the ledger has recorded the step.
    """
    trace, span = appeal_id.replace("-", ""), delivery_id.replace("-", "")[16:]
    return f"00-{trace}-{span}-01" if len(trace) == 32 and len(span) == 16 else ""
