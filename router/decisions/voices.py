"""
What in a text speaks for whom, and how much: names, words, and two words near each other.

Of words that lie inside each other only the longest speaks: 消防 says nothing in 消防验收. Two words
together (`树+招牌`) speak wherever both stand near each other, whatever lies in between. And no
character speaks twice for the same unit: what was heard from 变更法人 is not heard again from 法人.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from router.decisions.asides import HEARSAY, Asides
from router.decisions.lexicon import Lexicon, is_denied, seats_of
from router.decisions.words import Hit

TITLE_FACTOR = 2.0
PAIR_FACTOR = 1.3
"""Two words together are rarer than one: they say more than a word of the same weight."""
NEAR = 15
"""So many characters may stand between two words that speak together: the length of a clause or two."""
NEARER = 5
"""Where both are single characters (鱼+死), which stand in many words by chance."""
MOST_WEIGHED = 10
"""Units whose voices are weighed exactly; those below have no chance to lead."""

Spans = tuple[tuple[int, int], ...]


class Voice(NamedTuple):
    """One word, or two together, speaking for a unit."""

    word: str
    weight: float
    spans: Spans
    is_name: bool = False
    is_hearsay: bool = False
    """A name of somebody who is only told to have been asked, or to have said something."""


Voices = Mapping[str, Sequence[Voice]]
"""Unit → what speaks for it."""


def voices(
    lexicon: Lexicon, hits: Sequence[Hit], known: Iterable[Hit], places: Iterable[Hit], asides: Asides
) -> Voices:
    """Everything that speaks. `hits` are all words found, `known` the longest of names and words."""
    found: dict[str, list[Voice]] = defaultdict(list)
    seats = seats_of(places, asides.text)
    for hit in known:
        if hit.word in lexicon.speakers and not is_denied(hit, asides.text):
            for unit, voice in _single(lexicon, hit, seats, asides):
                found[unit].append(voice)
    for unit, voice in _together(lexicon, hits, asides):
        found[unit].append(voice)
    return found


def _single(lexicon: Lexicon, hit: Hit, seats: set[int], asides: Asides) -> Iterator[tuple[str, Voice]]:
    title = TITLE_FACTOR if hit.in_title else 1.0
    said = asides.of_word(hit.start, hit.end)
    for speaker in lexicon.speakers[hit.word]:
        if not speaker.counts(hit, asides.text) or (speaker.is_name and hit.start in seats):
            continue
        is_hearsay = speaker.is_name and asides.is_hearsay(hit.start, hit.end)
        weight = speaker.weight * title * (HEARSAY if is_hearsay else said)
        yield speaker.unit, Voice(hit.word, weight, ((hit.start, hit.end),), speaker.is_name, is_hearsay)


def _together(lexicon: Lexicon, hits: Sequence[Hit], asides: Asides) -> Iterator[tuple[str, Voice]]:
    stands: dict[str, list[Hit]] = defaultdict(list)
    parts = lexicon.parts
    for hit in hits:
        if hit[0] in parts:
            stands[hit[0]].append(hit)
    here = stands.keys()
    for first in sorted(here & lexicon.pairs.keys()):
        beside = lexicon.pairs[first]
        if here.isdisjoint(beside):
            continue
        for second in sorted(here & beside.keys()):
            reach = NEARER if len(first) == len(second) == 1 else NEAR
            if near := _nearest(stands[first], stands[second], reach):
                factor = max(_factor(hit, asides) for hit in near) * PAIR_FACTOR
                spans = tuple((hit.start, hit.end) for hit in near)
                for pair in beside[second]:
                    yield pair.unit, Voice(pair.said, pair.weight * factor, spans)


def _nearest(ones: Sequence[Hit], others: Sequence[Hit], reach: int) -> tuple[Hit, Hit] | None:
    """One of each that stand near enough, and not inside each other."""
    for one in ones:
        for other in others:
            gap = other.start - one.end if other.start >= one.start else one.start - other.end
            if 0 <= gap <= reach:
                return one, other
    return None


def _factor(hit: Hit, asides: Asides) -> float:
    return asides.of_word(hit.start, hit.end) * (TITLE_FACTOR if hit.in_title else 1.0)


def ranked(found: Voices, most: int) -> dict[str, float]:
    """Unit → what speaks for it, weighed; the best so many, best first."""
    rough = {unit: sum(voice.weight for voice in several) for unit, several in found.items()}
    heard = sorted(rough, key=rough.__getitem__, reverse=True)[:MOST_WEIGHED]
    scores = {unit: round(_weigh(found[unit]), 3) for unit in heard}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:most])


def _weigh(several: Sequence[Voice]) -> float:
    """The loudest first; of each further one the share of its characters that have not spoken yet.
    A word counts once, where it weighs most."""
    total = 0.0
    spoken: set[int] = set()
    words: set[str] = set()
    for voice in sorted(several, key=lambda voice: -voice.weight):
        if voice.word in words:
            continue
        words.add(voice.word)
        own = {place for start, end in voice.spans for place in range(start, end)}
        fresh = own - spoken
        total += voice.weight * len(fresh) / len(own)
        spoken |= fresh
    return total
