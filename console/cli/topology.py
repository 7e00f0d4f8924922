"""suqiu topology: exchanges, queues, bindings and policies in RabbitMQ, from the amqp destinations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import typer

from console.cli.output import HERE, AsJson, Folder, fail, show, show_json

if TYPE_CHECKING:
    from router.broker.drift import Drift
    from router.broker.management import Management
    from router.broker.settings import BrokerSettings
    from router.broker.topology import Topology

app = typer.Typer(no_args_is_help=True, help="消息队列拓扑：导出、应用、核对 (RabbitMQ topology)")
_COLUMNS = (("what", "对象"), ("sentence", "问题"), ("cure", "处理"))


@app.command()
def export(config: Folder = HERE) -> None:
    """导出为 RabbitMQ definitions JSON (as definitions that RabbitMQ can import)."""
    from router.broker.definitions import definitions

    plan = _plan(config)
    print(definitions(plan.wanted, plan.vhost))


@app.command()
def apply(config: Folder = HERE, as_json: AsJson = False) -> None:
    """建立缺少的对象，不删除任何队列 (make what is missing; never deletes)."""
    from router.broker.declaring import declare
    from router.broker.definitions import permission_commands, policy_commands

    plan = _plan(config)
    if plan.management is not None:
        _report(plan.management.apply(plan.wanted), as_json)
        return
    drifts = declare(plan.wanted, plan.settings, plan.password)
    print("没有管理接口：策略与权限请在 RabbitMQ 主机上执行 (no management URL; type on the broker's host):")
    for command in (*policy_commands(plan.wanted, plan.vhost), *permission_commands(plan.wanted, plan.vhost)):
        print(f"  {command}")
    _report(drifts, as_json)


@app.command()
def check(config: Folder = HERE, as_json: AsJson = False) -> None:
    """与实际核对，逐条报告差异 (the drift between what should be and what is)."""
    plan = _plan(config)
    if plan.management is None:
        raise fail("hub.yaml 的 broker.management 未设置 (set broker.management in hub.yaml)")
    _report(plan.management.check(plan.wanted), as_json)


@dataclass
class _Plan:
    wanted: Topology
    settings: BrokerSettings
    password: str | None
    management: Management | None

    @property
    def vhost(self) -> str:
        return unquote(urlsplit(self.settings.url).path[1:]) or "/"


def _plan(config: Path) -> _Plan:
    from config.wiring import Installation
    from router.broker.management import Management
    from router.broker.topology import AmqpDestination, topology

    installation = Installation(config)
    broker = installation.configuration.settings.broker
    if broker is None:
        raise fail("hub.yaml 没有 broker，不需要消息队列 (there is no broker in hub.yaml)")
    destinations = [
        AmqpDestination(unit, settings.single_active_consumer)
        for unit, settings in installation.configuration.destinations.items()
        if settings.kind == "amqp"
    ]
    password = installation.secret(broker.password) if broker.password else None
    management = Management(broker, password) if broker.management else None
    return _Plan(topology(destinations), broker, password, management)


def _report(drifts: list[Drift], as_json: bool) -> None:
    rows = [{"what": d.what, "sentence": d.sentence, "cure": d.cure, "kind": d.kind} for d in drifts]
    if as_json:
        show_json(rows)
    elif rows:
        show(rows, _COLUMNS, as_json=False)
    else:
        print("拓扑一致 (no drift)")
    if rows:
        raise typer.Exit(1)
