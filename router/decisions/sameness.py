"""
Whether two texts are about one matter: what an enterprise told at one door and a unit reports at another.

By letters alone, without blanks and signs. On short texts a plain ratio tells repeats (85 and above) from
paraphrases (60 to 80) and strangers (below 40) better than hashes of word groups do. A shorter text that
lies within the longer one is the same matter told more briefly.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

SAME = 85.0
LEAST_WITHIN = 15
"""A text of fewer letters may lie within many others by chance."""
MOST = 2_000
"""Letters compared; a comparison costs their product."""


class Told(NamedTuple):
    """An appeal that might be the same."""

    appeal_id: str
    content: str


def same_matter(content: str, others: Iterable[Told]) -> str | None:
    """The id of the one most alike, if any is alike enough; the first of equals."""
    text = _letters(content)
    best, found = SAME, None
    for other in others:
        alike = _alike(text, _letters(other.content))
        if alike > best or (alike == best and found is None):
            best, found = alike, other.appeal_id
    return found


def _alike(one: str, other: str) -> float:
    # Only here: it is 47 modules, and most cities' appeals never come by two doors.
    from rapidfuzz import fuzz

    whole = fuzz.ratio(one, other)
    if min(len(one), len(other)) < LEAST_WITHIN:
        return whole
    return max(whole, fuzz.partial_ratio(one, other))


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())[:MOST]
