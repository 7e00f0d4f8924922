"""
Mappings put together: what a file says itself, on top of what it extends.

A file's own fields are compiled once, where they stand, so that a mistake in a base is told once
and with the base's line, however many mappings build on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.canonical import MAX_EXTENSIONS, OBLIGATORY, TOP_LEVEL, UnknownField, scalar, target
from mappings.compiling import Place, Workshop, compile_field, compile_loose
from mappings.recipe import Recipe
from mappings.registry import Surroundings, did_you_mean
from mappings.spec import DEFAULT_REVISION, FieldSpec, MappingSpec, Sourced
from mappings.translator import MappingTranslator
from router.documents import Document
from router.errors import Problem


@dataclass(slots=True)
class Draft:
    """One file, its own recipes compiled, not yet joined with its base."""

    name: str
    document: Document
    spec: MappingSpec
    recipes: dict[str, Recipe | None]
    """None: something is wrong with it, and said."""
    source_time: Recipe | None = None
    echo: Recipe | None = None
    is_sound: bool = True

    def says(self, key: str) -> bool:
        return key in self.spec.model_fields_set


def draft(name: str, document: Document, spec: MappingSpec, shop: Workshop) -> Draft:
    """Compile what one file says itself."""
    before = len(shop.problems)
    made = Draft(name, document, spec, {})
    for field_name, written in spec.fields.items():
        if written is not None:
            made.recipes[field_name] = _field(
                Place(document, ("fields", field_name), field_name), written, shop
            )
    if spec.source_time:
        made.source_time = _source_time(document, spec.source_time, shop)
    if spec.echo:
        made.echo = compile_loose(Place(document, ("echo",), "echo"), spec.echo, shop)
    for index, top in enumerate(spec.revision_of or ()):
        if top not in TOP_LEVEL:
            hint = did_you_mean(top, TOP_LEVEL) or "name top-level fields: contact, not contact.name"
            shop.complain(document, ("revision_of", index), f'revision_of: no field "{top}"', hint)
    made.is_sound = len(shop.problems) == before
    return made


def assemble(
    drafts: Mapping[str, Draft], broken: set[str], around: Surroundings, shop: Workshop
) -> dict[str, MappingTranslator]:
    """A translator for every complete mapping whose files are sound."""
    translators = {}
    for name, top in drafts.items():
        line = _line(top, drafts, broken, shop)
        if line and not top.spec.abstract:
            translator = _join(line, around, shop)
            if translator:
                translators[name] = translator
    return translators


def _field(place: Place, written: FieldSpec, shop: Workshop) -> Recipe | None:
    try:
        found = target(place.name)
    except UnknownField as error:
        shop.complain(place.document, place.loc, str(error), error.hint)
        return None
    if place.name in OBLIGATORY and written.default is None:
        written = written.model_copy(update={"required": True})
    return compile_field(place, written, found, shop)


def _source_time(document: Document, spec: Sourced, shop: Workshop) -> Recipe | None:
    last = spec.apply[-1] if spec.apply else None
    if not (isinstance(last, dict) and "to_time" in last):
        hint = 'e.g. apply: [{to_time: ["%Y-%m-%d %H:%M:%S"]}]'
        shop.complain(document, ("source_time",), "source_time is a time: to_time must come last", hint)
        return None
    return compile_loose(Place(document, ("source_time",), "source_time"), spec, shop)


def _line(top: Draft, drafts: Mapping[str, Draft], broken: set[str], shop: Workshop) -> list[Draft] | None:
    """The mapping and what it extends, the mapping first; None when the line is broken."""
    line = [top]
    while (base := line[-1].spec.extends) is not None:
        here = line[-1]
        if base in drafts and drafts[base] not in line:
            line.append(drafts[base])
            continue
        if base in drafts:
            names = [entry.name for entry in line]
            circle = " → ".join([*names[names.index(base) :], base])
            if base == top.name:  # told once for each member of the circle, not for those who lead into it
                shop.complain(top.document, ("extends",), f"extends goes in a circle: {circle}")
        elif base not in broken:
            hint = did_you_mean(base, drafts) or f"write {base}.yaml beside it"
            shop.complain(here.document, ("extends",), f'extends an unknown mapping "{base}"', hint)
        return None
    return line


def _join(line: list[Draft], around: Surroundings, shop: Workshop) -> MappingTranslator | None:
    top, before = line[0], len(shop.problems)
    recipes = _inherit(line, shop)
    revision = tuple(next((d.spec.revision_of for d in line if d.spec.revision_of), DEFAULT_REVISION))
    _check_whole(top, recipes, revision, shop)
    if len(shop.problems) > before or not all(entry.is_sound for entry in line):
        return None
    echo = next((d for d in line if d.says("echo")), None)
    timed = next((d for d in line if d.says("source_time")), None)
    return MappingTranslator(
        top.name,
        top.document.path,
        tuple((target(name), recipe) for name, recipe in recipes.items() if recipe),
        around,
        revision,
        timed.source_time if timed else None,
        echo.echo if echo else None,
        _words(echo),
    )


def _inherit(line: list[Draft], shop: Workshop) -> dict[str, Recipe | None]:
    recipes: dict[str, Recipe | None] = {}
    for entry in reversed(line):
        recipes.update(entry.recipes)
        for name, written in entry.spec.fields.items():
            if written is None and recipes.pop(name, name) is name:
                hint = did_you_mean(name, recipes)
                what = f'"{name}" is dropped here, but nothing it extends has it'
                shop.complain(entry.document, ("fields", name), what, hint)
    return recipes


def _check_whole(
    top: Draft, recipes: Mapping[str, Recipe | None], revision: tuple[str, ...], shop: Workshop
) -> None:
    for name in OBLIGATORY:
        if name not in recipes:
            hint = "map it, or mark the file `abstract: true` if it is only there to be extended"
            shop.complain(
                top.document, ("fields",), f'"{name}" is not mapped, and every appeal needs it', hint
            )
    standing = recipes.get("standing")
    if standing and standing.constant is None and "standing" not in revision:
        what = "standing is mapped, but revision_of leaves it out: a withdrawal or close would pass unnoticed"
        shop.complain(top.document, ("revision_of",), what, "add standing to revision_of")
    extra = sum(name.startswith("extensions.") for name in recipes)
    if extra > MAX_EXTENSIONS:
        what = f"{extra} extensions are mapped, {MAX_EXTENSIONS} is the limit"
        shop.problems.append(Problem(top.document.where(("fields",)), what))


def _words(entry: Draft | None) -> frozenset[str]:
    if entry is None or entry.spec.echo is None:
        return frozenset()
    equals = entry.spec.echo.equals
    return frozenset(str(scalar(word)) for word in (equals if isinstance(equals, list) else [equals]))
