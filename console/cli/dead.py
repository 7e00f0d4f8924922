"""suqiu dead: the one pile of what went wrong for good, until a person mends or ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.output import (
    HERE,
    AsJson,
    Folder,
    Limit,
    Why,
    fail,
    open_installation,
    show,
    show_json,
    show_pairs,
)
from console.cli.output import actor as actor_of

if TYPE_CHECKING:
    from router.flows.records import Actor
    from router.flows.replay import Mended, Replay

app = typer.Typer(no_args_is_help=True, help="死信：列表、详情、重放、废弃 (dead letters)")
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="死信编号 (dead letter ids)")]
Stage = Annotated[str | None, typer.Option(help="阶段 (decode, map, admit, route, publish, deliver, unit)")]
Reason = Annotated[str | None, typer.Option("--code", help="原因代码 (reason code)")]
Source = Annotated[str | None, typer.Option(help="来源 (source)")]
Destination = Annotated[str | None, typer.Option(help="目的地 (destination)")]
Since = Annotated[datetime | None, typer.Option(help="此时间之后，本地时间 (since, local time)")]
All = Annotated[bool, typer.Option("--all", help="全部符合条件的 (all that match the filter)")]
_COLUMNS = (
    ("created_at", "时间"), ("dead_id", "死信"), ("stage", "阶段"), ("reason", "原因"), ("source", "来源"),
    ("source_id", "来源编号"), ("destination", "目的地"), ("replays", "重放"), ("sentence", "说明"),
)  # fmt: skip


@app.command("list")
def list_(
    config: Folder = HERE,
    stage: Stage = None,
    code: Reason = None,
    source: Source = None,
    destination: Destination = None,
    since: Since = None,
    state: Annotated[str, typer.Option(help="open, replayed, discarded, settled")] = "open",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """死信，从最早的开始 (dead letters, oldest first)."""
    wanted = _filter(stage, code, source, destination, since, limit=limit, state=state)
    show(open_installation(config).views.dead(wanted), _COLUMNS, as_json=as_json)


@app.command("show")
def show_(
    dead_id: Annotated[str, typer.Argument(metavar="ID", help="死信编号 (dead letter id)")],
    config: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """一封死信和它的下一步 (one dead letter, and what to do)."""
    row = open_installation(config).views.one("dead_letters", dead_id)
    if row is None:
        raise fail(f"没有编号为 {dead_id} 的死信 (no such dead letter; suqiu dead list shows ids)")
    if as_json:
        show_json(row)
        return
    show_pairs(row.items())
    print("\n下一步：修好映射、规则或对方系统后 suqiu dead replay；不再需要则 suqiu dead discard")


@app.command()
def replay(
    ids: Ids = None,
    config: Folder = HERE,
    stage: Stage = None,
    code: Reason = None,
    source: Source = None,
    destination: Destination = None,
    since: Since = None,
    everything: All = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """按当前配置重新处理，编号与次序不变 (again under today's configuration; same ids, same order)."""
    wanted = _filter(stage, code, source, destination, since)
    _mend(config, ids, wanted, everything, lambda r: r.replay, reason, as_json)


@app.command()
def discard(
    ids: Ids = None,
    config: Folder = HERE,
    stage: Stage = None,
    code: Reason = None,
    source: Source = None,
    destination: Destination = None,
    since: Since = None,
    everything: All = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """废弃：不再投递，记入审计 (end them; audited)."""
    wanted = _filter(stage, code, source, destination, since)
    _mend(config, ids, wanted, everything, lambda r: r.discard, reason, as_json)


def _filter(
    stage: str | None,
    code: str | None,
    source: str | None,
    destination: str | None,
    since: datetime | None,
    *,
    limit: int = 10_000,
    state: str | None = None,
) -> Any:
    from console.cli.output import LOCAL
    from router.ledger.views import Filter

    local = since.replace(tzinfo=LOCAL) if since else None
    return Filter(
        stage=stage, reason=code, source=source, destination=destination, since=local, limit=limit,
        state=state,
    )  # fmt: skip


Verb = Callable[["Replay"], Callable[[Sequence[str], "Actor"], Iterator["Mended"]]]


def _mend(
    config: Any, ids: list[str] | None, wanted: Any, everything: bool, verb: Verb, reason: str, as_json: bool
) -> None:
    """The list of letters is frozen before the first is touched; later failures are not swept in."""
    filtered = any((wanted.stage, wanted.reason, wanted.source, wanted.destination, wanted.since))
    if not ids and not filtered and not everything:
        raise fail("指明编号、筛选条件或 --all (give ids, a filter, or --all)")
    who = actor_of(reason)
    installation = open_installation(config)
    chosen = list(ids) if ids else [row["dead_id"] for row in installation.views.dead(wanted)]
    mended = list(_with_progress(verb(installation.replay)(chosen, who), len(chosen), as_json))
    counts = Counter(item.outcome for item in mended)
    if as_json:
        show_json({"counts": counts, "items": [vars_of(item) for item in mended]})
    else:
        for item in mended:
            if item.outcome in ("still_dead", "gone"):
                print(f"{item.dead_id}: {item.outcome} {item.sentence}")
        print("，".join(f"{_SAY[name]} {count}" for name, count in counts.items()) or "没有符合条件的死信")
    if counts["still_dead"]:
        raise typer.Exit(1)


_SAY = {
    "replayed": "已重放 (replayed)",
    "moved": "改派 (moved)",
    "settled": "已了结 (settled)",
    "still_dead": "仍失败 (still dead)",
    "gone": "已不在 (gone)",
}


def vars_of(item: Mended) -> dict[str, str]:
    return {"dead_id": item.dead_id, "outcome": item.outcome, "sentence": item.sentence}


def _with_progress(items: Iterable[Mended], total: int, quiet: bool) -> Iterator[Mended]:
    if quiet or total < 20:
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, "处理中", total=total, console=Console(stderr=True))
