"""Who takes part: how each is started, and what it is compared for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.hub import prepared
from bench.work import HubAt, SourceAt
from demo.processes import module, suqiu

Way = Literal["hub", "pipelined", "one_by_one", "outbox"]
Command = list[str]


@dataclass(frozen=True)
class Ground:
    """Where one run takes place."""

    folder: Path
    source: SourceAt
    amqp: str
    database: str
    """Empty for who keeps nothing; a fresh one otherwise."""


@dataclass(frozen=True)
class Contestant:
    """One way to do the work."""

    name: str
    way: Way
    needs_postgresql: bool = False
    share: float = 1.0
    """Of the items; slow ones get fewer, since it is items per second that count."""
    roles: tuple[tuple[str, ...], ...] = ()
    """A hub's processes and the roles of each; no roles are all roles."""

    def commands(self, ground: Ground) -> list[Command]:
        """The processes to start, once all is prepared."""
        if self.way == "hub":
            return self._hub(ground)
        words = ["--source", ground.source.url, "--pages", str(ground.source.pages), "--amqp", ground.amqp]
        words += ["--database", ground.database] if ground.database else []
        return [module(f"bench.contenders.{self.name}", *words)]

    def _hub(self, ground: Ground) -> list[Command]:
        hub = HubAt(ground.folder, amqp=ground.amqp, source_url=ground.source.url)
        config = prepared(replace(hub, database=ground.database) if ground.database else hub)
        return [suqiu("run", "--config", str(config), *_options(roles)) for roles in self.roles or ((),)]


def _options(roles: Sequence[str]) -> list[str]:
    return [word for role in roles for word in ("--role", role)]


HUBS = (
    Contestant("suqiu_sqlite", "hub"),
    Contestant("suqiu_postgresql", "hub", needs_postgresql=True),
    Contestant(
        "suqiu_postgresql_2",
        "hub",
        needs_postgresql=True,
        roles=(("intake",), ("front", "relay", "worker", "feedback")),
    ),
    Contestant(
        "suqiu_postgresql_3",
        "hub",
        needs_postgresql=True,
        roles=(("intake",), ("relay",), ("front", "worker", "feedback")),
    ),
)
PEERS = (
    Contestant("aio_pika_pipelined", "pipelined"),
    Contestant("faststream_peer", "pipelined"),
    Contestant("outbox_by_hand", "outbox", needs_postgresql=True),
    Contestant("aio_pika_one_by_one", "one_by_one", share=0.2),
    Contestant("celery_peer", "one_by_one", share=0.2),
    Contestant("kombu_peer", "one_by_one", share=0.2),
)
