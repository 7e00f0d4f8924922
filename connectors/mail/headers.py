"""
The head of a mail, and its words made readable.

Written here because the usual decoders garble what Chinese mail programs send: a character that is
split over two encoded words, GB18030 under the name of GB2312, bytes without any encoding, encoded
words where RFC 2231 wants percent signs. Nothing here raises, and everything is linear in its input.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

MOST_BYTES = 256 * 1024
"""Of a head. What stands behind is not looked at."""
MOST_FIELDS = 2000
LONGEST_WORDS = 20_000
"""Bytes of one field that are decoded."""
MOST_SEGMENTS = 200

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_WORD = re.compile(rb"=\?([!->@-~]{1,60})\?([bBqQ])\?([^?\r\n]*)\?=")
_SEGMENT = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_LATIN = ("iso-8859-1", "latin-1", "windows-1252", "us-ascii", "ascii", "")
_CODECS = {
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "x-gbk", "cp936", "ms936", "gb18030"), "gb18030"),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("big5", "big5-hkscs", "cp950"), "big5hkscs"),
    "hz-gb-2312": "hz",
    "utf-16": "utf-16",
    "utf-7": "utf-7",
}


class Field(NamedTuple):
    name: str
    """In small letters."""
    value: bytes
    """Unfolded, as the bytes that came."""


class Headers:
    """The fields of one head, from the top down."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)

    def all(self, name: str) -> list[bytes]:
        return [field.value for field in self.fields if field.name == name]

    def first(self, name: str) -> bytes:
        """The topmost one; empty when there is none."""
        return next((field.value for field in self.fields if field.name == name), b"")

    def text(self, name: str, most: int) -> str:
        """The topmost one for people to read, cut."""
        return tidy(decode(self.first(name)), most)


