"""suqiu tasks: what units and offices have to do."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.output import (
    HERE,
    AsJson,
    Folder,
    Limit,
    fail,
    open_installation,
    show,
    show_json,
    show_pairs,
)

app = typer.Typer(no_args_is_help=True, help="任务：各单位待办 (tasks of units and offices)")
_COLUMNS = (
    ("created_at", "派发"), ("task_id", "任务"), ("unit", "单位"), ("role", "角色"), ("state", "状态"),
    ("source", "来源"), ("source_id", "来源编号"), ("appeal_id", "诉求"),
)  # fmt: skip


@app.command("list")
def list_(
    config: Folder = HERE,
    unit: Annotated[str | None, typer.Option(help="单位 (unit)")] = None,
    state: Annotated[str | None, typer.Option(help="状态 (open, done, cancelled)")] = None,
    source: Annotated[str | None, typer.Option(help="来源 (source)")] = None,
    limit: Limit = 50,
    before: Annotated[str | None, typer.Option(help="上一页最后的编号 (last id of the page before)")] = None,
    as_json: AsJson = False,
) -> None:
    """最近的任务 (the latest tasks)."""
    from router.ledger.views import Filter

    wanted = Filter(unit=unit, state=state, source=source, limit=limit, before=before)
    show(open_installation(config).views.tasks(wanted), _COLUMNS, as_json=as_json)


@app.command("show")
def show_(
    task_id: Annotated[str, typer.Argument(metavar="ID", help="任务编号 (task id)")],
    config: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """一个任务 (one task)."""
    row = open_installation(config).views.one("tasks", task_id)
    if row is None:
        raise fail(f"没有编号为 {task_id} 的任务 (no such task; suqiu tasks list shows ids)")
    show_json(row) if as_json else show_pairs(row.items())
