"""
What in a text speaks for whom, and how much: names, words, and two words near each other.

Of words that lie inside each other only the longest speaks: 消防 says nothing in 消防验收. Two words
together (`树+招牌`) speak wherever both stand near each other, whatever lies in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from router.decisions.emphasis import Emphasis
from router.decisions.lexicon import Lexicon, Pair, is_denied, seats_of
from router.decisions.words import Hit

TITLE_FACTOR = 2.0
NEAR = 15
"""So many characters may stand between two words that speak together: the length of a clause or two."""

Voices = dict[tuple[str, str], float]
"""(unit, word) → what it counts. A word counts once, where it weighs most."""


def voices(
    lexicon: Lexicon, hits: Sequence[Hit], known: Iterable[Hit], places: Iterable[Hit], emphasis: Emphasis
) -> Voices:
    """Everything that speaks. `hits` are all words found, `known` the longest of names and words."""
    found = _single(lexicon, known, seats_of(places, emphasis.text), emphasis)
    for pair, weight in _together(lexicon, hits, emphasis):
        key = pair.unit, pair.said
        found[key] = max(found.get(key, 0.0), weight)
    return found


def _single(lexicon: Lexicon, known: Iterable[Hit], seats: set[int], emphasis: Emphasis) -> Voices:
    best: Voices = {}
    text = emphasis.text
    for hit in known:
        speakers = lexicon.speakers.get(hit.word)
        if speakers is None or is_denied(hit, text):
            continue
        factor = _factor(hit, emphasis)
        for speaker in speakers:
            if not speaker.counts(hit, text) or (speaker.is_name and hit.start in seats):
                continue
            heard = emphasis.of_name(hit.start, hit.end) if speaker.is_name else 1.0
            key = speaker.unit, hit.word
            best[key] = max(best.get(key, 0.0), speaker.weight * factor * heard)
    return best


def _together(lexicon: Lexicon, hits: Sequence[Hit], emphasis: Emphasis) -> Iterable[tuple[Pair, float]]:
    stands = defaultdict(list)
    for hit in hits:
        if hit.word in lexicon.parts:
            stands[hit.word].append(hit)
    for word, firsts in stands.items():
        for pair in lexicon.pairs.get(word, ()):
            if pair.other in stands and (near := _nearest(firsts, stands[pair.other])):
                yield pair, pair.weight * max(_factor(hit, emphasis) for hit in near)


def _nearest(ones: Sequence[Hit], others: Sequence[Hit]) -> tuple[Hit, Hit] | None:
    """One of each that stand near enough, and not inside each other."""
    for one in ones:
        for other in others:
            gap = other.start - one.end if other.start >= one.start else one.start - other.end
            if 0 <= gap <= NEAR:
                return one, other
    return None


def _factor(hit: Hit, emphasis: Emphasis) -> float:
    return emphasis.of_word(hit.start, hit.end) * (TITLE_FACTOR if hit.in_title else 1.0)


def ranked(found: Mapping[tuple[str, str], float], most: int) -> dict[str, float]:
    """Unit → the sum of what speaks for it; the best so many, best first."""
    scores: dict[str, float] = defaultdict(float)
    for (unit, _), weight in found.items():
        scores[unit] += weight
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {unit: round(score, 3) for unit, score in best}
