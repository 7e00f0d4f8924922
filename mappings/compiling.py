"""
From what a mapping file says to recipes: paths compiled, functions bound, names checked.

Every mistake becomes a problem with file and line, and compiling goes on, so that one reading
shows them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mappings.canonical import Target, shaper, text_shaper
from mappings.functions import FUNCTIONS, Code
from mappings.paths import BadPath, Path, compile_path
from mappings.problems import keys_of, problems_of
from mappings.recipe import Recipe, Step, together
from mappings.registry import Unreadable, did_you_mean
from mappings.spec import FieldSpec, Sourced
from router.directory import Directory
from router.documents import Document, Loc
from router.errors import Problem


@dataclass(frozen=True, slots=True)
class Table:
    """A code table and the file it stands in."""

    document: Document
    codes: Mapping[str, Any]


@dataclass(slots=True)
class Workshop:
    """What compiling needs, and where it puts what it finds wrong."""

    tables: Mapping[str, Table]
    directory: Directory
    problems: list[Problem] = field(default_factory=list)

    def complain(self, document: Document, loc: Loc, what: str, hint: str = "") -> None:
        problem = Problem(document.where(loc), what, hint)
        if problem not in self.problems:
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document that is being compiled, and what its recipe will be called."""

    document: Document
    loc: Loc
    name: str

    def at(self, *steps: str | int) -> Loc:
        return (*self.loc, *steps)


def compile_field(place: Place, spec: FieldSpec, target: Target, shop: Workshop) -> Recipe | None:
    """The recipe of one canonical field; None when something is wrong with it."""
    before = len(shop.problems)
    for key, constant in (("value", spec.value), ("default", spec.default)):
        if constant is not None:
            _check_constant(constant, target, place.document, place.at(key), shop)
    steps = _steps(place, spec, shop)
    if spec.value is None:
        _check_last_step(place, spec, target, shop)
    candidates = _candidates(place, spec, shop)
    if len(shop.problems) > before:
        return None
    shape = shaper(target.shape)
    return Recipe(
        place.name,
        place.document.where(place.loc),
        candidates,
        steps,
        shape,
        constant=None if spec.value is None else shape(spec.value),
        default=None if spec.default is None else shape(spec.default),
        required=spec.required,
        shape_text=text_shaper(target.shape),
    )


def compile_loose(place: Place, spec: Sourced, shop: Workshop) -> Recipe | None:
    """A recipe that fills no canonical field: a source time, an echo, a field of a projection."""
    before = len(shop.problems)
    steps, candidates = _steps(place, spec, shop), _candidates(place, spec, shop)
    if len(shop.problems) > before:
        return None
    given = spec if isinstance(spec, FieldSpec) else None
    return Recipe(
        place.name,
        place.document.where(place.loc),
        candidates,
        steps,
        _unchanged,
        constant=given.value if given else None,
        default=given.default if given else None,
        required=bool(given and given.required),
    )


def _unchanged(value: Any) -> Any:
    return value


def _candidates(place: Place, spec: Sourced, shop: Workshop) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    paths: list[Path] = []
    key = "from" if spec.from_ else "first_of" if spec.first_of else "all_of"
    for index, text in enumerate(spec.paths):
        try:
            paths.append(compile_path(text))
        except BadPath as error:
            loc = place.at(key) if key == "from" else place.at(key, index)
            shop.complain(place.document, loc, f'{place.name}: {error} in "{text[:80]}"', error.hint)
    if spec.all_of:
        return (together(paths),)
    return tuple((path.text, path.find) for path in paths)


def _steps(place: Place, spec: Sourced, shop: Workshop) -> tuple[Step, ...]:
    steps = (_step(place, index, written, shop) for index, written in enumerate(spec.apply))
    return tuple(step for step in steps if step is not None)


def _step(place: Place, index: int, written: Any, shop: Workshop) -> Step | None:
    name, given = _named(written)
    loc = place.at("apply", index)
    function = FUNCTIONS.get(name)
    if function is None:
        hint = did_you_mean(name, FUNCTIONS) or f"there are {', '.join(sorted(FUNCTIONS))}"
        shop.complain(place.document, loc, f'{place.name}: unknown function "{name}"', hint)
        return None
    if function.arguments is None and given is not None:
        shop.complain(place.document, loc, f'{place.name}: "{name}" takes no arguments', f"write - {name}")
        return None
    try:
        arguments = function.parse(given)
    except ValidationError as error:
        known = keys_of(function.arguments) if function.arguments else []
        for problem in problems_of(error, place.document, known, (*loc, name)):
            what = f"{place.name}: wrong arguments of {name}: {problem.what}"
            shop.problems.append(Problem(problem.where, what, problem.hint or f"it takes {', '.join(known)}"))
        return None
    if isinstance(arguments, Code) and arguments.table not in shop.tables:
        hint = did_you_mean(arguments.table, shop.tables) or f"write codes/{arguments.table}.yaml"
        shop.complain(place.document, loc, f'{place.name}: unknown code table "{arguments.table}"', hint)
        return None
    return Step(_as_written(written), function.bind(arguments))


def _named(written: Any) -> tuple[str, Any]:
    return (written, None) if isinstance(written, str) else next(iter(written.items()))


def _as_written(written: Any) -> str:
    return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)


def _check_last_step(place: Place, spec: FieldSpec, target: Target, shop: Workshop) -> None:
    last, given = _named(spec.apply[-1]) if spec.apply else ("", None)
    if target.shape == "time" and last != "to_time":
        hint = 'e.g. apply: [{to_time: ["%Y-%m-%d %H:%M:%S"]}]'
        shop.complain(place.document, place.loc, f"{place.name} is a time: to_time must come last", hint)
    if last != "code":
        return
    table = shop.tables.get(given.get("table", "") if isinstance(given, dict) else str(given))
    for code, ours in table.codes.items() if table else ():
        if table and ours is not None:
            _check_constant(ours, target, table.document, ("codes", code), shop)


def _check_constant(constant: Any, target: Target, document: Document, loc: Loc, shop: Workshop) -> None:
    """A constant that the model would refuse would fail every appeal, or the one it is met in."""
    try:
        target.check(shaper(target.shape)(constant))
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        shop.complain(document, loc, f'"{constant}" is no value of {target.name}: {said}')
        return
    except Unreadable as error:
        shop.complain(document, loc, f"no value of {target.name}: {error}")
        return
    known: Sequence[str] = ()
    if target.name == "proposed_units":
        known = list(shop.directory.units)
    elif target.name == "region":
        known = list(shop.directory.regions)
    for name in constant if isinstance(constant, list) else [constant]:
        if known and name not in known:
            shop.complain(
                document, loc, f'{target.name}: "{name}" is unknown', did_you_mean(str(name), known)
            )
