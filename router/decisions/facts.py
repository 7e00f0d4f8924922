"""
What is derived from an appeal before the rules look at it.

Units are scored: a unit's name or alias in the text weighs most, words that speak for it weigh what
units.yaml says, and the title counts double. The best one is a fact only when it leads clearly, for
most texts touch words of two units or more. Facts hold ids, codes, numbers and words of the
configuration, never anything of the text, and are enough to decide again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from router.decisions.words import Hit, Reading, Words, fold, longest
from router.directory import Directory, Unit
from router.message import Appeal, Frozen
from router.places import stands_alone

NAME_WEIGHT = 5.0
TITLE_FACTOR = 2.0
LEAST_SCORE = 2.0
"""Below this no unit is named: a single weak word is no ground to send an appeal away."""
LEAST_LEAD = 1.25
"""How many times the second best score the best one must have."""
MOST_CANDIDATES = 5


class CaseHistory(Frozen):
    """What the ledger knows of an appeal's earlier way."""

    returns: Annotated[int, Field(ge=0)] = 0
    returned_by: tuple[str, ...] = ()
    """Units that said it is not theirs."""
    desk_could_not_answer: bool = False
    consulted: bool = False
    """The units were asked together and found no owner."""


class Facts(Frozen):
    """Field paths in rules begin with `facts.` and end with one of these names."""

    unit: str = ""
    """The unit that the text speaks of, when one leads clearly."""
    unit_score: float = 0.0
    candidates: Mapping[str, float] = {}
    """Unit → score, best first."""
    because: Mapping[str, tuple[str, ...]] = {}
    """Unit → the words of the configuration that spoke for it."""
    places: tuple[str, ...] = ()
    """Codes of the places named in the text."""
    region: str = ""
    """The appeal's region, else the one place that the text names."""
    text_length: int = 0
    attachments: int = 0
    returns: int = 0
    returned_by: tuple[str, ...] = ()
    desk_could_not_answer: bool = False
    consulted: bool = False


@dataclass(slots=True)
class _Spoken:
    """A word that speaks for a unit."""

    unit: str
    weight: float
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


@dataclass(slots=True)
class Lexicon:
    """Which word speaks for whom. Built from the directory."""

    names: dict[str, list[_Spoken]] = field(default_factory=lambda: defaultdict(list))
    words: dict[str, list[_Spoken]] = field(default_factory=lambda: defaultdict(list))
    places: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, directory: Directory) -> Lexicon:
        lexicon = cls()
        for unit in directory.units.values():
            if unit.part == "unit":
                lexicon._learn(unit)
        lexicon.places = {
            fold(name): code
            for name, code in directory.place_names.items()
            if len(name) > 1 and not code.endswith("00")  # the city itself is no place within the city
        }
        return lexicon

    def _learn(self, unit: Unit) -> None:
        for name in unit.names:
            if len(name) > 1:
                self.names[fold(name)].append(_Spoken(unit.id, NAME_WEIGHT))
        for word, said in unit.words.items():
            spoken = _Spoken(unit.id, said.weight, said.not_after, said.not_before)
            self.words[fold(word)].append(spoken)

    def all(self) -> Iterable[str]:
        """Everything that the automaton must find."""
        return {*self.names, *self.words, *self.places}


class Deriver:
    """Derives facts. Pure and thread-safe; the automaton also finds the words of the rules."""

    def __init__(self, directory: Directory, rule_words: Iterable[str] = ()) -> None:
        self._lexicon = Lexicon.of(directory)
        self._words = Words([*self._lexicon.all(), *rule_words])

    def read(self, appeal: Appeal) -> Reading:
        """The one pass over title and content."""
        return self._words.read(appeal.title, appeal.content)

    def derive(self, appeal: Appeal, history: CaseHistory, reading: Reading) -> Facts:
        """The facts of an appeal that was read."""
        names = [h for h in reading.hits if h.word in self._lexicon.names or h.word in self._lexicon.places]
        named = longest(names)
        places = [h for h in named if h.word in self._lexicon.places and _is_place(h, reading.text)]
        codes = tuple(dict.fromkeys(self._lexicon.places[h.word] for h in places))
        scores, because = self._score(reading, named, places)
        ranked = dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES])
        unit, score = _leader(ranked)
        return Facts(
            unit=unit,
            unit_score=score,
            candidates=ranked,
            because={name: tuple(because[name]) for name in ranked},
            places=codes,
            region=appeal.region or (codes[0] if len(codes) == 1 else ""),
            text_length=len(appeal.content),
            attachments=len(appeal.attachments),
            **history.model_dump(),
        )

    def _score(
        self, reading: Reading, named: list[Hit], places: list[Hit]
    ) -> tuple[dict[str, float], dict[str, list[str]]]:
        """Each word counts once per unit, at its best place."""
        best: dict[tuple[str, str], float] = {}
        for hit in named:
            if hit.word in self._lexicon.names and not _belongs_to_a_place(hit, places):
                self._weigh(best, hit, self._lexicon.names[hit.word], reading.text)
        for hit in reading.hits:
            if hit.word in self._lexicon.words:
                self._weigh(best, hit, self._lexicon.words[hit.word], reading.text)
        scores: dict[str, float] = defaultdict(float)
        because: dict[str, list[str]] = defaultdict(list)
        for (unit, word), weight in best.items():
            scores[unit] += weight
            because[unit].append(word)
        return scores, because

    def _weigh(
        self, best: dict[tuple[str, str], float], hit: Hit, speakers: list[_Spoken], text: str
    ) -> None:
        for spoken in speakers:
            if text[: hit.start].endswith(spoken.not_after) or text[hit.end :].startswith(spoken.not_before):
                continue
            weight = spoken.weight * (TITLE_FACTOR if hit.in_title else 1.0)
            key = (spoken.unit, hit.word)
            best[key] = max(best.get(key, 0.0), weight)


def _leader(ranked: Mapping[str, float]) -> tuple[str, float]:
    scores = list(ranked.items())
    if not scores or scores[0][1] < LEAST_SCORE:
        return "", 0.0
    if len(scores) > 1 and scores[0][1] < scores[1][1] * LEAST_LEAD:
        return "", 0.0
    return scores[0]


def _is_place(hit: Hit, text: str) -> bool:
    return stands_alone(hit.word, text[max(0, hit.start - 8) : hit.start], text[hit.end : hit.end + 8])


def _belongs_to_a_place(hit: Hit, places: list[Hit]) -> bool:
    """`昆山市教育局`: the name begins where, or before, a place ends; it is that place's own bureau."""
    return any(place.start < hit.start <= place.end for place in places)
