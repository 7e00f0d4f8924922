"""
What to do after an attempt went wrong: again after some time, or the dead letter pile. One pure function.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from router.errors import (
    MalformedEnvelope,
    MappingFailed,
    PermanentError,
    Throttled,
    TransientError,
    Unroutable,
)
from router.reasons import Reason

LONGEST_ASKED = timedelta(hours=6)
"""A receiver may ask us to wait, but not for days: a wrong Retry-After must not bury a message."""
SHORTEST = timedelta(milliseconds=100)
"""However chance falls, no attempt follows at once."""
_LONGEST_SENTENCE = 2000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient the hub is. Pauses grow by `factor` from `first` to `longest`."""

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=15)
    attempts: int = 30
    factor: float = 2.0

    def pause(self, attempt: int, chance: float) -> timedelta:
        """The pause after the attempt of this number (from 1); `chance` in [0, 1) spreads it.

        Full jitter: anything up to the whole pause, so that what failed together does not come
        back together.
        """
        # Compared before it is multiplied: a timedelta overflows long before a float does.
        grown = self.factor ** min(max(attempt, 1) - 1, 100)
        whole = self.longest if grown >= self.longest / self.first else self.first * grown
        return max(SHORTEST, whole * chance)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same thing again after this long."""

    after: timedelta
    reason: Reason


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """It would fail again, or has failed often enough: a person decides."""

    reason: Reason
    sentence: str


def decide(error: Exception, attempt: int, policy: RetryPolicy, *, chance: float) -> Retry | DeadLetter:
    """
    Choose between another attempt and the dead letter pile.

    `attempt` is the number of the attempt that failed, from 1. An error the hub does not know is
    treated as transient: the next release may well mend it, and the limit keeps it from circling
    for ever. How long a receiver asked us to wait is honoured, within bounds.
    """
    if isinstance(error, PermanentError):
        return DeadLetter(_reason(error), _say(error))
    if attempt >= policy.attempts:
        return DeadLetter(Reason.GAVE_UP, f"gave up after {attempt} attempts: {_say(error)}")
    pause = policy.pause(attempt, chance)
    if isinstance(error, TransientError) and error.retry_after is not None:
        pause = max(pause, min(error.retry_after, LONGEST_ASKED))
    return Retry(pause, _reason(error))


def _reason(error: Exception) -> Reason:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.UNEXPECTED)


def _say(error: Exception) -> str:
    """Our own errors carry no personal data; a stranger's text may."""
    ours = isinstance(error, (TransientError, PermanentError))
    return (str(error) if ours else "")[:_LONGEST_SENTENCE] or type(error).__name__


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (Unroutable, Reason.UNROUTABLE),
    (MappingFailed, Reason.MAPPING_FAILED),
    (MalformedEnvelope, Reason.MALFORMED),
    (PermanentError, Reason.REJECTED),
    (Throttled, Reason.THROTTLED),
    (TransientError, Reason.UNAVAILABLE),
)
"""The first that fits; the more special kinds stand before their parents."""
