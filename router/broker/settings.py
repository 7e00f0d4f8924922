"""Where the broker is and how hard it is leaned on: the `broker` block of hub.yaml."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from router.durations import Duration, within
from router.secrets import SecretRef


class PublisherSettings(BaseModel):
    """Limits of the road to the broker. The defaults were measured; see README.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: Annotated[int, Field(ge=1, le=1000)] = 20
    """Unconfirmed messages per destination. With one window for all, one stuck queue stops everybody."""
    backlog: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Messages held per destination, the unconfirmed ones included."""
    confirm_deadline: Annotated[Duration, within("100ms", "10m")] = timedelta(seconds=60)
    """An answer later than this is overdue. Not below the heartbeat: a slow link is no doubt."""
    patience: Annotated[Duration, within("100ms", "10m")] = timedelta(seconds=60)
    """How long a message waits here unsent. With the deadline it must stay below the ledger's lease."""
    first_pause: Annotated[Duration, within("10ms", "10m")] = timedelta(seconds=1)
    longest_pause: Annotated[Duration, within("10ms", "1h")] = timedelta(minutes=5)
    """A destination that refuses or does not answer rests this long, doubling from first to longest."""
    max_body: Annotated[int, Field(ge=1)] = 16 * 1024 * 1024
    """A larger body is refused here: the broker would close the channel over it, for everyone."""
    unconfirmed_bytes: Annotated[int, Field(ge=1)] = 64 * 1024 * 1024
    """Bodies on their way at once, over all destinations; one message is always allowed."""

    @property
    def lease(self) -> timedelta:
        """How long the ledger must keep a claimed delivery for us: longer than we can sit on it."""
        return (self.confirm_deadline + self.patience) * 1.5


class LinkSettings(BaseModel):
    """What both connections, the publishing and the consuming one, keep to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heartbeat: Annotated[Duration, within("1s", "10m")] = timedelta(seconds=30)
    connect_timeout: Annotated[Duration, within("100ms", "5m")] = timedelta(seconds=10)
    blocked_timeout: Annotated[Duration, within("100ms", "1h")] = timedelta(seconds=60)
    """How long the broker may keep us blocked (memory or disk alarm) before we hang up and try anew."""
    first_reconnect: Annotated[Duration, within("10ms", "10m")] = timedelta(seconds=1)
    longest_reconnect: Annotated[Duration, within("10ms", "1h")] = timedelta(seconds=30)


class ConsumerSettings(BaseModel):
    """Batches of what comes back: whichever of size and time is reached first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefetch: Annotated[int, Field(ge=1, le=10_000)] = 200
    batch: Annotated[int, Field(ge=1, le=10_000)] = 100
    batch_time: Annotated[Duration, within("10ms", "1m")] = timedelta(milliseconds=200)


class BrokerSettings(BaseModel):
    """One virtual host of one RabbitMQ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, StringConstraints(pattern=r"^amqps?://\S+$", max_length=500)]
    """amqp://user@host:port/vhost, amqps for TLS. The password stands elsewhere."""
    password: SecretRef | None = None
    management: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)] | None = None
    """The management API, with the same user unless the URL names another. Only `suqiu topology` needs it."""
    publisher: PublisherSettings = PublisherSettings()
    link: LinkSettings = LinkSettings()
    consumer: ConsumerSettings = ConsumerSettings()
