"""The publisher against a real RabbitMQ when nothing is broken but queues."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

from router.broker.topology import Limits
from tests.broker.publishing import collect, drain, lay_out, open_channel, outgoing, publishing, until
from tests.servers import VirtualHost

SIXTY = [f"u{number:02d}" for number in range(60)]


def test_a_message_is_confirmed_and_lies_in_its_queue_as_it_was_given(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    message = outgoing(body='{"title": "咨询"}'.encode())

    with publishing(amqp.url) as publisher:
        publisher.publish(message)
        [outcome] = collect(publisher, 1)

    assert (outcome.verdict, outcome.delivery_id, outcome.generation) == ("confirmed", message.delivery_id, 1)
    [(properties, body)] = drain(amqp.url, "suqiu.dest.rsj")
    assert body == message.body
    assert properties.message_id == message.delivery_id
    assert properties.correlation_id == message.appeal_id
    assert properties.delivery_mode == 2
    assert properties.type == "task.created"
    assert properties.headers["suqiu-sha256"] == hashlib.sha256(message.body).hexdigest()


def test_p5_a_message_without_a_queue_comes_back_as_returned_and_the_others_do_not(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    messages = [outgoing("rsj" if number % 2 else "nowhere") for number in range(40)]

    with publishing(amqp.url) as publisher:
        for message in messages:
            publisher.publish(message)
        verdicts = {outcome.delivery_id: outcome.verdict for outcome in collect(publisher, 40)}

    assert verdicts == {
        m.delivery_id: "confirmed" if m.destination == "rsj" else "returned" for m in messages
    }


def test_a_binding_that_was_removed_is_noticed_while_publishing_and_again_when_it_is_back(
    amqp: VirtualHost,
) -> None:
    lay_out(amqp, "rsj")
    with publishing(amqp.url) as publisher, open_channel(amqp.url) as channel:
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"
        channel.queue_unbind("suqiu.dest.rsj", "suqiu.deliver", "rsj")
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "returned"
        channel.queue_bind("suqiu.dest.rsj", "suqiu.deliver", "rsj")
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"


def test_a_missing_exchange_is_said_and_not_published_to_and_creating_it_mends_all(amqp: VirtualHost) -> None:
    said: list[str] = []
    with publishing(amqp.url, said=said) as publisher:
        publisher.publish(outgoing())
        until(lambda: said)
        assert "suqiu.deliver" in said[0]
        assert "suqiu topology apply" in said[0]
        assert not publisher.is_connected
        lay_out(amqp, "rsj")
        # The exchange is there a moment before its binding, and the publisher may be just as quick.
        assert collect(publisher, 1)[0].verdict in ("confirmed", "returned")
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"


def test_p4_a_full_queue_refuses_and_fifty_nine_others_go_on_at_speed(amqp: VirtualHost) -> None:
    lay_out(amqp, *SIXTY, limits=Limits(max_length=5))
    _widen_all_but(amqp, "u00")
    with publishing(amqp.url) as publisher:
        for _ in range(40):
            publisher.publish(outgoing("u00"))
        until(lambda: publisher.room("u00") == 0)
        before = time.monotonic()
        others = [outgoing(SIXTY[1 + number % 59]) for number in range(5900)]
        for message in others:
            publisher.publish(message)
        verdicts = {}
        while len(verdicts) < 5900 and time.monotonic() < before + 30:
            for outcome in publisher.outcomes(timedelta(seconds=1)):
                if outcome.destination != "u00":
                    verdicts[outcome.delivery_id] = outcome.verdict
        took = time.monotonic() - before

    assert set(verdicts.values()) == {"confirmed"}
    assert len(verdicts) == 5900
    assert took < 15, f"the others took {took:.1f} s"


def test_p9_a_full_queue_is_asked_ever_more_rarely_and_works_again_when_emptied(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", limits=Limits(max_length=5))
    with publishing(amqp.url, first_pause="200ms", longest_pause="400ms") as publisher:
        verdicts: list[str] = []
        end = time.monotonic() + 4
        while time.monotonic() < end:
            if publisher.room("rsj"):
                publisher.publish(outgoing())
            verdicts += [outcome.verdict for outcome in publisher.outcomes(timedelta(milliseconds=20))]
        assert "refused" in verdicts
        # The first burst may all be refused; then one probe for each rest of 150 ms and more.
        assert len(verdicts) < 20 + 10 + 4 / 0.15

        drain(amqp.url, "suqiu.dest.rsj")
        until(lambda: publisher.room("rsj"))
        publisher.publish(outgoing())
        until(lambda: any(o.verdict == "confirmed" for o in publisher.outcomes(timedelta(seconds=1))))
        until(lambda: publisher.room("rsj") > 100)


def test_bodies_of_sixteen_mebibytes_and_of_nothing_arrive_whole(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    bodies = [b"", b"x" * (16 * 1024 * 1024)]

    with publishing(amqp.url) as publisher:
        for body in bodies:
            publisher.publish(outgoing(body=body))
        assert {outcome.verdict for outcome in collect(publisher, 2, within=60)} == {"confirmed"}

    assert sorted(len(body) for _, body in drain(amqp.url, "suqiu.dest.rsj")) == [0, 16 * 1024 * 1024]


def test_a_body_over_the_limit_is_refused_here_and_harms_no_neighbour(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    large, small = outgoing(body=b"x" * 2001), outgoing(body=b"x" * 2000)

    with publishing(amqp.url, max_body=2000) as publisher:
        publisher.publish(large)
        publisher.publish(small)
        found = {outcome.delivery_id: outcome for outcome in collect(publisher, 2)}

    assert found[large.delivery_id].verdict == "refused"
    assert found[large.delivery_id].sent, "it counts as an attempt: the next one would fail as well"
    assert "max_body" in found[large.delivery_id].detail
    assert found[small.delivery_id].verdict == "confirmed"


def test_what_cannot_be_written_as_amqp_is_refused_and_the_next_one_keeps_its_own_tag(
    amqp: VirtualHost,
) -> None:
    lay_out(amqp, "rsj")
    odd = outgoing(type="t" * 256)
    good = [outgoing() for _ in range(3)]

    with publishing(amqp.url) as publisher:
        for message in (good[0], odd, good[1], good[2]):
            publisher.publish(message)
        found = {outcome.delivery_id: outcome.verdict for outcome in collect(publisher, 4)}

    assert found.pop(odd.delivery_id) == "refused"
    assert set(found.values()) == {"confirmed"}


def test_more_than_its_room_comes_back_unsent(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with publishing(amqp.url, backlog=10) as publisher:
        assert publisher.room("rsj") == 10
        for _ in range(12):
            publisher.publish(outgoing())
        assert publisher.room("rsj") == 0
        found = collect(publisher, 12)
        assert publisher.room("rsj") == 10

    assert sum(outcome.verdict == "confirmed" for outcome in found) == 10
    assert [outcome.sent for outcome in found if outcome.verdict == "unknown"] == [False, False]


def test_of_a_page_what_has_room_goes_and_the_rest_comes_back_unsent(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", "gaj")
    page = [outgoing("rsj" if number % 3 else "gaj") for number in range(30)]
    with publishing(amqp.url, backlog=10) as publisher:
        publisher.publish()
        publisher.publish(*page)
        assert (publisher.room("rsj"), publisher.room("gaj")) == (0, 0)
        verdicts = {outcome.delivery_id: outcome.verdict for outcome in collect(publisher, 30)}
        assert (publisher.room("rsj"), publisher.room("gaj")) == (10, 10)

    ours = [message.delivery_id for message in page if message.destination == "rsj"]
    assert [verdicts.pop(one) for one in ours] == ["confirmed"] * 10 + ["unknown"] * 10
    assert set(verdicts.values()) == {"confirmed"}


def test_p3_messages_of_one_appeal_lie_in_the_queue_in_the_order_they_were_given(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    appeal = outgoing().appeal_id
    messages = [outgoing(appeal_id=appeal, sequence=number) for number in range(1, 31)]

    with publishing(amqp.url) as publisher:
        for message in messages:
            publisher.publish(message)
        collect(publisher, 30)

    queued = [properties.headers["suqiu-sequence"] for properties, _ in drain(amqp.url, "suqiu.dest.rsj")]
    assert queued == list(range(1, 31))


def test_p3_after_a_refusal_nothing_of_that_appeal_overtakes(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", limits=Limits(max_length=1))
    appeal = outgoing().appeal_id
    with publishing(amqp.url) as publisher:
        for _ in range(3):  # a quorum queue lets one or two more in than its limit
            publisher.publish(outgoing())
        collect(publisher, 3)
        for number in range(1, 6):
            publisher.publish(outgoing(appeal_id=appeal, sequence=number))
        found = collect(publisher, 5)

    assert found[0].verdict == "refused"
    assert [(outcome.verdict, outcome.sent) for outcome in found[1:]] == [("unknown", False)] * 4


def test_closing_gives_back_every_message_handed_in(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with publishing(amqp.url) as publisher:
        for _ in range(150):
            publisher.publish(outgoing())
        last = publisher.close(timedelta(seconds=5))
        assert len(last) == 150
        assert all(outcome.verdict == "confirmed" or not outcome.sent for outcome in last)
        assert publisher.room("rsj") == 0
        publisher.publish(outgoing())
        [late] = publisher.outcomes(timedelta(0))
        assert (late.verdict, late.sent) == ("unknown", False)

    assert len(drain(amqp.url, "suqiu.dest.rsj")) == sum(o.verdict == "confirmed" for o in last)


def _widen_all_but(vhost: VirtualHost, narrow: str) -> None:
    """A second policy of higher priority for the one that is to be full; a wide one for all."""
    wide = {"overflow": "reject-publish", "max-length": 100_000}
    policy = {
        "pattern": rf"^suqiu\.dest\.(?!{narrow}$)",
        "apply-to": "queues",
        "definition": wide,
        "priority": 9,
    }
    vhost.manage("PUT", f"/api/policies/{vhost.name}/wide", policy)
