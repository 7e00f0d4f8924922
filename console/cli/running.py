"""suqiu run, suqiu demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.output import HERE, Folder, open_installation


def run(
    config: Folder = HERE,
    role: Annotated[
        list[str] | None,
        typer.Option(help="只运行此角色，可多次 (front, intake, relay, worker, feedback)"),
    ] = None,
    monitoring_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="监控端口，代替配置中的 (a process of its own needs its own)"),
    ] = None,
) -> None:
    """运行枢纽，直到收到 SIGTERM 或 Ctrl-C (run the hub until told to stop)."""
    import signal
    import threading

    from config.process import Process
    from config.roles import ROLES
    from config.wiring import arm_crashpoints
    from monitoring.logs import configure

    unknown = set(role or ()) - set(ROLES)
    if unknown:
        raise typer.BadParameter(f"没有角色 {', '.join(unknown)} (one of {', '.join(ROLES)})")
    installation = open_installation(config)
    configure(installation.configuration.settings.logging)
    arm_crashpoints(installation.environ)
    roles = [r for r in ROLES if not role or r in role]
    process = Process(installation, roles, monitoring_port=monitoring_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    process.start()
    import structlog

    log = structlog.get_logger("suqiu")
    front = installation.configuration.settings.front
    log.info("the hub is up", host=front.host, port=process.front_port, config_hash=installation.bundle.hash)
    stop.wait()
    log.info("the hub is finishing")
    process.stop()
    log.info("the hub has stopped")


def demo(
    once: Annotated[bool, typer.Option(help="走完一天就结束 (one day, then the result)")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="结果输出为一个 JSON (one JSON object)")] = False,
    seed: Annotated[int, typer.Option(help="随机种子 (seed)")] = 1,
    items: Annotated[int, typer.Option(min=1, max=1_000_000, help="诉求数量 (how many)")] = 500,
    keep: Annotated[Path | None, typer.Option(help="保留文件到此目录 (keep all files here)")] = None,
    lose_one: Annotated[bool, typer.Option(help="故意丢一件，检验能否发现 (plant a loss)")] = False,
    amqp: Annotated[str | None, typer.Option(help="用真实的 RabbitMQ (amqp://…)")] = None,
    management: Annotated[str | None, typer.Option(help="RabbitMQ 管理接口 (http://…)")] = None,
    database: Annotated[str | None, typer.Option(help="用真实的数据库 (postgresql+psycopg://…)")] = None,
    kill_hub_at: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="中途杀掉枢纽 (kill -9 the hub at this share)")
    ] = None,
) -> None:
    """模拟一座城市：来源、枢纽、单位都在本机 (a whole city on this machine)."""
    from demo.day import Options
    from demo.day import main as day

    options = Options(
        once=once,
        as_json=as_json,
        seed=seed,
        items=items,
        keep=keep,
        lose_one=lose_one,
        amqp=amqp,
        management=management,
        database=database,
        kill_hub_at=kill_hub_at,
    )
    raise typer.Exit(day(options))
