"""The source contract, kept by a mailbox on a real server and by one in a folder."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from connectors.mail import maildir
from router.message import Cursor
from router.ports import Source
from tests.connectors.contract import SourceContract
from tests.connectors.mail import writing
from tests.connectors.mail.postbox import Postbox
from tests.connectors.mail.writing import mail, row, table

FIRMS = ("苏州一号铁匠有限公司", "苏州二号木工有限公司", "苏州三号陶瓷有限公司")


def mails() -> list[bytes]:
    """One row each, of different quarters."""
    return [
        mail(table([row(1, firm=firm)], title=f"2026年第{quarter}季度"), more=[f"Message-ID: <{quarter}@x>"])
        for quarter, firm in enumerate(FIRMS, 1)
    ]


def _id(quarter: int, firm: str) -> str:
    named = hashlib.sha256(f"{firm}\n2026-08-12T00:00:00+08:00".encode())
    return f"rsj/2026Q{quarter}/{named.hexdigest()[:16]}-1"


class _OfMailbox(SourceContract):
    EXPECTED = tuple(_id(quarter, firm) for quarter, firm in enumerate(FIRMS, 1))


class TestImap(_OfMailbox):
    @pytest.fixture
    def source(self, postbox: Postbox) -> Source:
        self.postbox = postbox
        postbox.deliver(*mails())
        return postbox.source()

    def how_far(self, cursor: Cursor | None) -> Any:
        return int((cursor or {}).get("uid", "0"))

    def break_off(self) -> None:
        """The server itself may not read the second mail's file."""
        self._second().chmod(0)

    def mend(self) -> None:
        self._second().chmod(stat.S_IRUSR | stat.S_IWUSR)

    def _second(self) -> Path:
        folder = self.postbox.server.maildir(self.postbox.user) / "cur"
        return sorted(folder.iterdir(), key=lambda path: path.name)[1]


class TestMaildir(_OfMailbox):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        self.folder = writing.maildir(tmp_path / "box")
        for number, raw in enumerate(mails()):
            path = self.folder / "new" / f"{number}.host"
            path.write_bytes(raw)
            os.utime(path, ns=(0, 1_790_000_000_000_000_000 + number))
        return writing.source(writing.settings(maildir=str(self.folder)))

    def how_far(self, cursor: Cursor | None) -> Any:
        return int((cursor or {}).get("delivered", "0"))

    @pytest.fixture(autouse=True)
    def _disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disk that fails on command; nothing less makes a file unreadable to root."""
        self.is_broken, read = False, maildir._read

        def perhaps(path: Path, most: int) -> bytes:
            if self.is_broken and path.name.startswith("1."):
                raise OSError(errno.EIO, "the disk")
            return read(path, most)

        monkeypatch.setattr(maildir, "_read", perhaps)

    def break_off(self) -> None:
        self.is_broken = True

    def mend(self) -> None:
        self.is_broken = False
