"""The relay between a real ledger and a real RabbitMQ: what it is handed, what it claims, what is late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from router.broker.topology import Limits
from router.flows.outbox import Claimed, Want
from router.flows.relay import GATHER, LOOK_AGAIN, Relay, RelayTools
from tests.broker.publishing import REFUSED, at_work, drain, lay_out, publishing, until
from tests.hub import Hub
from tests.servers import VirtualHost

LEASE = timedelta(minutes=3)
ROOM = 20


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path, clock=lambda: datetime.now(UTC))
    yield made
    made.database.close()


@contextmanager
def relaying(hub: Hub, url: str) -> Iterator[Relay]:
    """A relay at work; the intake hands over to it."""
    with publishing(url, backlog=ROOM) as publisher:
        tools = RelayTools(hub.outbox, publisher, hub.dispatching, hub.clock, hub.events.append)
        relay = Relay(tools, {"rsj": "published", "gaj": "published"}, room=ROOM, lease=LEASE)
        hub.express = relay
        with at_work(relay.run):
            yield relay


def states(hub: Hub, *source_ids: str) -> set[str]:
    return {str(row["state"]) for source_id in source_ids for row in hub.deliveries(source_id)}


def is_decided(hub: Hub, source_id: str) -> bool:
    return states(hub, source_id) <= {"published", "retry_wait"}


def test_what_is_handed_over_is_in_its_queue_once_and_written_down(hub: Hub, amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", "gaj")
    with relaying(hub, amqp.url) as relay:
        until(lambda: relay.bears("rsj"))
        hub.accept(hub.item("one", to=["rsj"]))
        until(lambda: states(hub, "one") == {"published"})
    [(properties, _)] = drain(amqp.url, "suqiu.dest.rsj")
    assert properties.message_id == hub.deliveries("one")[0]["delivery_id"]
    assert hub.deliveries("one")[0]["generation"] == 1


def test_more_than_there_is_room_for_comes_out_of_the_ledger_and_nothing_twice(
    hub: Hub, amqp: VirtualHost
) -> None:
    lay_out(amqp, "rsj", "gaj")
    many = [f"i{n}" for n in range(300)]
    with relaying(hub, amqp.url) as relay:
        until(lambda: relay.bears("rsj"))
        hub.accept(*hub.items(300))
        until(lambda: states(hub, *many) == {"published"})
    found = [p.message_id for unit in ("rsj", "gaj") for p, _ in drain(amqp.url, f"suqiu.dest.{unit}")]
    assert len(found) == len(set(found)) == 300


def test_nothing_goes_straight_while_there_is_no_broker_or_more_is_waiting(
    hub: Hub, amqp: VirtualHost
) -> None:
    lay_out(amqp, "rsj", "gaj")
    with publishing("amqp://guest:guest@127.0.0.1:1/") as publisher:
        tools = RelayTools(hub.outbox, publisher, hub.dispatching, hub.clock, hub.events.append)
        relay = Relay(tools, {"rsj": "published"}, room=ROOM, lease=LEASE)
        assert relay.bears("rsj") == 0
    with relaying(hub, amqp.url) as relay:
        assert relay.bears("nobody") == 0
        until(lambda: relay.bears("rsj") == ROOM - ROOM // 2)


def test_what_is_handed_over_too_late_is_given_back_and_claimed_again(hub: Hub, amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", "gaj")
    hub.accept(hub.item("late", to=["rsj"]))
    now = hub.clock()
    due = hub.outbox.claim([Want("rsj", 9)], now, now + LEASE)
    with relaying(hub, amqp.url) as relay:
        relay.hand(due, now + LEASE / 2)
        until(lambda: states(hub, "late") == {"published"})
    assert hub.deliveries("late")[0]["generation"] == due[0].generation + 2
    assert len(drain(amqp.url, "suqiu.dest.rsj")) == 1


def test_what_is_handed_over_after_the_end_is_due_for_the_next_one(hub: Hub, amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", "gaj")
    with relaying(hub, amqp.url) as relay:
        until(lambda: relay.bears("rsj"))
    assert relay.bears("rsj") == 0
    hub.accept(hub.item("last", to=["rsj"]))
    now = hub.clock()
    due = hub.outbox.claim([Want("rsj", 9)], now, now + LEASE)
    relay.hand(due, now + LEASE)
    [again] = hub.outbox.claim([Want("rsj", 9)], hub.clock(), hub.clock() + LEASE)
    assert (again.delivery_id, again.generation) == (due[0].delivery_id, due[0].generation + 2)
    assert drain(amqp.url, "suqiu.dest.rsj") == []


def test_a_destination_that_refused_is_tried_again_when_it_has_room(hub: Hub, amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", "gaj", limits=REFUSED)
    many = [f"i{n}" for n in range(60)]
    with relaying(hub, amqp.url):
        hub.accept(*hub.items(60, to=("rsj",)))
        until(lambda: "retry_wait" in states(hub, *many))
        until(lambda: (drain(amqp.url, "suqiu.dest.rsj"), states(hub, *many))[1] == {"published"}, within=40)
    assert max(hub.deliveries(one)[0]["attempts"] for one in many) > 0


def test_a_single_message_that_was_refused_is_tried_again_too(hub: Hub, amqp: VirtualHost) -> None:
    """Nothing else of its destination is there to find out whether there is room again."""
    lay_out(amqp, "rsj", "gaj", limits=Limits(max_length=1))
    with relaying(hub, amqp.url):
        for number in range(20):
            hub.accept(hub.item(f"i{number}", to=["rsj"]))
            until(partial(is_decided, hub, f"i{number}"))
            if states(hub, f"i{number}") == {"retry_wait"}:
                break
        else:
            raise AssertionError("the queue was never full")
        drain(amqp.url, "suqiu.dest.rsj")
        until(lambda: states(hub, f"i{number}") == {"published"}, within=30)
    assert hub.deliveries(f"i{number}")[0]["attempts"] > 0


def test_it_looks_often_while_another_process_records_and_seldom_while_none_does(
    hub: Hub, amqp: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(amqp, "rsj", "gaj")
    found: list[int] = []
    claim = hub.outbox.claim

    def seen(*asked: Any) -> list[Claimed]:
        claims = claim(*asked)
        found.append(len(claims))
        return claims

    monkeypatch.setattr(hub.outbox, "claim", seen)
    at = hub.clock()

    def looks(within: timedelta) -> int:
        nonlocal at
        before, end = len(found), at + within
        while at < end:
            at += GATHER
            relay.turn()
        return len(found) - before

    with publishing(amqp.url, backlog=ROOM) as publisher:
        until(lambda: publisher.is_connected)
        tools = RelayTools(hub.outbox, publisher, hub.dispatching, lambda: at, hub.events.append)
        relay = Relay(tools, {"rsj": "published", "gaj": "published"}, room=ROOM, lease=LEASE)
        second = timedelta(seconds=1)
        assert looks(second) <= second / LOOK_AGAIN + 1
        hub.accept(hub.item("first", to=["rsj"]))
        while not sum(found):
            looks(GATHER)
        for number in range(8):
            hub.accept(hub.item(f"i{number}", to=["rsj"]))
            assert looks(GATHER) == 1
            assert sum(found) == number + 2
        assert 5 <= looks(second) <= 8, "after 25, 50, 100, 200, 250 ms"
