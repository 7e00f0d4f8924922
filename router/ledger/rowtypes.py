"""
Rows as the drivers take them: times as whole microseconds, in the order of the statement's columns.

One class for each table that every appeal writes to. As dicts these rows would be put in order and
bound value by value, which took longer than the database needs to store them. The fields are the
columns; a test compares them with the schema.
"""

from __future__ import annotations

from typing import NamedTuple

from router.flows.records import NewDelivery, NewTask


class AppealRow(NamedTuple):
    appeal_id: str
    source: str
    source_id: str
    state: str
    revision: int
    version: int
    digest: str | None
    raw_hash: str
    source_time: int | None
    config_hash: str
    envelope_id: str | None
    channel: str | None
    kind: str | None
    region: str | None
    enterprise_hash: str | None
    contact_hash: str | None
    rule: str | None
    twin: str | None
    created_at: int
    updated_at: int


class Described(NamedTuple):
    """The columns of an appeal by which people look for it; what is personal only as a keyed hash."""

    channel: str | None = None
    kind: str | None = None
    region: str | None = None
    enterprise_hash: str | None = None
    contact_hash: str | None = None


class EnvelopeRow(NamedTuple):
    envelope_id: str
    appeal_id: str
    source: str
    source_id: str
    outcome: str
    received_at: int
    updated_at: int | None
    delivery_id: str | None
    content_type: str
    config_hash: str
    key_id: str
    body: bytes


class RevisionRow(NamedTuple):
    appeal_id: str
    revision: int
    outcome: str
    envelope_id: str
    config_hash: str
    created_at: int
    key_id: str
    document: bytes


class TaskRow(NamedTuple):
    task_id: str
    appeal_id: str
    unit: str
    role: str
    state: str
    returns: int
    created_at: int


class DeliveryRow(NamedTuple):
    delivery_id: str
    appeal_id: str
    destination: str
    sequence: int
    revision: int
    task_id: str
    type: str
    state: str
    attempts: int
    generation: int
    next_attempt_at: int
    lease_until: int | None
    created_at: int
    config_hash: str


class HistoryRow(NamedTuple):
    appeal_id: str
    at: int
    what: str
    detail: str
    """JSON."""


def task_row(task: NewTask, appeal_id: str, at: int) -> TaskRow:
    """A unit's part of an appeal, open from now on."""
    return TaskRow(task.task_id, appeal_id, task.unit, task.role, "open", 0, at)


def delivery_row(
    d: NewDelivery, appeal_id: str, config_hash: str, at: int, lease_until: int | None = None
) -> DeliveryRow:
    """A message to a destination, due at once; or claimed for the first time until then."""
    generation = 0 if lease_until is None else FIRST_GENERATION
    return DeliveryRow(
        d.delivery_id,
        appeal_id,
        d.destination,
        d.sequence,
        d.revision,
        d.task_id,
        d.type,
        "pending",
        0,
        generation,
        at,
        lease_until,
        at,
        config_hash,
    )


FIRST_GENERATION = 1
"""What a claim makes of a new delivery's 0."""
