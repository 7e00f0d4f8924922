"""The publisher while broker or network fail: proxy, SIGKILL, SIGSTOP, alarms, a queue that is stuck."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from router.broker.publisher import PikaPublisher
from router.ports import Outgoing, Published
from tests.broker.publishing import (
    SHORT,
    collect,
    drain,
    lay_out,
    outgoing,
    publishing,
    settings,
    through,
    until,
)
from tests.broker.scripted import ScriptedBroker
from tests.proxy import FaultProxy
from tests.servers import VirtualHost

QUICK_LINK = {"heartbeat": "1s"}
SIXTY = [f"u{number:02d}" for number in range(60)]


@contextmanager
def proxied(vhost: VirtualHost) -> Iterator[tuple[FaultProxy, str]]:
    with FaultProxy(vhost.broker.host, vhost.broker.port) as proxy:
        yield proxy, through(vhost.url, proxy.port)


def _warm(publisher: PikaPublisher) -> None:
    """Connected, the channel open and proven; what fails from here on fails after sending."""
    publisher.publish(outgoing())
    assert collect(publisher, 1)[0].verdict == "confirmed"


def test_p5_a_lost_confirm_is_unknown_and_the_second_attempt_has_the_same_id(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    message = outgoing()
    with proxied(amqp) as (proxy, url), publishing(url, confirm_deadline="1s") as publisher:
        _warm(publisher)
        proxy.set(downwards="drop")
        publisher.publish(message)
        [outcome] = collect(publisher, 1)
        assert (outcome.verdict, outcome.sent) == ("unknown", True)
        proxy.set(downwards="pass")
        until(lambda: publisher.room("rsj"))
        publisher.publish(message)
        assert collect(publisher, 1)[0].verdict == "confirmed"

    assert [p.message_id for p, _ in drain(amqp.url, "suqiu.dest.rsj")][1:] == [message.delivery_id] * 2


def test_a_half_open_connection_is_noticed_by_the_heartbeat_and_replaced(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    said: list[str] = []
    with (
        proxied(amqp) as (proxy, url),
        publishing(url, link=QUICK_LINK, confirm_deadline="5m", said=said) as publisher,
    ):
        _warm(publisher)
        proxy.set(upwards="hold", downwards="hold")
        publisher.publish(outgoing())
        began = time.monotonic()
        assert collect(publisher, 1)[0].verdict == "unknown"
        assert time.monotonic() - began < 14  # pika looks every heartbeat + 5 s, and twice at worst
        assert "eartbeat" in said[0]
        proxy.set(upwards="pass", downwards="pass")
        until(lambda: publisher.is_connected)
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"


def test_a_connection_cut_in_mid_frame_gives_every_message_an_answer(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with proxied(amqp) as (proxy, url), publishing(url) as publisher:
        _warm(publisher)
        proxy.cut_after(10_000)
        for _ in range(20):
            publisher.publish(outgoing(body=b"x" * 1000))
        found = collect(publisher, 20)
        verdicts = {outcome.verdict for outcome in found}
        assert "unknown" in verdicts
        until(lambda: publisher.is_connected)
    confirmed = {outcome.delivery_id for outcome in found if outcome.verdict == "confirmed"}
    assert confirmed <= {properties.message_id for properties, _ in drain(amqp.url, "suqiu.dest.rsj")}


def test_without_a_connection_a_message_waits_and_then_comes_back_unsent(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with proxied(amqp) as (proxy, url), publishing(url, patience="1s") as publisher:
        proxy.refuses = True
        proxy.cut()
        until(lambda: not publisher.is_connected)
        publisher.publish(outgoing())
        [outcome] = collect(publisher, 1)
        assert (outcome.verdict, outcome.sent) == ("unknown", False)
        publisher.publish(outgoing())
        proxy.refuses = False
        assert collect(publisher, 1)[0].verdict == "confirmed"


@pytest.mark.timeout(240)
def test_p1_no_confirmed_message_is_missing_after_the_broker_was_killed_under_load(amqp: VirtualHost) -> None:
    lay_out(amqp, *SIXTY[:8])
    wanted = [outgoing(SIXTY[number % 8], body=b"x" * 500) for number in range(12_000)]
    with publishing(amqp.url) as publisher:
        killer = threading.Thread(target=lambda: (time.sleep(0.3), amqp.broker.kill(), amqp.broker.start()))
        killer.start()
        attempts = _publish_until_confirmed(publisher, wanted)
        killer.join()

    assert max(attempts.values()) > 1, "the kill came too late to hit anything: more messages are needed"
    queued: list[str] = []
    for one in SIXTY[:8]:
        queued += [properties.message_id for properties, _ in drain(amqp.url, f"suqiu.dest.{one}")]
    assert {message.delivery_id for message in wanted} == set(queued)


def _publish_until_confirmed(publisher: PikaPublisher, wanted: list[Outgoing]) -> dict[str, int]:
    """As the relay does it: an unknown one again, under the same id. How often each was handed in."""
    open_ones = {message.delivery_id: message for message in wanted}
    todo, attempts = list(reversed(wanted)), dict.fromkeys(open_ones, 0)
    end = time.monotonic() + 150
    while open_ones:
        assert time.monotonic() < end, f"{len(open_ones)} messages without a confirm"
        while todo and publisher.is_connected and publisher.room(todo[-1].destination):
            message = todo.pop()
            attempts[message.delivery_id] += 1
            publisher.publish(message)
        for outcome in publisher.outcomes(timedelta(milliseconds=20)):
            if outcome.verdict == "confirmed":
                open_ones.pop(outcome.delivery_id, None)
            else:
                todo.append(open_ones[outcome.delivery_id])
    return attempts


def test_a_broker_that_stands_still_makes_unknown_and_goes_on_when_it_wakes(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with publishing(amqp.url, confirm_deadline="1s", first_pause="100ms") as publisher:
        _warm(publisher)
        amqp.broker.suspend()
        try:
            publisher.publish(outgoing())
            assert collect(publisher, 1)[0].verdict == "unknown"
        finally:
            amqp.broker.resume()
        until(lambda: publisher.is_connected and publisher.room("rsj"))
        publisher.publish(outgoing())
        assert collect(publisher, 1)[0].verdict == "confirmed"


def test_a_memory_alarm_is_seen_as_not_connected_and_passes(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    said: list[str] = []
    with publishing(amqp.url, said=said, link={"blocked_timeout": "30s"}) as publisher:
        _warm(publisher)
        amqp.broker.ctl("set_vm_memory_high_watermark", "0.000001")
        try:
            publisher.publish(outgoing())  # the broker blocks a connection at its first publish
            until(lambda: not publisher.is_connected)
            assert "memory" in said[0]
            assert publisher.outcomes(timedelta(milliseconds=300)) == []
        finally:
            amqp.broker.ctl("set_vm_memory_high_watermark", "0.4")
        assert collect(publisher, 1)[0].verdict == "confirmed"
        assert publisher.is_connected


def test_an_alarm_that_lasts_ends_in_unknown_and_not_in_a_hang(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with publishing(amqp.url, link={"blocked_timeout": "500ms"}) as publisher:
        _warm(publisher)
        amqp.broker.ctl("set_vm_memory_high_watermark", "0.000001")
        try:
            publisher.publish(outgoing())
            [outcome] = collect(publisher, 1)
            assert (outcome.verdict, outcome.sent) == ("unknown", True)
        finally:
            amqp.broker.ctl("set_vm_memory_high_watermark", "0.4")
        until(lambda: publisher.is_connected)


@pytest.mark.parametrize("is_warm", [True, False], ids=["stuck while in use", "stuck from the start"])
def test_p4_one_queue_that_never_answers_does_not_slow_fifty_nine(amqp: VirtualHost, is_warm: bool) -> None:
    lay_out(amqp, *SIXTY)
    stuck = f"'{amqp.name}_suqiu.dest.u00'"
    with publishing(amqp.url, confirm_deadline="2s") as publisher:
        publisher.publish(outgoing("u00" if is_warm else "u01"))
        collect(publisher, 1)
        amqp.broker.ctl("eval", f"sys:suspend({stuck}).")
        try:
            for _ in range(100):
                publisher.publish(outgoing("u00"))
            began = time.monotonic()
            for number in range(5900):
                publisher.publish(outgoing(SIXTY[1 + number % 59]))
            found: list[Published] = []
            while sum(outcome.destination != "u00" for outcome in found) < 5900:
                assert time.monotonic() < began + 30
                found += publisher.outcomes(timedelta(milliseconds=50))
            took = time.monotonic() - began
            until(lambda: found.extend(publisher.outcomes(SHORT)) or _stuck(found))
            assert publisher.room("u00") == 0
        finally:
            amqp.broker.ctl("eval", f"sys:resume({stuck}).")
        assert {outcome.verdict for outcome in found if outcome.destination != "u00"} == {"confirmed"}
        assert took < 2, f"the others took {took:.1f} s: they must not wait for the stuck one's deadline"
        assert {outcome.verdict for outcome in _stuck(found)} == {"unknown"}
        assert len(_stuck(found)) == (20 if is_warm else 1), "what was on its way, and no more"
        assert _until_probed(publisher, "u00")


def _stuck(found: list[Published]) -> list[Published]:
    return [outcome for outcome in found if outcome.destination == "u00"]


def _until_probed(publisher: PikaPublisher, destination: str) -> bool:
    """The rest ends, a probe is confirmed, the lane is open again."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if publisher.room(destination):
            publisher.publish(outgoing(destination))
        found = publisher.outcomes(timedelta(milliseconds=100))
        if any(o.destination == destination and o.verdict == "confirmed" for o in found):
            return True
    return False


