"""
The matchers of a rule: what each means, compiled once into a test and a way to say what it saw.

README.md beside this file shows every one with an example, and how to add another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from router.decisions.fields import Field, Subject
from router.decisions.meanings import Between, Meaning, OneOf, Prefixed, Present, Wordy
from router.decisions.words import IN_CONTENT, IN_TITLE, fold
from router.masking import mask_value
from router.message import Match

Test = Callable[[Subject], bool]
See = Callable[[Subject], str]
TITLE_WORD = 2.0
"""A word in the title counts as much as two in the content."""
WORD_FIELDS = {"text": IN_CONTENT | IN_TITLE, "title": IN_TITLE, "content": IN_CONTENT}
"""Where words are looked for; `text` is title and content together."""
_LONGEST_SAID = 500


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a rule."""

    said: str
    """As the rule file says it."""
    test: Test
    saw: See
    """Never personal data."""
    meanings: tuple[Meaning, ...] = ()
    """Together exactly what it lets through; empty when that has no form of its own."""

    def match(self, subject: Subject) -> Match:
        return _match(self.said, self.saw(subject))


@lru_cache(maxsize=4096)
def _match(said: str, saw: str) -> Match:
    """Conditions see the same few values again and again."""
    return Match(condition=_cut(said), saw=_cut(saw))


def _on(field: Field, test: Test, said: str, meaning: Meaning) -> Condition:
    get = field.get

    def saw(subject: Subject) -> str:
        value = get(subject)
        return "absent" if is_absent(value) else _show(field, value)

    return Condition(f"{field.path} {said}", test, saw, (meaning,))


def one_of(field: Field, values: Sequence[Any]) -> Condition:
    """One of these values; a list field has one of them among its own."""
    get, wanted = field.get, frozenset(values)
    said = f"= {_word(values[0])}" if len(values) == 1 else f"in {', '.join(map(_word, values))}"
    is_list = field.kind == "texts"
    meaning = OneOf(field.path, wanted, is_list)
    if is_list:
        return _on(field, lambda subject: not wanted.isdisjoint(get(subject) or ()), said, meaning)
    return _on(field, lambda subject: get(subject) in wanted, said, meaning)


def prefixed(field: Field, prefixes: Sequence[str]) -> Condition:
    """The text, or one of a list, begins with one of these."""
    get, starts = field.get, tuple(prefixes)

    def test(subject: Subject) -> bool:
        value = get(subject)
        if isinstance(value, str):
            return value.startswith(starts)
        return isinstance(value, tuple) and any(item.startswith(starts) for item in value)

    return _on(field, test, f"prefix {', '.join(starts)}", Prefixed(field.path, starts))


def present(field: Field, *, wanted: bool = True) -> Condition:
    """Something is there, or (not wanted) nothing is."""
    get = field.get
    said = "present" if wanted else "absent"
    return _on(field, lambda s: is_absent(get(s)) != wanted, said, Present(field.path, wanted))


def between(field: Field, least: float | None, most: float | None) -> Condition:
    """A number between both, each included. What is no number is in no range."""
    get, inside = field.get, _within(least, most)
    said, meaning = _span(least, most), Between(field.path, least, most)
    return _on(field, lambda subject: inside(get(subject)), said, meaning)


def counted(field: Field, least: float | None, most: float | None) -> Condition:
    """How many a list has; of a text, its characters; nothing is none."""
    get, inside = field.get, _within(least, most)

    def count(subject: Subject) -> int:
        value = get(subject)
        return len(value) if hasattr(value, "__len__") else int(value is not None)

    meaning = Between(f"count of {field.path}", least, most)
    condition = _on(field, lambda s: inside(count(s)), f"count {_span(least, most)}", meaning)
    return replace(condition, saw=lambda subject: str(count(subject)))


@dataclass(frozen=True, slots=True)
class WordList:
    """The words of one condition, as the rule file writes them."""

    where: str = "text"
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    min_score: float = 1
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        parts = {"any_of": self.any_of, "none_of": self.none_of}
        parts |= {"not_after": self.not_after, "not_before": self.not_before}
        said = "; ".join(f"{key} {', '.join(words)}" for key, words in parts.items() if words)
        return f"{self.where} {said}" + (f"; min_score {self.min_score}" if self.min_score != 1 else "")


