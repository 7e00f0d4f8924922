"""
A confirm that comes late or for something else must never be taken for another message's (P5).

The broker is scripted, since RabbitMQ shows these orders of events only now and then. The same
script run against py-amqp's own confirm_publish shows that it would catch the mistake.
"""

from __future__ import annotations

import socket
import time
from datetime import timedelta

import amqp
import pytest

from router.broker.publisher import PikaPublisher
from tests.broker.publishing import collect, outgoing, publishing, settings, until
from tests.broker.scripted import Peer, ScriptedBroker

_A_MOMENT = timedelta(milliseconds=20)


def _late_ack_of_a_returned_message(peer: Peer, tag: int, message_id: str, routing_key: str) -> None:
    """The second is returned; its ack comes only when the third was published, which is never acked."""
    if tag == 2:
        peer.give_back(message_id, routing_key)
    else:
        peer.ack(1 if tag == 1 else 2)


def test_p5_the_late_ack_of_a_returned_message_confirms_nobody_else() -> None:
    messages = [outgoing() for _ in range(3)]
    with (
        ScriptedBroker(_late_ack_of_a_returned_message) as broker,
        publishing(broker.url, confirm_deadline="500ms") as publisher,
    ):
        for message in messages:
            publisher.publish(message)
        verdicts = {outcome.delivery_id: outcome.verdict for outcome in collect(publisher, 3)}

    assert [verdicts[m.delivery_id] for m in messages] == ["confirmed", "returned", "unknown"]


def test_the_same_order_of_events_fools_py_amqp_so_this_script_can_tell() -> None:
    with ScriptedBroker(_late_ack_of_a_returned_message) as broker:
        connection = amqp.Connection(f"127.0.0.1:{broker.port}", confirm_publish=True)
        connection.connect()
        channel = connection.channel()
        arguments = {
            "exchange": "suqiu.deliver",
            "routing_key": "rsj",
            "mandatory": True,
            "confirm_timeout": 2,
        }
        channel.basic_publish(amqp.Message(b"x", message_id="first"), **arguments)
        with pytest.raises(amqp.exceptions.ChannelError, match="NO_ROUTE"):
            channel.basic_publish(amqp.Message(b"x", message_id="second"), **arguments)
        channel.basic_publish(amqp.Message(b"x", message_id="third"), **arguments)
        connection.collect()
    # No error: the third, never acknowledged by the broker, was taken for confirmed.


def test_p5_the_late_ack_of_an_overdue_message_does_not_confirm_its_successor() -> None:
    """`slow` answers its first message only after the second one is out, with the same delivery tag."""
    owed: list[Peer] = []

    def script(peer: Peer, tag: int, _message_id: str, routing_key: str) -> None:
        if routing_key == "quick":
            peer.ack(tag)
        elif owed:
            owed[0].ack(1)
        else:
            owed.append(peer)

    first, second = outgoing("slow"), outgoing("slow")
    with (
        ScriptedBroker(script, keeps_open=True) as broker,
        publishing(broker.url, confirm_deadline="400ms", first_pause="100ms") as publisher,
    ):
        verdicts: dict[str, str] = {}
        publisher.publish(first)
        end = time.monotonic() + 15
        handed_in = False
        while second.delivery_id not in verdicts and time.monotonic() < end:
            publisher.publish(outgoing("quick"))
            verdicts |= {o.delivery_id: o.verdict for o in publisher.outcomes(_A_MOMENT)}
            if first.delivery_id in verdicts and not handed_in and publisher.room("slow"):
                publisher.publish(second)
                handed_in = True
            time.sleep(0.01)
        assert broker.connections == 1, "the link must have lived on: the quick destination was answered"

    assert (verdicts[first.delivery_id], verdicts[second.delivery_id]) == ("unknown", "unknown")


def test_p5_one_ack_for_many_confirms_exactly_those_up_to_its_tag() -> None:
    def script(peer: Peer, tag: int, _message_id: str, _routing_key: str) -> None:
        if tag == 1:
            peer.ack(1)
        elif tag == 6:
            peer.ack(4, multiple=True)

    messages = [outgoing() for _ in range(6)]
    with (
        ScriptedBroker(script) as broker,
        publishing(broker.url, confirm_deadline="500ms") as publisher,
    ):
        for message in messages:
            publisher.publish(message)
        verdicts = {outcome.delivery_id: outcome.verdict for outcome in collect(publisher, 6)}

    assert [verdicts[m.delivery_id] for m in messages] == ["confirmed"] * 4 + ["unknown"] * 2


def test_a_return_marks_the_first_unanswered_message_of_that_id_only() -> None:
    """The same delivery may be out twice, under two generations."""

    def script(peer: Peer, tag: int, message_id: str, routing_key: str) -> None:
        if tag == 1:
            peer.ack(1)
        elif tag == 3:
            peer.give_back(message_id, routing_key)
            peer.ack(2)
            peer.ack(3)

    one = outgoing()
    again = outgoing(delivery_id=one.delivery_id, generation=2)
    with ScriptedBroker(script) as broker, publishing(broker.url) as publisher:
        publisher.publish(outgoing())
        collect(publisher, 1)
        publisher.publish(one)
        publisher.publish(again)
        found = {outcome.generation: outcome.verdict for outcome in collect(publisher, 2)}

    assert found == {1: "returned", 2: "confirmed"}


def test_silence_on_everything_cuts_the_connection_and_starts_a_new_one() -> None:
    said: list[str] = []
    with (
        ScriptedBroker(lambda *_: None) as broker,
        publishing(broker.url, said=said, confirm_deadline="300ms") as publisher,
    ):
        publisher.publish(outgoing())
        [outcome] = collect(publisher, 1)
        assert (outcome.verdict, outcome.sent) == ("unknown", True)
        until(lambda: broker.connections == 2)
        assert "confirms nothing" in said[0]


def test_a_nack_is_an_answer_and_not_a_lost_connection() -> None:
    with (
        ScriptedBroker(lambda peer, tag, *_: peer.nack(tag)) as broker,
        publishing(broker.url) as publisher,
    ):
        publisher.publish(outgoing())
        [outcome] = collect(publisher, 1)
        assert outcome.verdict == "refused"
        assert broker.connections == 1
        assert publisher.is_connected


def test_a_defect_of_an_observer_does_not_silence_the_publisher() -> None:
    """The report callable raises on the publisher's own thread; it starts over, and answers for all."""

    def broken(_sentence: str) -> None:
        raise RuntimeError("the observer is broken")

    def script(peer: Peer, tag: int, *_: str) -> None:
        if broker.connections > 1:
            peer.ack(tag)
        else:
            peer.connection.shutdown(socket.SHUT_RDWR)

    with ScriptedBroker(script) as broker:
        publisher = PikaPublisher(settings(broker.url), None, report=broken, random=lambda: 0.5)
        publisher.start()
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "unknown"
        until(lambda: publisher.is_connected)
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"
        publisher.close(_A_MOMENT)