def split_head(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """The head that begins at `start`, and where the body begins."""
    end = len(raw) if end is None else end
    if raw[start : start + 1] == b"\n" or raw[start : start + 2] == b"\r\n":
        return Headers(()), raw.index(b"\n", start) + 1
    found = _HEAD_END.search(raw, start, end)
    head_end, body = (found.start(), found.end()) if found else (end, end)
    return Headers(_fields(raw[start : min(head_end, start + MOST_BYTES)])), body


def _fields(head: bytes) -> Iterator[Field]:
    fields: list[list[bytes]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line.rstrip(b"\r"))
        elif len(fields) < MOST_FIELDS:
            fields.append([line.rstrip(b"\r")])
        else:
            break
    for lines in fields:
        found = _FIELD.fullmatch(b"".join(lines))
        if found:
            yield Field(found[1].decode("ascii").lower(), found[2].strip())


def decode(value: bytes) -> str:
    """The text of a field with encoded words, or with bytes that nobody encoded."""
    value = value[:LONGEST_WORDS]
    texts: list[str] = []
    words: list[tuple[str, str, bytes]] = []
    at = 0
    for found in _WORD.finditer(value):
        between = value[at : found.start()]
        if between.strip() or not words:
            texts += [_joined(words), to_text(between)]
            words = []
        words.append((found[1].decode().partition("*")[0].lower(), found[2].decode().upper(), found[3]))
        at = found.end()
    return "".join([*texts, _joined(words), to_text(value[at:])])


def _joined(words: list[tuple[str, str, bytes]]) -> str:
    """Adjacent words of one charset are bytes first and text then: a character may span two of them."""
    return "".join(
        to_text(
            b"".join(_plain_bytes(kind, same) for kind, same in groupby(some, lambda word: word[1])), charset
        )
        for charset, some in groupby(words, lambda word: word[0])
    )


def _plain_bytes(kind: str, words: Iterable[tuple[str, str, bytes]]) -> bytes:
    payloads = [payload for _, _, payload in words]
    if kind == "Q":
        return b"".join(binascii.a2b_qp(payload, header=True) for payload in payloads)
    if any(b"=" in payload for payload in payloads[:-1]):
        return b"".join(map(from_base64, payloads))
    return from_base64(b"".join(payloads))  # without padding between them, they may be cut anywhere


def from_base64(written: bytes) -> bytes:
    """As much as can be read of it; never raises."""
    try:
        return binascii.a2b_base64(written)
    except binascii.Error:
        signs = re.sub(rb"[^A-Za-z0-9+/]", b"", written)
        signs = signs[: len(signs) - (len(signs) % 4 == 1)]
        return binascii.a2b_base64(signs + b"=" * (-len(signs) % 4))


def to_text(raw: bytes, charset: str = "") -> str:
    """By the charset that is claimed unless it cannot be true; then UTF-8 or GB18030, whichever fits."""
    claimed = _CODECS.get(charset.strip("\"' ").lower())
    if claimed == "gb18030" and _CHINESE.search(_strict(raw, "utf-8") or ""):
        claimed = "utf-8"  # no Chinese text in GB18030 is Chinese in UTF-8 as well, but for odd pairs
    for codec in (claimed, "utf-8", "gb18030"):
        text = _strict(raw, codec) if codec else None
        if text is not None:
            return text
    return raw.decode("latin-1" if charset.lower() in _LATIN and charset else claimed or "utf-8", "replace")


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeError:
        return None


def parameters(value: bytes) -> tuple[str, Mapping[str, str]]:
    """`attachment; filename="…"` as its word and its parameters, RFC 2231 and encoded words undone."""
    parts = _split(to_text(value[:LONGEST_WORDS]))
    segments: dict[str, dict[int, tuple[str, bool]]] = {}
    for part in parts[1 : MOST_SEGMENTS + 1]:
        name, is_given, text = part.partition("=")
        found = _SEGMENT.fullmatch(name.strip().lower())
        if is_given and found:
            # A continued or percent-encoded form is the better one of two.
            kind = found[1] + ("*" if found[2] or found[3] else "")
            segments.setdefault(kind, {}).setdefault(int(found[2] or 0), (_unquoted(text), bool(found[3])))
    plain = {kind: decode(some[0][0].encode()) for kind, some in segments.items() if not kind.endswith("*")}
    better = {kind[:-1]: _rfc2231(some) for kind, some in segments.items() if kind.endswith("*")}
    return parts[0].strip().lower(), plain | better


def _split(text: str) -> list[str]:
    """At semicolons outside quotes."""
    parts, is_quoted, begin, is_escaped = [], False, 0, False
    for at, sign in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif sign == "\\" and is_quoted:
            is_escaped = True
        elif sign == '"':
            is_quoted = not is_quoted
        elif sign == ";" and not is_quoted:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def _unquoted(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        text = re.sub(r'\\(["\\])', r"\1", text[1:-1] if text.endswith('"') and len(text) > 1 else text[1:])
    return text


def _rfc2231(segments: Mapping[int, tuple[str, bool]]) -> str:
    charset, joined = "", b""
    for number, (text, is_encoded) in sorted(segments.items()):
        if is_encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        joined += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
    return to_text(joined, charset)


def tidy(text: str, most: int) -> str:
    """One line without anything that moves a cursor or turns text around, cut to `most` characters."""
    text = unicodedata.normalize("NFC", text[: most * 4])
    signs = (
        " " if unicodedata.category(sign) in ("Zl", "Zp") or sign in "\t\r\n\v\f" else sign for sign in text
    )
    shown = "".join(sign for sign in signs if unicodedata.category(sign) not in ("Cc", "Cf", "Cs"))
    line = " ".join(shown.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def tidy_name(name: str, most: int = 120) -> str:
    """A file's name without its folders; cut in front of its ending. Empty when nothing is left."""
    name = tidy(re.split(r"[/\\]", name.strip())[-1], 1000).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if len(name) <= most or not dot or len(ending) > 10:
        return name[:most]
    return f"{stem[: most - len(ending) - 2]}….{ending}"
