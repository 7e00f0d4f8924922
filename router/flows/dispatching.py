"""A claimed delivery as the message its destination gets: the fields it may see, in its own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
            return to_json(message)
        return plan.projector.project(Dispatch.model_validate(message))

    def dispatch(self, claimed: Claimed) -> Dispatch:
        """The canonical message as a model, for receivers that the hub itself speaks to."""
        plan = self._plans[claimed.destination]
        return Dispatch.model_validate(_message(claimed, contact=plan.contact))


def _message(claimed: Claimed, *, contact: bool) -> dict[str, Any]:
    if claimed.appeal is None:
        raise MappingFailed(f"appeal {claimed.appeal_id} was never understood; register it by hand first")
    return {
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
        "appeal": _visible(claimed.appeal, contact=contact),
    }


def _visible(appeal: Mapping[str, Any], *, contact: bool) -> Mapping[str, Any]:
    """Without the contact where the unit does not need it, or the caller asked to stay unknown."""
    withheld = bool(appeal["contact"].get("withheld"))
    if contact and not withheld:
        return appeal
    return {**appeal, "contact": {"name": "", "phones": [], "withheld": withheld}}
