"""One mail, and what is made of it: sets of rows, or a kept original with a reason."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import docx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from connectors.mail.box import Mail
from connectors.mail.handling import Handled, Handling
from connectors.mail.settings import MailboxSettings
from router import jsontext
from router.message import Batch, Envelope
from tests.connectors.mail.writing import (
    OURS,
    PROVEN,
    Attached,
    Row,
    Store,
    csv_table,
    mail,
    nested,
    nil_report,
    row,
    settings,
    table,
    workbook,
    workbook_of,
)
from tests.hub import StepClock

OCTOBER = datetime(2026, 10, 8, 1, 15, tzinfo=UTC)
ROWS = [row(1), row(2, firm="苏州纸船软件有限公司"), row(3, day="2026-09-01")]
PDF = Attached("盖章扫描件.pdf", b"%PDF-1.7 scan")
BROKEN = Attached("损坏.xlsx", b"PK\x03\x04 this is no workbook")


class Office:
    """A mailbox that mails are handed to directly."""

    def __init__(self, chosen: MailboxSettings | None = None) -> None:
        self.store = Store()
        self._handling = Handling("mailbox", chosen or settings(), self.store, StepClock())

    def handle(self, raw: bytes, **more: Any) -> Handled:
        usual: dict[str, Any] = {"key": "1", "arrived_at": OCTOBER, "size": len(raw), "cursor": {"uid": "1"}}
        return self._handling.handle(Mail(raw=raw, **(usual | more)))

    def batches(self, raw: bytes, **more: Any) -> tuple[Batch, ...]:
        return self.handle(raw, **more).batches


@pytest.fixture
def office() -> Office:
    return Office()


def envelopes(handled: Handled) -> list[Envelope]:
    return [envelope for batch in handled.batches for envelope in batch.envelopes]


def bodies(handled: Handled) -> dict[str, bytes]:
    return {envelope.source_id: envelope.body for envelope in envelopes(handled)}


def kept(handled: Handled) -> Envelope:
    """The one envelope of a mail that was not taken."""
    (batch,) = handled.batches
    (envelope,) = batch.envelopes
    assert batch.replaces is None
    assert batch.cursor == {"uid": "1"}
    assert envelope.problem is not None
    return envelope


def letter(text: str) -> bytes:
    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(text)
    document.save(out)
    return out.getvalue()


def test_every_row_is_an_item_of_its_units_set(office: Office) -> None:
    file = table(ROWS)
    (batch,) = office.batches(mail(file))
    assert [one.source_id[:11] for one in batch.envelopes] == ["rsj/2026Q3/"] * 3
    assert len({one.source_id for one in batch.envelopes}) == 3
    first = batch.envelopes[0]
    assert (first.problem, first.content_type, first.updated_at) == (None, "application/json", OCTOBER)
    said = jsontext.loads(first.body)
    assert list(said) == ["period", "row", "unit"]
    assert (said["period"], said["unit"]) == ("2026Q3", "rsj")
    assert said["row"]["enterprise"] == "苏州雨伞齿轮有限公司"
    assert said["row"]["time"] == "2026-08-12T00:00:00+08:00"
    assert list(said["row"]) == sorted(said["row"])
    assert first.notes == ("文件“三季度汇总表.xlsx”，工作表“汇总表”，第 3 行",)
    assert batch.cursor == {"uid": "1"}
    replaces = batch.replaces
    assert replaces is not None
    assert (replaces.name, replaces.sent_at) == ("rsj/2026Q3", OCTOBER)
    assert office.store.get(replaces.original or "") == file.content


def test_a_corrected_cell_changes_one_body_and_no_id(office: Office) -> None:
    before = bodies(office.handle(mail(table(ROWS))))
    mended = [ROWS[0], row(2, firm="苏州纸船软件有限公司", 办理结果="已解决，并回访"), ROWS[2]]
    after = bodies(office.handle(mail(table(mended, name="更正.xlsx"))))
    assert before.keys() == after.keys()
    assert [before[key] != after[key] for key in before] == [False, True, False]


def test_a_row_put_in_above_changes_no_other(office: Office) -> None:
    """With all their numbers, the sheet and the file named otherwise."""
    before = bodies(office.handle(mail(table(ROWS))))
    moved = [[str(number), *cells[1:]] for number, cells in enumerate(ROWS, 2)]
    new = row(1, firm="苏州新来玩具有限公司")
    after = bodies(office.handle(mail(Attached("b.xlsx", workbook([new, *moved], sheet="第二页")))))
    assert len(after) == 4
    assert before.items() <= after.items()


def test_rows_of_one_firm_and_day_are_told_apart_by_their_order(office: Office) -> None:
    same = [row(1), row(2), row(3, firm=" 苏州雨伞齿轮有限公司 ")]
    names = list(bodies(office.handle(mail(table(same)))))
    assert len({name.rpartition("-")[0] for name in names}) == 1
    assert [name.rpartition("-")[2] for name in names] == ["1", "2", "3"]


def test_two_tables_of_one_quarter_are_one_set(office: Office) -> None:
    other = Attached("二处.csv", csv_table([row(1, firm="苏州二处灯具有限公司")]))
    raw = mail(table(ROWS), other)
    (batch,) = office.batches(raw)
    assert len(batch.envelopes) == 4
    assert batch.replaces is not None
    assert office.store.get(batch.replaces.original or "") == raw, "the mail holds both files"


def test_two_quarters_are_two_sets_and_the_last_batch_moves_the_cursor(office: Office) -> None:
    spring = [row(1, day="2026-05-06")]
    raw = mail(table(ROWS), table(spring, name="二季度.xlsx", title="2026年第二季度汇总表"))
    first, second = office.batches(raw)
    assert [batch.replaces and batch.replaces.name for batch in (first, second)] == [
        "rsj/2026Q3",
        "rsj/2026Q2",
    ]
    assert (first.cursor, second.cursor) == (None, {"uid": "1"})


def test_a_years_workbook_is_split_by_the_names_of_its_sheets(office: Office) -> None:
    sheets: dict[str, tuple[str, list[Row]]] = {
        "一季度": ("2026年汇总表", [row(1, day="2026-02-03")]),
        "二季度": ("2026年汇总表", [row(1, day="2026-05-06")]),
    }
    batches = office.batches(mail(Attached("2026年.xlsx", workbook_of(sheets))))
    assert [batch.replaces and batch.replaces.period for batch in batches] == ["2026Q1", "2026Q2"]


def test_a_nil_report_is_an_empty_set(office: Office) -> None:
    (batch,) = office.batches(mail(Attached("零报告.xlsx", nil_report())))
    assert batch.envelopes == ()
    assert batch.replaces is not None
    assert batch.replaces.name == "rsj/2026Q3"
    assert batch.cursor == {"uid": "1"}


def test_three_bad_rows_are_three_problems_beside_good_ones(office: Office) -> None:
    rows = [
        row(1),
        row(2, day="上周", 企业联系人="王小明", 企业联系电话="13800001234"),
        row(3, firm=""),
        row(4, 诉求内容=""),
    ]
    handled = office.handle(mail(table(rows)))
    good, *bad = envelopes(handled)
    assert good.problem is None
    assert [one.problem is not None for one in bad] == [True] * 3
    assert all("/bad-" in one.source_id for one in bad)
    assert bad[0].problem is not None
    assert bad[0].problem.startswith("文件“三季度汇总表.xlsx”，工作表“汇总表”，第 4 行：")
    assert not any(word in (one.problem or "") for one in bad for word in ("王小明", "13800001234"))
    assert jsontext.loads(bad[0].body)["row"]["contact"] == "王小明"
    moved = [row(7, firm="苏州新来玩具有限公司"), *rows]
    again = envelopes(office.handle(mail(table(moved))))
    assert {one.source_id for one in bad} == {one.source_id for one in again if one.problem}


def test_an_unreadable_file_beside_a_readable_one_withdraws_nothing(office: Office) -> None:
    rows, files = office.batches(mail(table(ROWS), BROKEN))
    assert len(rows.envelopes) == 3
    assert rows.replaces is None, "the rows in the other file may be the ones that are missing"
    (file,) = files.envelopes
    assert file.body == BROKEN.content
    assert file.source_id.startswith("mail/")
    assert file.source_id.endswith("/1")
    assert (file.problem or "").startswith("文件“损坏.xlsx”无法读取：")
    assert (rows.cursor, files.cursor) == (None, {"uid": "1"})


def test_a_nil_report_beside_an_unreadable_file_replaces_nothing(office: Office) -> None:
    (files,) = office.batches(mail(Attached("零报告.xlsx", nil_report()), BROKEN))
    assert [one.body for one in files.envelopes] == [BROKEN.content]
    assert files.replaces is None


def test_scans_pictures_and_covering_letters_do_not_stand_in_the_way(office: Office) -> None:
    png = b"\x89PNG\r\n\x1a\n picture"
    head = b"Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Transfer-Encoding: base64\r\n"
    covering = Attached("关于报送汇总表的函.docx", letter("现将汇总表报上，请查收。"))
    handled = office.handle(mail(table(ROWS), PDF, Attached("", png, head), covering))
    (batch,) = handled.batches
    assert batch.replaces is not None
    assert handled.answer is not None
    assert handled.answer.found.beside == ("盖章扫描件.pdf", "关于报送汇总表的函.docx")


NOT_TAKEN = [
    pytest.param(mail(), "没有附件", id="no attachment"),
    pytest.param(mail(PDF), "没有表格文件（只有盖章扫描件.pdf）", id="only a scan"),
    pytest.param(nested(mail(table(ROWS)), 50), "嵌套", id="mails in mails, fifty deep"),
    pytest.param(mail(*[Attached(f"{n}.txt", b"x") for n in range(40)]), "附件", id="too many files"),
    pytest.param(mail(table(ROWS), top=()), "未通过验证", id="not proven"),
    pytest.param(mail(table(ROWS), sender="x@evil.example"), "名单", id="a stranger"),
    pytest.param(b"\xff\x00 rubbish", "发件人", id="rubbish"),
]


@pytest.mark.parametrize(("raw", "reason"), NOT_TAKEN)
def test_a_mail_that_is_not_taken_is_kept_whole_with_the_reason(
    office: Office, raw: bytes, reason: str
) -> None:
    envelope = kept(office.handle(raw))
    assert envelope.body == raw
    assert envelope.content_type == "message/rfc822"
    assert envelope.source_id.startswith("mail/")
    assert (envelope.problem or "").startswith("邮件未采用：")
    assert reason in (envelope.problem or "")


def test_a_file_that_is_the_only_one_and_unreadable_is_kept_itself(office: Office) -> None:
    envelope = kept(office.handle(mail(BROKEN)))
    assert envelope.body == BROKEN.content


def test_a_mail_over_the_limit_is_kept_in_part_and_its_sender_told(office: Office) -> None:
    raw = mail(table(ROWS))
    handled = office.handle(raw[:2000], size=16_000_000)
    envelope = kept(handled)
    assert "邮件过大（16.0 MB" in (envelope.problem or "")
    assert handled.answer is not None


def test_a_table_in_a_forwarded_mail_counts_as_the_forwarders(office: Office) -> None:
    inner = mail(table(ROWS), sender="somebody@elsewhere.example", top=())
    (batch,) = office.batches(nested(inner, 2))
    assert len(batch.envelopes) == 3


def test_more_rows_than_a_set_may_have_are_refused_as_a_whole(office: Office) -> None:
    rows = [row(n, firm=f"苏州第{n}号企业") for n in range(6_000)]
    files = [Attached(f"{part}.csv", csv_table(rows)) for part in "ab"]
    assert "10000" in (kept(office.handle(mail(*files))).problem or "")


def test_the_same_mail_has_the_same_name_by_whatever_way_it_comes(office: Office) -> None:
    first, again = mail(PDF), mail(PDF, top=(PROVEN, "Received: by another way"))
    other = mail(PDF, BROKEN)
    names = [kept(office.handle(raw)).source_id for raw in (first, again)]
    assert names[0] == names[1]
    borrowed = envelopes(office.handle(other))[0].source_id
    assert not borrowed.startswith(names[0]), "a Message-ID can be copied"


def test_a_mail_is_read_twice_alike(office: Office) -> None:
    raw = mail(table([*ROWS, row(4, day="?")]), BROKEN)
    runs = [
        [one.model_dump(exclude={"received_at"}) for one in envelopes(office.handle(raw))] for _ in range(2)
    ]
    assert runs[0] == runs[1]


NOBODY = [
    pytest.param({"more": ["Auto-Submitted: auto-replied"]}, id="a machine"),
    pytest.param({"more": ["List-Id: <all.example>"]}, id="a mailing list"),
    pytest.param({"top": (PROVEN, "Return-Path: <>")}, id="a bounce"),
    pytest.param({"top": ()}, id="not proven"),
    pytest.param({"sender": "x@evil.example"}, id="a stranger"),
]


@pytest.mark.parametrize("how", NOBODY)
def test_nobody_is_answered_but_a_proven_person_on_the_list(office: Office, how: dict[str, Any]) -> None:
    assert office.handle(mail(table(ROWS), **how)).answer is None
    assert office.handle(mail(table(ROWS))).answer is not None


def test_our_own_address_is_never_answered_even_if_it_is_on_the_list() -> None:
    us = "12345yq1@hub.example.gov.cn"
    office = Office(settings(senders=[{"address": us, "unit": "rsj"}]))
    proof = f"Authentication-Results: {OURS}; dmarc=pass header.from=hub.example.gov.cn"
    assert office.handle(mail(table(ROWS), sender=us, top=[proof])).answer is None


def test_names_with_line_breaks_and_reversed_letters_do_no_harm(office: Office) -> None:
    file = table(ROWS, name="汇总\r\nBcc: x@y.cn \u202exslx.xlsx")
    handled = office.handle(
        mail(file, subject="表\u202e\x00".encode() + b" =?utf-8?B?DQpCY2M6IHhAeS5jbg==?=")
    )
    (batch,) = handled.batches
    assert batch.envelopes[0].notes[0].startswith("文件“汇总 Bcc: ***@*** xslx.xlsx”")
    assert handled.answer is not None
    assert handled.answer.told.subject == "表 Bcc: x@y.cn"


def test_a_fault_of_our_own_in_one_mail_keeps_it_and_lets_the_next_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(raw: bytes) -> None:
        raise RecursionError

    monkeypatch.setattr("connectors.mail.handling.look_through", broken)
    assert "邮件解析出错（RecursionError）" in (kept(office.handle(mail(table(ROWS)))).problem or "")


@trying(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_rubbish_as_a_mail_is_kept_and_raises_nothing(office: Office, raw: bytes, is_proven: bool) -> None:
    head = f"{PROVEN}\r\nFrom: office@rsj.example.gov.cn\r\n".encode() if is_proven else b""
    handled = office.handle(head + raw)
    assert handled.batches[-1].cursor == {"uid": "1"}
    assert all(envelope.problem for envelope in envelopes(handled))


@trying(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_good_mail_with_bytes_changed_raises_nothing(office: Office, data: st.DataObject) -> None:
    raw = bytearray(mail(Attached("a.csv", csv_table(ROWS)), BROKEN))
    for _ in range(data.draw(st.integers(1, 20))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert office.batches(bytes(raw))[-1].cursor == {"uid": "1"}


def test_parts_that_claim_a_wrong_type_or_charset_are_read_by_their_bytes(office: Office) -> None:
    liar = Attached(
        "a.pdf",
        csv_table(ROWS, "gb18030"),
        b'Content-Type: text/html; charset=utf-7; name="a.csv"\r\nContent-Transfer-Encoding: base64\r\n',
    )
    (batch,) = office.batches(mail(liar))
    assert len(batch.envelopes) == 3
