"""Archives, and workbooks that are archives: looked at before any parser sees them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from connectors.tables.kinds import Kind

ZIPPED: frozenset[Kind] = frozenset({"xlsx", "ods", "docx", "zip"})
_SKIPPED = ("__MACOSX/", "~$", "._")
_CHUNK = 64 * 1024


class BadZip(Exception):
    """Not to be opened; the text is for the sender."""


class Limits(Protocol):
    @property
    def entries(self) -> int: ...
    @property
    def inflated(self) -> int: ...
    @property
    def ratio(self) -> int: ...
    @property
    def file(self) -> int: ...


def check(content: bytes, limits: Limits) -> None:
    """Inflate all of it, and stop where it grows too large: what its directory says is not believed."""
    with _opened(content) as archive:
        entries = archive.infolist()
        if len(entries) > limits.entries:
            raise BadZip(f"压缩包里有 {len(entries)} 个文件，太多了 (too many parts)")
        if any(entry.flag_bits & 0x1 for entry in entries):
            raise BadZip("压缩包设有密码，请去掉密码后再发 (encrypted)")
        total, most = 0, min(limits.inflated, max(len(content), _CHUNK) * limits.ratio)
        for entry in entries:
            for chunk in _chunks(archive, entry):
                total += len(chunk)
                if total > most:
                    raise BadZip("压缩包解开后过大，不予打开 (it inflates beyond all measure)")


def members(content: bytes, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file; `check` was called before."""
    with _opened(content) as archive:
        for entry in archive.infolist():
            name = _name(entry)
            if entry.is_dir() or any(part.startswith(_SKIPPED) for part in (name, name.rsplit("/", 1)[-1])):
                continue
            yield name, b"".join(_chunks(archive, entry))


@contextmanager
def _opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except BadZip:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise BadZip("压缩包已损坏，请重新打包再发 (damaged)") from error
    except (RuntimeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise BadZip("压缩包打不开，请重新打包再发 (cannot be opened)") from error


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK):
            yield chunk


def _name(entry: zipfile.ZipInfo) -> str:
    """Chinese systems write names as GB18030 without saying so; zipfile then reads cp437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename
