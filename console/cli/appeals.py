"""suqiu appeals: look at appeals, explain them, register by hand what no mapping understood."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.output import (
    HERE,
    AsJson,
    Folder,
    Limit,
    Why,
    fail,
    heading,
    open_installation,
    show,
    show_json,
    show_pairs,
)
from console.cli.output import actor as actor_of

app = typer.Typer(no_args_is_help=True, help="诉求：列表、详情、解释、手工登记 (appeals)")
Id = Annotated[str, typer.Argument(metavar="ID", help="诉求编号 (appeal id)")]
_COLUMNS = (
    ("created_at", "收到"), ("appeal_id", "编号"), ("source", "来源"), ("source_id", "来源编号"),
    ("state", "状态"), ("revision", "版本"), ("kind", "类型"), ("region", "属地"), ("rule", "规则"),
    ("title", "标题"),
)  # fmt: skip


@app.command("list")
def list_(
    config: Folder = HERE,
    source: Annotated[str | None, typer.Option(help="来源 (source)")] = None,
    source_id: Annotated[str | None, typer.Option(help="来源编号 (the source's own id)")] = None,
    state: Annotated[str | None, typer.Option(help="状态 (open, closed, withdrawn, unregistered)")] = None,
    limit: Limit = 50,
    before: Annotated[str | None, typer.Option(help="上一页最后的编号 (last id of the page before)")] = None,
    as_json: AsJson = False,
) -> None:
    """最近的诉求，内容已脱敏 (the latest appeals, masked)."""
    from router.ledger.views import Filter

    wanted = Filter(source=source, source_id=source_id, state=state, limit=limit, before=before)
    show(open_installation(config).views.appeals(wanted), _COLUMNS, as_json=as_json)


@app.command("show")
def show_(
    appeal_id: Id,
    config: Folder = HERE,
    reveal: Annotated[bool, typer.Option(help="显示全文，记入审计 (in full; audited)")] = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """一件诉求的全过程 (one appeal's whole story)."""
    from config.wiring import now

    installation = open_installation(config)
    story = installation.views.appeal(appeal_id)
    if story is None:
        raise fail(f"没有编号为 {appeal_id} 的诉求 (no such appeal; suqiu appeals list shows ids)")
    if reveal:
        full = installation.views.reveal(appeal_id, story["revision"], actor_of(reason), now())
        story["appeal"] = full["appeal"] if full else None
    if as_json:
        show_json(story)
        return
    _tell(story)


def _tell(story: dict[str, Any]) -> None:
    parts = ("envelopes", "revisions", "tasks", "deliveries", "attempts", "dead_letters", "history")
    show_pairs((key, value) for key, value in story.items() if key not in (*parts, "appeal", "decision"))
    if story["appeal"]:
        heading("诉求")
        show_pairs((key, value) for key, value in story["appeal"].items() if value not in ("", [], {}, None))
    if story["decision"]:
        heading("去向")
        show_pairs((key, story["decision"][key]) for key in ("rule", "lead", "assisting", "matched"))
    for part, title in zip(parts, ("原件", "版本", "任务", "投递", "重试", "死信", "经过"), strict=True):
        rows = story[part]
        if rows:
            heading(title)
            keys = [key for key in rows[0] if key not in ("appeal_id", "config_hash") and rows[0][key] != ""]
            show(rows, [(key, key) for key in keys], as_json=False)


@app.command()
def explain(
    appeal_id: Id,
    config: Folder = HERE,
    revision: Annotated[int | None, typer.Option(min=1, help="版本，默认最新 (revision)")] = None,
    today: Annotated[bool, typer.Option(help="按当前配置 (under today's configuration)")] = False,
    as_json: AsJson = False,
) -> None:
    """每个字段从哪里来，为什么派给这个单位 (where each field came from, and why it went there)."""
    from console.explaining import explain_appeal

    explained = explain_appeal(open_installation(config), appeal_id, revision, today=today)
    if explained is None:
        raise fail(f"没有编号为 {appeal_id} 的诉求 (no such appeal or revision)")
    if as_json:
        show_json(explained)
        return
    from console.cli.traces import show_decision, show_fields

    for said in filter(None, [explained["problem"], *explained["notes"]]):
        print(f"⚠ {said}")
    show_fields(explained["fields"])
    show_decision(explained["decision"])


@app.command()
def register(
    appeal_id: Id,
    file: Annotated[Path, typer.Argument(help="规范字段的 JSON 文件 (canonical fields as JSON)")],
    config: Folder = HERE,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """手工登记未能自动识别的诉求 (register by hand what could not be translated)."""
    from config.wiring import now
    from router import jsontext
    from router.errors import MappingFailed
    from router.flows.registering import register as register_

    installation = open_installation(config)
    story = installation.views.appeal(appeal_id)
    book = installation.book(story["source"]) if story else None
    if story is None or book is None:
        raise fail(f"没有编号为 {appeal_id} 的诉求 (no such appeal, or its source is not configured)")
    fields = jsontext.loads(file.read_bytes())
    if not isinstance(fields, dict):
        raise fail(f"{file}: 应为一个 JSON 对象 (one JSON object expected)")
    try:
        appeal = register_(installation.desk, book, appeal_id, fields, actor=actor_of(reason), clock=now)
    except MappingFailed as error:
        raise fail(str(error)) from error
    told = {"appeal_id": appeal_id, "revision": appeal.revision}
    show_json(told) if as_json else print(f"已登记：第 {appeal.revision} 版 (registered)")
