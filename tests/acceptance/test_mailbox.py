"""A unit's table by mail: taken, refused row by row, corrected, and answered, by a whole hub (R8, R9)."""

from __future__ import annotations

import email
import email.policy
import io
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from python_calamine import CalamineWorkbook

from demo.record import Record
from demo.servers.server import free_port
from demo.sources.office import Office
from demo.tables import Mail, mails
from tests.acceptance.rig import HubRig, wait_until

MAPPING = """\
revision_of: [content, enterprise, closure, submitted_at, standing]
fields:
  channel: {value: 邮箱汇总}
  mode: {value: quarterly}
  standing: {from: "absent && 'withdrawn' || 'closed'"}
  content: {from: row.content, required: true}
  enterprise.name: row.enterprise
  closure.result: row.result
  submitted_at: {from: row.time, apply: [{to_time: [iso]}]}
"""


class Letterbox:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.to: list[str] = []
        self._server = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(  # noqa: N802 (the name that aiosmtpd calls)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        self.to += envelope.rcpt_tos
        return "250 OK"

    @property
    def port(self) -> int:
        return int(self._server.port)

    def open(self) -> None:
        self._server.start()

    def close(self) -> None:
        self._server.stop()


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()
    box.open()
    yield box
    box.close()


def configured(hub: HubRig, maildir: Path, port: int) -> None:
    (hub.folder / "mappings" / "tables.yaml").write_text(MAPPING, "utf-8")
    server = {"host": "127.0.0.1", "port": port, "tls": "none"}

    def add(data: Any) -> None:
        data["sources"]["tables"] = {
            "mapping": "tables",
            "pull": {
                "kind": "mailbox",
                "every": "1s",
                "maildir": str(maildir),
                "senders": [{"address": "@rsj.example.org", "unit": "rsj"}],
                "authenticated_by": {"server": "mx.12345.example.org", "require": ["dmarc"]},
                "reply": {"from": "12345yq1@example.org", "smtp": server},
            },
        }

    hub.edit("hub.yaml", add)


def test_a_table_is_taken_answered_and_replaced_as_a_whole(
    embedded: HubRig, letterbox: Letterbox, tmp_path: Path
) -> None:
    sent = [mail for mail in mails(7) if mail.unit == "rsj"]
    first, stranger, corrected = sent
    bad = replace(first, rows=(replace(first.rows[0], day="上周", is_bad=True), *first.rows[1:]))
    maildir = tmp_path / "maildir"
    with Record(tmp_path / "told.jsonl") as record:
        office = Office(maildir, [bad, stranger, Mail(**vars(corrected))], record)
        configured(embedded, maildir, letterbox.port)
        embedded.start()
        until = wait_until_handed_out(office)
        assert until == 3
    wait_until(lambda: len(letterbox.got) >= 2, 30, "two answers")
    embedded.stop()

    assert letterbox.to == ["office@rsj.example.org"] * 2, "strangers get no answer"
    texts = [str(message.get_body().get_content()) for message in letterbox.got]
    assert "共 9 行，已收 8 行，未收 1 行" in texts[0]
    assert "诉求时间看不懂" in texts[0]
    assert "共 9 行，已收 9 行，未收 0 行" in texts[1]
    (workbook,) = letterbox.got[0].iter_attachments()
    sheet = (
        CalamineWorkbook.from_filelike(io.BytesIO(workbook.get_content())).get_sheet_by_index(0).to_python()
    )
    assert [str(row[-1])[:2] for row in sheet[2:]] == ["未收", *["已收"] * 8]

    (quarter,) = [q for q in embedded.json("quarters", "list", "2025Q2") if q["unit"] == "rsj"]
    assert (quarter["rows"], quarter["refused"], quarter["times"]) == (9, 0, 2)
    states = [row["state"] for row in embedded.json("appeals", "list", "--limit", "100")]
    assert (states.count("closed"), states.count("unregistered")) == (9, 1), "the stranger's mail waits"


def wait_until_handed_out(office: Office) -> int:
    """Send and look until every mail was taken; how many."""

    def is_done() -> bool:
        office.turn()
        return office.progress().is_exhausted

    wait_until(is_done, 60, "all mails to be read")
    return office.progress().handed_out
