"""
words/<unit>.yaml: what in an appeal's text speaks for a unit, in blocks that are pleasant to edit.

    strong: |
      拖欠工资 欠薪 讨薪
      社保断缴 社保补缴
    hint: |
      工资 员工
    exact:
      完税: {weight: 1.5, not_before: [证明]}

A block is a text: words with blanks or line ends between them. Reading thousands of words as a text
takes a thirtieth of the time that a list of them does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from config.strict import Strict
from config.units import Weights, WordEntry
from router.documents import Document
from router.errors import Problem

LEVELS: Mapping[str, float] = {"certain": 5.0, "strong": 3.0, "likely": 1.8, "hint": 0.8}
"""What a word of a block weighs."""
MOST_WORDS = 5000
SHORTEST, LONGEST = 2, 50

Block = Annotated[str, Field(max_length=100_000)]


class WordsFile(Strict):
    """words/<unit>.yaml"""

    certain: Block = ""
    """It can hardly be anybody else's business."""
    strong: Block = ""
    """Alone it is ground enough."""
    likely: Block = ""
    """Two of them are ground enough."""
    hint: Block = ""
    """Common to several units; it turns the scale beside others."""
    exact: Weights = {}  # noqa: RUF012 (pydantic)
    """Words with a weight of their own, or that do not count beside certain neighbours."""


def weighed(file: WordsFile) -> dict[str, float | WordEntry]:
    """Word → what it weighs."""
    found: dict[str, float | WordEntry] = {}
    for level, weight in LEVELS.items():
        found |= dict.fromkeys(getattr(file, level).split(), weight)
    return {**found, **file.exact}


def word_problems(file: WordsFile, document: Document) -> Iterator[Problem]:
    """Words too short, too long, or that stand twice; each with its line."""
    first: dict[str, str] = {}
    for word, where in _places(file, document):
        if not SHORTEST <= len(word) <= LONGEST:
            yield Problem(where, f"the word {word} must have {SHORTEST} to {LONGEST} characters")
        elif word in first:
            hint = f"first at {first[word]}; drop one of the two"
            yield Problem(where, f"the word {word} stands twice", hint)
        elif len(first) >= MOST_WORDS:
            yield Problem(where, f"more than {MOST_WORDS} words")
            return
        else:
            first[word] = where


def _places(file: WordsFile, document: Document) -> Iterator[tuple[str, str]]:
    """Each word and where it stands. A block's first line is the one below its key."""
    for level in LEVELS:
        path, _, line = document.where((level,)).rpartition(":")
        for below, text in enumerate(getattr(file, level).split("\n"), start=1):
            yield from ((word, f"{path}:{int(line) + below}") for word in text.split())
    for word in file.exact:
        yield word, document.where(("exact", word))
