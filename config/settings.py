"""hub.yaml: the hub itself, and the sources it listens to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.connections import PullSettings, PushSettings
from config.strict import Host, HttpUrl, Port, Strict, url_of
from monitoring.logs import LogSettings
from router.broker.settings import BrokerSettings
from router.durations import Duration, within
from router.limits import Identifier
from router.secrets import SecretRef

Limit = Annotated[str, Field(min_length=1, max_length=500)]


def _inside(path: str) -> str:
    if path.startswith("/") or "\\" in path:
        raise ValueError("must be relative to this file, with forward slashes")
    return path


RelativePath = Annotated[Limit, AfterValidator(_inside)]


def _database(url: str) -> str:
    if url.startswith("sqlite:") and (
        not url.startswith("sqlite:///") or url in ("sqlite:///", "sqlite:///:memory:")
    ):
        raise ValueError("must name a file: sqlite:///suqiu.db")
    return url


class DatabaseSettings(Strict):
    """Where the ledger is kept."""

    url: Annotated[
        Limit,
        url_of("sqlite", "postgresql+psycopg", needs_host=False),
        AfterValidator(_database),
    ] = "sqlite:///suqiu.db"
    """`sqlite:///FILE` (relative to the data folder), or `postgresql+psycopg://user@host/name`."""
    password: SecretRef | None = None
    """PostgreSQL only."""


class KeySettings(Strict):
    """Personal data is encrypted at rest. Lose the keys and it is gone."""

    current: Identifier
    """The key of the ring that new data is encrypted with."""
    ring: Annotated[Mapping[Identifier, SecretRef], Field(min_length=1, max_length=50)]
    """All keys that kept data may still be encrypted with: 32 random bytes each, as base64."""
    hashing: SecretRef
    """The key of look-up hashes (phone, enterprise). Never change it: old look-ups would find nothing."""
    cipher: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"

    @model_validator(mode="after")
    def _current_exists(self) -> Self:
        if self.current not in self.ring:
            raise ValueError(f"current is {self.current}, which the ring does not have")
        return self


class FrontSettings(Strict):
    """The port that sources push to and units fetch from."""

    host: Host = "127.0.0.1"
    port: Port = 8800
    public_url: HttpUrl = "http://127.0.0.1:8800"
    """How the outside reaches it; status URLs in answers begin with it."""
    requests: Annotated[int, Field(ge=4, le=1000)] = 64
    """Requests under way at once, more are answered 503. Memory is bounded by this times the largest body."""
    each: Annotated[int, Field(ge=1, le=1000)] = 24
    """Of these, the share of one source, or of all units together."""
    accepting: Annotated[int, Field(ge=1, le=64)] = 8
    """Threads that write to the ledger for pushes."""
    serving: Annotated[int, Field(ge=1, le=64)] = 8
    """Threads that read and write for units."""


class MonitoringSettings(Strict):
    """The port of /metrics, /healthz and /readyz. Not meant for the outside."""

    host: Host = "127.0.0.1"
    port: Port = 8801


class WorkerSettings(Strict):
    """Deliveries that the hub makes itself (http)."""

    threads: Annotated[int, Field(ge=1, le=64)] = 8


class RetrySettings(Strict):
    """When an attempt went wrong."""

    first: Annotated[Duration, within("100ms", "1h")] = timedelta(seconds=5)
    """The first pause; each further one is twice as long."""
    longest: Annotated[Duration, within("1s", "1d")] = timedelta(minutes=15)
    attempts: Annotated[int, Field(ge=1, le=1000)] = 30
    """After these it is a dead letter for people to look at."""


class QuarterlySettings(Strict):
    """The units' quarterly tables (R9)."""

    due: Annotated[Duration, within("1d", "90d")] = timedelta(days=15)
    """How long after a quarter's end its tables are in time."""


class SourceSettings(Strict):
    """One outside system. Its pull and its push are one source: what comes by both is recognised."""

    mapping: Identifier
    """The file mappings/NAME.yaml that translates it."""
    screened: bool = True
    """Whether an agent looked at it before it comes here. What nobody has screened can be sent to the
    desk first (R11): routes see it as facts.unscreened."""
    pull: PullSettings | None = None
    push: PushSettings | None = None

    @model_validator(mode="after")
    def _one_way_at_least(self) -> Self:
        if self.pull is None and self.push is None:
            raise ValueError("needs pull or push, else nothing comes from it")
        return self


class HubSettings(Strict):
    """hub.yaml"""

    data: Limit = "var"
    """The folder of the SQLite file and of attachments, relative to this file."""
    database: DatabaseSettings = DatabaseSettings()
    keys: KeySettings
    broker: BrokerSettings | None = None
    """RabbitMQ. Without this block, destinations of kind amqp are served as pull work lists."""
    front: FrontSettings = FrontSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    logging: LogSettings = LogSettings()
    worker: WorkerSettings = WorkerSettings()
    retry: RetrySettings = RetrySettings()
    quarterly: QuarterlySettings = QuarterlySettings()
    units: RelativePath = "units.yaml"
    regions: RelativePath = "regions.yaml"
    routes: RelativePath = "routes.yaml"
    categories: RelativePath = "categories.yaml"
    """Whose business a class of the city is by default. It may be left out."""
    words: RelativePath = "words"
    """The folder of words/UNIT.yaml: what in a text speaks for a unit. It may be left out."""
    mappings: RelativePath = "mappings"
    """The folder of mappings, with codes/, projections/ and the cases beside each mapping."""
    sources: Annotated[Mapping[Identifier, SourceSettings], Field(max_length=200)] = {}
