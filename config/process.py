"""
A running hub: one process with some or all roles, each in threads of its own.

`start` begins, `stop` finishes gracefully: no new requests, what is under way is committed and
acknowledged, leases are given back. A kill instead loses nothing; leases then end by themselves.
"""

from __future__ import annotations

import gc
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from prometheus_client import CollectorRegistry

from config.wiring import Installation, now
from connectors.access import Units
from connectors.front import FrontPorts, FrontServer, build_front
from connectors.push import PushDoor
from connectors.rest import RestSource
from monitoring import measures
from monitoring.counting import Counts
from monitoring.health import HealthServer, Pages
from monitoring.journal import Journal
from monitoring.metrics import Vocabulary
from monitoring.readiness import alive
from router.broker.consumer import Consumer
from router.broker.publisher import PikaPublisher
from router.broker.topology import DEAD, UNROUTED
from router.decisions.recovery import RetryPolicy
from router.errors import ConfigError, LedgerUnavailable, Problem
from router.events import EnvelopeRecorded, Event, Observer, Trouble, everyone
from router.flows.broker_returns import BrokerReturns
from router.flows.intake import Intake
from router.flows.polling import Polling, PollingTools
from router.flows.reading import Reading
from router.flows.records import Case, Head
from router.flows.relay import Relay, RelayTools
from router.flows.worker import Worker, WorkerTools
from router.ledger.measures import numbers

Role = Literal["front", "intake", "relay", "worker", "feedback"]
ROLES: tuple[Role, ...] = get_args(Role)
STOP_WITHIN = timedelta(seconds=30)


