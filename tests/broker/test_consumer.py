"""What comes back from the broker, read from a real RabbitMQ: recorded first, acknowledged after."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pika
import pytest

from router.broker.consumer import Consumer
from router.broker.settings import BrokerSettings, ConsumerSettings
from router.broker.topology import DEAD, UNROUTED, AmqpDestination, Limits, topology
from router.errors import LedgerUnavailable
from router.ports import Returned
from tests.broker.publishing import (
    at_work,
    collect,
    drain,
    lay_out,
    management,
    open_channel,
    outgoing,
    publishing,
    settings,
    through,
    until,
)
from tests.proxy import FaultProxy
from tests.servers import VirtualHost

Record = Callable[[Sequence[Returned]], None]


class Recorder:
    """A ledger that keeps everything, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[Returned]] = []
        self.failures = failures
        self.calls = 0

    def __call__(self, batch: Sequence[Returned]) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise LedgerUnavailable("the database is away")
        self.batches.append(list(batch))

    @property
    def messages(self) -> list[Returned]:
        return [message for batch in self.batches for message in batch]


def _settings(url: str, link: Any = None, **consumer: Any) -> BrokerSettings:
    return settings(url, link=link).model_copy(update={"consumer": ConsumerSettings(**consumer)})


@contextmanager
def consuming(
    url: str, record: Record, *, said: list[str] | None = None, link: Any = None, **limits: Any
) -> Iterator[Consumer]:
    heard: list[str] = [] if said is None else said
    one = Consumer(
        _settings(url, link, **limits),
        None,
        (DEAD, UNROUTED),
        record,
        report=heard.append,
        random=lambda: 0.5,
    )
    with at_work(one.run):
        yield one


def _put(url: str, queue: str, *bodies: bytes, properties: Any = None) -> None:
    """Straight into a queue, past every exchange of ours."""
    with open_channel(url) as channel:
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish("", queue, body, properties)


