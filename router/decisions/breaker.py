"""
A circuit breaker: a destination that fails again and again is left alone, then probed with one message.

Pure: time is passed in, and each step gives a new breaker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

TRIPS_AFTER = 5
"""Failures in a row that open it."""
FIRST_REST = timedelta(seconds=10)
LONGEST_REST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed while `rests_until` is None. Open until then; afterwards one probe is let through."""

    failures: int = 0
    rests_until: datetime | None = None
    rest: timedelta = FIRST_REST

    def state(self, now: datetime) -> Literal["closed", "open", "half_open"]:
        """Half open: it has rested, and one message may try."""
        if self.rests_until is None:
            return "closed"
        return "half_open" if now >= self.rests_until else "open"

    def allows(self, now: datetime) -> int | None:
        """How many messages may go now: None for any number, 1 for a probe, 0 for none."""
        return {"closed": None, "half_open": 1, "open": 0}[self.state(now)]

    def succeeded(self) -> Breaker:
        """One success closes it."""
        return Breaker()

    def failed(self, now: datetime) -> Breaker:
        """Opens after TRIPS_AFTER in a row; a failed probe rests twice as long as before."""
        failures = self.failures + 1
        if self.rests_until is not None:
            rest = min(self.rest * 2, LONGEST_REST)
            return replace(self, failures=failures, rests_until=now + rest, rest=rest)
        opened = now + FIRST_REST if failures >= TRIPS_AFTER else None
        return replace(self, failures=failures, rests_until=opened, rest=FIRST_REST)
