"""
What must exist in the broker so that messages find their way. Pure: names and numbers, no connection.

    suqiu.deliver   direct ── destination id ──► suqiu.dest.<id>    one per amqp destination
    suqiu.dead      fanout ────────────────────► suqiu.dead         what a unit rejected or killed
    suqiu.feedback  topic ── # ────────────────► suqiu.feedback     what units answer
    suqiu.unrouted  fanout ────────────────────► suqiu.unrouted     what nothing else wanted

`suqiu.deliver` has no alternate exchange and no catch-all binding: either would count as routed, and
a missing queue would no longer come back to the publisher. The other exchanges do have one.

Arguments of a queue can never be changed, so they hold only what cannot be said by policy: the
queue type, and the single active consumer. Policies do not merge, at most one applies: each class of
queues has exactly one, with a pattern of its own. `apply-to: quorum_queues` is unknown to 3.10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

DELIVER = "suqiu.deliver"
DEAD = "suqiu.dead"
FEEDBACK = "suqiu.feedback"
UNROUTED = "suqiu.unrouted"
DESTINATION_PREFIX = "suqiu.dest."
OURS = "suqiu."
"""Everything in the broker whose name begins so belongs to the hub."""

Arguments = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class AmqpDestination:
    """One destination of kind `amqp`, as far as the broker must know it."""

    id: str
    single_active_consumer: bool = False
    """One consumer at a time, the others stand by. Such a queue refuses basic.get."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the broker may hold, and how often a unit's consumer may fail on a message."""

    max_length: int = 100_000
    max_bytes: int = 1024**3
    delivery_limit: int = 10
    """A consumer with a prefetch takes innocents along when it dies, so not lower than ten."""
    returns_max_length: int = 500_000
    returns_delivery_limit: int = 100_000
    """High, for these queues have nowhere to send a dead letter on to; 4.x would drop it after 20."""
    feedback_max_length: int = 200_000
    feedback_delivery_limit: int = 1_000


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Binding:
    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    pattern: str
    apply_to: str
    definition: Arguments


@dataclass(frozen=True, slots=True)
class Permission:
    """What one broker user should be allowed. Made by the operator; passwords are none of our business."""

    user: str
    configure: str
    write: str
    read: str
    topic_write: str = ""
    """On the exchange suqiu.feedback: the routing keys it may publish under."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything, in the order in which it must be made."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    permissions: tuple[Permission, ...] = field(default=())


def destination_queue(destination: str) -> str:
    return DESTINATION_PREFIX + destination


def topology(destinations: Iterable[AmqpDestination], limits: Limits | None = None) -> Topology:
    """What these destinations need."""
    wanted = sorted(destinations, key=lambda one: one.id)
    queues = [Queue(destination_queue(one.id), _arguments(one.single_active_consumer)) for one in wanted]
    queues += [Queue(name, _arguments()) for name in (DEAD, FEEDBACK, UNROUTED)]
    bindings = [Binding(DELIVER, destination_queue(one.id), one.id) for one in wanted]
    bindings += [Binding(DEAD, DEAD, ""), Binding(FEEDBACK, FEEDBACK, "#"), Binding(UNROUTED, UNROUTED, "")]
    return Topology(
        exchanges=(
            Exchange(DELIVER, "direct"),
            Exchange(DEAD, "fanout"),
            Exchange(FEEDBACK, "topic"),
            Exchange(UNROUTED, "fanout"),
        ),
        queues=tuple(queues),
        bindings=tuple(bindings),
        policies=_policies(limits or Limits()),
        permissions=_permissions(wanted),
    )


def _arguments(single_active_consumer: bool = False) -> Arguments:
    arguments: dict[str, str | int | bool] = {"x-queue-type": "quorum"}
    if single_active_consumer:
        arguments["x-single-active-consumer"] = True
    return arguments


def _policies(limits: Limits) -> tuple[Policy, ...]:
    # At-least-once dead-lettering needs a quorum queue and reject-publish, or it is silently at-most-once.
    dead_lettering: Arguments = {
        "dead-letter-exchange": DEAD,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }
    destinations = {
        **dead_lettering,
        "delivery-limit": limits.delivery_limit,
        "max-length": limits.max_length,
        "max-length-bytes": limits.max_bytes,
    }
    feedback = {
        **dead_lettering,
        "delivery-limit": limits.feedback_delivery_limit,
        "max-length": limits.feedback_max_length,
        "max-length-bytes": limits.max_bytes,
    }
    returns: Arguments = {
        "overflow": "reject-publish",
        "delivery-limit": limits.returns_delivery_limit,
        "max-length": limits.returns_max_length,
    }
    return (
        Policy("suqiu-dest", r"^suqiu\.dest\.", "queues", destinations),
        Policy("suqiu-feedback", r"^suqiu\.feedback$", "queues", feedback),
        Policy("suqiu-returns", r"^suqiu\.(dead|unrouted)$", "queues", returns),
        Policy("suqiu-exchanges", r"^suqiu\.(dead|feedback)$", "exchanges", {"alternate-exchange": UNROUTED}),
    )


def _permissions(destinations: Iterable[AmqpDestination]) -> tuple[Permission, ...]:
    """Anchored, so that no name is a part of another's; least rights for everyone."""
    hub = Permission("suqiu", "^$", r"^suqiu\.deliver$", r"^suqiu\.(dead|unrouted|feedback)$")
    deploy = Permission("suqiu-topology", r"^suqiu\..*$", r"^suqiu\..*$", r"^suqiu\..*$")
    units = [
        Permission(
            user=one.id,
            configure="^$",
            write=r"^suqiu\.feedback$",
            read=rf"^suqiu\.dest\.{_literal(one.id)}$",
            topic_write=rf"^{_literal(one.id)}\..+$",
        )
        for one in destinations
    ]
    return (deploy, hub, *units)


def _literal(name: str) -> str:
    return name.replace(".", r"\.")
