"""P1, P2, P7: kill -9 at every named point of intake and relay, on both databases, with a real RabbitMQ."""

from __future__ import annotations

import pytest

from tests.acceptance.rig import HubRig, Sink, item, wait_until

ITEMS = range(12)
IDS = {item(n)["orderNo"] for n in ITEMS}


def push_all(hub: HubRig) -> None:
    """As a sender does: again until there is a yes, or until the hub is dead."""
    for number in ITEMS:
        while not hub.push(number):
            if hub.has_died:
                return


@pytest.mark.parametrize(
    "point",
    [
        "intake.before_begin",
        "intake.before_commit",
        "intake.after_commit",
        "relay.after_claim",
        "relay.mid_publish",
        "relay.after_confirm",
        "relay.before_mark_commit",
        "relay.after_mark",
    ],
)
def test_p1_killed_at(point: str, hub: HubRig) -> None:
    hub.start(crash_at=point)
    push_all(hub)
    wait_until(lambda: hub.has_died, 20, f"the hub to die at {point}")
    assert hub.process is not None
    assert hub.process.returncode == -9, "killed, not ended"
    hub.start()
    push_all(hub)
    sink = Sink(hub.amqp_url)

    def all_there() -> bool:
        sink.drain("rsj", "gxj")
        return sink.received() == IDS

    wait_until(all_there, 40, "every appeal to reach its unit")
    assert len(sink.effects) == len(IDS), "P2: each once, for a receiver that drops repeats"
    finished = {"published": len(IDS)}
    wait_until(lambda: hub.states() == finished, 20, "P7: nothing to be left under way")
    assert hub.stop() == 0
