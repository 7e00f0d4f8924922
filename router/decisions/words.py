"""
Every word that any rule, unit or place listens for, found in one pass over the text.

One Aho-Corasick automaton, so that a thousand words cost as much as ten. The title is searched with
the content, and a hit knows which of the two it was in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ahocorasick


@dataclass(frozen=True, slots=True)
class Hit:
    """A word where it stands: `text[start:end]`, case folded."""

    word: str
    start: int
    end: int
    in_title: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A title and a content, read once."""

    text: str
    title_ends: int
    hits: tuple[Hit, ...]

    def words(self) -> dict[str, bool]:
        """Each word found → whether it stands in the title."""
        found: dict[str, bool] = {}
        for hit in self.hits:
            found[hit.word] = found.get(hit.word, False) or hit.in_title
        return found


class Words:
    """Compiled once, then only read; thread-safe."""

    def __init__(self, words: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for word in {fold(word) for word in words}:
            if word:
                self._automaton.add_word(word, word)
        self._is_empty = len(self._automaton) == 0
        self._automaton.make_automaton()

    def read(self, title: str, content: str) -> Reading:
        """All hits in the order of their ends."""
        text = fold(f"{title}\n{content}")
        ends = len(title)
        return Reading(text, ends, tuple(self._find(text, ends)))

    def _find(self, text: str, title_ends: int) -> Iterator[Hit]:
        if self._is_empty:
            return
        for last, word in self._automaton.iter(text):
            start = last - len(word) + 1
            yield Hit(word, start, last + 1, start < title_ends)


def fold(text: str) -> str:
    """One character for one character, so that places in the text stay what they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def longest(hits: Iterable[Hit]) -> list[Hit]:
    """Without those that lie inside a longer one: 市教育局 in 昆山市教育局 is not the city's."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not kept or hit.end > kept[-1].end:
            kept.append(hit)
    return kept
