"""suqiu deliveries: every message on its way out, and the ones that wait for a queue."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.output import HERE, AsJson, Folder, Limit, Why, open_installation, show, show_json
from console.cli.output import actor as actor_of

app = typer.Typer(no_args_is_help=True, help="投递：列表、放行 (deliveries)")
_COLUMNS = (
    ("created_at", "创建"), ("delivery_id", "投递"), ("destination", "目的地"), ("type", "类型"),
    ("sequence", "序号"), ("state", "状态"), ("attempts", "失败次数"), ("next_attempt_at", "下次"),
    ("reason", "原因"), ("source", "来源"), ("source_id", "来源编号"),
)  # fmt: skip


@app.command("list")
def list_(
    config: Folder = HERE,
    destination: Annotated[str | None, typer.Option(help="目的地 (destination)")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="pending, published, retry_wait, accepted, rejected, dead, parked, cancelled"),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="原因代码 (reason code)")] = None,
    source: Annotated[str | None, typer.Option(help="来源 (source)")] = None,
    limit: Limit = 50,
    before: Annotated[str | None, typer.Option(help="上一页最后的编号 (last id of the page before)")] = None,
    as_json: AsJson = False,
) -> None:
    """最近的投递 (the latest deliveries)."""
    from router.ledger.views import Filter

    wanted = Filter(
        destination=destination, state=state, reason=reason, source=source, limit=limit, before=before
    )
    show(open_installation(config).views.deliveries(wanted), _COLUMNS, as_json=as_json)


@app.command()
def release(
    destination: Annotated[str, typer.Argument(help="目的地 (destination)")],
    config: Folder = HERE,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """队列绑定修好后，放行停放的投递 (send again what was parked for a missing binding)."""
    from config.wiring import now

    released = open_installation(config).desk.release_parked(destination, actor_of(reason), now())
    told = {"destination": destination, "released": released}
    show_json(told) if as_json else print(f"{destination}: 已放行 {released} 件 (released)")
