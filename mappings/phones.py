"""
Phone numbers as people type them into forms, as E.164.

Seen in real payloads: two numbers with `/` or 、 between them, full-width digits, Suzhou
landlines without the area code 0512, 转 before an extension, a name in front, 138****0001, 无.
What cannot be read is kept as it came: someone must be able to call back.

Mobiles and Suzhou landlines are read here. The library that knows all others is loaded with the first
of them (`rare_phones`): it is large, and most days never need it.
"""

from __future__ import annotations

import re

from mappings.plain import narrow

MAX_TEXT = 500
MAX_RAW = 64
"""The canonical limit of one phone."""

_SHORTEST = 5
"""Digits left over in a text: fewer are a room or a floor, more may be a number."""

_BETWEEN = re.compile(r"[/、;；,，|\n\r]|或")
_NOISE = re.compile(r"[\s().\-–—_]")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
# First digit 2-8: 1 starts service numbers, 9 the carriers' and banks'.
_SUZHOU = re.compile(r"(?:(?:\+?86|0086)?0?512)?([2-8]\d{7})")
_EXTENSION = re.compile(r"(?<=\d)\s*(?:转分机|转|分机|[x#]|ext\.?)\s*(\d{1,6})$", re.IGNORECASE)
# A short number after a dash is an extension only behind a whole landline number.
_DASHED = re.compile(r"(?<=\d{8})-(\d{1,6})$|(?<=\d{4}-\d{3})-(\d{1,6})$")


def mobile(text: str) -> str | None:
    """The number, where the whole text is one of a mobile without signs in between."""
    found = _MOBILE.fullmatch(text)
    return f"+86{found[1]}" if found else None


def read(text: str) -> tuple[list[str], bool]:
    """Every number in the text, each once, and whether all of it could be read.

    An extension follows as in RFC 3966: `+8651265220000;ext=8001`.
    """
    if number := mobile(text):
        return [number], True
    found: dict[str, None] = {}
    readable = len(text) <= MAX_TEXT
    for piece in _BETWEEN.split(narrow(text[:MAX_TEXT])):
        piece = piece.strip()
        if not piece:
            continue
        numbers, whole = _numbers(piece)
        readable = readable and whole
        found.update(dict.fromkeys(numbers if whole else [*numbers, piece[:MAX_RAW].strip()]))
    return list(found), readable


def _numbers(piece: str) -> tuple[list[str], bool]:
    """The numbers in the piece, and whether nothing in it that looks like a number is left over."""
    if number := _one(piece):
        return [number], True
    parts = [_one(part) for part in piece.split()]
    if parts and all(parts):
        return [part for part in parts if part], True
    from mappings import rare_phones

    matches = rare_phones.within(piece)
    left = _digits(piece) - sum(_digits(match.raw_string) for match in matches)
    return [rare_phones.e164(match.number) for match in matches], bool(matches) and left < _SHORTEST


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _one(piece: str) -> str | None:
    """The piece read as one number and nothing else; the common forms without the library."""
    extension = _EXTENSION.search(piece) or _DASHED.search(piece)
    if extension:
        number = _plain(piece[: extension.start()])
        digits = next(group for group in extension.groups() if group)
        return f"{number};ext={digits}" if number else None
    return _plain(piece)


def _plain(piece: str) -> str | None:
    digits = _NOISE.sub("", piece)
    if number := mobile(digits):
        return number
    if landline := _SUZHOU.fullmatch(digits):
        return f"+86512{landline.group(1)}"
    if not re.fullmatch(r"\+?\d{7,17}", digits):
        return None
    from mappings import rare_phones

    return rare_phones.valid(digits)
