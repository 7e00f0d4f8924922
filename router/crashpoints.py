"""
Named places where a test can kill the process, to prove that nothing is lost there.

Disarmed, a point costs one look into an empty set. Armed points kill with SIGKILL: no cleanup
runs, as in a power cut. Only wiring arms them, from SUQIU_CRASH_AT.
"""

from __future__ import annotations

import os
import signal

POINTS = frozenset(
    {
        "intake.before_begin",
        "intake.before_commit",
        "intake.after_commit",
        "intake.after_acknowledge",
        "relay.after_claim",
        "relay.mid_publish",
        "relay.after_confirm",
        "relay.before_mark_commit",
        "relay.after_mark",
        "worker.after_claim",
        "worker.after_deliver",
        "worker.after_mark",
        "returns.before_commit",
        "returns.before_ack",
        "replay.before_commit",
        "replay.after_commit",
    }
)

_armed: set[str] = set()


def arm(*names: str) -> None:
    """Make the process die at these points. An unknown name is an error: no test passes by a typo."""
    unknown = set(names) - POINTS
    if unknown:
        raise ValueError(f"no such crash point: {', '.join(sorted(unknown))}")
    _armed.update(names)


def crashpoint(name: str) -> None:
    """Die here if armed."""
    if _armed and name in _armed:
        os.kill(os.getpid(), signal.SIGKILL)
