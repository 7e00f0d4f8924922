"""The topology in RabbitMQ's own words: definitions JSON, management API bodies, rabbitmqctl commands."""

from __future__ import annotations

import json

from router.broker.topology import FEEDBACK, Exchange, Policy, Queue, Topology


def definitions(wanted: Topology, vhost: str) -> str:
    """The file that `rabbitmqctl import_definitions` and the boot import read. Users are not in it."""
    return json.dumps(
        {
            "exchanges": [
                {"name": one.name, "vhost": vhost, **exchange_body(one)} for one in wanted.exchanges
            ],
            "queues": [{"name": one.name, "vhost": vhost, **queue_body(one)} for one in wanted.queues],
            "bindings": [
                {
                    "source": one.exchange,
                    "vhost": vhost,
                    "destination": one.queue,
                    "destination_type": "queue",
                    "routing_key": one.routing_key,
                    "arguments": {},
                }
                for one in wanted.bindings
            ],
            "policies": [{"name": one.name, "vhost": vhost, **policy_body(one)} for one in wanted.policies],
        },
        indent=2,
    )


def exchange_body(exchange: Exchange) -> dict[str, object]:
    return {
        "type": exchange.type,
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def queue_body(queue: Queue) -> dict[str, object]:
    return {"durable": True, "auto_delete": False, "arguments": dict(queue.arguments)}


def policy_body(policy: Policy) -> dict[str, object]:
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": dict(policy.definition),
        "priority": 0,
    }


def policy_commands(wanted: Topology, vhost: str) -> list[str]:
    """For whoever has no management API: AMQP cannot set policies."""
    return [
        f"rabbitmqctl set_policy -p '{vhost}' --apply-to {one.apply_to} {one.name} "
        f"'{one.pattern}' '{json.dumps(dict(one.definition))}'"
        for one in wanted.policies
    ]


def permission_commands(wanted: Topology, vhost: str) -> list[str]:
    """What to type once the users exist."""
    commands = []
    for one in wanted.permissions:
        commands.append(
            f"rabbitmqctl set_permissions -p '{vhost}' {one.user} "
            f"'{one.configure}' '{one.write}' '{one.read}'"
        )
        if one.topic_write:
            commands.append(
                f"rabbitmqctl set_topic_permissions -p '{vhost}' {one.user} {FEEDBACK} "
                f"'{one.topic_write}' '^$'"
            )
    return commands
