"""
The topology without a management API: plain AMQP declares, and cannot set policies.

`definitions.policy_commands` has what to type instead. Until that is done, queues have no limits
and a message that a unit rejects is gone from the broker (not from the ledger).
"""

from __future__ import annotations

from typing import Any

from amqp.exceptions import ChannelError

from router.broker.connecting import connection, cut_after
from router.broker.drift import Drift
from router.broker.settings import BrokerSettings
from router.broker.topology import Topology
from router.errors import BrokerUnavailable

LONGEST = 60.0


def declare(wanted: Topology, settings: BrokerSettings, password: str | None) -> list[Drift]:
    """Make exchanges, queues and bindings. What exists with other arguments is reported, not changed."""
    try:
        with connection(settings, password, "suqiu topology") as broker:
            broker.connect()
            with cut_after(broker, LONGEST):
                return [drift for what, call in _calls(wanted) if (drift := _attempt(broker, what, call))]
    except OSError as error:
        raise BrokerUnavailable(f"no connection to RabbitMQ: {error}") from error


_Call = tuple[str, dict[str, object]]


def _calls(wanted: Topology) -> list[tuple[str, _Call]]:
    lasting = {"durable": True, "auto_delete": False}
    exchanges: list[tuple[str, _Call]] = [
        (f"exchange {one.name}", ("exchange_declare", {"exchange": one.name, "type": one.type, **lasting}))
        for one in wanted.exchanges
    ]
    queues: list[tuple[str, _Call]] = [
        (
            f"queue {one.name}",
            ("queue_declare", {"queue": one.name, "arguments": dict(one.arguments), **lasting}),
        )
        for one in wanted.queues
    ]
    bindings: list[tuple[str, _Call]] = [
        (
            f"binding {one.exchange} → {one.queue}",
            ("queue_bind", {"queue": one.queue, "exchange": one.exchange, "routing_key": one.routing_key}),
        )
        for one in wanted.bindings
    ]
    return [*exchanges, *queues, *bindings]


def _attempt(broker: Any, what: str, call: _Call) -> Drift | None:
    """A refused declaration closes its channel, so each has one of its own."""
    method, arguments = call
    try:
        with broker.channel() as channel:
            getattr(channel, method)(**arguments)
    except ChannelError as error:
        return Drift("different", what, str(error.reply_text), "suqiu topology check says what to do", False)
    return None
