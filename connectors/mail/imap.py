"""
A mailbox on a server, by IMAP.

Mails are walked by UID, under the UIDVALIDITY that the cursor names: when the server numbers anew, all
of them are read again, and the ledger recognises them. BODY.PEEK leaves no mark; \\Seen is set, or the
mail moved, only when it is settled. Nothing is ever expunged: imap-tools' own `flag` and `delete` would
do so with whatever somebody else marked as deleted, hence the plain STORE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from imap_tools import BaseMailBox

from connectors.mail.box import KEPT_OF_TOO_LARGE, Mail, Patience
from connectors.mail.imap_connection import Connection, as_hub_errors, connect, context_of
from connectors.mail.settings import ImapSettings
from router.errors import SourceUnavailable
from router.message import Cursor
from router.secrets import SecretReader

IDLE_FOR = 20.0
"""Seconds. Shorter than the source's lease lasts, and than anybody waits for a process to stop."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_INTERNALDATE = re.compile(
    rb'INTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")


class ImapBox:
    """Keeps the port `connectors.mail.box.Box`. For one thread."""

    def __init__(self, name: str, settings: ImapSettings, max_bytes: int, secrets: SecretReader) -> None:
        """Reads the secrets, once; raises ConfigError when one is missing or no certificate."""
        self._name = name
        self._settings = settings
        self._max_bytes = max_bytes
        self._password = secrets(settings.password)
        self._context = context_of(settings, secrets)
        self._connection: Connection | None = None
        self._patience = Patience()

    @contextmanager
    def connected(self) -> Iterator[None]:
        connection = connect(self._name, self._settings, self._password, self._context)
        self._connection = connection
        try:
            yield
        finally:
            self._connection = None
            connection.close()

    def mails(self, after: Cursor | None) -> Iterator[Mail]:
        position = _Position.read(after, self._at_work().uidvalidity)
        waiting = self._waiting(position)
        if not waiting and self._settings.idle and self._has_news():
            waiting = self._waiting(position)
        for place, uid in enumerate(waiting):
            position = position.behind(uid)
            if self._is_to_blame(uid, waiting[place + 1 :]):
                yield Mail(str(uid), None, b"", 0, position.cursor(), "邮件服务器无法给出这封邮件")
                continue
            mail = self._mail(uid, position.cursor())
            if mail is not None:
                yield mail

    def settle(self, key: str) -> None:
        box, done = self._at_work().box, self._at_work().done_folder
        with as_hub_errors(self._name):
            answer, _ = box.client.uid("STORE", key, "+FLAGS.SILENT", r"(\Seen)")
            if answer != "OK":
                raise SourceUnavailable(f"{self._name}: the mail server does not let us mark a mail as read")
            if done is not None:
                box.move(key, done)

    def _waiting(self, position: _Position) -> list[int]:
        """New ones, and unread ones. `UID n:*` names the last one even if it is below n (RFC 3501 6.4.8)."""
        box = self._at_work().box
        with as_hub_errors(self._name):
            new = {uid for uid in _numbers(box, f"UID {position.uid + 1}:*") if uid > position.uid}
            return sorted(new | set(_numbers(box, "UNSEEN")))

    def _is_to_blame(self, uid: int, behind: Sequence[int]) -> bool:
        """It broke off round after round, and the mail behind it does not: the server is up."""
        return bool(behind) and self._patience.is_over(str(uid)) and self._mail(behind[0], {}) is not None

    def _mail(self, uid: int, cursor: Cursor) -> Mail | None:
        """None when somebody has taken it away meanwhile."""
        try:
            mail = self._fetched(uid, cursor)
        except SourceUnavailable:
            self._patience.lose(str(uid))
            raise
        self._patience.praise(str(uid))
        return mail

    def _fetched(self, uid: int, cursor: Cursor) -> Mail | None:
        head = self._ask(uid, "(UID RFC822.SIZE INTERNALDATE)")
        if head is None:
            return None
        size = _size(head)
        wanted = self._max_bytes if size <= self._max_bytes else KEPT_OF_TOO_LARGE
        body = self._ask(uid, f"(UID BODY.PEEK[]<0.{wanted}>)")
        if body is None:
            return None
        if body.text is None:
            raise SourceUnavailable(f"{self._name}: the mail server does not hand over mail UID {uid}")
        whole = size if size > self._max_bytes else len(body.text)
        return Mail(str(uid), _moment(head.said), body.text, whole, cursor)

    def _ask(self, uid: int, what: str) -> _Answer | None:
        """What the server says of this mail; None when there is no such mail."""
        with as_hub_errors(self._name):
            verdict, data = self._at_work().box.client.uid("FETCH", str(uid), what)
        if verdict != "OK":
            raise SourceUnavailable(f"{self._name}: the mail server does not hand over mail UID {uid}")
        # Lines about other mails may stand between, unasked for.
        return next((said for said in _answers(data) if uid in map(int, _UID.findall(said.said))), None)

    def _has_news(self) -> bool:
        """Wait a while; at once when the server cannot say."""
        connection = self._at_work()
        if not connection.can("IDLE"):
            return False
        with as_hub_errors(self._name):
            return any(b"EXISTS" in said for said in connection.box.idle.wait(timeout=IDLE_FOR))

    def _at_work(self) -> Connection:
        if self._connection is None:
            raise SourceUnavailable(f"{self._name}: its mailbox is not open")
        return self._connection


def _numbers(box: BaseMailBox, criteria: str) -> list[int]:
    # Some servers refuse a CHARSET that they do not need.
    return [int(uid) for uid in box.uids(criteria, charset=None)]


class _Position(NamedTuple):
    """How far the mailbox was read, under which numbering."""

    uidvalidity: str
    uid: int

    @classmethod
    def read(cls, cursor: Cursor | None, uidvalidity: str) -> _Position:
        written = (cursor or {}).get("uid", "")
        is_known = (cursor or {}).get("uidvalidity") == uidvalidity and written.isdecimal()
        return cls(uidvalidity, int(written) if is_known else 0)

    def behind(self, uid: int) -> _Position:
        return self._replace(uid=max(self.uid, uid))

    def cursor(self) -> Cursor:
        return {"uidvalidity": self.uidvalidity, "uid": str(self.uid)}


class _Answer(NamedTuple):
    """One FETCH line: what stands around the text, and the text."""

    said: bytes
    text: bytes | None


def _answers(data: Sequence[bytes | tuple[bytes, bytes] | None]) -> Iterator[_Answer]:
    """imaplib cuts a line at each text in it; the piece behind a text goes on with the same line."""
    said, text = b"", None
    for piece in data:
        if isinstance(piece, tuple):
            said, text = said + piece[0] if text is not None else piece[0], piece[1]
        elif piece is not None:
            yield _Answer(said + piece, text)
            said, text = b"", None
    if said:
        yield _Answer(said, text)


def _size(answer: _Answer) -> int:
    found = _SIZE.search(answer.said)
    return int(found[1]) if found else 0


def _moment(said: bytes) -> datetime | None:
    """INTERNALDATE."""
    found = _INTERNALDATE.search(said)
    if found is None or found[2].decode() not in _MONTHS:
        return None
    day, year, hour, minute, second, hours, minutes = (int(found[at]) for at in (1, 3, 4, 5, 6, 8, 9))
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if found[7] == b"-" else 1)
    month = _MONTHS.index(found[2].decode()) + 1
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
