"""
Every word that any rule, unit or place listens for, found in one pass over title and content.

One Aho-Corasick automaton, so that two thousand words cost as much as twenty. A word of Latin letters
or digits counts only where it stands alone: `CA` is not in `carrier`, nor `12345` in a phone number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import ahocorasick

IN_CONTENT = 1
IN_TITLE = 2
"""Where a word was found; both bits when in both."""

_ODD = re.compile("[０-９Ａ-Ｚａ-ｚ\u00ad\u200b-\u200f\u2060\ufeff]")
_WIDE = (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
_INVISIBLE = (0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF)
_PLAIN: dict[int, str | None] = {code: chr(code - 0xFEE0) for code in _WIDE} | dict.fromkeys(_INVISIBLE)


class Hit(NamedTuple):
    """A word where it stands in the folded text: `text[start:end]`."""

    word: str
    start: int
    end: int
    in_title: bool


_make = tuple.__new__
"""Hit(…) without its keyword handling: half the time, some dozens of times per text."""


class Reading(NamedTuple):
    """Title and content, read once."""

    text: str
    """Both, folded, with a line break between."""
    hits: tuple[Hit, ...]
    """In the order of their ends; overlapping ones too."""
    words: Mapping[str, int] = MappingProxyType({})
    """Word found → IN_CONTENT, IN_TITLE or both."""


class Words:
    """Compiled once, then only read; thread-safe."""

    def __init__(self, words: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for word in {fold(word) for word in words} - {""}:
            self._automaton.add_word(word, (word, len(word), _is_latin(word[0]), _is_latin(word[-1])))
        self._is_empty = len(self._automaton) == 0
        self._automaton.make_automaton()

    def read(self, title: str, content: str) -> Reading:
        """Find all words. A word never reaches from the title into the content."""
        head = fold(title)
        text = f"{head}\n{fold(content)}"
        if self._is_empty:  # such an automaton refuses to walk
            return Reading(text, ())
        hits: list[Hit] = []
        found: dict[str, int] = {}
        for last, (word, size, latin_start, latin_end) in self._automaton.iter(text):
            start, end = last - size + 1, last + 1
            if latin_start and start and _is_latin(text[start - 1]):
                continue
            if latin_end and _is_latin(text[end : end + 1]):
                continue
            in_title = start < len(head)
            hits.append(_make(Hit, (word, start, end, in_title)))
            found[word] = found.get(word, 0) | (IN_TITLE if in_title else IN_CONTENT)
        return Reading(text, tuple(hits), found)


def fold(text: str) -> str:
    """The form in which words are compared: lower case, narrow letters, digits and brackets,
    nothing invisible. Blanks stay, since people write them where others put a comma."""
    text = text.strip().lower().replace("（", "(").replace("）", ")")
    return text.translate(_PLAIN) if _ODD.search(text) else text


def longest(hits: Iterable[Hit]) -> list[Hit]:
    """Without those that lie inside a longer one: 市教育局 in 昆山市教育局 is not meant itself."""
    kept: list[Hit] = []
    reach = -1
    for hit in sorted(hits, key=_widest_first):
        if hit.end > reach:
            kept.append(hit)
            reach = hit.end
    return kept


def _widest_first(hit: Hit) -> tuple[int, int]:
    return hit.start, -hit.end


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
