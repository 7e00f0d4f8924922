"""How commands print: tables for people, JSON for programs, never both."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from config.wiring import Installation
    from router.flows.records import Actor

LOCAL = timezone(timedelta(hours=8), "Asia/Shanghai")
"""People read local time; China has one, without summer time."""

Folder = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SUQIU_CONFIG", help="配置目录 (configuration folder)"),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON (print JSON)")]
Why = Annotated[str, typer.Option("--reason", "-r", help="原因，记入审计 (why; goes into the audit)")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="最多行数 (most rows)")]
HERE = Path()


def open_installation(folder: Path) -> Installation:
    """The installation in this folder; its ledger must have today's schema."""
    from config.wiring import Installation
    from router.ledger.version import require_current

    installation = Installation(folder)
    require_current(installation.database)
    return installation


def actor(reason: str) -> Actor:
    """Who types here, and why; a reason is not optional."""
    from router.flows.records import Actor

    if not reason.strip():
        raise typer.BadParameter("说明原因 (say why; it goes into the audit)", param_hint="--reason")
    return Actor(getpass.getuser(), reason.strip())


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """A list: as a table with these (key, heading) columns, or as one JSON array with everything."""
    if as_json:
        show_json(list(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for _, heading in columns:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(plain(row.get(key)) for key, _ in columns))
    console = Console()
    console.print(table)
    if not rows:
        console.print("（无）", style="dim")


def show_json(value: Any) -> None:
    """One JSON value on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_jsonable)
    sys.stdout.write("\n")


def show_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """A few facts under each other."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, plain(value))
    Console().print(table)


def heading(text: str) -> None:
    from rich.console import Console

    Console().print(f"\n{text}", style="bold cyan", markup=False)


def plain(value: Any) -> str:
    """A value in a table's cell, with markup characters harmless."""
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(LOCAL).strftime("%m-%d %H:%M:%S")
    if isinstance(value, (dict, list, tuple)):
        return escape(json.dumps(value, ensure_ascii=False, default=_jsonable))
    return escape(str(value))


def fail(message: str) -> typer.Exit:
    """Say what is wrong and what to do; raise what this returns."""
    print(message, file=sys.stderr)
    return typer.Exit(1)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)
