"""What differs between the broker as it is and as it should be, in sentences for whoever mends it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from router.broker.definitions import exchange_body, policy_body, queue_body
from router.broker.topology import DELIVER, OURS, Binding, Topology

Kind = Literal["missing", "extra", "different"]
APPLY = "suqiu topology apply"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `cure` says what to do; `mends` whether `apply` does it."""

    kind: Kind
    what: str
    """`queue suqiu.dest.rsj`, `binding suqiu.deliver → suqiu.dest.rsj (rsj)`, `policy suqiu-dest` …"""
    sentence: str
    cure: str
    mends: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.sentence}; {self.cure}"


@dataclass(frozen=True, slots=True)
class Actual:
    """What one virtual host holds, as the management API lists it."""

    exchanges: Mapping[str, Mapping[str, Any]]
    queues: Mapping[str, Mapping[str, Any]]
    bindings: tuple[Mapping[str, Any], ...]
    policies: Mapping[str, Mapping[str, Any]]


def compare(wanted: Topology, actual: Actual) -> list[Drift]:
    """Empty when all is well."""
    return [
        *_exchanges(wanted, actual),
        *_queues(wanted, actual),
        *_bindings(wanted, actual),
        *_policies(wanted, actual),
    ]


def _exchanges(wanted: Topology, actual: Actual) -> Iterator[Drift]:
    for one in wanted.exchanges:
        there = actual.exchanges.get(one.name)
        if there is None:
            yield Drift("missing", f"exchange {one.name}", "it does not exist", APPLY, True)
        elif wrong := _differences(exchange_body(one), there):
            cure = f"delete it at a quiet hour, then at once: {APPLY}"
            yield Drift("different", f"exchange {one.name}", wrong, cure, False)
    for name in _ours(actual.exchanges, (one.name for one in wanted.exchanges)):
        cure = "delete it if nobody uses it"
        yield Drift("extra", f"exchange {name}", "the hub does not know it", cure, False)


def _queues(wanted: Topology, actual: Actual) -> Iterator[Drift]:
    for one in wanted.queues:
        there = actual.queues.get(one.name)
        if there is None:
            yield Drift("missing", f"queue {one.name}", "it does not exist", APPLY, True)
        elif wrong := _differences(queue_body(one), there):
            cure = (
                "a queue's arguments can never be changed: let it run empty, "
                f"rabbitmqctl delete_queue {one.name}, then {APPLY}"
            )
            yield Drift("different", f"queue {one.name}", wrong, cure, False)
    for name in _ours(actual.queues, (one.name for one in wanted.queues)):
        held = actual.queues[name].get("messages", "?")
        sentence = f"no amqp destination of the configuration uses it; it holds {held} messages"
        cure = f"when it is empty: rabbitmqctl delete_queue {name}"
        yield Drift("extra", f"queue {name}", sentence, cure, False)


def _bindings(wanted: Topology, actual: Actual) -> Iterator[Drift]:
    there = {
        Binding(one["source"], one["destination"], one["routing_key"])
        for one in actual.bindings
        if one["source"] and one["destination_type"] == "queue"
    }
    for one in wanted.bindings:
        if one not in there:
            yield Drift(
                "missing", binding_name(one), "messages for this queue find no way to it", APPLY, True
            )
    known = {one.name for one in wanted.exchanges}
    for raw in actual.bindings:
        found = Binding(raw["source"], raw["destination"], raw["routing_key"])
        if found.exchange in known and (found not in wanted.bindings or raw["destination_type"] != "queue"):
            sentence = (
                "it takes copies of messages, and hides that their own queue is missing"
                if found.exchange == DELIVER
                else "the hub did not ask for it"
            )
            cure = f"remove it from exchange {found.exchange} unless somebody needs it"
            yield Drift("extra", binding_name(found), sentence, cure, False)


def _policies(wanted: Topology, actual: Actual) -> Iterator[Drift]:
    for one in wanted.policies:
        there = actual.policies.get(one.name)
        if there is None:
            yield Drift("missing", f"policy {one.name}", "its limits are not in force", APPLY, True)
        elif wrong := _differences(policy_body(one), there):
            yield Drift("different", f"policy {one.name}", wrong, APPLY, True)
    for name in sorted(actual.policies.keys() - {one.name for one in wanted.policies}):
        if hit := _first_hit(actual.policies[name], wanted):
            sentence = f"it matches {hit} too, and only one policy applies to a queue or exchange"
            yield Drift("extra", f"policy {name}", sentence, "narrow its pattern or remove it", False)


def _first_hit(policy: Mapping[str, Any], wanted: Topology) -> str | None:
    names: list[str] = []
    if policy["apply-to"] != "exchanges":
        names += [one.name for one in wanted.queues]
    if policy["apply-to"] in ("exchanges", "all"):
        names += [one.name for one in wanted.exchanges]
    try:
        pattern = re.compile(policy["pattern"])
    except re.error:  # Erlang's dialect is a little wider; we cannot judge this one
        return None
    return next((name for name in names if pattern.search(name)), None)


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    found = [
        f"{key} is {theirs.get(key)!r} and should be {value!r}"
        for key, value in ours.items()
        if theirs.get(key) != value
    ]
    return ", ".join(found)


def _ours(there: Iterable[str], wanted: Iterable[str]) -> list[str]:
    return sorted({name for name in there if name.startswith(OURS)} - set(wanted))


def binding_name(binding: Binding) -> str:
    return f"binding {binding.exchange} → {binding.queue} ({binding.routing_key or 'any key'})"
