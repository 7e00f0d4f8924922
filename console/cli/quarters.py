"""suqiu quarters: which units have sent their quarterly tables."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from console.cli.output import HERE, AsJson, Folder, fail, open_installation, show

app = typer.Typer(no_args_is_help=True, help="季报：各单位汇总表的报送 (the units' quarterly tables)")
_COLUMNS = (
    ("unit", "单位"), ("name", "名称"), ("standing", "情况"), ("rows", "收到"), ("refused", "未收"),
    ("times", "次数"), ("first_at", "首次报送"), ("sent_at", "最近报送"), ("due", "截止"),
)  # fmt: skip
_WORDS = {"received": "已报", "nil": "零报", "late": "迟报", "awaited": "待报", "missing": "未报"}


@app.command("list")
def list_(
    quarter: Annotated[
        str | None, typer.Argument(help="季度，如 2026Q3，默认上一季度 (the last one)")
    ] = None,
    config: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """已报、零报、迟报、待报、未报 (received, nil, late, awaited, missing)."""
    from config.wiring import now
    from router.decisions.quarters import Quarter, standing

    installation = open_installation(config)
    try:
        wanted = Quarter.named(quarter) if quarter else Quarter.of(now()).before
    except ValueError as error:
        raise fail(str(error)) from error
    configuration = installation.configuration
    due = wanted.due(configuration.settings.quarterly.due)
    came = {table.unit: table for table in installation.quarters.received(wanted.name)}
    rows: list[dict[str, Any]] = []
    for unit in configuration.directory.units.values():
        table = came.pop(unit.id, None)
        if unit.part != "unit" and table is None:
            continue
        first = table.first_at if table else None
        taken = (table.rows + table.refused) if table else 0
        where = standing(first, taken, due=due, now=now())
        rows.append(
            {"unit": unit.id, "name": unit.name, "standing": where if as_json else _WORDS[where]}
            | ({} if table is None else table._asdict())
            | {"due": due}
        )
    show(rows, _COLUMNS, as_json=as_json)
