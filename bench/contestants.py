"""Who takes part: how each is started, and what it is compared for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.hub import prepared
from bench.work import HubAt, SourceAt
from demo.processes import module, suqiu
from demo.servers.server import free_port

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
class Start:
    """One process of a contestant."""

    command: Command
    ready: str = ""
    """An address that says 200 once it is ready, for which the next process waits."""


@dataclass(frozen=True)
class Contestant:
    """One way to do the work."""

    name: str
    way: Way
    needs_postgresql: bool = False
    share: float = 1.0
    """Of the items; slow ones get fewer, since it is items per second that count."""
    roles: tuple[tuple[str, ...], ...] = ()
    """A hub's processes and the roles of each, the one that polls last; no roles are all roles."""

    def starts(self, ground: Ground) -> list[Start]:
        """The processes to start in turn, once all is prepared."""
        if self.way == "hub":
            return self._hub(ground)
        words = ["--source", ground.source.url, "--pages", str(ground.source.pages), "--amqp", ground.amqp]
        words += ["--database", ground.database] if ground.database else []
        return [Start(module(f"bench.contenders.{self.name}", *words))]

    def _hub(self, ground: Ground) -> list[Start]:
        hub = HubAt(ground.folder, amqp=ground.amqp, source_url=ground.source.url)
        config = prepared(replace(hub, database=ground.database) if ground.database else hub)
        return [_process(config, roles) for roles in self.roles or ((),)]


def _process(config: Path, roles: Sequence[str]) -> Start:
    port = free_port()
    words = ["run", "--config", str(config), "--monitoring-port", str(port)]
    words += [word for role in roles for word in ("--role", role)]
    return Start(suqiu(*words), f"http://127.0.0.1:{port}/readyz")


IN_TWO = (("front", "relay", "worker", "feedback"), ("intake",))
IN_THREE = (("relay",), ("front", "worker", "feedback"), ("intake",))
HUBS = (
    Contestant("suqiu_sqlite", "hub"),
    Contestant("suqiu_sqlite_2", "hub", roles=IN_TWO),
    Contestant("suqiu_postgresql", "hub", needs_postgresql=True),
    Contestant("suqiu_postgresql_2", "hub", needs_postgresql=True, roles=IN_TWO),
    Contestant("suqiu_postgresql_3", "hub", needs_postgresql=True, roles=IN_THREE),
)
PEERS = (
    Contestant("aio_pika_pipelined", "pipelined"),
    Contestant("faststream_peer", "pipelined"),
    Contestant("outbox_by_hand", "outbox", needs_postgresql=True),
    Contestant("aio_pika_one_by_one", "one_by_one", share=0.2),
    Contestant("celery_peer", "one_by_one", share=0.2),
    Contestant("kombu_peer", "one_by_one", share=0.2),
)
