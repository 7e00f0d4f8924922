"""Topology: what it is, that applying it twice changes nothing, and that drift is found and told."""

from __future__ import annotations

import json
import re
import shlex

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from router.broker.declaring import declare
from router.broker.definitions import definitions, permission_commands, policy_commands
from router.broker.drift import Drift
from router.broker.management import Management
from router.broker.topology import AmqpDestination, Limits, topology
from router.errors import BrokerUnavailable
from tests.broker.publishing import collect, drain, management, open_channel, outgoing, publishing, settings
from tests.servers import VirtualHost

WANTED = topology([AmqpDestination("rsj"), AmqpDestination("hq-qu", single_active_consumer=True)])


def kinds(drifts: list[Drift]) -> list[tuple[str, str, bool]]:
    return [(drift.kind, drift.what, drift.mends) for drift in drifts]


def test_every_queue_has_exactly_one_policy() -> None:
    wanted = topology([AmqpDestination(one) for one in ("rsj", "dead", "unrouted", "feedback")])
    for queue in wanted.queues:
        hits = [
            one for one in wanted.policies if one.apply_to == "queues" and re.search(one.pattern, queue.name)
        ]
        assert len(hits) == 1, queue.name


def test_the_delivery_exchange_has_no_alternate_and_no_catch_all() -> None:
    exchanges = [one for one in WANTED.policies if one.apply_to == "exchanges"]
    assert not any(re.search(one.pattern, "suqiu.deliver") for one in exchanges)
    keys = [one.routing_key for one in WANTED.bindings if one.exchange == "suqiu.deliver"]
    assert keys == ["hq-qu", "rsj"]


def test_only_what_a_policy_cannot_say_is_an_argument() -> None:
    arguments = {one.name: dict(one.arguments) for one in WANTED.queues}
    assert arguments["suqiu.dest.rsj"] == {"x-queue-type": "quorum"}
    assert arguments["suqiu.dest.hq-qu"] == {"x-queue-type": "quorum", "x-single-active-consumer": True}


def test_the_order_of_destinations_makes_no_difference() -> None:
    turned = topology([AmqpDestination("hq-qu", single_active_consumer=True), AmqpDestination("rsj")])
    assert definitions(turned, "/") == definitions(WANTED, "/")


def test_applying_twice_changes_nothing_and_leaves_no_drift(amqp: VirtualHost) -> None:
    manager = management(amqp)
    before = manager.check(WANTED)
    assert {drift.kind for drift in before} == {"missing"}
    assert all(drift.mends for drift in before)
    assert manager.apply(WANTED) == []
    first = manager.actual()
    assert manager.apply(WANTED) == []
    assert _without_figures(first.queues) == _without_figures(manager.actual().queues)
    assert manager.check(WANTED) == []


def test_a_deleted_binding_and_policy_are_missed_and_put_back(amqp: VirtualHost) -> None:
    manager = management(amqp)
    manager.apply(WANTED)
    with open_channel(amqp.url) as channel:
        channel.queue_unbind("suqiu.dest.rsj", "suqiu.deliver", "rsj")
    amqp.manage("DELETE", f"/api/policies/{amqp.name}/suqiu-dest")
    assert kinds(manager.check(WANTED)) == [
        ("missing", "binding suqiu.deliver → suqiu.dest.rsj (rsj)", True),
        ("missing", "policy suqiu-dest", True),
    ]
    assert manager.apply(WANTED) == []


def test_changed_limits_are_drift_that_apply_mends_without_touching_the_messages(amqp: VirtualHost) -> None:
    manager = management(amqp)
    manager.apply(WANTED)
    with open_channel(amqp.url) as channel:
        channel.confirm_delivery()
        channel.basic_publish("suqiu.deliver", "rsj", b"kept", mandatory=True)
    narrower = topology(
        [AmqpDestination("rsj"), AmqpDestination("hq-qu", single_active_consumer=True)], Limits(max_length=7)
    )
    assert kinds(manager.check(narrower)) == [("different", "policy suqiu-dest", True)]
    assert manager.apply(narrower) == []
    assert [body for _, body in drain(amqp.url, "suqiu.dest.rsj")] == [b"kept"]