def worded(words: WordList) -> Condition:
    """Words of title and content. `min_score` adds up the words found, those of the title double."""
    wanted = {fold(word): word for word in words.any_of}
    unwanted = {fold(word): word for word in words.none_of}
    any_of, none_of, is_scored = frozenset(wanted), frozenset(unwanted), words.min_score > 1
    find = _finder(words)

    def test(subject: Subject) -> bool:
        found = find(subject) if find else subject.reading.words
        if any_of and any_of.isdisjoint(found):
            return False
        if none_of and not none_of.isdisjoint(found):
            return False
        return not is_scored or _score(found, any_of) >= words.min_score

    def saw(subject: Subject) -> str:
        found = find(subject) if find else subject.reading.words
        has = [word + (" (title)" if found[w] & IN_TITLE else "") for w, word in wanted.items() if w in found]
        return (
            ", ".join(has + [f"but {word}" for w, word in unwanted.items() if w in found]) or "none of them"
        )

    contexts = (words.not_after, words.not_before)
    return Condition(words.said, test, saw, (Wordy(words.where, any_of, none_of, words.min_score, contexts),))


def _finder(words: WordList) -> Callable[[Subject], Mapping[str, int]] | None:
    """Word → where it stands, of those that count; None for all, which need no finding."""
    places = WORD_FIELDS[words.where]
    if words.not_after or words.not_before:
        return _finder_in_context(words, places)
    if words.where == "text":
        return None

    def find(subject: Subject) -> Mapping[str, int]:
        return {word: at & places for word, at in subject.reading.words.items() if at & places}

    return find


def _finder_in_context(words: WordList, places: int) -> Callable[[Subject], Mapping[str, int]]:
    """As above, without words that stand right behind `not_after` or before `not_before`."""
    after, before = tuple(map(fold, words.not_after)), tuple(map(fold, words.not_before))
    wanted = {fold(word) for word in words.any_of}

    def find(subject: Subject) -> Mapping[str, int]:
        found: dict[str, int] = {}
        text = subject.reading.text
        for hit in subject.reading.hits:
            place = (IN_TITLE if hit.in_title else IN_CONTENT) & places
            if not place:
                continue
            spoiled = text.endswith(after, 0, hit.start) or text.startswith(before, hit.end)
            if hit.word not in wanted or not spoiled:
                found[hit.word] = found.get(hit.word, 0) | place
        return found

    return find


def _score(found: Mapping[str, int], wanted: frozenset[str]) -> float:
    return sum(TITLE_WORD if found[word] & IN_TITLE else 1.0 for word in wanted if word in found)


def every(conditions: Sequence[Condition]) -> Condition:
    """All of them hold."""
    if len(conditions) == 1:
        return conditions[0]
    tests = tuple(c.test for c in conditions)
    meanings = tuple(m for c in conditions for m in c.meanings) if all(c.meanings for c in conditions) else ()
    return Condition(
        "all of (" + "; ".join(c.said for c in conditions) + ")",
        lambda subject: all(test(subject) for test in tests),
        lambda subject: _each(subject, conditions, holding=None),
        meanings,
    )


def some(conditions: Sequence[Condition]) -> Condition:
    """At least one of them holds."""
    tests = tuple(c.test for c in conditions)
    return Condition(
        "any of (" + "; ".join(c.said for c in conditions) + ")",
        lambda subject: any(test(subject) for test in tests),
        lambda subject: _each(subject, conditions, holding=True) or "none of them",
    )


def none(conditions: Sequence[Condition]) -> Condition:
    """None of them holds."""
    tests = tuple(c.test for c in conditions)
    return Condition(
        "not (" + "; ".join(c.said for c in conditions) + ")",
        lambda subject: not any(test(subject) for test in tests),
        lambda subject: _each(subject, conditions, holding=True) or "none of them",
    )


def is_absent(value: Any) -> bool:
    """Nothing there: None, an empty text, list or table. False and 0 are values."""
    return value is None or (isinstance(value, (str, tuple, list, Mapping)) and not value)


def _each(subject: Subject, conditions: Sequence[Condition], *, holding: bool | None) -> str:
    """What those that hold (None: all) saw."""
    shown = [c for c in conditions if holding is None or c.test(subject) == holding]
    return "; ".join(f"{c.said}: {c.saw(subject)}" for c in shown)


def _within(least: float | None, most: float | None) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            return False
        return (least is None or value >= least) and (most is None or value <= most)

    return test


def _span(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"between {least} and {most}" if least != most else f"= {least}"
    return f"at least {least}" if most is None else f"at most {most}"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show(field: Field, value: Any) -> str:
    if field.kind in ("list", "block"):
        return f"{len(value)} of them" if isinstance(value, tuple) else "present"
    if field.is_personal:
        return mask_value(list(value) if isinstance(value, tuple) else value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_word(item)}" for key, item in list(value.items())[:10])
    if isinstance(value, tuple):
        return ", ".join(_word(item) for item in value[:10])
    return _word(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SAID else text[: _LONGEST_SAID - 1] + "…"
