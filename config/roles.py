"""What each role of a hub is made of: its flows, in threads of their own.

What only one role needs (the front, either half of the broker) is loaded as that role is built: a
process that runs some of the roles, or a hub without RabbitMQ, starts without the libraries of the rest.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from config.sources import polled, postmen
from config.wiring import Installation, new_id, now
from connectors.access import Units
from connectors.push import PushDoor, by_path
from router.decisions.recovery import RetryPolicy
from router.events import Observer, Trouble
from router.flows.broker_returns import BrokerReturns
from router.flows.intake import Intake, IntakeTools
from router.flows.letters import Post, PostTools
from router.flows.polling import Polling, PollingTools
from router.flows.reading import Reading
from router.flows.records import Case, Head
from router.flows.relay import Relay, RelayTools
from router.flows.worker import Worker, WorkerTools
from router.ports import Accept

if TYPE_CHECKING:
    from connectors.front import FrontServer

Role = Literal["front", "intake", "relay", "worker", "feedback"]
ROLES: tuple[Role, ...] = get_args(Role)
Work = Callable[[threading.Event], None]
Answer = Callable[[], str | None]
"""None while all is well, else what is wrong."""


@dataclass
class Crew:
    """What the roles of one process are built into."""

    installation: Installation
    announce: Observer
    works: dict[str, Work] = field(default_factory=dict)
    """Name → what runs in a thread of that name until it is told to stop."""
    ready: dict[str, Answer] = field(default_factory=dict)
    front: Callable[[], FrontServer] | None = None
    """Makes it, which takes as long as a quarter of a start: once the other roles run."""
    relay: Relay | None = None

    def report(self, flow: str) -> Callable[[str], None]:
        """For parts that tell their troubles in words."""
        return lambda said: self.announce(Trouble(now(), flow, said))


def make_intake(crew: Crew) -> Intake:
    """The one way into the ledger, for whoever polls or is pushed to in this process."""
    installation = crew.installation

    def reading(source: str, heads: Mapping[str, Head], cases: Mapping[str, Case]) -> Reading:
        book = installation.book(source)
        assert book is not None, source
        return Reading(book, heads, cases)

    return Intake(
        IntakeTools(
            installation.intake_store,
            reading,
            now,
            installation.configuration.hash,
            crew.announce,
            crew.relay,
        )
    )


def _front(crew: Crew) -> None:
    installation = crew.installation
    settings = installation.configuration.settings
    public_url = settings.front.public_url
    doors = by_path(
        PushDoor(name, source.push, installation.secret, public_url=public_url)
        for name, source in settings.sources.items()
        if source.push
    )
    access = {unit: entry.access for unit, entry in installation.configuration.units.items() if entry.access}
    if not doors and not access:
        return  # nobody could come in: no port is open that nobody needs
    pulling = [plan.destination for plan in installation.plans.values() if plan.kind == "pull"]
    units = Units(access, installation.secret, pulling=pulling)
    accept = make_intake(crew).accept
    crew.front = lambda: _front_server(crew, doors, units, accept)


def _front_server(crew: Crew, doors: Mapping[str, PushDoor], units: Units, accept: Accept) -> FrontServer:
    from connectors.front import FrontLimits, FrontPorts, FrontServer, build_front

    installation = crew.installation
    ports = FrontPorts(
        accept=accept,
        work_list=installation.work_list,
        status=installation.views,
        store=installation.attachments,
        announce=crew.announce,
        clock=now,
    )
    front = installation.configuration.settings.front
    limits = FrontLimits(front.requests, front.each, front.accepting, front.serving)
    app = build_front(doors, units, ports, limits=limits, public_url=front.public_url)
    return FrontServer(app, front.host, front.port)


def _intake(crew: Crew) -> None:
    installation = crew.installation
    if not any(source.pull for source in installation.configuration.settings.sources.values()):
        return
    tools = PollingTools(
        make_intake(crew).begin,
        installation.intake_store.cursor,
        installation.leases,
        now,
        crew.announce,
    )
    for name, source in installation.configuration.settings.sources.items():
        if source.pull is not None:
            crew.works[f"poll-{name}"] = Polling(
                polled(installation, name, source.pull), source.pull.every, tools
            ).run


def _relay(crew: Crew) -> None:
    installation = crew.installation
    broker = installation.configuration.settings.broker
    finish = {p.destination: p.finish for p in installation.plans.values() if p.kind == "amqp"}
    if broker is None or not finish:
        return
    from router.broker.publisher import PikaPublisher

    password = installation.secret(broker.password) if broker.password else None
    publisher = PikaPublisher(broker, password, report=crew.report("relay"), random=random.random)
    tools = RelayTools(installation.outbox, publisher, installation.dispatching, now, crew.announce)
    relay = crew.relay = Relay(tools, finish, room=broker.publisher.backlog, lease=broker.publisher.lease)

    def run(stop: threading.Event) -> None:
        publisher.start()
        relay.run(stop)

    crew.works["relay"] = run
    crew.ready["broker"] = lambda: None if publisher.is_connected else "消息队列未连接或已阻塞 (RabbitMQ)"


def _worker(crew: Crew) -> None:
    installation = crew.installation
    retry = installation.configuration.settings.retry
    policy = RetryPolicy(retry.first, retry.longest, retry.attempts)
    _post(crew, policy)
    if not installation.http_destinations:
        return
    tools = WorkerTools(
        installation.outbox, installation.dispatching, policy, now, crew.announce, random.random
    )
    threads = installation.configuration.settings.worker.threads
    crew.works["worker"] = Worker(installation.http_destinations, tools, threads=threads).run


def _post(crew: Crew, policy: RetryPolicy) -> None:
    installation = crew.installation
    carriers = postmen(installation)
    if carriers:
        leases, letters = installation.leases, installation.letters
        tools = PostTools(letters, leases, policy, now, new_id, random.random, crew.announce)
        crew.works["letters"] = Post(carriers, tools).run


def _feedback(crew: Crew) -> None:
    installation = crew.installation
    broker = installation.configuration.settings.broker
    if broker is None:
        return
    password = installation.secret(broker.password) if broker.password else None
    returns = BrokerReturns(installation.returns, clock=now, announce=crew.announce)

    def run(stop: threading.Event) -> None:
        # Only now: kombu takes a tenth of a second, for which the first poll need not wait.
        from router.broker.consumer import Consumer
        from router.broker.topology import DEAD, UNROUTED

        queues, report = (DEAD, UNROUTED), crew.report("feedback")
        Consumer(broker, password, queues, returns.record, report=report, random=random.random).run(stop)

    crew.works["feedback"] = run


BUILD: Mapping[Role, Callable[[Crew], None]] = {
    "relay": _relay,  # first: the intake hands over to it
    "front": _front,
    "intake": _intake,
    "worker": _worker,
    "feedback": _feedback,
}
