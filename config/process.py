"""
A running hub: one process with some or all roles, each in threads of its own.

`start` begins, `stop` finishes gracefully: no new requests, what is under way is committed and
acknowledged, leases are given back. A kill instead loses nothing; leases then end by themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from config.interpreter import tune_interpreter
from config.roles import BUILD, ROLES, Crew, Role
from config.wiring import Installation, now
from monitoring import measures
from monitoring.counting import Counts
from monitoring.health import HealthServer, Pages
from monitoring.journal import Journal
from monitoring.metrics import Vocabulary
from monitoring.readiness import alive
from router.errors import LedgerUnavailable
from router.events import Observer, everyone
from router.ledger.database import Checkpointing
from router.ledger.measures import numbers
from router.ledger.presence import Presence

if TYPE_CHECKING:
    from connectors.front import FrontServer

STOP_WITHIN = timedelta(seconds=30)


@dataclass
class Process:
    """Builds what its roles need. Raises ConfigError before anything listens or runs."""

    installation: Installation
    roles: Collection[Role] = ROLES
    watcher: Observer | None = None
    """One more observer, for a screen."""
    monitoring_port: int | None = None
    """Instead of the configured one: of several processes on one machine each needs its own."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _front: FrontServer | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._registry = CollectorRegistry()
        vocabulary = self._vocabulary()
        observers: list[Observer] = [Counts(self._registry, vocabulary), Journal()]
        self.announce = everyone(*observers, *([self.watcher] if self.watcher else []))
        measures.watch_ledger(self._registry, self._measure, vocabulary)
        self._crew = Crew(self.installation, self.announce, ready={"ledger": self._ledger_answers})
        for role, build in BUILD.items():
            if role in self.roles:
                build(self._crew)
        ledger = self.installation.database
        self._presence = Presence(ledger.file) if ledger.file else None
        if ledger.is_sqlite:
            self._crew.works["checkpoint"] = Checkpointing(ledger).run
        self._threads = [
            threading.Thread(target=work, args=(self._stop,), name=name, daemon=True)
            for name, work in self._crew.works.items()
        ]
        live = {thread.name: alive(thread) for thread in self._threads}
        settings = self.installation.configuration.settings.monitoring
        pages = Pages(self._registry, live=live, ready=self._crew.ready)
        port = settings.port if self.monitoring_port is None else self.monitoring_port
        self._health = HealthServer(settings.host, port, pages)

    def start(self) -> None:
        """Keep the configuration, then let everything run. Returns once the front takes requests."""
        tune_interpreter()
        installation = self.installation
        installation.configurations.keep(
            installation.bundle.hash, installation.bundle.to_json().encode(), now()
        )
        self._inherit()
        self._health.start()
        for thread in self._threads:
            thread.start()
        if self._crew.front is not None:
            self._front = self._crew.front()
            self._front.start()

    def _inherit(self) -> None:
        """On SQLite the first of a hub's processes knows that whoever held a lease is dead, and nobody
        need wait until it ends. On PostgreSQL, and for later ones, leases end by themselves."""
        if self._presence is None:
            return
        if self._presence.enter():
            installation = self.installation
            installation.leases.forget(now())
            relayed = [p.destination for p in installation.plans.values() if p.kind == "amqp"]
            installation.outbox.forget_leases(relayed)
        self._presence.settle()

    def stop(self) -> None:
        """Finish what is under way and return; safe to call twice."""
        if self._front is not None:
            self._front.stop()
        self._stop.set()
        end = time.monotonic() + STOP_WITHIN.total_seconds()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, end - time.monotonic()))
        self._health.stop()
        self.installation.database.close()
        if self._presence is not None:
            self._presence.leave()

    @property
    def health_port(self) -> int:
        return self._health.port

    @property
    def front_port(self) -> int | None:
        return self._front.port if self._front else None

    def _vocabulary(self) -> Vocabulary:
        configuration = self.installation.configuration
        return Vocabulary(
            sources=frozenset(configuration.settings.sources),
            destinations=frozenset(configuration.destinations),
            rules=frozenset(configuration.rules.names),
            tables=frozenset(configuration.tables),
        )

    def _measure(self) -> measures.Measures:
        found, at = numbers(self.installation.database), now()
        return measures.Measures(
            deliveries=found.deliveries,
            oldest_pending={destination: at - since for destination, since in found.oldest.items()},
            dead_letters=found.dead,
            cursors=found.cursors,
        )

    def _ledger_answers(self) -> str | None:
        try:
            with self.installation.database.read():
                return None
        except LedgerUnavailable as error:
            return f"账本不可用 ({error})"
