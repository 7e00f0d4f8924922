"""
The units' offices: they mail their quarterly tables, and a mail server puts them into a Maildir.

A mail is handed out once somebody has marked it as read. The corrected table follows the one that it
corrects. The last word on a stranger's mail is the mail server's: its signature did not hold.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from demo.record import Record, handed_out
from demo.sources.attachments import TITLE, attachment
from demo.sources.shelf import Progress
from demo.tables import PERIOD, Mail, TableRow, cells

LOOK_EVERY = 0.2
MAIL_SERVER = "mx.12345.example.org"
"""Whose Authentication-Results the hub believes (hub.yaml)."""


class Office:
    """Sends the day's mails, the next one when the last was taken. `run` in a thread of its own."""

    def __init__(self, maildir: Path, mails: Sequence[Mail], record: Record) -> None:
        self._maildir = maildir
        self._mails = list(mails)
        self._record = record
        self._sent: dict[str, list[dict[str, Any]]] = {}
        """File name → what is handed out with it."""
        self._handed_out = 0
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turn()
            stop.wait(LOOK_EVERY)

    def turn(self) -> None:
        """Write down what was read; then send what may be sent."""
        for path in (self._maildir / "cur").iterdir():
            told = self._sent.pop(path.name.partition(":2,")[0], None)
            if told is not None:
                self._record.write(*told)
                self._handed_out += 1
        sent = len(self._sent) + self._handed_out
        for number, mail in enumerate(self._mails[sent:], sent):
            if mail.is_resend and self._sent:
                return
            self._send(number, mail)

    def progress(self) -> Progress:
        return Progress(len(self._mails), self._handed_out, 2 if self._handed_out == len(self._mails) else 0)

    def _send(self, number: int, mail: Mail) -> None:
        raw = written(mail)
        name = f"{number:04d}.demo"
        self._sent[name] = list(told_by(mail, raw))
        draft = self._maildir / "tmp" / name
        draft.write_bytes(raw)
        draft.rename(self._maildir / "new" / name)
        time.sleep(0.01)  # their order is that of their times


def written(mail: Mail) -> bytes:
    """As the mail server delivers it, with its own judgement on top."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=900))
    domain = f"{mail.unit}.example.org"
    verdict = "pass" if mail.is_trusted else "fail"
    message["Authentication-Results"] = f"{MAIL_SERVER}; dmarc={verdict} header.from={domain}"
    message["From"] = f"office@{domain}"
    message["To"] = "12345yq1@example.org"
    message["Subject"] = TITLE + ("（更正）" if mail.is_resend else "")
    message["Date"] = "Mon, 14 Jul 2025 09:00:00 +0800"
    message.set_content("请查收。\n")
    name, content = attachment(mail)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def told_by(mail: Mail, raw: bytes) -> Iterator[dict[str, Any]]:
    """What this mail hands out: its rows, or itself where nobody trusts it."""
    if not mail.is_trusted:
        yield handed_out("mailbox", f"mail/{hashlib.sha256(raw).hexdigest()[:16]}", 1, "dead")
        return
    counted: Counter[str] = Counter()
    for row, values in zip(mail.rows, cells(mail.rows), strict=True):
        name = f"{mail.unit}/{PERIOD}/{_bad(values) if row.is_bad else _good(row)}"
        counted[name] += 1
        expect = "dead" if row.is_bad else "ok"
        yield handed_out("mailbox", f"{name}-{counted[name]}", row.edition, expect)


def _good(row: TableRow) -> str:
    firm = "".join(unicodedata.normalize("NFKC", row.firm).split()).casefold()
    return _digest(f"{firm}\n{_time(row.day)}")


def _bad(values: Sequence[str]) -> str:
    """By everything that the row says but its number."""
    names = (
        "ordinal", "time", "content", "enterprise", "contact", "contact_phone", "unit", "result", "handler",
        "handler_phone", "satisfaction",
    )  # fmt: skip
    said = dict(zip(names, values, strict=True)) | {"time": _time(values[1])}
    del said["ordinal"]
    return "bad-" + _digest(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def _time(day: str) -> str:
    return f"{day}T00:00:00+08:00" if day.startswith("20") else day


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