def calm_collector() -> None:
    """Make Python's cycle collector look seldom and not at what lives for ever.

    A page makes thousands of objects without a single cycle; searching them for some took a tenth of
    the intake's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@dataclass
class Process:
    """Builds what its roles need. Raises ConfigError before anything listens or runs."""

    installation: Installation
    roles: Collection[Role] = ROLES
    watcher: Observer | None = None
    """One more observer, for a screen."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _relay: Relay | None = None

    def __post_init__(self) -> None:
        self._refuse_half_a_hub()
        self._registry = CollectorRegistry()
        vocabulary = self._vocabulary()
        observers: list[Observer] = [Counts(self._registry, vocabulary), Journal(), self._wake]
        self.announce = everyone(*observers, *([self.watcher] if self.watcher else []))
        measures.watch_ledger(self._registry, self._measure, vocabulary)
        self._ready: dict[str, Callable[[], str | None]] = {"ledger": self._ledger_answers}
        self._live: dict[str, Callable[[], str | None]] = {}
        self._front: FrontServer | None = None
        for role in ROLES:
            if role in self.roles:
                _BUILD[role](self)
        settings = self.installation.configuration.settings.monitoring
        pages = Pages(self._registry, live=self._live, ready=self._ready)
        self._health = HealthServer(settings.host, settings.port, pages)

    def start(self) -> None:
        """Keep the configuration, then let everything run. Returns once the front takes requests."""
        calm_collector()
        installation = self.installation
        installation.configurations.keep(
            installation.bundle.hash, installation.bundle.to_json().encode(), now()
        )
        if installation.database.is_sqlite:
            # One process: whoever held a lease is dead, and nobody need wait until it ends.
            installation.leases.forget(now())
        self._health.start()
        for thread in self._threads:
            thread.start()
        if self._front is not None:
            self._front.start()

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

    @property
    def health_port(self) -> int:
        return self._health.port

    @property
    def front_port(self) -> int | None:
        return self._front.port if self._front else None

    def _refuse_half_a_hub(self) -> None:
        if set(self.roles) != set(ROLES) and self.installation.database.is_sqlite:
            what = "with SQLite one process runs every role"
            hint = "leave out --role, or use PostgreSQL"
            raise ConfigError([Problem("hub.yaml: database", what, hint)])

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

    def _wake(self, event: Event) -> None:
        if self._relay is not None and isinstance(event, EnvelopeRecorded):
            self._relay.wake()

    def _run(self, name: str, work: Callable[[threading.Event], None]) -> None:
        thread = threading.Thread(target=work, args=(self._stop,), name=name, daemon=True)
        self._threads.append(thread)
        self._live[name] = alive(thread)

    def _report(self, flow: str) -> Callable[[str], None]:
        return lambda said: self.announce(Trouble(now(), flow, said))

    def _intake(self) -> Intake:
        installation = self.installation

        def reading(source: str, heads: Mapping[str, Head], cases: Mapping[str, Case]) -> Reading:
            book = installation.book(source)
            assert book is not None, source
            return Reading(book, heads, cases)

        return Intake(
            installation.intake_store,
            reading,
            clock=now,
            config_hash=installation.configuration.hash,
            announce=self.announce,
        )

    def _build_front(self) -> None:
        installation = self.installation
        settings = installation.configuration.settings
        doors = [
            PushDoor(name, source.push, installation.secret, public_url=settings.front.public_url)
            for name, source in settings.sources.items()
            if source.push
        ]
        access = {
            unit: entry.access for unit, entry in installation.configuration.units.items() if entry.access
        }
        pulling = [plan.destination for plan in installation.plans.values() if plan.kind == "pull"]
        ports = FrontPorts(
            accept=self._intake().accept,
            work_list=installation.work_list,
            status=installation.views,
            store=installation.attachments,
            announce=self.announce,
            clock=now,
        )
        units = Units(access, installation.secret, pulling=pulling)
        app = build_front(doors, units, ports, public_url=settings.front.public_url)
        self._front = FrontServer(app, settings.front.host, settings.front.port)

    def _build_intake(self) -> None:
        installation = self.installation
        if not any(source.pull for source in installation.configuration.settings.sources.values()):
            return
        tools = PollingTools(
            self._intake().accept,
            installation.intake_store.cursor,
            installation.leases,
            now,
            self.announce,
        )
        for name, source in installation.configuration.settings.sources.items():
            if source.pull is not None:
                polled = RestSource(
                    name,
                    source.pull,
                    secrets=installation.secret,
                    store=installation.attachments,
                    clock=now,
                    sleep=time.sleep,
                )
                self._run(f"poll-{name}", Polling(polled, source.pull.every, tools).run)

    def _build_relay(self) -> None:
        installation = self.installation
        broker = installation.configuration.settings.broker
        finish = {p.destination: p.finish for p in installation.plans.values() if p.kind == "amqp"}
        if broker is None or not finish:
            return
        password = installation.secret(broker.password) if broker.password else None
        publisher = PikaPublisher(broker, password, report=self._report("relay"), random=random.random)
        tools = RelayTools(installation.outbox, publisher, installation.dispatching, now, self.announce)
        relay = self._relay = Relay(
            tools, finish, room=broker.publisher.backlog, lease=broker.publisher.lease
        )

        def run(stop: threading.Event) -> None:
            if installation.database.is_sqlite:
                # One process: whoever held a lease is dead. Elsewhere leases end by themselves.
                installation.outbox.forget_leases(finish)
            publisher.start()
            relay.run(stop)

        self._run("relay", run)
        self._ready["broker"] = lambda: (
            None if publisher.is_connected else "消息队列未连接或已阻塞 (RabbitMQ)"
        )

    def _build_worker(self) -> None:
        installation = self.installation
        if not installation.http_destinations:
            return
        retry = installation.configuration.settings.retry
        policy = RetryPolicy(retry.first, retry.longest, retry.attempts)
        tools = WorkerTools(
            installation.outbox, installation.dispatching, policy, now, self.announce, random.random
        )
        threads = installation.configuration.settings.worker.threads
        self._run("worker", Worker(installation.http_destinations, tools, threads=threads).run)

    def _build_feedback(self) -> None:
        installation = self.installation
        broker = installation.configuration.settings.broker
        if broker is None:
            return
        password = installation.secret(broker.password) if broker.password else None
        returns = BrokerReturns(installation.returns, clock=now, announce=self.announce)
        consumer = Consumer(
            broker,
            password,
            (DEAD, UNROUTED),
            returns.record,
            report=self._report("feedback"),
            random=random.random,
        )
        self._run("feedback", consumer.run)


_BUILD: Mapping[Role, Callable[[Process], None]] = {
    "front": Process._build_front,
    "intake": Process._build_intake,
    "relay": Process._build_relay,
    "worker": Process._build_worker,
    "feedback": Process._build_feedback,
}
