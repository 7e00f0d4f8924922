"""What a unit is told about its mail: everything that concerns it, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from python_calamine import CalamineWorkbook

from connectors.mail.box import Mail
from connectors.mail.handling import Handled, Handling
from connectors.mail.reply import compose
from router.letters import Letter
from router.message import Accepted, Outcome
from tests.connectors.mail.writing import PROVEN, Attached, Row, Store, mail, nil_report, row, settings, table
from tests.hub import StepClock

APPEAL = "00000000-0000-7000-8000-000000000000"
ROWS = [row(1), row(2, firm="苏州纸船软件有限公司"), row(3, firm="苏州风筝物流有限公司")]
BAD = [row(4, day="上周"), row(5, firm="")]


def handled(raw: bytes) -> Handled:
    cursor = {"uid": "1"}
    arrived = datetime(2026, 10, 8, 1, 15, tzinfo=UTC)
    handling = Handling("mailbox", settings(), Store(), StepClock())
    return handling.handle(Mail("1", arrived, raw, len(raw), cursor))


def accepted(source_id: str, outcome: Outcome, revision: int = 1, reason: str = "") -> Accepted:
    return Accepted(source_id=source_id, appeal_id=APPEAL, revision=revision, outcome=outcome, reason=reason)


def answer(raw: bytes, outcomes: Mapping[int, Accepted] | None = None) -> Letter:
    """As if the hub took every good row for new, but for those with an outcome of their own."""
    made = handled(raw)
    items = [one for batch in made.batches for one in batch.envelopes]
    usual = {
        one.source_id: accepted(one.source_id, "failed", 0, one.problem)
        if one.problem
        else accepted(one.source_id, "new")
        for one in items
    }
    for place, outcome in (outcomes or {}).items():
        usual[items[place].source_id] = outcome.model_copy(update={"source_id": items[place].source_id})
    assert made.answer is not None
    return compose(made.answer, usual)


def cells(letter: Letter) -> list[list[str]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(letter.file))
    return [[str(cell) for cell in line] for line in book.get_sheet_by_index(0).to_python()]


def test_the_answer_goes_to_the_address_on_the_list_and_names_its_mail() -> None:
    raw = mail(table(ROWS), more=["Message-ID: <7@rsj.example.gov.cn>", "Reply-To: evil@evil.example"])
    letter = answer(raw)
    assert letter.to == "office@rsj.example.gov.cn"
    assert letter.in_reply_to == "<7@rsj.example.gov.cn>"
    assert letter.subject == "Re: 三季度汇总表"
    assert letter.source == "mailbox"
    assert "您单位 2026年10月08日 09:15 发来的邮件（主题“三季度汇总表”）已收到" in letter.text


def test_what_was_taken_and_what_not_is_said_by_file_sheet_and_line() -> None:
    letter = answer(mail(table([*ROWS, *BAD])))
    assert "【2026年第三季度】共 5 行，已收 3 行，未收 2 行。" in letter.text
    assert "已收：文件“三季度汇总表.xlsx”，工作表“汇总表” 第 3-5 行" in letter.text
    assert "文件“三季度汇总表.xlsx”，工作表“汇总表” 第 6 行：未收：诉求时间看不懂" in letter.text
    assert "第 7 行：未收：没有企业名称" in letter.text
    assert letter.file_name == "处理结果-2026Q3.xlsx"
    verdicts = [line[-1] for line in cells(letter)[2:]]
    assert verdicts[:3] == ["已收"] * 3
    assert verdicts[3].startswith("未收：诉求时间看不懂")


FATES = [
    pytest.param(accepted("x", "closure", 2), "已收（按本次更正）", True, id="corrected"),
    pytest.param(accepted("x", "unchanged"), "已收（与上次相同）", True, id="the same in other words"),
    pytest.param(accepted("x", "duplicate"), "已收（与上次相同）", True, id="the very same"),
    pytest.param(accepted("x", "duplicate", 0), "上次已收到，尚待人工登记", False, id="never understood"),
    pytest.param(accepted("x", "stale"), "未采用：平台上已有更新的内容", False, id="overtaken"),
    pytest.param(
        accepted("x", "failed", 0, "content: required"), "未收：content: required", False, id="failed"
    ),
    pytest.param(accepted("x", "unapproved", 1, "没有批准"), "未收：没有批准", False, id="unapproved"),
    pytest.param(accepted("x", "registered"), "已收（已由人工登记）", True, id="registered by hand"),
]


@pytest.mark.parametrize(("fate", "words", "is_taken"), FATES)
def test_every_fate_has_its_words(fate: Accepted, words: str, is_taken: bool) -> None:
    letter = answer(mail(table(ROWS)), {1: fate})
    assert f"已收 {3 if is_taken else 2} 行" in letter.text
    assert cells(letter)[3][-1] == words
    assert (f"第 4 行：{words}" in letter.text) != is_taken


def test_a_row_of_whose_fate_nothing_is_known_is_not_called_refused() -> None:
    made = handled(mail(table([*ROWS, *BAD])))
    assert made.answer is not None
    text = compose(made.answer, {}).text
    assert "已收 3 行，未收 2 行" in text


def test_a_nil_report_is_confirmed() -> None:
    letter = answer(mail(Attached("零报告.xlsx", nil_report())))
    assert "【2026年第三季度】零报告，已登记。" in letter.text
    assert (letter.file, letter.file_name) == (b"", "")


def test_at_most_fifty_rows_are_listed_and_the_workbook_has_all() -> None:
    letter = answer(mail(table([row(n, day="?", firm=f"苏州第{n}号企业") for n in range(70)])))
    assert letter.text.count("未收：诉求时间") == 50
    assert "另有 20 行未收，见附件" in letter.text
    assert len([line for line in cells(letter) if line[-1].startswith("未收")]) == 70


def test_files_that_cannot_be_read_and_those_beside_are_named() -> None:
    letter = answer(
        mail(table(ROWS), Attached("二处.xlsx", b"PK\x03\x04"), Attached("扫描.pdf", b"%PDF-1.7"))
    )
    assert "文件“二处.xlsx”无法读取：" in letter.text
    assert "此前报送的同一季度的表未被替换" in letter.text
    assert "以下附件不是表格，没有读取：扫描.pdf。" in letter.text


def test_a_mail_without_a_table_is_told_so() -> None:
    letter = answer(mail())
    assert "邮件未采用：邮件没有附件，没有可读的汇总表。" in letter.text
    assert letter.file == b""


def test_nothing_in_the_workbook_is_a_formula() -> None:
    evil: Row = row(1, firm='=HYPERLINK("http://evil.example","x")', 诉求内容="@SUM(1)", 办理结果="+1")
    letter = answer(mail(table([evil])))
    line = cells(letter)[2]
    assert '=HYPERLINK("http://evil.example","x")' in line, "as text: a formula would show its result"
    assert b"<f>" not in letter.file


def test_the_same_mail_is_one_letter_and_another_is_another() -> None:
    first, again = (
        answer(mail(table(ROWS))),
        answer(mail(table(ROWS), top=(PROVEN, "Received: by another way"))),
    )
    assert first.letter_id == again.letter_id
    assert answer(mail(table(ROWS), more=["Message-ID: <2@x>"])).letter_id != first.letter_id


def test_a_huge_answer_fits() -> None:
    rows = [row(n, day="?" * 60, firm=f"苏州第{n}号企业", 诉求内容="长" * 900) for n in range(2000)]
    letter = answer(mail(table(rows), subject=b"=?utf-8?Q?" + b"x" * 5000 + b"?="))
    assert len(letter.text) < 50_000
    assert len(letter.subject) <= 210
    assert len(letter.file) < 10 * 1024 * 1024
