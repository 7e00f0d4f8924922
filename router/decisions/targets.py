"""
Where a rule sends an appeal: a unit, an office, or whoever a field names.

    to: rsj                           a unit's id
    to: desk                          desk, supervision, archive: the office, whatever its id
    to: [rsj, gaj]                    the first leads, the others assist
    to: {field: proposed_units}       whom the field names; the first leads
    to: {platform_of: region}         the county-level platform of the place
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from router.decisions.fields import Field, Subject
from router.directory import Directory

Resolve = Callable[[Subject], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """A resolver and how the rule file says it."""

    said: str
    resolve: Resolve


def fixed(units: Sequence[str]) -> Target:
    """These units, whatever the appeal."""
    chosen = tuple(units)
    return Target(", ".join(chosen), lambda _: chosen)


def named_in(field: Field, directory: Directory) -> Target:
    """The units that the field names, by id or by what people call them."""

    def resolve(subject: Subject) -> tuple[str, ...]:
        return _units(field.get(subject), directory, subject.appeal.source)

    return Target(f"field {field.path}", resolve)


def platform_of(field: Field, directory: Directory) -> Target:
    """The platform that takes appeals from the place in the field."""

    def resolve(subject: Subject) -> tuple[str, ...]:
        places = field.get(subject)
        found = (directory.platform_of(place) for place in _many(places))
        return tuple(dict.fromkeys(unit for unit in found if unit))

    return Target(f"platform of {field.path}", resolve)


def except_for(target: Target, fields: Sequence[Field], directory: Directory) -> Target:
    """Never back to whom these fields name."""

    def resolve(subject: Subject) -> tuple[str, ...]:
        chosen = target.resolve(subject)
        if not chosen:
            return chosen
        out = {unit for f in fields for unit in _units(f.get(subject), directory, subject.appeal.source)}
        return tuple(unit for unit in chosen if unit not in out)

    return Target(f"{target.said}, except {', '.join(f.path for f in fields)}", resolve)


def _units(value: Any, directory: Directory, source: str) -> tuple[str, ...]:
    found = (directory.unit(name, source) for name in _many(value))
    return tuple(dict.fromkeys(unit for unit in found if unit))


def _many(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
