"""
Takes a mail apart: the files it brings, also those in mails inside it.

By offsets into the one text that came, in time that is its length times the depth at most: the
standard library's parser can be kept busy for hours by a mail of 15 MB. What is broken is read as
far as it can be; what goes beyond the limits is a problem of the whole mail. Nothing here raises.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.mail.headers import Headers, from_base64, parameters, split_head, tidy_name

MOST_PARTS = 200
DEEPEST = 10
"""Levels of parts in parts and mails in mails."""
MOST_FILES = 30
NAMELESS = "附件{}"


class File(NamedTuple):
    """An attachment."""

    name: str
    content: bytes
    is_inline: bool
    """Shown within the text, like the picture of a signature."""


@dataclass(frozen=True, slots=True)
class Contents:
    files: tuple[File, ...]
    problem: str = ""
    """Why none of it is taken."""


class _TooMuch(Exception):
    """The mail goes beyond a limit; the words are for its sender."""


def read_contents(raw: bytes) -> Contents:
    """All files of a mail, in their order, each under a name of its own."""
    walk = _Walk()
    try:
        files = list(walk.mail(raw, 0, len(raw), 0))
    except _TooMuch as error:
        return Contents((), str(error))
    return Contents(tuple(_with_own_names(files)))


class _Part(NamedTuple):
    raw: bytes
    begin: int
    end: int
    headers: Headers
    depth: int


@dataclass
class _Walk:
    parts: int = field(default=0)
    files: int = field(default=0)

    def mail(self, raw: bytes, begin: int, end: int, depth: int, usual: str = "text/plain") -> Iterator[File]:
        """A head and what belongs to it: a whole mail, or one part of one."""
        self.parts += 1
        if depth > DEEPEST:
            raise _TooMuch(f"邮件嵌套超过 {DEEPEST} 层")
        if self.parts > MOST_PARTS:
            raise _TooMuch(f"邮件由 {MOST_PARTS} 个以上的部分组成")
        headers, body = split_head(raw, begin, end)
        yield from self._part(_Part(raw, min(body, end), end, headers, depth), usual)

    def _part(self, part: _Part, usual: str) -> Iterator[File]:
        kind, words = parameters(part.headers.first("content-type"))
        kind = kind if "/" in kind else usual
        place, place_words = parameters(part.headers.first("content-disposition"))
        name = tidy_name(place_words.get("filename") or words.get("name") or "")
        boundary = words.get("boundary", "").rstrip()
        if kind.startswith("multipart/") and boundary:
            yield from self._multipart(part, boundary, kind)
        elif kind in ("message/rfc822", "message/global"):
            yield from self._nested(part)
        elif name or place == "attachment" or not kind.startswith(("text/", "message/", "multipart/")):
            yield self._file(part, name, place == "inline" or bool(part.headers.first("content-id")))

    def _multipart(self, part: _Part, boundary: str, kind: str) -> Iterator[File]:
        usual = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        for begin, end in _between(part, boundary.encode("utf-8", "replace")):
            yield from self.mail(part.raw, begin, end, part.depth + 1, usual)

    def _nested(self, part: _Part) -> Iterator[File]:
        """A mail in a mail; some programs encode it, which the standard forbids."""
        if _encoding(part) in ("base64", "quoted-printable"):
            raw = _decoded(part)
            yield from self.mail(raw, 0, len(raw), part.depth + 1)
        else:
            yield from self.mail(part.raw, part.begin, part.end, part.depth + 1)

    def _file(self, part: _Part, name: str, is_inline: bool) -> File:
        self.files += 1
        if self.files > MOST_FILES:
            raise _TooMuch(f"邮件有 {MOST_FILES} 个以上的附件")
        return File(name or NAMELESS.format(self.files), _decoded(part), is_inline)


def _between(part: _Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts of a multipart stand. One that does not end, ends where the whole does."""
    line = re.compile(rb"^--" + re.escape(boundary[:200]) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    begin: int | None = None
    for found in line.finditer(part.raw, part.begin, part.end):
        if begin is not None:
            yield begin, max(begin, _before_newline(part.raw, found.start()))
        if found[1]:
            return
        begin = min(found.end() + 1, part.end)
    if begin is not None:
        yield begin, part.end


def _before_newline(raw: bytes, at: int) -> int:
    return at - (2 if raw[at - 2 : at] == b"\r\n" else 1)


def _encoding(part: _Part) -> str:
    return part.headers.first("content-transfer-encoding").decode("ascii", "replace").strip().lower()


def _decoded(part: _Part) -> bytes:
    raw = part.raw[part.begin : part.end]
    match _encoding(part):
        case "base64":
            return from_base64(raw)
        case "quoted-printable":
            return binascii.a2b_qp(raw)
        case _:
            return raw


def _with_own_names(files: list[File]) -> Iterator[File]:
    """Two files of one name would be taken for each other in the answer."""
    seen: dict[str, int] = {}
    for file in files:
        number = seen[file.name] = seen.get(file.name, 0) + 1
        stem, dot, ending = file.name.rpartition(".")
        if number > 1:
            file = file._replace(name=f"{stem}({number}).{ending}" if dot else f"{file.name}({number})")
        yield file