def test_a_queue_with_other_arguments_is_reported_and_left_alone(amqp: VirtualHost) -> None:
    with open_channel(amqp.url) as channel:
        channel.queue_declare("suqiu.dest.rsj", durable=True)
    manager = management(amqp)
    [drift] = manager.apply(WANTED)
    assert kinds([drift]) == [("different", "queue suqiu.dest.rsj", False)]
    assert "x-queue-type" in drift.sentence
    assert "run empty" in drift.cure
    with open_channel(amqp.url) as channel:
        channel.queue_declare("suqiu.dest.rsj", durable=True)  # would raise, had anybody changed it


def test_what_the_hub_does_not_know_is_told_and_never_deleted(amqp: VirtualHost) -> None:
    manager = management(amqp)
    manager.apply(WANTED)
    with open_channel(amqp.url) as channel:
        channel.queue_declare("suqiu.dest.gone", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_declare("audit", durable=True)
        channel.queue_bind("audit", "suqiu.deliver", "rsj")
    policy = {"pattern": "^suqiu", "apply-to": "all", "definition": {"max-length": 1}, "priority": 5}
    amqp.manage("PUT", f"/api/policies/{amqp.name}/mine", policy)
    drifts = manager.apply(WANTED)
    assert kinds(drifts) == [
        ("extra", "queue suqiu.dest.gone", False),
        ("extra", "binding suqiu.deliver → audit (rsj)", False),
        ("extra", "policy mine", False),
    ]
    assert "hides" in drifts[1].sentence
    assert all(str(drift) and drift.cure for drift in drifts)


def test_the_exported_definitions_make_the_same_as_apply(amqp: VirtualHost) -> None:
    amqp.manage("POST", f"/api/definitions/{amqp.name}", json.loads(definitions(WANTED, amqp.name)))
    assert management(amqp).check(WANTED) == []


def test_without_a_management_api_all_but_the_policies_can_be_declared(amqp: VirtualHost) -> None:
    plain = settings(amqp.url)
    assert declare(WANTED, plain, None) == []
    assert declare(WANTED, plain, None) == []
    left = management(amqp).check(WANTED)
    assert {drift.what for drift in left} == {f"policy {one.name}" for one in WANTED.policies}
    commands = policy_commands(WANTED, amqp.name)
    assert len(commands) == 4
    for command in commands:
        amqp.broker.ctl(*_words(command))
    assert management(amqp).check(WANTED) == []


def test_plain_declaring_reports_a_queue_of_another_kind_and_goes_on(amqp: VirtualHost) -> None:
    with open_channel(amqp.url) as channel:
        channel.queue_declare("suqiu.dest.rsj", durable=True)
    [drift] = declare(WANTED, settings(amqp.url), None)
    assert (drift.kind, drift.what) == ("different", "queue suqiu.dest.rsj")
    assert len(amqp_queues(amqp)) == len(WANTED.queues)


@pytest.mark.parametrize(
    ("management_url", "says"),
    [
        pytest.param("http://127.0.0.1:1", "does not answer", id="nobody there"),
        pytest.param("{}", "wrong user or password", id="a wrong password"),
    ],
)
def test_an_unusable_management_api_is_one_sentence(
    amqp: VirtualHost, management_url: str, says: str
) -> None:
    where = re.sub("//.*@", "//suqiu:wrong@", amqp.management_url)
    manager = Management(settings(amqp.url, management_url.format(where)), None)
    with pytest.raises(BrokerUnavailable, match=says):
        manager.check(WANTED)


def test_a_unit_reads_its_own_queue_answers_under_its_own_key_and_nothing_else(amqp: VirtualHost) -> None:
    management(amqp).apply(WANTED)
    address = amqp.broker.address
    user, password = f"u-{amqp.name}", "unit-secret"
    theirs = next(one for one in WANTED.permissions if one.user == "rsj")
    amqp.manage("PUT", f"/api/users/{user}", {"password": password, "tags": ""})
    try:
        rights = {"configure": theirs.configure, "write": theirs.write, "read": theirs.read}
        amqp.manage("PUT", f"/api/permissions/{amqp.name}/{user}", rights)
        topic = {"exchange": "suqiu.feedback", "write": theirs.topic_write, "read": "^$"}
        amqp.manage("PUT", f"/api/topic-permissions/{amqp.name}/{user}", topic)
        url = re.sub("//.*@", f"//{user}:{password}@", amqp.url)
        assert address.amqp_url != url

        _may(url, lambda channel: channel.basic_get("suqiu.dest.rsj"))
        _may(url, lambda channel: _publish(channel, "suqiu.feedback", "rsj.status"))
        _may_not(url, lambda channel: channel.basic_get("suqiu.dest.hq-qu"))
        _may_not(url, lambda channel: channel.basic_get("suqiu.dead"))
        _may_not(url, lambda channel: _publish(channel, "suqiu.feedback", "hq-qu.status"))
        _may_not(url, lambda channel: _publish(channel, "suqiu.deliver", "rsj"))
        _may_not(url, lambda channel: channel.queue_declare("mine", durable=True))
        forged = pika.BasicProperties(user_id="hq-qu")
        _may_not(url, lambda channel: _publish(channel, "suqiu.feedback", "rsj.status", forged))
        # Known, and answered by reconciliation: reading includes emptying.
        _may(url, lambda channel: channel.queue_purge("suqiu.dest.rsj"))
    finally:
        amqp.manage("DELETE", f"/api/users/{user}")


def test_the_hub_publishes_and_reads_with_no_more_rights_than_it_is_given(amqp: VirtualHost) -> None:
    management(amqp).apply(WANTED)
    user = f"h-{amqp.name}"
    ours = next(one for one in WANTED.permissions if one.user == "suqiu")
    amqp.manage("PUT", f"/api/users/{user}", {"password": "hub-secret", "tags": ""})
    try:
        rights = {"configure": ours.configure, "write": ours.write, "read": ours.read}
        amqp.manage("PUT", f"/api/permissions/{amqp.name}/{user}", rights)
        url = re.sub("//.*@", f"//{user}:hub-secret@", amqp.url)
        with publishing(url) as publisher:
            publisher.publish(outgoing())
            publisher.publish(outgoing("nowhere"))
            assert {one.verdict for one in collect(publisher, 2)} == {"confirmed", "returned"}
        _may(url, lambda channel: channel.basic_get("suqiu.dead"))
        _may_not(url, lambda channel: channel.basic_get("suqiu.dest.rsj"))
    finally:
        amqp.manage("DELETE", f"/api/users/{user}")


def test_the_commands_for_rights_name_every_user_once_and_anchor_every_pattern() -> None:
    commands = permission_commands(WANTED, "hub")
    users = [_words(command)[3] for command in commands if " set_permissions " in command]
    assert users == ["suqiu-topology", "suqiu", "hq-qu", "rsj"]
    patterns = re.findall(r"'(\^[^']*)'", "\n".join(commands))
    assert len(patterns) > 10
    assert all(pattern.endswith("$") for pattern in patterns)


def _words(command: str) -> list[str]:

    return shlex.split(command)[1:]


def _without_figures(queues: object) -> dict[str, tuple[object, object]]:
    assert isinstance(queues, dict)
    return {name: (one["arguments"], one["durable"]) for name, one in queues.items()}


def amqp_queues(vhost: VirtualHost) -> list[str]:
    found = vhost.manage("GET", f"/api/queues/{vhost.name}")
    assert isinstance(found, list)
    return [one["name"] for one in found]


def _publish(channel: pika.channel.Channel, exchange: str, key: str, properties: object = None) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, b"{}", properties, mandatory=True)


def _may(url: str, act: object) -> None:
    assert callable(act)
    with open_channel(url) as channel:
        act(channel)


def _may_not(url: str, act: object) -> None:
    assert callable(act)
    with open_channel(url) as channel, pytest.raises(ChannelClosedByBroker):
        act(channel)
