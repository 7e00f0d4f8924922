"""
All mapping files of a configuration, read and compiled together.

`load` never stops at the first mistake: it returns every problem with file and line, and the
translators and projectors of the files that have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pydantic import BaseModel, ValidationError

from mappings.assembly import Draft, assemble, draft
from mappings.compiling import Place, Table, Workshop, compile_loose
from mappings.paths import BadPath, compile_path
from mappings.problems import keys_of, problems_of
from mappings.projection import MappingProjector, unknown_key
from mappings.registry import Surroundings
from mappings.spec import CodeTableSpec, EchoSpec, FieldSpec, MappingSpec, ProjectionSpec
from mappings.translator import MappingTranslator
from router.directory import Directory
from router.documents import Document, read_on
from router.errors import Problem
from router.places import Places

_KEYS = keys_of(MappingSpec, FieldSpec, EchoSpec, CodeTableSpec, ProjectionSpec)
_KINDS: dict[str, type[BaseModel]] = {"codes": CodeTableSpec, "projections": ProjectionSpec}


@dataclass(frozen=True, slots=True)
class Mappings:
    """What a folder of mapping files came to."""

    translators: Mapping[str, MappingTranslator]
    projectors: Mapping[str, MappingProjector]
    problems: tuple[Problem, ...]
    tables: tuple[str, ...] = ()
    """The names of the code tables."""


@dataclass(slots=True)
class _Files:
    """The files by kind and name, each in its own model."""

    problems: list[Problem] = field(default_factory=list)
    mappings: dict[str, tuple[Document, MappingSpec]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    projections: dict[str, tuple[Document, ProjectionSpec]] = field(default_factory=dict)
    seen: dict[tuple[type[BaseModel], str], str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Mappings that are there but cannot be read: extending one is no second mistake."""


def load(documents: Mapping[str, str], directory: Directory) -> Mappings:
    """Compile `NAME.yaml`, `codes/NAME.yaml` and `projections/NAME.yaml`, given as path → text."""
    files = _Files()
    for path, text in sorted(documents.items()):
        _sort_in(path, text, files)
    shop = Workshop(files.tables, directory, files.problems)
    codes = {name: table.codes for name, table in files.tables.items()}
    around = Surroundings(directory, Places(directory), codes)
    drafts: dict[str, Draft] = {
        name: draft(name, document, spec, shop) for name, (document, spec) in files.mappings.items()
    }
    translators = assemble(drafts, files.broken, around, shop)
    for name in files.broken:
        translators.pop(name, None)
    projectors = {}
    for name, (document, spec) in files.projections.items():
        projector = _projector(name, document, spec, around, shop)
        if projector:
            projectors[name] = projector
    return Mappings(translators, projectors, tuple(shop.problems), tuple(files.tables))


def _sort_in(path: str, text: str, files: _Files) -> None:
    pure = PurePosixPath(path)
    kind, name = pure.parent.name, pure.stem
    model = _KINDS.get(kind, MappingSpec)
    first = files.seen.setdefault((model, name), path)
    if first != path:
        files.problems.append(Problem(f"{path}:1", f'"{name}" is there twice: {first} has that name too'))
        return
    document, problems = read_on(path, text)
    files.problems.extend(problems)
    if problems:
        files.broken.add(name)
    if document is None:
        return
    try:
        spec = model.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        files.problems.extend(problems_of(error, document, _KEYS))
        files.broken.add(name)
        return
    if isinstance(spec, CodeTableSpec):
        files.tables[name] = Table(document, spec.codes)
    elif isinstance(spec, ProjectionSpec):
        files.projections[name] = (document, spec)
    elif isinstance(spec, MappingSpec):
        files.mappings[name] = (document, spec)


def _projector(
    name: str, document: Document, spec: ProjectionSpec, around: Surroundings, shop: Workshop
) -> MappingProjector | None:
    before = len(shop.problems)
    recipes = []
    taken: dict[tuple[str, ...], str] = {}
    for target, written in spec.fields.items():
        place = Place(document, ("fields", target), target)
        keys = tuple(target.split("."))
        _check_name(place, keys, taken, shop)
        _check_paths(place, written, shop)
        recipe = compile_loose(place, written, shop)
        if recipe:
            recipes.append((keys, recipe))
    if len(shop.problems) > before:
        return None
    return MappingProjector(name, tuple(recipes), around, spec.keep_empty)


def _check_name(
    place: Place, keys: tuple[str, ...], taken: dict[tuple[str, ...], str], shop: Workshop
) -> None:
    if not all(keys):
        shop.complain(place.document, place.loc, f'"{place.name}" has an empty part between its dots')
    for other, name in taken.items():
        shorter = min(len(other), len(keys))
        if other[:shorter] == keys[:shorter]:
            what = f'"{place.name}" and "{name}" cannot both be there: one lies inside the other'
            shop.complain(place.document, place.loc, what)
    taken[keys] = place.name


def _check_paths(place: Place, written: FieldSpec, shop: Workshop) -> None:
    """A projection's input is known, so a path that no dispatch has is a slip of the pen."""
    for text in written.paths:
        try:
            unknown = unknown_key(compile_path(text))
        except BadPath:
            continue  # compiling says it
        if unknown:
            key, hint = unknown
            what = f'{place.name}: no dispatch has "{key}" in "{text}"'
            shop.complain(place.document, place.at("from"), what, hint)
