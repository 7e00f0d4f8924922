"""How often someone may knock: a token bucket per source and per unit."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import ConfigDict, Field

from router.described import Described


class RateLimit(Described):
    """So many requests a minute on average, so many at once after a pause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_minute: Annotated[int, Field(ge=1, le=600_000)] = 1200
    burst: Annotated[int, Field(ge=1, le=10_000)] = 100


class TokenBucket:
    """Fills steadily up to the burst; every request takes one token out.

    For one thread: the front asks it on the event loop only. The clock is a monotonic one, in
    seconds, so that setting the machine's time neither opens nor closes the door.
    """

    def __init__(self, limit: RateLimit, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._tokens = float(limit.burst)
        self._seen = monotonic()

    def take(self) -> timedelta | None:
        """None when the request may pass, else how long until the next one may."""
        now = self._monotonic()
        per_second = self._limit.per_minute / 60
        self._tokens = min(self._limit.burst, self._tokens + (now - self._seen) * per_second)
        self._seen = now
        if self._tokens < 1:
            return timedelta(seconds=(1 - self._tokens) / per_second)
        self._tokens -= 1
        return None