def test_p6_what_a_unit_rejects_comes_back_with_its_id_its_reason_and_its_queue(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    message = outgoing(body=b'{"n": 1}')
    with publishing(amqp.url) as publisher:
        publisher.publish(message)
        collect(publisher, 1)
    with open_channel(amqp.url) as channel:
        method, _, _ = channel.basic_get("suqiu.dest.rsj")
        channel.basic_reject(method.delivery_tag, requeue=False)

    recorder = Recorder()
    with consuming(amqp.url, recorder):
        until(lambda: recorder.messages)

    [back] = recorder.messages
    assert (back.queue, back.reason, back.origin_queue) == (DEAD, "rejected", "suqiu.dest.rsj")
    assert (back.message_id, back.correlation_id) == (message.delivery_id, message.appeal_id)
    assert (back.type, back.body) == ("task.created", message.body)
    assert back.headers["suqiu-destination"] == "rsj"
    assert back.headers["suqiu-sequence"] == "1"
    assert not [name for name in back.headers if name.startswith("x-")]
    assert drain(amqp.url, DEAD) == []


def test_a_message_that_kills_its_consumer_comes_back_at_the_delivery_limit(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj", limits=Limits(delivery_limit=2))
    with publishing(amqp.url) as publisher:
        publisher.publish(outgoing())
        collect(publisher, 1)

    recorder = Recorder()
    with consuming(amqp.url, recorder):
        end = time.monotonic() + 20
        while not recorder.messages and time.monotonic() < end:
            with open_channel(amqp.url) as channel:
                channel.basic_get("suqiu.dest.rsj")  # and gone without an ack
            time.sleep(0.1)

    assert [back.reason for back in recorder.messages] == ["delivery_limit"]


def test_a_message_nobody_took_in_time_comes_back_as_expired(amqp: VirtualHost) -> None:
    wanted = topology([AmqpDestination("rsj")])
    policy = next(one for one in wanted.policies if one.name == "suqiu-dest")
    body = {
        "pattern": policy.pattern,
        "apply-to": "queues",
        "definition": {**policy.definition, "message-ttl": 200},
        "priority": 0,
    }
    management(amqp).apply(wanted)
    amqp.manage("PUT", f"/api/policies/{amqp.name}/suqiu-dest", body)
    recorder = Recorder()
    with publishing(amqp.url) as publisher, consuming(amqp.url, recorder):
        publisher.publish(outgoing())
        collect(publisher, 1)
        until(lambda: recorder.messages)

    assert [(back.reason, back.origin_queue) for back in recorder.messages] == [("expired", "suqiu.dest.rsj")]


def test_what_dies_while_suqiu_dead_is_missing_waits_in_its_queue_until_it_is_back(amqp: VirtualHost) -> None:
    pace = "application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, {})."
    amqp.broker.ctl("eval", pace.format(1000))  # the broker's own pace of trying again is three minutes
    try:
        lay_out(amqp, "rsj")
        recorder = Recorder()
        with publishing(amqp.url) as publisher:
            publisher.publish(outgoing())
            collect(publisher, 1)
        with open_channel(amqp.url) as channel:
            channel.exchange_delete(DEAD)
            method, _, _ = channel.basic_get("suqiu.dest.rsj")
            channel.basic_reject(method.delivery_tag, requeue=False)
            time.sleep(2)
        lay_out(amqp, "rsj")
        with consuming(amqp.url, recorder):
            until(lambda: recorder.messages, within=60)
        assert recorder.messages[0].reason == "rejected"
    finally:
        amqp.broker.ctl("eval", pace.format(180_000))


def test_feedback_that_nothing_wants_comes_back_as_unrouted_with_its_key(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with open_channel(amqp.url) as channel:
        channel.queue_unbind("suqiu.feedback", "suqiu.feedback", "#")
        channel.confirm_delivery()
        user = pika.URLParameters(amqp.url).credentials.username
        channel.basic_publish("suqiu.feedback", "rsj.status", b"{}", pika.BasicProperties(user_id=user))

    recorder = Recorder()
    with consuming(amqp.url, recorder):
        until(lambda: recorder.messages)

    [back] = recorder.messages
    assert (back.queue, back.exchange, back.routing_key) == (UNROUTED, "suqiu.feedback", "rsj.status")
    assert (back.reason, back.origin_queue, back.user_id) == (None, None, user)


def test_p1_nothing_is_acknowledged_before_it_is_recorded(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    _put(amqp.url, DEAD, *(b"%d" % number for number in range(20)))
    said: list[str] = []
    recorder = Recorder(failures=2)

    with consuming(amqp.url, recorder, said=said, batch=5):
        until(lambda: len(recorder.messages) >= 20)

    assert sorted(int(back.body) for back in recorder.messages) == list(range(20))
    assert "the database is away" in said[0]
    assert said[-1] == "suqiu.dead is read again"
    assert drain(amqp.url, DEAD) == []


def test_a_batch_ends_by_size_or_by_time(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder = Recorder()
    _put(amqp.url, DEAD, *[b"x"] * 25)
    with consuming(amqp.url, recorder, batch=10, batch_time="300ms"):
        until(lambda: len(recorder.messages) == 25)
    assert [len(batch) for batch in recorder.batches] == [10, 10, 5]


def test_stopping_finishes_the_batch_at_hand(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder = Recorder()
    with consuming(amqp.url, recorder, batch_time="1m") as consumer:
        until(lambda: consumer.is_connected)
        _put(amqp.url, DEAD, b"late")
        time.sleep(0.5)
        assert recorder.batches == []
    assert [back.body for back in recorder.messages] == [b"late"]
    assert drain(amqp.url, DEAD) == []


class _Raw(pika.BasicProperties):  # type: ignore[misc]  # pika has no types
    """Properties as bytes, for what no client library would let us write."""

    def __init__(self, flags: int, *fields: bytes) -> None:
        super().__init__()
        self._written = [struct.pack(">H", flags), *fields]

    def encode(self) -> list[bytes]:
        return [*self._written]


def _table(*entries: bytes) -> bytes:
    joined = b"".join(entries)
    return struct.pack(">I", len(joined)) + joined


HEADERS, MESSAGE_ID = pika.BasicProperties.FLAG_HEADERS, pika.BasicProperties.FLAG_MESSAGE_ID
MILLISECONDS = struct.pack(">cQ", b"T", 1_700_000_000_000)
ODD = {
    "a header time in milliseconds": _Raw(HEADERS, _table(b"\x04when" + MILLISECONDS)),
    "a message id that is not UTF-8": _Raw(MESSAGE_ID, b"\x02\xff\xfe"),
    "a header that says the body is compressed": pika.BasicProperties(headers={"compression": "bzip2"}),
    "a body that claims an encoding": pika.BasicProperties(content_encoding="utf-16"),
    "an x-death that is no list": pika.BasicProperties(headers={"x-death": "yes", "x-first-death-reason": 7}),
    "no properties at all": pika.BasicProperties(),
}


@pytest.mark.parametrize("properties", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("body", [b"", b"\xff\xfe not text \x00"], ids=["empty", "bytes"])
def test_an_odd_message_is_handed_on_as_it_is_and_stops_nobody(
    amqp: VirtualHost, properties: Any, body: bytes
) -> None:
    lay_out(amqp, "rsj")
    _put(amqp.url, DEAD, body, properties=properties)
    _put(amqp.url, DEAD, b"the next one")
    recorder = Recorder()
    with consuming(amqp.url, recorder):
        until(lambda: len(recorder.messages) == 2)
    assert [back.body for back in recorder.messages] == [body, b"the next one"]
    assert drain(amqp.url, DEAD) == []


def test_sixteen_mebibytes_come_back_whole(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    _put(amqp.url, DEAD, b"x" * 16 * 1024 * 1024)
    recorder = Recorder()
    with consuming(amqp.url, recorder):
        until(lambda: recorder.messages)
    assert len(recorder.messages[0].body) == 16 * 1024 * 1024


def test_a_missing_queue_is_said_with_what_to_do_and_reading_begins_when_it_is_there(
    amqp: VirtualHost,
) -> None:
    said: list[str] = []
    recorder = Recorder()
    with consuming(amqp.url, recorder, said=said):
        until(lambda: said)
        assert "suqiu topology apply" in said[0]
        lay_out(amqp, "rsj")
        _put(amqp.url, DEAD, b"x")
        until(lambda: recorder.messages)


def test_a_half_open_connection_is_noticed_and_replaced(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder = Recorder()
    with FaultProxy(amqp.broker.host, amqp.broker.port) as proxy:
        link = {"heartbeat": "1s"}
        with consuming(through(amqp.url, proxy.port), recorder, link=link) as consumer:
            until(lambda: consumer.is_connected)
            proxy.set(upwards="hold", downwards="hold")
            until(lambda: not consumer.is_connected)
            proxy.set(upwards="pass", downwards="pass")
            _put(amqp.url, DEAD, b"x")
            until(lambda: recorder.messages)
            assert proxy.accepted >= 2


def test_p7_a_killed_broker_brings_everything_once_it_is_back(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder = Recorder()
    with consuming(amqp.url, recorder, batch=10) as consumer:
        until(lambda: consumer.is_connected)
        for queue in (DEAD, UNROUTED):
            _put(amqp.url, queue, b"0")
        until(lambda: len(recorder.messages) == 2)
        time.sleep(3)  # a queue that 3.10.8 has just made may come back from a kill without a leader
        amqp.broker.kill()
        amqp.broker.start()
        _put(amqp.url, DEAD, *(b"%d" % number for number in range(50)))
        until(lambda: {int(back.body) for back in recorder.messages} == set(range(50)), within=60)


def test_p4_a_queue_without_an_answer_does_not_keep_the_other_from_being_read(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder, said = Recorder(), []
    stuck = f"'{amqp.name}_{UNROUTED}'"
    amqp.broker.ctl("eval", f"sys:suspend({stuck}).")
    try:
        with consuming(amqp.url, recorder, said=said, link={"connect_timeout": "1s"}) as consumer:
            _put(amqp.url, DEAD, b"x")
            until(lambda: recorder.messages)
            until(lambda: said)
            assert UNROUTED in said[0]
            assert not consumer.is_connected
    finally:
        amqp.broker.ctl("eval", f"sys:resume({stuck}).")


def test_a_memory_alarm_does_not_stop_what_comes_back(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    recorder = Recorder()
    _put(amqp.url, DEAD, b"before")
    amqp.broker.ctl("set_vm_memory_high_watermark", "0.000001")
    try:
        with consuming(amqp.url, recorder):
            until(lambda: recorder.messages)
    finally:
        amqp.broker.ctl("set_vm_memory_high_watermark", "0.4")
