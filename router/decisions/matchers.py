"""
The matchers of a rule: what each means, compiled once into a test and a way to say what it saw.

    kind: complaint                     equals
    region: ["320583", "320585"]        in
    region: {prefix: "3205"}
    proposed_units: {present: true}     or {absent: true}
    text: {any_of: [欠薪, 讨薪], none_of: [招标], min_score: 2}
    attachments: {count: {min: 1, max: 3}}
    facts.unit_score: {min: 3}          max, or between: [3, 10]
    all: [...]  any: [...]  not: {...}  of further conditions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from router.decisions.fields import Field, Subject
from router.decisions.words import fold
from router.masking import mask_text
from router.message import Match

Test = Callable[[Subject], bool]
TITLE_WORD = 2.0
"""A word in the title counts as much as two in the content."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a rule."""

    said: str
    """As the rule file says it."""
    test: Test
    saw: Callable[[Subject], str]

    def match(self, subject: Subject) -> Match:
        return Match(condition=self.said[:500], saw=self.saw(subject)[:500])


def on_field(field: Field, test: Callable[[Any], bool], said: str) -> Condition:
    """A condition on one field's value."""
    get = field.get

    def saw(subject: Subject) -> str:
        value = get(subject)
        shown = "absent" if is_absent(value) else _show(value)
        return mask_text(shown, 60) if field.is_personal else shown

    return Condition(f"{field.path} {said}", lambda subject: test(get(subject)), saw)


def on_words(any_of: Sequence[str], none_of: Sequence[str], min_score: float, said: str) -> Condition:
    """Words in title and content; `min_score` adds up the words found, those of the title double."""
    wanted = {fold(word): word for word in any_of}
    unwanted = {fold(word): word for word in none_of}

    def test(subject: Subject) -> bool:
        found = subject.words
        if any(word in found for word in unwanted):
            return False
        if not wanted:
            return True
        score = sum((TITLE_WORD if found[word] else 1.0) for word in wanted if word in found)
        return score >= min_score

    def saw(subject: Subject) -> str:
        found = subject.words
        has = [wanted[w] + (" (title)" if found[w] else "") for w in wanted if w in found]
        spoiled = [f"but {unwanted[w]}" for w in unwanted if w in found]
        return ", ".join(has + spoiled) or "none of them"

    return Condition(f"text {said}", test, saw)


def every(conditions: Sequence[Condition]) -> Condition:
    tests = [c.test for c in conditions]
    return Condition(
        "all: " + "; ".join(c.said for c in conditions),
        lambda subject: all(test(subject) for test in tests),
        lambda subject: "; ".join(c.saw(subject) for c in conditions if not c.test(subject)) or "all of them",
    )


def some(conditions: Sequence[Condition]) -> Condition:
    tests = [c.test for c in conditions]
    return Condition(
        "any: " + "; ".join(c.said for c in conditions),
        lambda subject: any(test(subject) for test in tests),
        lambda subject: "; ".join(c.said for c in conditions if c.test(subject)) or "none of them",
    )


def negated(condition: Condition) -> Condition:
    return Condition(f"not ({condition.said})", lambda s: not condition.test(s), condition.saw)


def equals(wanted: Any) -> Callable[[Any], bool]:
    """A list field equals a scalar when it holds it."""

    def test(value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return wanted in value
        return bool(value == wanted)

    return test


def one_of(wanted: Sequence[Any]) -> Callable[[Any], bool]:
    chosen = frozenset(wanted)

    def test(value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return not chosen.isdisjoint(value)
        return value in chosen

    return test


def starts_with(prefixes: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value.startswith(prefixes)


def is_present(value: Any) -> bool:
    return not is_absent(value)


def is_absent(value: Any) -> bool:
    """Nothing there: None, an empty text or list. False and 0 are values."""
    return value is None or (isinstance(value, (str, tuple, list, Mapping)) and not value)


def within(least: float | None, most: float | None) -> Callable[[Any], bool]:
    """A number between both, each included. What is no number is in no range."""

    def test(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            return False
        return (least is None or value >= least) and (most is None or value <= most)

    return test


def counted(inside: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """How many a list has; a text counts its characters, nothing is none."""
    return lambda value: inside(0 if value is None else len(value) if hasattr(value, "__len__") else 1)


def _show(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(str(item) for item in value[:10])
    return str(value)
