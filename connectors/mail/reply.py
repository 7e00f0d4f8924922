"""
The answer to a unit (R9): what was taken, what was not, and why, row by row.

It says nothing that its reader did not send, but for our reasons; it goes to the address on the list
and to no other. The same mail gets the same letter_id, so that it is answered once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.mail.headers import tidy
from connectors.mail.sets import Place, TableSet, Told
from connectors.mail.sorting import Found
from connectors.tables.reading import Row, TableFile, annotate
from connectors.times import SHANGHAI
from router.letters import Letter
from router.message import Accepted

MOST_LISTED = 50
"""Rows that are named in the text; all of them stand in the workbook."""
LARGEST_FILE = 10 * 1024 * 1024

_TAKEN = {
    "new": "已收",
    "revision": "已收（按本次更正）",
    "closure": "已收（按本次更正）",
    "unchanged": "已收（与上次相同）",
    "duplicate": "已收（与上次相同）",
    "echo": "已收（与上次相同）",
    "withdrawal": "已收",
    "registered": "已收（已由人工登记）",
}
STALE = "未采用：平台上已有更新的内容"
BY_HAND = "上次已收到，尚待人工登记"
UNKNOWN = "已收到"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said of a mail, before what became of its rows is known."""

    to: str
    message_id: str
    told: Told
    found: Found
    sets: tuple[TableSet, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """One row's fate in words."""

    is_taken: bool
    words: str


def compose(answer: Answer, outcomes: Mapping[str, Accepted]) -> Letter:
    """`outcomes`: source id → what became of it, over all batches of the mail."""
    said = {
        source_id: _said(place.row, outcomes.get(source_id))
        for one in answer.sets
        for source_id, place in one.places.items()
    }
    file = _workbook(answer, said) if said else b""
    return Letter(
        letter_id=f"reply-{answer.told.source}-{answer.told.digest}"[-64:].lstrip("._-"),
        source=answer.told.source,
        to=answer.to,
        subject=f"Re: {answer.told.subject.removeprefix('Re: ')}"[:400],
        text="\n".join(_lines(answer, said, bool(file)))[:45_000],
        in_reply_to=answer.message_id,
        file_name=f"处理结果-{answer.sets[0].period}.xlsx" if file else "",
        file=file,
    )


def _said(row: Row, accepted: Accepted | None) -> _Said:
    if accepted is None:
        return _Said(not row.problem, f"未收：{row.problem}" if row.problem else UNKNOWN)
    if accepted.outcome == "duplicate" and accepted.revision == 0:
        return _Said(False, f"{BY_HAND}：{row.problem}" if row.problem else BY_HAND)
    if accepted.outcome in ("failed", "unapproved"):
        return _Said(False, f"未收：{row.problem or accepted.reason or '无法登记'}")
    if accepted.outcome == "stale":
        return _Said(False, STALE)
    return _Said(True, _TAKEN.get(accepted.outcome, UNKNOWN))


def _lines(answer: Answer, said: Mapping[str, _Said], has_file: bool) -> Iterable[str]:
    arrived = answer.told.arrived_at.astimezone(SHANGHAI)
    about = f"主题“{answer.told.subject}”" if answer.told.subject else "无主题"
    yield "您好："
    yield ""
    yield f"您单位 {arrived:%Y年%m月%d日 %H:%M} 发来的邮件（{about}）已收到，处理结果如下。"
    if answer.found.problem:
        yield from ("", f"邮件未采用：{answer.found.problem}。")
    for one in answer.sets:
        yield from ("", *_about_set(one, said, is_whole=not answer.found.unreadable))
    yield from _about_files(answer.found)
    yield ""
    if has_file:
        yield "每一行的处理结果见附件最后一列。"
    yield "如有未收的内容，请改正后重新报送整张汇总表；重报的表整体替换上一次的表。"
    yield "本邮件由系统自动发出，请勿直接回复。"


def _about_set(one: TableSet, said: Mapping[str, _Said], *, is_whole: bool) -> Iterable[str]:
    name = f"【{one.period[:4]}年第{'一二三四'[int(one.period[-1]) - 1]}季度】"
    if not one.places:
        yield f"{name}零报告，{'已登记' if is_whole else '因有文件无法读取，未登记'}。"
        return
    taken = {source_id: place for source_id, place in one.places.items() if said[source_id].is_taken}
    refused = [(place, said[source_id]) for source_id, place in one.places.items() if source_id not in taken]
    yield f"{name}共 {len(one.places)} 行，已收 {len(taken)} 行，未收 {len(refused)} 行。"
    if is_whole:
        yield "本次的表已替换此前报送的同一季度的表。"
    else:
        yield "因有文件无法读取，此前报送的同一季度的表未被替换。"
    for where, numbers in _by_sheet(taken.values()).items():
        yield f"  已收：{where} 第 {_spans(numbers)} 行"
    for place, fate in refused[:MOST_LISTED]:
        yield f"  {_where(place)} 第 {place.row.number} 行：{tidy(fate.words, 300)}"
    if len(refused) > MOST_LISTED:
        yield f"  另有 {len(refused) - MOST_LISTED} 行未收，见附件。"


def _about_files(found: Found) -> Iterable[str]:
    for unreadable in found.unreadable:
        yield from ("", f"文件“{unreadable.file.name}”无法读取：{tidy(unreadable.reason, 300)}。")
    if found.beside and not found.problem:
        yield from ("", f"以下附件不是表格，没有读取：{'、'.join(found.beside)}。")


def _where(place: Place) -> str:
    sheet = f"，工作表“{tidy(place.row.sheet, 40)}”" if place.row.sheet else ""
    return f"文件“{place.file.name}”{sheet}"


def _by_sheet(places: Iterable[Place]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place in places:
        found.setdefault(_where(place), []).append(place.row.number)
    return found


def _spans(numbers: Sequence[int]) -> str:
    """`3-11、13`"""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    shown = [f"{first}-{last}" if first != last else str(first) for first, last in spans[:MOST_LISTED]]
    return "、".join(shown) + (" 等" if len(spans) > MOST_LISTED else "")


def _workbook(answer: Answer, said: Mapping[str, _Said]) -> bytes:
    """Nothing when it would be too large to send."""
    words = {
        (place.file.name, place.row.sheet, place.row.number): said[source_id].words
        for one in answer.sets
        for source_id, place in one.places.items()
    }

    def verdict(file: TableFile, row: Row) -> str:
        return words.get((file.name, row.sheet, row.number), "")

    made = annotate([table for table in answer.found.tables if table.rows], verdict)
    return made if len(made) <= LARGEST_FILE else b""
