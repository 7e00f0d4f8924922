"""
What a condition lets through, in a form that can be compared: how unreachable rules are proved.

Only what can be proved is said. A condition without a meaning of its own is compared by its wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field has one of these values; a list has it among others."""

    path: str
    values: frozenset[Any]
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Prefixed:
    path: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    path: str
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Present:
    path: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Wordy:
    """Words of a text. Contexts (`not_after`, `not_before`) must be the same to be compared."""

    path: str
    any_of: frozenset[str]
    none_of: frozenset[str]
    least: float
    contexts: tuple[tuple[str, ...], ...] = ()


Meaning = OneOf | Prefixed | Between | Present | Wordy


def implies(narrow: Meaning, wide: Meaning) -> bool:
    """Whether everything that `narrow` lets through is let through by `wide`. False when unproved."""
    if narrow.path != wide.path:
        return False
    match narrow, wide:
        case OneOf(), OneOf():
            return narrow.values <= wide.values
        case OneOf(), Prefixed():
            return all(isinstance(v, str) and v.startswith(wide.prefixes) for v in narrow.values)
        case OneOf(), Between():
            return all(_inside(v, wide) for v in narrow.values)
        case OneOf(), Present(wanted=True):
            return all(value not in ("", None) for value in narrow.values)
        case Prefixed(), Prefixed():
            return all(prefix.startswith(wide.prefixes) for prefix in narrow.prefixes)
        case ((Prefixed() | Between()), Present(wanted=True)):
            return True
        case Between(), Between():
            return _above(narrow.least, wide.least) and _below(narrow.most, wide.most)
        case Present(), Present():
            return narrow.wanted == wide.wanted
        case Wordy(), Wordy():
            return _fewer_words(narrow, wide)
    return False


def excludes(one: Meaning, other: Meaning) -> bool:
    """Whether nothing can be let through by both. False when unproved."""
    if one.path != other.path:
        return False
    match one, other:
        case OneOf(is_list=False), OneOf(is_list=False):
            return one.values.isdisjoint(other.values)
        case OneOf(is_list=False), Between():
            return not any(_inside(value, other) for value in one.values)
        case Between(), OneOf(is_list=False):
            return excludes(other, one)
        case Between(), Between():
            return _apart(one, other) or _apart(other, one)
        case Present(), Present():
            return one.wanted != other.wanted
        case ((OneOf() | Prefixed() | Between()), Present(wanted=False)):
            return implies(one, Present(one.path))
        case Present(wanted=False), (OneOf() | Prefixed() | Between()):
            return excludes(other, one)
    return False


def _fewer_words(narrow: Wordy, wide: Wordy) -> bool:
    """Any score that the narrow one reaches is reached by the wide one, with no more to spoil it."""
    if narrow.contexts != wide.contexts or not wide.none_of <= narrow.none_of:
        return False
    if not wide.any_of:
        return True
    return bool(narrow.any_of) and narrow.any_of <= wide.any_of and wide.least <= narrow.least


def _inside(value: Any, span: Between) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and _above(value, span.least) and _below(value, span.most)


def _above(value: float | None, least: float | None) -> bool:
    return least is None or (value is not None and value >= least)


def _below(value: float | None, most: float | None) -> bool:
    return most is None or (value is not None and value <= most)


def _apart(low: Between, high: Between) -> bool:
    return low.most is not None and high.least is not None and low.most < high.least