def test_closing_while_the_broker_is_silent_does_not_hang(amqp: VirtualHost) -> None:
    lay_out(amqp, "rsj")
    with proxied(amqp) as (proxy, url):
        publisher = PikaPublisher(settings(url), None, report=lambda _: None, random=lambda: 0.5)
        publisher.start()
        _warm(publisher)
        proxy.set(upwards="hold", downwards="hold")
        publisher.publish(outgoing())
        began = time.monotonic()
        [outcome] = publisher.close(timedelta(seconds=1))
        assert outcome.verdict == "unknown"
        assert time.monotonic() - began < 4


def test_a_publisher_that_never_started_or_never_connected_still_answers() -> None:
    for starts in (False, True):
        one = PikaPublisher(
            settings("amqp://guest@127.0.0.1:1/%2F"), None, report=lambda _: None, random=lambda: 0.5
        )
        if starts:
            one.start()
        one.publish(outgoing())
        [outcome] = one.close(timedelta(seconds=1))
        assert (outcome.verdict, outcome.sent) == ("unknown", False)


def test_p9_a_hundred_reconnects_leave_no_files_and_no_threads_behind() -> None:
    with (
        ScriptedBroker(lambda peer, *_: peer.connection.shutdown(socket.SHUT_RDWR)) as broker,
        publishing(broker.url, link={"first_reconnect": "10ms", "longest_reconnect": "10ms"}) as publisher,
    ):
        counts = []
        for number in range(101):
            publisher.publish(outgoing(f"u{number}"))
            assert [o.verdict for o in until(lambda: publisher.outcomes(SHORT))] == ["unknown"]
            counts.append((_open_files(), threading.active_count()))
        assert broker.connections >= 100
        assert counts[-1][0] <= counts[20][0] + 3
        assert counts[-1][1] <= counts[20][1] + 3


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
