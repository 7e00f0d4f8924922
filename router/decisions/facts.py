"""
What is derived from an appeal before the rules look at it.

Units are scored (voices.py): a name or alias in the text weighs most, words and pairs of words weigh what
the city's files say, and the title counts double. The best unit is a fact when it weighs enough and
nobody weighs as much. Facts hold ids, codes, numbers and words of the configuration, never anything
else of the text, and are enough to decide again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from router.decisions.asides import Asides
from router.decisions.lexicon import Lexicon, county_offices, is_place, mentions_office
from router.decisions.voices import Voice, Voices, ranked, voices
from router.decisions.words import Hit, Reading, Words, longest
from router.directory import Directory
from router.limits import Frozen
from router.message import Appeal

LEAST_SCORE = 2.0
"""Below this no unit is named: a single weak word is no ground to send an appeal away."""
LEAST_LEAD = 1.02
"""How many times the second best score the best one must have."""
MOST_LEAD = 100.0
MOST_CANDIDATES = 5


class CaseHistory(Frozen):
    """What the ledger knows of an appeal's earlier way."""

    returns: Annotated[int, Field(ge=0)] = 0
    returned_by: tuple[str, ...] = ()
    """Units that said it is not theirs."""
    desk_could_not_answer: bool = False
    """The desk's verdict, where it has one (R11, R12)."""
    consulted: bool = False
    """The units were asked together and found no owner (R12)."""
    unscreened: bool = False
    """It came in without an agent having looked at it, and the desk has not tried to answer yet (R11)."""
    previous_rule: str = ""
    """The rule that took the revision before."""


class Facts(CaseHistory):
    """Field paths in rules begin with `facts.` and end with one of these names."""

    unit: str = ""
    """The unit that the text speaks of, when one leads clearly."""
    unit_score: float = 0.0
    lead: float = 0.0
    """How many times the second best it scored; MOST_LEAD when there is none."""
    candidates: Mapping[str, float] = Field(default_factory=dict)
    """Unit → score, best first."""
    because: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Unit → the words of the configuration that spoke for it."""
    named: tuple[str, ...] = ()
    """Units called by a name, not only spoken of."""
    told: tuple[str, ...] = ()
    """Units that are only told to have been asked or to have said something, and never meant."""
    places: tuple[str, ...] = ()
    """Codes of the places named in the text."""
    region: str = ""
    """The appeal's region, else the one place that the text names."""
    county: str = ""
    """The place whose own office is named as the one to act: 昆山市教育局, 木渎镇政府."""
    text_length: int = 0
    """Characters of the content."""
    attachments: int = 0
    category_unit: str = ""
    """Whose business the appeal's class is by default (categories.yaml)."""

    @property
    def said(self) -> dict[str, Any]:
        """Those that were derived and say something; enough to decide again."""
        derived, nothing = self.model_fields_set, self._left_out
        return {n: value for n, value in self.__dict__.items() if n in derived and value != nothing[n]}


class Deriver:
    """Derives facts. Pure and thread-safe; its automaton also finds the words of the rules."""

    def __init__(self, directory: Directory, rule_words: Iterable[str] = ()) -> None:
        self._directory = directory
        self._lexicon = Lexicon.of(directory)
        self._words = Words([*self._lexicon.all(), *rule_words])

    def read(self, appeal: Appeal) -> Reading:
        """The one pass over title and content."""
        return self._words.read(appeal.title, appeal.content)

    def derive(self, appeal: Appeal, history: CaseHistory, reading: Reading | None = None) -> Facts:
        """The facts of an appeal; `reading` saves a second pass where there was one."""
        reading = reading or self.read(appeal)
        asides = Asides(reading.text)
        return Facts.made(
            **_known(history),
            **self._said(reading, asides, appeal.region),
            text_length=len(appeal.content),
            attachments=len(appeal.attachments),
            category_unit=self._directory.unit_of_category(appeal.category) or "",
        )

    def _said(self, reading: Reading, asides: Asides, region: str) -> dict[str, Any]:
        """What the text says of units and places."""
        if not reading.hits:
            return {"region": region, "county": self._county([], [], asides, region)}
        is_known = self._lexicon.known.__contains__
        known = longest(hit for hit in reading.hits if is_known(hit.word))
        named_places = [h for h in known if h.word in self._lexicon.places and is_place(h, reading.text)]
        places = tuple(dict.fromkeys(self._lexicon.places[hit.word] for hit in named_places))
        found = voices(self._lexicon, reading.hits, known, named_places, asides)
        return {
            **(_heard(found) if found else {}),
            "places": places,
            "region": region or (places[0] if len(places) == 1 else ""),
            "county": self._county(known, named_places, asides, region),
        }

    def _county(self, known: list[Hit], places: list[Hit], asides: Asides, region: str) -> str:
        """The one place whose office is to act; of several none, as nobody knows which."""
        if not places and not mentions_office(asides.text):
            return ""
        is_name = self._lexicon.is_name
        names = {hit.start: hit.end for hit in known if len(hit.word) > 2 and is_name(hit.word)}
        found = county_offices(places, names, asides)
        codes = {self._lexicon.places[place.word] if place else region for place in found} - {""}
        return codes.pop() if len(codes) == 1 else ""


def _heard(found: Voices) -> dict[str, Any]:
    """What the text says of units."""
    candidates = ranked(found, MOST_CANDIDATES)
    unit, score = _leader(candidates)
    return {
        "unit": unit,
        "unit_score": score,
        "lead": _lead(candidates) if unit else 0.0,
        "candidates": candidates,
        "because": {unit: tuple(dict.fromkeys(v.word for v in found[unit])) for unit in candidates},
        "named": tuple(unit for unit, heard in found.items() if any(voice.is_name for voice in heard)),
        "told": tuple(unit for unit, heard in found.items() if _is_only_told(heard)),
    }


def _known(history: CaseHistory) -> dict[str, Any]:
    """As it is; but the desk has looked once it said that it cannot answer."""
    known = {name: getattr(history, name) for name in history.model_fields_set}
    if known.get("unscreened"):
        known["unscreened"] = not history.desk_could_not_answer
    return known


def _is_only_told(heard: Sequence[Voice]) -> bool:
    names = [voice for voice in heard if voice.is_name]
    return bool(names) and all(voice.is_hearsay for voice in names)


def _leader(candidates: Mapping[str, float]) -> tuple[str, float]:
    """The first, if it weighs enough and leads the second by enough."""
    scores = list(candidates.items())
    if not scores or scores[0][1] < LEAST_SCORE:
        return "", 0.0
    return scores[0] if _lead(candidates) >= LEAST_LEAD else ("", 0.0)


def _lead(candidates: Mapping[str, float]) -> float:
    first, second = (*candidates.values(), 0.0)[:2]
    return round(min(first / second, MOST_LEAD), 3) if second else MOST_LEAD
