"""A mailbox on a real server, as the people see it who use it with another program."""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from imap_tools.imap_utf7 import utf7_encode

from connectors.mail.source import MailboxSource
from demo.servers.dovecot import Dovecot
from router import jsontext
from router.message import Batch, Cursor
from tests.connectors.contract import taken
from tests.connectors.mail import writing
from tests.connectors.mail.writing import Drawer, Store

OCTOBER = datetime(2026, 10, 8, 9, 15, tzinfo=timezone(timedelta(hours=8)))


class Postbox:
    def __init__(self, server: Dovecot, user: str) -> None:
        self.server = server
        self.user = user
        self.drawer = Drawer()
        self.store = Store()

    def source(self, **imap: Any) -> MailboxSource:
        """Reads this mailbox; its password is right unless said otherwise."""
        usual = {
            "host": self.server.host,
            "port": self.server.port,
            "tls": "none",
            "user": self.user,
            "password": {"env": "RIGHT"},
        }
        more = {name: imap.pop(name) for name in ("max_bytes", "reply") if name in imap}
        chosen = writing.settings(imap=usual | imap, **more)
        return writing.source(chosen, self.drawer, self.store, secrets=self._secret)

    def _secret(self, ref: Any) -> str:
        return {"RIGHT": self.server.password, "AUTHORITY": self.server.certificate}.get(ref.env, "wrong")

    def deliver(self, *mails: bytes, folder: str = "INBOX", at: datetime = OCTOBER) -> None:
        with self.as_a_person(folder) as client:
            for raw in mails:
                said = client.append(_spelt(folder), "", imaplib.Time2Internaldate(at), raw)
                assert said[0] == "OK", said

    def create(self, folder: str) -> None:
        with self.as_a_person() as client:
            assert client.create(_spelt(folder))[0] == "OK"

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Of each mail, in order: `seen`, or nothing."""
        with self.as_a_person(folder) as client:
            _, data = client.uid("FETCH", "1:*", "(FLAGS)")
            return ["seen" if b"\\Seen" in line else "" for line in data if isinstance(line, bytes)]

    def mark(self, numbers: str, flag: str = r"(\Seen)", how: str = "+FLAGS") -> None:
        with self.as_a_person() as client:
            client.store(numbers, how, flag)

    def remove(self, numbers: str) -> None:
        with self.as_a_person() as client:
            client.store(numbers, "+FLAGS", r"(\Deleted)")
            client.expunge()

    def number_anew(self) -> None:
        """Make the server forget how it numbered the mails: another UIDVALIDITY."""
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (self.server.maildir(self.user) / name).unlink(missing_ok=True)
        (self.server.maildir(self.user) / "dovecot-uidlist").write_text("3 V12345 N1 G0\n")

    @contextmanager
    def as_a_person(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4(self.server.host, self.server.port)
        try:
            client.login(self.user, self.server.password)
            client.select(_spelt(folder))
            yield client
        finally:
            client.logout()


def _spelt(folder: str) -> str:
    return '"' + utf7_encode(folder).decode() + '"'


def work_off(
    source: MailboxSource, after: Cursor | None = None, *, acknowledge: bool = True
) -> tuple[list[Batch], Cursor | None]:
    """One round as the polling walks it; its batches, and the cursor behind it."""
    batches = []
    with source.open():
        for batch in source.fetch(after):
            batches.append(batch)
            after = batch.cursor or after
            if acknowledge:
                source.acknowledge(batch, taken(batch))
    return batches, after


def until(source: MailboxSource, happened: Callable[[Batch], None]) -> Cursor | None:
    """A round in which something happens behind each acknowledged batch; the last cursor."""
    cursor = None
    with source.open():
        for batch in source.fetch(None):
            source.acknowledge(batch, taken(batch))
            cursor = batch.cursor or cursor
            happened(batch)
    return cursor


def firms(batches: Sequence[Batch]) -> list[str]:
    """What came, by the firm of each row or the reason of each refusal."""
    return [
        envelope.problem or jsontext.loads(envelope.body)["row"]["enterprise"]
        for batch in batches
        for envelope in batch.envelopes
    ]
