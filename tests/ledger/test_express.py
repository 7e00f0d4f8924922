"""What was just recorded goes straight to the relay: leased in the same transaction, claimed by nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic_core import to_json

from router.flows.outbox import Claimed, Settled, Want
from router.message import Envelope
from tests.hub import UNITS, Hub

LEASE = timedelta(minutes=3)


@dataclass
class Taker:
    """Bears so many of each destination, and keeps what it is handed."""

    room: int = 1000
    lease: timedelta = LEASE
    handed: list[Claimed] = field(default_factory=list)
    until: datetime | None = None
    woken: int = 0

    def bears(self, destination: str) -> int:
        return self.room

    def hand(self, claimed: Sequence[Claimed], until: datetime) -> None:
        self.handed += claimed
        self.until = until

    def wake(self) -> None:
        self.woken += 1


def claim(hub: Hub) -> list[Claimed]:
    now = hub.clock()
    return hub.outbox.claim([Want(unit, 100) for unit in UNITS], now, now + LEASE)


def with_room(hub: Hub, room: int = 1000) -> Taker:
    hub.express = taker = Taker(room)
    return taker


def test_it_is_handed_over_just_as_a_claim_would_give_it(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(hub.item("one", to=["rsj", "gaj"]))
    assert Counter(one.destination for one in express.handed) == {"rsj": 1, "gaj": 1}
    assert claim(hub) == []

    hub.clock.move(LEASE)  # type: ignore[attr-defined]  # a StepClock
    again = {one.delivery_id: one for one in claim(hub)}
    for one in express.handed:
        assert again[one.delivery_id] == one._replace(generation=one.generation + 1)
        assert hub.dispatching.body(again[one.delivery_id]) == hub.dispatching.body(one)


def test_what_came_of_it_is_written_down_under_its_generation(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(hub.item("one"))
    [one] = express.handed
    hub.outbox.settle([Settled(one.delivery_id, one.generation, "published")], hub.clock())
    assert [row["state"] for row in hub.deliveries("one")] == ["published"]


def test_only_as_many_go_straight_as_a_destination_bears(hub: Hub) -> None:
    express = with_room(hub, room=2)
    hub.accept(*hub.items(10, to=("rsj",)))
    assert len(express.handed) == 2
    assert express.woken == 1
    assert len(claim(hub)) == 8


def test_where_all_goes_straight_the_relay_need_not_look(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(*hub.items(4))
    assert (len(express.handed), express.woken) == (4, 0)


def test_p3_a_later_message_waits_in_the_ledger_for_the_first(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(hub.item("one"))
    hub.accept(hub.item("one", text="补充：已联系社保局"))
    assert [one.sequence for one in express.handed] == [1]
    assert claim(hub) == []
    [first] = express.handed
    hub.outbox.settle([Settled(first.delivery_id, first.generation, "published")], hub.clock())
    assert [one.sequence for one in claim(hub)] == [2]


def test_both_revisions_of_one_page_do_not_go_together(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(hub.item("one"), hub.item("one", text="补充：已联系社保局"))
    assert [one.sequence for one in express.handed] == [1]


def test_what_nobody_understood_waits_for_a_person_in_the_ledger(hub: Hub) -> None:
    express = with_room(hub)
    broken: Envelope = hub.item("one").model_copy(update={"body": b"{}"})
    hub.accept(broken)
    assert express.handed == []
    assert express.woken == 1


def test_a_repeat_hands_over_nothing(hub: Hub) -> None:
    express = with_room(hub)
    one = hub.item("one")
    hub.accept(one)
    hub.accept(one)
    assert len(express.handed) == 1


def test_a_dispatch_is_written_by_hand_as_it_would_be_as_json(hub: Hub) -> None:
    express = with_room(hub)
    hub.accept(hub.item("one", to=["rsj", "gaj"]))
    due = datetime(2026, 5, 6, 7, 8, 9, 120000, tzinfo=UTC)
    for one in express.handed:
        for odd in (one, one._replace(due_at=due, returns=3, sequence=12), one._replace(unit='a"b\\诉求')):
            assert odd.appeal is not None
            around = {
                "schema_version": "1",
                "dispatch_id": odd.delivery_id,
                "type": odd.type,
                "destination": odd.destination,
                "task": {
                    "task_id": odd.task_id,
                    "unit": odd.unit,
                    "role": odd.role,
                    "sequence": odd.sequence,
                    "created_at": odd.created_at,
                    "due_at": odd.due_at,
                    "returns": odd.returns,
                },
            }
            rest, contact = odd.appeal
            wanted = b'%b,"appeal":%b,"contact":%b}}' % (to_json(around)[:-1], rest[:-1], contact)
            assert hub.dispatching.body(odd) == wanted
            message = hub.dispatching.outgoing(odd)
            assert message.body == wanted
            for name in message._fields:
                if name not in ("body", "attempt"):
                    assert getattr(message, name) == getattr(odd, name)
            assert message.attempt == odd.attempts + 1
