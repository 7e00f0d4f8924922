"""
Where a rule sends an appeal: a unit, an office, or whoever a field names.

    to: rsj                           a unit's id
    to: desk                          desk, supervision, archive: the office, whatever its id
    to: [rsj, gaj]                    the first leads, the others assist
    to: {field: proposed_units}       whom the field names; the first leads
    to: {platform_of: region}         the county-level platform of the place
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.decisions.compiling import Compiler, near
from router.decisions.fields import PLACE_FIELDS, UNIT_FIELDS, UNIT_IDS, Field, Subject
from router.directory import Directory
from router.documents import Loc

Resolve = Callable[[Subject], tuple[str, ...]]
_SHORT = {"returned_by": "facts.returned_by"}
_WAYS = {"field": UNIT_FIELDS, "platform_of": PLACE_FIELDS}


@dataclass(frozen=True, slots=True)
class Target:
    """A resolver and how the rule file says it."""

    said: str
    resolve: Resolve
    is_certain: bool = False
    """It names somebody for every appeal."""


def fixed(units: Sequence[str]) -> Target:
    """These units, whatever the appeal."""
    chosen = tuple(dict.fromkeys(units))
    return Target(", ".join(chosen), lambda _: chosen, True)


def named_in(field: Field, directory: Directory) -> Target:
    """The units that the field names, by id or by what people call them."""
    return Target(f"field {field.path}", _units_in(field, directory))


def platform_of(field: Field, directory: Directory) -> Target:
    """The platform that takes appeals from the place in the field."""

    def resolve(subject: Subject) -> tuple[str, ...]:
        found = (directory.platform_of(place) for place in _many(field.get(subject)))
        return tuple(dict.fromkeys(unit for unit in found if unit))

    return Target(f"platform of {field.path}", resolve)


def except_for(target: Target, fields: Sequence[Field], directory: Directory) -> Target:
    """Never to whom these fields name."""
    resolved, outs = target.resolve, tuple(_units_in(field, directory) for field in fields)

    def resolve(subject: Subject) -> tuple[str, ...]:
        chosen = resolved(subject)
        if not chosen:
            return chosen
        for named in outs:
            if out := named(subject):
                chosen = tuple(unit for unit in chosen if unit not in out)
        return chosen

    return Target(f"{target.said}, except {', '.join(field.path for field in fields)}", resolve)


def _units_in(field: Field, directory: Directory) -> Resolve:
    """Ids as they are, where the field holds nothing else: a source's own word may look like one."""
    get, acts, holds_ids = field.get, directory.acts, field.path in UNIT_IDS

    def units(subject: Subject) -> tuple[str, ...]:
        names = get(subject)
        if not names:
            return ()
        found: Iterable[str | None] = _many(names)
        if not holds_ids:
            source = subject.appeal.source
            found = [directory.unit(name, source) for name in _many(names)]
        return tuple(dict.fromkeys([unit for unit in found if unit and acts(unit)]))

    return units


def _many(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return value if isinstance(value, tuple) else ()


def compiled(compiler: Compiler, loc: Loc, said: Any) -> Target | None:
    """A target as routes.yaml writes it; None and a problem when it is none."""
    if isinstance(said, Mapping):
        return _derived(compiler, loc, said)
    if isinstance(said, list):
        units = [compiler.unit((*loc, place), name) for place, name in enumerate(said)]
        if not said:
            compiler.wrong(loc, "at least one unit is expected")
    else:
        units = [compiler.unit(loc, said)]
    good = [unit for unit in units if unit]
    return fixed(good) if good and len(good) == len(units) else None


def excepted(compiler: Compiler, loc: Loc, said: Any) -> list[Field]:
    """The fields of `except`."""
    paths = said if isinstance(said, list) else [said]
    found = []
    for place, path in enumerate(paths):
        at = (*loc, place) if isinstance(said, list) else loc
        if isinstance(path, str) and path in compiler.directory.units:
            compiler.wrong(at, f"except names fields, and {path} is a unit", "e.g. except: [returned_by]")
        else:
            found.append(_field(compiler, at, _SHORT.get(path, path) if isinstance(path, str) else path))
    return [field for field in found if field]


def _derived(compiler: Compiler, loc: Loc, said: Mapping[Any, Any]) -> Target | None:
    if len(said) != 1 or not said.keys() <= _WAYS.keys():
        compiler.wrong(loc, "a unit, an office, {field: …} or {platform_of: …} is expected")
        return None
    ((how, path),) = said.items()
    field = _field(compiler, (*loc, how), path, how)
    if field is None:
        return None
    return (named_in if how == "field" else platform_of)(field, compiler.directory)


def _field(compiler: Compiler, loc: Loc, path: Any, how: str = "field") -> Field | None:
    """A field that can name a unit, or a place; what an extension holds nobody knows before."""
    field = compiler.field(loc, path)
    allowed = _WAYS[how]
    if field and field.path not in allowed and not field.path.startswith("extensions."):
        names = "a place" if how == "platform_of" else "units"
        hint = near(path, allowed) or f"one of: {', '.join(sorted(allowed))}, extensions.…"
        compiler.wrong(loc, f"{field.path} never names {names}", hint)
        return None
    return field
