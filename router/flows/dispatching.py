"""A claimed delivery as the message its destination gets: the fields it may see, in its own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from pydantic_core import to_json

from router.errors import MappingFailed
from router.flows.outbox import Claimed, Finish
from router.message import SCHEMA_VERSION, Dispatch
from router.ports import Outgoing, Projector

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

    def outgoing(self, claimed: Claimed) -> Outgoing:
        """What goes to the broker."""
        # Unpacked in the order of Claimed's fields: by name, each would be looked up.
        (
            delivery_id, generation, destination, appeal_id, _, sequence, attempts, type_, created_at,
            config_hash, _, _, _, _, _, _,
        ) = claimed  # fmt: skip
        return Outgoing(
            delivery_id,
            generation,
            destination,
            appeal_id,
            sequence,
            attempts + 1,
            type_,
            self.body(claimed),
            config_hash,
            created_at,
        )

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
    """The appeal's kept JSON is put in as it is: parsing it again would cost more than all the rest.

    The same for a `Dispatch` as JSON, written by hand: what many dispatches share is written once.
    """
    # Unpacked in the order of Claimed's fields: by name, each would be looked up.
    (
        delivery_id, _, destination, appeal_id, _, sequence, _, type_, created_at,
        _, task_id, unit, role, returns, due_at, appeal,
    ) = claimed  # fmt: skip
    if appeal is None:
        raise MappingFailed(f"appeal {appeal_id} was never understood; register it by hand first")
    rest, known = appeal
    parts = (
        _BEGINNING,
        to_json(delivery_id),
        _kind(type_, destination),
        to_json(task_id),
        _receiver(unit, role),
        b"%d" % sequence,
        _made(created_at),
        b"null" if due_at is None else to_json(due_at),
        b',"returns":%d},"appeal":' % returns,
        rest[:-1],
        b',"contact":',
        _contact(known, needed=contact),
        b"}}",
    )
    return b"".join(parts)


_BEGINNING = b'{"schema_version":%b,"dispatch_id":' % to_json(SCHEMA_VERSION)


@lru_cache(maxsize=1024)
def _kind(type_: str, destination: str) -> bytes:
    return b',"type":%b,"destination":%b,"task":{"task_id":' % (to_json(type_), to_json(destination))


@lru_cache(maxsize=1024)
def _receiver(unit: str, role: str) -> bytes:
    return b',"unit":%b,"role":%b,"sequence":' % (to_json(unit), to_json(role))


@lru_cache(maxsize=16)
def _made(at: datetime) -> bytes:
    """A page is made at one time."""
    return b',"created_at":%b,"due_at":' % to_json(at)


def _contact(contact: bytes, *, needed: bool) -> bytes:
    """Nothing where the unit does not need it, or the caller asked to stay unknown."""
    withheld = b'"withheld":true' in contact  # our own JSON; inside a text the quotes are escaped
    if needed and not withheld:
        return contact
    return to_json({"name": "", "phones": [], "withheld": withheld})
