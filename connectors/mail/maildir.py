"""
A mailbox in a folder: Maildir, as a mail server on this machine delivers into it.

A mail is a file whose name tells its flags behind `:2,`; other programs rename it at any time, so it
is found by the part before that. What is new lies in new/, or has not the flag S in cur/; settling
moves it to cur/ and gives it that flag. tmp/ is not looked at: what lies there is half-written.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from connectors.mail.box import KEPT_OF_TOO_LARGE, Mail, Patience
from router.errors import SourceRefused, SourceUnavailable
from router.message import Cursor

SEEN = "S"
MOST_TIED = 200
"""Names that the cursor holds of mails delivered at one and the same moment. Further ones are read again."""


class _File(NamedTuple):
    delivered: int
    """Nanoseconds: the file's own time, which renaming leaves alone."""
    name: str
    """Without flags."""
    path: Path
    size: int
    is_seen: bool


class MaildirBox:
    """Keeps the port `connectors.mail.box.Box`. For one thread."""

    def __init__(self, name: str, folder: str, max_bytes: int) -> None:
        self._name = name
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._patience = Patience()
        self._last: _File | None = None
        """What was handed out last: found again without a look at all the others."""

    @contextmanager
    def connected(self) -> Iterator[None]:
        for part in ("new", "cur"):
            if not (self._folder / part).is_dir():
                raise SourceRefused(f"{self._name}: maildir has no folder {part}/; is it the right path?")
        yield

    def mails(self, after: Cursor | None) -> Iterator[Mail]:
        position = _Position.read(after)
        for file in sorted(self._files()):
            if not file.is_seen or position.is_before(file):
                following = position.behind(file)
                mail = self._mail(file, following.cursor())
                position, self._last = following, file
                if mail is not None:
                    yield mail

    def settle(self, key: str) -> None:
        for _ in range(3):  # somebody may rename it between the look and the move
            file = self._find(key)
            if file is None or (file.is_seen and file.path.parent.name == "cur"):
                return
            flags = "".join(sorted({*file.path.name.partition(":2,")[2], SEEN}))
            try:
                file.path.rename(self._folder / "cur" / f"{key}:2,{flags}")
                return
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SourceRefused | SourceUnavailable:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return SourceRefused(f"{self._name}: maildir may only be read; mails must be marked in it")
        return SourceUnavailable(f"{self._name}: a mail cannot be marked ({type(error).__name__})")

    def _files(self) -> Iterator[_File]:
        try:
            for part in ("cur", "new"):
                with os.scandir(self._folder / part) as entries:
                    yield from filter(None, map(_file, entries))
        except PermissionError as error:
            raise SourceRefused(f"{self._name}: maildir may not be read by us") from error
        except OSError as error:
            raise SourceUnavailable(
                f"{self._name}: maildir cannot be read ({type(error).__name__})"
            ) from error

    def _find(self, name: str) -> _File | None:
        if self._last and self._last.name == name and self._last.path.exists():
            return self._last
        return next((file for file in self._files() if file.name == name), None)

    def _mail(self, file: _File, cursor: Cursor) -> Mail | None:
        """None when somebody has taken it away meanwhile."""
        arrived_at = datetime.fromtimestamp(file.delivered // 1000 / 1_000_000, UTC)
        wanted = self._max_bytes if file.size <= self._max_bytes else KEPT_OF_TOO_LARGE
        try:
            raw = _read(file.path, wanted)
        except FileNotFoundError:
            again = self._find(file.name)  # renamed by somebody who read it
            return self._mail(again, cursor) if again and again.path != file.path else None
        except OSError as error:
            self._patience.lose(file.name)
            if not self._patience.is_over(file.name):
                what = f"a mail's file cannot be read ({type(error).__name__})"
                raise SourceUnavailable(f"{self._name}: {what}") from error
            return Mail(file.name, arrived_at, b"", file.size, cursor, "邮件的文件无法读取")
        self._patience.praise(file.name)
        return Mail(file.name, arrived_at, raw, file.size, cursor)


class _Position(NamedTuple):
    """The time of the latest mail handed out, and which of that time were."""

    delivered: int
    tied: tuple[str, ...]

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Position:
        written = (cursor or {}).get("delivered", "")
        return cls(int(written) if written.isdecimal() else -1, tuple((cursor or {}).get("tied", "").split()))

    def is_before(self, file: _File) -> bool:
        if file.delivered == self.delivered:
            return _mark(file.name) not in self.tied
        return file.delivered > self.delivered

    def behind(self, file: _File) -> _Position:
        if file.delivered > self.delivered:
            return _Position(file.delivered, (_mark(file.name),))
        if file.delivered == self.delivered and _mark(file.name) not in self.tied:
            return _Position(self.delivered, (*self.tied, _mark(file.name))[-MOST_TIED:])
        return self

    def cursor(self) -> Cursor:
        return {"delivered": str(self.delivered), "tied": " ".join(self.tied)}


def _mark(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _file(entry: os.DirEntry[str]) -> _File | None:
    """None for what is no mail: folders, links, hidden files, and what has just gone."""
    if entry.name.startswith("."):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    name, _, flags = entry.name.partition(":2,")
    return _File(status.st_mtime_ns, name, Path(entry.path), status.st_size, SEEN in flags)


def _read(path: Path, most: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(most)
