"""What a message carries beside its body, and that others can read it."""

from __future__ import annotations

import json
import re

import pika
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary_event
from pika import frame, spec

from router.broker import headers
from router.broker.topology import DELIVER
from router.broker.wire import Writer
from router.ports import Outgoing
from tests.broker.publishing import AT, outgoing


def _as_pika_writes(one: Outgoing) -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type="application/json",
        headers=headers.headers(one),
        delivery_mode=2,
        correlation_id=one.appeal_id,
        message_id=one.delivery_id,
        timestamp=int(AT.timestamp()),
        type=one.type,
        app_id="suqiu",
    )


LARGEST = 1000


def _pikas_frames(one: Outgoing) -> bytes:
    method = spec.Basic.Publish(exchange=DELIVER, routing_key=one.destination, mandatory=True)
    frames = [frame.Method(7, method), frame.Header(7, len(one.body), _as_pika_writes(one))]
    frames += [frame.Body(7, one.body[at : at + LARGEST]) for at in range(0, len(one.body), LARGEST)]
    return b"".join(one.marshal() for one in frames)


def _ours(one: Outgoing) -> bytes:
    return Writer(7, DELIVER, one.destination, LARGEST).frames(one)


def test_a_message_is_written_byte_for_byte_as_pika_would_write_it() -> None:
    for message in (
        outgoing(),
        outgoing("x" * 64, sequence=2_000_000_000, attempt=99, body="诉求".encode()),
        outgoing(appeal_id="a-1"),
        outgoing(body=b""),
        outgoing(body=b"x" * LARGEST),
        outgoing(body=b"x" * (2 * LARGEST + 1)),
    ):
        assert _ours(message) == _pikas_frames(message)


def test_the_cloudevents_package_reads_our_message_as_an_event() -> None:
    message = outgoing(body=json.dumps({"title": "咨询"}).encode())
    table = {name: str(value) for name, value in headers.headers(message).items()}

    event = from_binary_event(RabbitMQMessage(table, headers.CONTENT_TYPE, message.body))

    assert event.get_id() == message.delivery_id
    assert event.get_type() == "task.created"
    assert event.get_source() == "/suqiu"
    assert event.get_subject() == message.appeal_id
    assert event.get_time() == AT
    assert event.get_specversion() == "1.0"
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == {"title": "咨询"}


def test_the_message_id_is_the_same_in_every_attempt_and_the_attempt_is_told() -> None:
    first = outgoing()
    second = outgoing(delivery_id=first.delivery_id, appeal_id=first.appeal_id, attempt=2, generation=7)
    ours, theirs = headers.headers(first), headers.headers(second)
    assert (ours.pop(headers.ATTEMPT), theirs.pop(headers.ATTEMPT)) == (1, 2)
    assert ours == theirs


def test_the_trace_is_the_appeal_and_without_uuids_there_is_none() -> None:
    message = outgoing()
    trace = headers.headers(message)[headers.TRACEPARENT]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", str(trace))
    assert message.appeal_id.replace("-", "") in str(trace)
    assert headers.TRACEPARENT not in headers.headers(outgoing(appeal_id="a-1"))


def test_p8_nothing_of_the_body_stands_outside_it() -> None:
    canary = "王先生 13800001234"
    body = json.dumps({"contact": canary}, ensure_ascii=False).encode()
    written = _ours(outgoing(body=body)).replace(body, b"").decode("latin-1")
    for part in (canary, "13800001234", canary.encode().decode("latin-1")):
        assert part not in written


def test_every_header_is_known_so_that_it_is_kept_when_the_message_comes_back() -> None:
    assert headers.headers(outgoing()).keys() == headers.KNOWN
