"""
Registering by hand: what no mapping understood, a person at the desk reads and types in.

The appeal exists already, under the id its source was told; it gets its next revision from the
person's words, is routed like any other, and the desk's own task is done. The original stays as
it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from router.errors import MappingFailed
from router.flows.reading import Reading
from router.flows.records import Actor, BatchRecord, Case, Head, Recording
from router.flows.rulebook import Rulebook
from router.message import Appeal, Envelope
from router.ports import Clock

GIVEN = ("appeal_id", "source", "source_id", "revision", "received_at", "schema_version")
"""Fields that the hub fills in itself; a person does not type them."""


@dataclass(frozen=True, slots=True)
class Registrable:
    """An appeal with its latest original."""

    head: Head
    case: Case
    envelope: Envelope
    envelope_id: str


class RegisterLedger(Protocol):
    def registrable(self, appeal_id: str) -> Registrable | None:
        """The appeal, whatever its state; None when there is none of that id."""

    def register(self, batch: BatchRecord, actor: Actor) -> None:
        """Commit it with its audit row. Raises Conflict when the appeal changed meanwhile."""


def register(
    ledger: RegisterLedger,
    book: Rulebook,
    appeal_id: str,
    fields: Mapping[str, Any],
    *,
    actor: Actor,
    clock: Clock,
) -> Appeal:
    """Make the appeal's next revision from these canonical fields and route it.

    Raises MappingFailed naming every field that does not fit, KeyError for an unknown appeal,
    Conflict when it changed meanwhile: look again, then register again.
    """
    found = ledger.registrable(appeal_id)
    if found is None:
        raise KeyError(appeal_id)
    if any(task.role != "register" for task in found.case.tasks):
        raise MappingFailed(
            f"appeal {appeal_id} is with its units already; a change must come from its source"
        )
    appeal = _appeal(found, fields)
    after = found.head._replace(
        revision=appeal.revision,
        version=found.head.version + 1,
        state=appeal.standing,
        digest=None,
        config_hash=book.config_hash,
        envelope_id=found.envelope_id,
    )
    base = Recording(found.envelope, found.envelope_id, "registered", found.head, after, is_kept=True)
    reading = Reading(book, {}, {appeal_id: found.case})
    recording = reading.register(base, appeal)
    ledger.register(BatchRecord(appeal.source, clock(), book.config_hash, (recording,)), actor)
    return appeal


def _appeal(found: Registrable, fields: Mapping[str, Any]) -> Appeal:
    typed = {name: value for name, value in fields.items() if name not in GIVEN}
    given = {
        "appeal_id": found.head.appeal_id,
        "source": found.envelope.source,
        "source_id": found.envelope.source_id,
        "revision": found.head.revision + 1,
        "received_at": found.envelope.received_at,
        "attachments": found.envelope.attachments,
    }
    try:
        return Appeal.model_validate({**given, **typed})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise MappingFailed(f"these fields do not make an appeal: {wrong}") from error
