"""
Which word speaks for whom: the names of units, the words that units.yaml gives them, and places.

A word that is also a name of its unit replaces what the name would weigh, and brings its own
`not_after` and `not_before`; so an alias that others end with too can be told apart:

    aliases: [苏州市分行]
    words: {苏州市分行: {weight: 5, not_after: [银行]}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from router.decisions.asides import Asides
from router.decisions.words import Hit, fold
from router.directory import Directory, Part, Spoken, Unit
from router.places import stands_alone

NAME_WEIGHT = 5.0
SPOKEN_FOR: frozenset[Part] = frozenset({"unit", "desk", "supervision"})
"""Who words can speak for. What no unit has (a telephone company) speaks for the desk, what nobody
wants to have for the supervision office. Offices are not found by their names."""
_CONTEXT = 8
_DENIED = re.compile(r"(?:(?<![除是])非|(?<![是要莫岂])不是|(?<!属)不属于?|(?<!归)不归|不由|[与和跟])$")
"""`不是社保问题`, but not `是不是社保问题`, nor `除非`."""
_DENIAL_ENDS = frozenset("非是于属归由与和跟")
_COUNTY_OFFICE = re.compile(
    r"(?:[\u4e00-\u9fff]{0,4}?(?:镇|街道|社区|村|区|市|开发区))?"
    r"(?:人民政府|政府|街道办事处|街道办|办事处|办(?![理事证公法])|管委会|管理委员会|村委会|居委会"
    r"|(?!这|那|的|有|做|开|说|当)[\u4e00-\u9fff]{2,5}?(?:局|中队|大队|分局|派出所|税务所|安监办|经发委))"
)
_TOWN_OFFICE = re.compile(r"镇政府|乡镇政府|街道办事处|街道办|管委会")
_UNRELATED = re.compile(r"(?:没有?关系|无关)")


class Speaker(NamedTuple):
    """A unit that a word speaks for, and how much."""

    unit: str
    weight: float
    is_name: bool
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()

    def counts(self, hit: Hit, text: str) -> bool:
        """Whether it speaks for the unit between these very neighbours."""
        if not self.not_after and not self.not_before:
            return True
        # Bounds instead of slices: a slice would copy the text once per hit.
        return not text.endswith(self.not_after, 0, hit.start) and not text.startswith(
            self.not_before, hit.end
        )


class Pair(NamedTuple):
    """Two words that speak together for a unit."""

    unit: str
    weight: float
    said: str
    """As units.yaml says it: 树+招牌."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Built once from the directory, then only read."""

    speakers: Mapping[str, tuple[Speaker, ...]]
    places: Mapping[str, str]
    """Name of a place → its code."""
    pairs: Mapping[str, Mapping[str, tuple[Pair, ...]]]
    """First word → second word → who speaks when they are near each other."""
    parts: frozenset[str]
    """Every word of every pair."""
    known: frozenset[str]
    """Words, names and places."""

    @classmethod
    def of(cls, directory: Directory) -> Lexicon:
        speakers: dict[str, tuple[Speaker, ...]] = {}
        pairs: dict[str, dict[str, tuple[Pair, ...]]] = {}
        for unit in directory.units.values():
            if unit.part in SPOKEN_FOR:
                for word, speaker in _speakers(unit):
                    speakers[word] = (*speakers.get(word, ()), speaker)
                for first, second, pair in _pairs(unit):
                    beside = pairs.setdefault(first, {})
                    beside[second] = (*beside.get(second, ()), pair)
        places = _places(directory)
        parts = frozenset(pairs).union(*pairs.values())
        return cls(speakers, places, pairs, parts, frozenset((*speakers, *places)))

    def is_name(self, word: str) -> bool:
        """Whether some unit is called this."""
        return any(speaker.is_name for speaker in self.speakers.get(word, ()))

    def all(self) -> Iterable[str]:
        """Everything that the automaton must find."""
        return {*self.speakers, *self.places, *self.parts}


def _speakers(unit: Unit) -> Iterable[tuple[str, Speaker]]:
    names = {fold(name) for name in unit.names if len(name) > 1 and unit.part == "unit"}
    words = {fold(word): said for word, said in unit.words.items() if parts_of(word) is None}
    for name in names - words.keys():
        yield name, Speaker(unit.id, NAME_WEIGHT, True)
    for word, said in words.items():
        yield word, _spoken(unit.id, said, word in names)


def _pairs(unit: Unit) -> Iterable[tuple[str, str, Pair]]:
    for word, said in unit.words.items():
        parts = parts_of(word)
        if parts is not None:
            first, second = map(fold, parts)
            yield first, second, Pair(unit.id, said.weight, word)


def parts_of(word: str) -> tuple[str, str] | None:
    """The two words of `树+招牌`; None for a plain word (`C++` is one)."""
    first, _, second = word.partition("+")
    return (first, second) if first and second and "+" not in second else None


def _spoken(unit: str, said: Spoken, is_name: bool) -> Speaker:
    after, before = (tuple(fold(word) for word in words) for words in (said.not_after, said.not_before))
    return Speaker(unit, said.weight, is_name, after, before)


def _places(directory: Directory) -> dict[str, str]:
    """Without the city itself (its code ends in 00): it is no place within the city."""
    return {
        fold(name): region.code
        for region in directory.regions.values()
        if not region.code.endswith("00")
        for name in region.names
        if len(name) > 1
    }


def is_denied(hit: Hit, text: str) -> bool:
    """`不是社保问题`, `与社保无关`: named only to say that it is not meant."""
    if text[hit.start - 1 : hit.start] not in _DENIAL_ENDS:
        return False
    denial = _DENIED.search(text, max(0, hit.start - 4), hit.start)
    if denial is None:
        return False
    return denial.group() not in "与和跟" or _UNRELATED.match(text, hit.end) is not None


def is_place(hit: Hit, text: str) -> bool:
    """Not the end of another name (产业园区), nor the start of a street's (昆山路)."""
    before = text[max(0, hit.start - _CONTEXT) : hit.start]
    return stands_alone(hit.word, before, text[hit.end : hit.end + _CONTEXT])


def county_offices(places: Sequence[Hit], names: Mapping[int, int], asides: Asides) -> Iterator[Hit | None]:
    """The places whose own office is named as the one to act; None for an office of a place that is
    not said (`镇政府`). One that is only told to have said something does not act.

    `names` are units' names, start → end."""
    text = asides.text
    seated: set[int] = set()
    for place in places:
        start = place.end + text.startswith("的", place.end)
        office = _COUNTY_OFFICE.match(text, start)
        end = office.end() if office else names.get(start) or names.get(start - 1)
        if end and end > place.end and not asides.is_hearsay(place.start, end):
            yield place
        if office:
            seated.update(range(office.start(), office.end()))
    for office in _TOWN_OFFICE.finditer(text):
        if office.start() not in seated and not asides.is_hearsay(office.start(), office.end()):
            yield None


def mentions_office(text: str) -> bool:
    """Whether it can name the office of a town or street; asked first, as it takes a tenth of looking."""
    return "镇政府" in text or "街道办" in text or "管委会" in text


def seats_of(places: Iterable[Hit], text: str) -> set[int]:
    """Where a name must begin to be a place's own office: `昆山市教育局`, `昆山的教育局`."""
    seats: set[int] = set()
    for place in places:
        seats.update(range(place.start + 1, place.end + 1))
        if text.startswith("的", place.end):
            seats.add(place.end + 1)
    return seats
