"""Mails and tables as people and programs write them, byte by byte where that matters."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from connectors.mail.settings import MailboxSettings
from connectors.mail.source import MailboxSource, MailboxTools
from router.letters import Letter
from router.secrets import SecretReader
from tests.hub import StepClock

OURS = "mx.hub.example.gov.cn"
UNIT_ADDRESS = "office@rsj.example.gov.cn"
COLUMNS = (
    "序号", "诉求时间", "诉求内容", "企业名称", "企业联系人", "企业联系电话", "办理部门", "办理结果",
    "办理部门联系人", "办理部门联系电话", "满意度",
)  # fmt: skip
TITLE = "2026年第三季度企业诉求办理情况汇总表"
PROVEN = (
    f"Authentication-Results: {OURS}; spf=pass smtp.mailfrom=rsj.example.gov.cn; "
    "dmarc=pass header.from=rsj.example.gov.cn"
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = Sequence[str]


def row(number: int, day: str = "2026-08-12", firm: str = "苏州雨伞齿轮有限公司", **cells: str) -> Row:
    """One line of annex 3; cells by their column."""
    values = {
        "序号": str(number),
        "诉求时间": day,
        "诉求内容": f"第 {number} 件：用工备案如何办理",
        "企业名称": firm,
        "办理结果": "已答复",
        "满意度": "满意",
    } | cells
    return [values.get(column, "") for column in COLUMNS]


def workbook(rows: Iterable[Row], title: str = TITLE, sheet: str = "汇总表") -> bytes:
    """As a unit fills it in: a title over all, the header, the rows."""
    return workbook_of({sheet: (title, list(rows))})


def workbook_of(sheets: dict[str, tuple[str, list[Row]]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        # Else the same table made a second later would be another file.
        book.set_properties({"created": datetime(2026, 10, 1)})
        for name, (title, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_string(0, 0, title)
            for at, cells in enumerate([COLUMNS, *rows], 1):
                for place, cell in enumerate(cells):
                    sheet.write_string(at, place, cell)
    return out.getvalue()


def csv_table(rows: Iterable[Row], encoding: str = "gb18030") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([COLUMNS, *rows])
    return out.getvalue().encode(encoding)


def nil_report(title: str = TITLE) -> bytes:
    return workbook([["", "", "无"]], title)


@dataclass(frozen=True)
class Attached:
    name: str
    content: bytes
    head: bytes = b""
    """The part's head, where the usual one will not do."""

    def part(self) -> bytes:
        name = b"=?utf-8?B?" + base64.b64encode(self.name.encode()) + b"?="
        head = self.head or (
            b"Content-Type: " + XLSX.encode() + b'; name="' + name + b'"\r\n'
            b'Content-Disposition: attachment; filename="' + name + b'"\r\n'
            b"Content-Transfer-Encoding: base64\r\n"
        )
        content = base64.encodebytes(self.content).replace(b"\n", b"\r\n")
        return head + b"\r\n" + content


def table(rows: Iterable[Row], name: str = "三季度汇总表.xlsx", title: str = TITLE) -> Attached:
    return Attached(name, workbook(rows, title))


def mail(
    *files: Attached,
    top: Sequence[str] = (PROVEN,),
    sender: str = f"=?utf-8?B?5Lq656S+5bGA?= <{UNIT_ADDRESS}>",
    subject: str | bytes = "=?utf-8?B?5LiJ5a2j5bqm5rGH5oC76KGo?=",
    more: Sequence[str] = ("Message-ID: <1@rsj.example.gov.cn>",),
) -> bytes:
    """From the unit, proven by our own server, unless said otherwise. `top`: what our servers put on it."""
    head = [*top, f"From: {sender}", *more]
    text = subject if isinstance(subject, bytes) else subject.encode()
    lines = [line.encode("utf-8", "surrogateescape") for line in head]
    whole = b"\r\n".join([*lines, b"Subject: " + text, b"Date: Thu, 01 Jan 1970 00:00:00 +0000"])
    return (
        whole + b"\r\n" + mixed([b"Content-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n", *parts(files)])
    )


def parts(files: Iterable[Attached]) -> list[bytes]:
    return [file.part() for file in files]


def mixed(pieces: Sequence[bytes], boundary: bytes = b"=_edge") -> bytes:
    """Head and body of a multipart."""
    body = b"".join(b"--" + boundary + b"\r\n" + piece + b"\r\n" for piece in pieces)
    head = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
    return head + body + b"--" + boundary + b"--\r\n"


def nested(inner: bytes, depth: int, top: str = PROVEN) -> bytes:
    """A mail in a mail in a mail."""
    for level in range(depth):
        inner = mixed([b"Content-Type: message/rfc822\r\n\r\n" + inner], b"level-%d" % level)
    return f"{top}\r\nFrom: <{UNIT_ADDRESS}>\r\nMessage-ID: <n@x>\r\n".encode() + inner


class Store:
    """Keeps the port `router.ports.AttachmentStore`, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def get(self, sha256: str) -> bytes | None:
        return self.kept.get(sha256)


class Drawer:
    """Keeps the port `router.ports.Letters`, in memory."""

    def __init__(self) -> None:
        self.letters: dict[str, Letter] = {}

    def post(self, letter: Letter) -> None:
        self.letters.setdefault(letter.letter_id, letter)

    @property
    def only(self) -> Letter:
        (letter,) = self.letters.values()
        return letter


def settings(**more: Any) -> MailboxSettings:
    """A mailbox that answers. Unless it is said where it is, it is nowhere."""
    usual: dict[str, Any] = {} if "imap" in more else {"maildir": "/nowhere"}
    usual |= {
        "kind": "mailbox",
        "senders": [
            {"address": UNIT_ADDRESS, "unit": "rsj"},
            {"address": "@hbj.example.gov.cn", "unit": "hbj"},
        ],
        "authenticated_by": {"server": OURS},
        "reply": {
            "smtp": {"host": "127.0.0.1", "port": 25, "tls": "none"},
            "from": "12345yq1@hub.example.gov.cn",
        },
    }
    return MailboxSettings.model_validate(usual | more)


def source(
    chosen: MailboxSettings,
    drawer: Drawer | None = None,
    store: Store | None = None,
    *,
    secrets: SecretReader = lambda ref: "secret",
) -> MailboxSource:
    tools = MailboxTools(secrets, store or Store(), StepClock(), drawer)
    return MailboxSource("mailbox", chosen, tools)


def maildir(folder: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return folder
