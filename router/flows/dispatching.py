"""A claimed delivery as the message its destination gets: the fields it may see, in its own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic_core import to_json

from router.errors import MappingFailed
from router.flows.outbox import Claimed, Finish
from router.message import SCHEMA_VERSION, Dispatch
from router.ports import Projector

Kind = Literal["amqp", "pull", "http", "internal"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one destination is served. The kind is configuration: rows in the ledger do not know it."""

    destination: str
    kind: Kind
    finish: Finish = "accepted"
    contact: bool = True
    """Whether the unit needs to know whom to call."""
    projector: Projector | None = None


class Dispatching:
    """Makes bodies. Pure; raises MappingFailed when a projection does not fit."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans

    def body(self, claimed: Claimed) -> bytes:
        """The bytes to send: canonical JSON, or the destination's own form."""
        plan = self._plans[claimed.destination]
        message = _message(claimed, contact=plan.contact)
        if plan.projector is None:
            return message
        return plan.projector.project(Dispatch.model_validate_json(message))

    def dispatch(self, claimed: Claimed) -> Dispatch:
        """The canonical message as a model, for receivers that the hub itself speaks to."""
        plan = self._plans[claimed.destination]
        return Dispatch.model_validate_json(_message(claimed, contact=plan.contact))


def _message(claimed: Claimed, *, contact: bool) -> bytes:
    """The appeal's kept JSON is put in as it is: parsing it again would cost more than all the rest."""
    if claimed.appeal is None:
        raise MappingFailed(f"appeal {claimed.appeal_id} was never understood; register it by hand first")
    around = to_json(
        {
            "schema_version": SCHEMA_VERSION,
            "dispatch_id": claimed.delivery_id,
            "type": claimed.type,
            "destination": claimed.destination,
            "task": {
                "task_id": claimed.task_id,
                "unit": claimed.unit,
                "role": claimed.role,
                "sequence": claimed.sequence,
                "created_at": claimed.created_at,
                "due_at": claimed.due_at,
                "returns": claimed.returns,
            },
        }
    )
    shown = _contact(claimed.appeal.contact, needed=contact)
    return b'%b,"appeal":%b,"contact":%b}}' % (around[:-1], claimed.appeal.rest[:-1], shown)


def _contact(contact: bytes, *, needed: bool) -> bytes:
    """Nothing where the unit does not need it, or the caller asked to stay unknown."""
    withheld = b'"withheld":true' in contact  # our own JSON; inside a text the quotes are escaped
    if needed and not withheld:
        return contact
    return to_json({"name": "", "phones": [], "withheld": withheld})
