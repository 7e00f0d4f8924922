"""A hub in two processes on one ledger: whichever is killed, nothing is lost and nothing done twice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.acceptance.rig import HubRig, Sink, item, wait_until

TAKES = ("--role", "front", "--role", "intake")
GIVES = ("--role", "relay", "--role", "worker", "--role", "feedback", "--monitoring-port", "0")
ITEMS = range(12)


@contextmanager
def giving(hub: HubRig, crash_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
    process = hub.run(*GIVES, crash_at=crash_at)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def push_all(hub: HubRig) -> None:
    wait_until(lambda: all(hub.push(number) for number in ITEMS), 30, "a yes to every push")


def all_arrived(hub: HubRig) -> Sink:
    sink = Sink(hub.amqp_url)

    def there() -> bool:
        sink.drain("rsj", "gxj")
        return sink.received() == {item(number)["orderNo"] for number in ITEMS}

    wait_until(there, 40, "every appeal to reach its unit")
    wait_until(lambda: hub.states() == {"published": len(ITEMS)}, 40, "nothing to be left under way")
    sink.drain("rsj", "gxj")
    assert len(sink.effects) == len(ITEMS), "each once, for a receiver that drops repeats"
    return sink


def test_what_one_process_takes_in_another_gives_on(hub: HubRig) -> None:
    hub.start(*TAKES)
    with giving(hub) as relay:
        push_all(hub)
        assert len(all_arrived(hub).copies) == len(ITEMS)
        relay.terminate()
        assert relay.wait(timeout=60) == 0
    assert hub.stop() == 0


@pytest.mark.parametrize("point", ["relay.after_claim", "relay.mid_publish", "relay.before_mark_commit"])
def test_the_giving_process_is_killed_and_started_again(point: str, hub: HubRig) -> None:
    """Its leases end by themselves, as the other process goes on."""
    hub.start(*TAKES)
    with giving(hub, crash_at=point) as doomed:
        push_all(hub)
        assert doomed.wait(timeout=20) == -9
    with giving(hub):
        all_arrived(hub)
    assert hub.stop() == 0


@pytest.mark.parametrize("point", ["intake.before_commit", "intake.after_commit"])
def test_the_taking_process_is_killed_and_started_again(point: str, hub: HubRig) -> None:
    with giving(hub):
        hub.start(*TAKES, crash_at=point)
        for number in ITEMS:
            if not hub.push(number):
                break
        wait_until(lambda: hub.has_died, 20, f"the hub to die at {point}")
        hub.start(*TAKES)
        push_all(hub)
        assert len(all_arrived(hub).copies) == len(ITEMS), "nothing that the other holds was made due again"
        assert hub.stop() == 0
