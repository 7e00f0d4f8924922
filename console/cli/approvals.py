"""suqiu approvals: which units report directly, and through which L1 users (annex 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.output import HERE, AsJson, Folder, Limit, Why, fail, open_installation, show, show_json
from console.cli.output import actor as actor_of

if TYPE_CHECKING:
    from console.approval_forms import BadLine, Form
    from router.ledger.approvals import Approvals, Decided, Imported

app = typer.Typer(no_args_is_help=True, help="直报授权：附件2的导入、批准、撤销 (who may report directly)")
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="授权编号 (approval ids)")]
_STATES = {"pending": "待批准", "approved": "已批准", "revoked": "已撤销"}
_COLUMNS = (
    ("approval_id", "编号"), ("unit", "单位"), ("user_masked", "L1用户"), ("phone_masked", "手机号码"),
    ("state", "状态"), ("valid_from", "有效期起"), ("valid_to", "有效期止"), ("requested_at", "申请"),
    ("decided_at", "决定"), ("decided_by", "决定人"),
)  # fmt: skip
_WHOLE = (
    ("approval_id", "编号"), ("unit", "单位"), ("user", "L1用户"), ("post", "职务"), ("phone", "手机号码"),
    ("contact", "联系人"), ("contact_phone", "联系电话"), ("remark", "备注"), ("state", "状态"),
    ("valid_from", "有效期起"), ("valid_to", "有效期止"),
)  # fmt: skip


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="附件2的 CSV：单位名称、L1用户姓名、L1用户手机号码……")],
    config: Folder = HERE,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """导入申请表，等待批准；重复导入不会重复登记 (bring applications in; again doubles nothing)."""
    from console.approval_forms import MOST_BYTES, BadLine, Form, read

    try:
        with file.open("rb") as opened:
            lines = read(opened.read(MOST_BYTES + 1))
    except (OSError, ValueError) as error:
        raise fail(f"{file}: {error}") from error
    forms = [line for line in lines if isinstance(line, Form)]
    bad = [line for line in lines if isinstance(line, BadLine)]
    who = actor_of(reason or f"导入 {file.name}")
    brought = open_installation(config).approvals.import_([form.application for form in forms], who)
    counts = Counter(one.outcome for one in brought)
    if as_json:
        items = [{"line": f.line, **one._asdict()} for f, one in zip(forms, brought, strict=True)]
        show_json({"counts": counts, "items": items, "problems": [line._asdict() for line in bad]})
    else:
        _tell(forms, brought, bad)
    if bad:
        raise typer.Exit(1)


def _tell(forms: list[Form], brought: list[Imported], bad: list[BadLine]) -> None:
    from router.masking import mask_text

    for line in bad:
        print(f"第 {line.line} 行：{line.what}")
    for form, one in zip(forms, brought, strict=True):
        if not one.is_known_unit:
            called = mask_text(one.unit)
            print(f"第 {form.line} 行：名录中没有“{called}”，按原名登记 (no such unit; kept by its name)")
    counts = Counter(one.outcome for one in brought)
    told = f"新增 {counts['new']}，更新 {counts['updated']}，未变 {counts['unchanged']}，未收 {len(bad)}"
    print(f"{told} (new, updated, unchanged, not taken)")
    if counts["new"]:
        print("下一步：suqiu approvals list --state pending，然后 suqiu approvals approve 编号")


@app.command("list")
def list_(
    config: Folder = HERE,
    state: Annotated[str | None, typer.Option(help="状态 (pending, approved, revoked)")] = None,
    unit: Annotated[str | None, typer.Option(help="单位，编号或名称 (unit, by id or name)")] = None,
    limit: Limit = 50,
    before: Annotated[str | None, typer.Option(help="上一页最后的编号 (last id of the page before)")] = None,
    reveal: Annotated[bool, typer.Option(help="显示全文，记入审计 (in full; audited)")] = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """最近的申请与授权，已脱敏 (the latest applications and approvals, masked)."""
    from router.ledger.views import Filter

    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"没有状态 {state} (one of {', '.join(_STATES)})", param_hint="--state")
    wanted = Filter(state=state, unit=unit, limit=limit, before=before)
    who = actor_of(reason) if reveal else None
    approvals = open_installation(config).approvals
    rows = approvals.reveal(wanted, who) if who else approvals.entries(wanted)
    show([_spoken(row, as_json) for row in rows], _WHOLE if reveal else _COLUMNS, as_json=as_json)


def _spoken(row: Mapping[str, Any], as_json: bool) -> Mapping[str, Any]:
    return row if as_json else {**row, "state": _STATES[row["state"]]}


@app.command()
def approve(
    ids: Ids,
    config: Folder = HERE,
    valid_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="有效期起，含当日 (first day)")
    ] = None,
    valid_to: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="有效期止，含当日 (last day)")
    ] = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """批准，或改变有效期；不写日期则按申请表 (approve, or set other days; without days as applied for)."""
    first, last = (day.date() if day else None for day in (valid_from, valid_to))
    if first and last and first > last:
        raise typer.BadParameter(
            "有效期止早于有效期起 (the last day lies before the first)", param_hint="--to"
        )
    who = actor_of(reason)
    _decide(config, ids, lambda approvals, id_: approvals.approve(id_, who, first, last), as_json)
    if not as_json:
        print("因未获授权未收的直报可以重放：suqiu dead list --code unapproved")


@app.command()
def revoke(ids: Ids, config: Folder = HERE, reason: Why = "", as_json: AsJson = False) -> None:
    """撤销授权，或不予批准；立即生效 (take back, or refuse; at once)."""
    who = actor_of(reason)
    _decide(config, ids, lambda approvals, id_: approvals.revoke(id_, who), as_json)


def _decide(config: Path, ids: list[str], verb: Callable[[Approvals, str], Decided], as_json: bool) -> None:
    """Each id for itself: one that is unknown stops none of the others."""
    approvals = open_installation(config).approvals
    decided = {id_: verb(approvals, id_) for id_ in ids}
    counts = Counter(decided.values())
    if as_json:
        items = [{"approval_id": id_, "outcome": outcome} for id_, outcome in decided.items()]
        show_json({"counts": counts, "items": items})
    else:
        for id_, outcome in decided.items():
            if outcome == "unknown":
                print(f"没有编号为 {id_} 的授权 (no such approval; suqiu approvals list shows ids)")
        print(f"已办 {counts['decided']}，原已如此 {counts['unchanged']} (decided, was so already)")
    if counts["unknown"]:
        raise typer.Exit(1)
