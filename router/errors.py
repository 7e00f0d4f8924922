"""
What can go wrong, sorted by what to do about it.

HubError
├─ TransientError         wait and try the same thing again
│  ├─ SourceUnavailable     an outside system did not answer
│  ├─ Throttled             it answered "slow down", perhaps saying how long
│  ├─ DestinationUnavailable  a unit's system did not answer, or its answer is unknown
│  ├─ BrokerUnavailable     RabbitMQ is away, or did not confirm
│  └─ LedgerUnavailable     the database is away
├─ PermanentError         the same thing would fail again: dead letter
│  ├─ MalformedEnvelope     the body is not what its content type claims
│  ├─ MappingFailed         a required field is missing or has the wrong shape
│  ├─ Unroutable            no rule wants this message, or no queue is bound for it
│  └─ RejectedByReceiver    the unit's system read it and said no
└─ SourceRefused          the source rejects *us*, not the message: stop polling it

ConfigError               refuse to start. Deliberately no HubError: nothing may catch it.

Messages must not carry personal data: mask values with `router.masking` before they get here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class HubError(Exception):
    """The root of everything a flow may meet and must record."""


class TransientError(HubError):
    """Wait and try the same thing again."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceUnavailable(TransientError):
    """An outside system did not answer, or answered with a fault of its own."""


class Throttled(TransientError):
    """It asked us to slow down."""


class DestinationUnavailable(TransientError):
    """A unit's system did not answer; whether it took the message is unknown."""


class BrokerUnavailable(TransientError):
    """RabbitMQ is away, refused for now, or did not confirm in time."""


class LedgerUnavailable(TransientError):
    """The database is away; nothing was promised to anyone."""


class PermanentError(HubError):
    """The same thing would fail again: dead letter."""


class MalformedEnvelope(PermanentError):
    """The body is not what its content type claims."""


class MappingFailed(PermanentError):
    """A required field is missing or has the wrong shape."""


class Unroutable(PermanentError):
    """No rule wants this message, or no queue is bound for its destination."""


class RejectedByReceiver(PermanentError):
    """The receiver read the message and said no."""


class SourceRefused(HubError):
    """The source rejects us (credentials, contract), not the message: pause it and tell ops."""


def told(error: Exception) -> str:
    """What may be said of an error. Ours carry no personal data; a stranger's text may quote anything."""
    return str(error) if isinstance(error, HubError) else f"unforeseen {type(error).__name__}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the configuration: where it stands, what it is, what to do."""

    where: str
    """`file:line` relative to the configuration folder."""
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(Exception):
    """The configuration cannot be used. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = tuple(problems)
