"""Reads every file of a bundle into its model, and keeps on when one is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

import mappings.loading
from config import people
from config.files import HUB, MAPPINGS, NAMED, WORDS, Bundle
from config.rules import RuleSet, load_rules
from config.salvage import Fillers, Model, validate
from config.settings import HubSettings
from config.units import CategoriesFile, RegionsFile, UnitsFile
from config.words import WordsFile, word_problems
from router.directory import Directory
from router.documents import Document, read_on
from router.errors import ConfigError, Problem

_NOWHERE = {"env": "NONE"}
_KEYS: Fillers = {"keys": lambda _: {"current": "k", "ring": {"k": _NOWHERE}, "hashing": _NOWHERE}}
_ENTRIES: Fillers = {
    "units": lambda number: {"id": f"entry-{number + 1}", "name": f"entry-{number + 1}"},
    "regions": lambda number: {"code": f"{number:06}", "name": f"entry-{number + 1}"},
    "categories": lambda number: {"path": [f"entry-{number + 1}"], "unit": "none"},
}
"""For wrong required parts, while the rest of the file is checked. Never used to start."""


@dataclass(slots=True)
class Parts:
    """What could be read, and what is wrong. None: not there, or beyond reading."""

    bundle: Bundle
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    settings: HubSettings | None = None
    units: UnitsFile | None = None
    regions: RegionsFile | None = None
    categories: CategoriesFile | None = None
    words: dict[str, WordsFile] = field(default_factory=dict)
    """Unit → its file in the folder of words."""
    directory: Directory = field(default_factory=lambda: Directory([]))
    rules: RuleSet | None = None
    mappings: mappings.loading.Mappings = field(default_factory=lambda: mappings.loading.Mappings({}, {}, ()))

    def document(self, key: str) -> Document | None:
        """The file that hub.yaml names under this key; hub.yaml itself under `hub`."""
        return self.documents.get(HUB if key == "hub" else self.bundle.named(key))

    def word_documents(self) -> dict[str, Document]:
        """Unit → its file of words, of those that could be read."""
        folder = self.bundle.named(WORDS)
        paths = {name: f"{folder}/{name}" for name in self.bundle.word_files()}
        return {
            PurePosixPath(name).stem: self.documents[path]
            for name, path in paths.items()
            if path in self.documents
        }

    def source_names(self) -> set[str] | None:
        """As written: a source with a mistake in it is known all the same."""
        hub = self.document("hub")
        if hub is None or not isinstance(hub.data, dict):
            return None
        written = hub.data.get("sources")
        return {str(name) for name in written} if isinstance(written, dict) else set()

    def names_in(self, folder: str = ".") -> set[str]:
        """The names of the mapping files (`codes`, `projections`: of those), sound or not."""
        paths = map(PurePosixPath, self.bundle.mapping_files())
        return {path.stem for path in paths if str(path.parent) == folder}


def read_parts(bundle: Bundle) -> Parts:
    """Every file as far as it can be read. Never raises: what is wrong stands in `problems`, and what
    depends on a file that cannot be used is left out."""
    parts = Parts(bundle)
    parts.problems += [Problem(f"{path}:1", why) for path, why in bundle.unreadable.items()]
    parts.settings = _model(parts, HUB, HubSettings, _KEYS)
    parts.units = _model(parts, bundle.named("units"), UnitsFile, _ENTRIES)
    parts.regions = _model(parts, bundle.named("regions"), RegionsFile, _ENTRIES)
    if parts.bundle.named("categories") in parts.bundle.files:
        parts.categories = _model(parts, parts.bundle.named("categories"), CategoriesFile, _ENTRIES)
    _read_words(parts)
    if parts.units:
        parts.directory = people.build(
            parts.units, parts.regions or RegionsFile(), parts.categories or CategoriesFile(), parts.words
        )
    _read_mappings(parts)
    _read_rules(parts)
    return parts


def _read_words(parts: Parts) -> None:
    folder = parts.bundle.named(WORDS)
    for name in parts.bundle.word_files():
        path = f"{folder}/{name}"
        found = _model(parts, path, WordsFile, {})
        if found is not None:
            parts.words[PurePosixPath(name).stem] = found
            parts.problems += word_problems(found, parts.documents[path])


def _read_mappings(parts: Parts) -> None:
    """By full path, so that problems name files as the reader of the folder sees them."""
    inside = parts.bundle.named(MAPPINGS) + "/"
    texts = {path: text for path, text in parts.bundle.files.items() if path.startswith(inside)}
    parts.mappings = mappings.loading.load(texts, parts.directory)
    parts.problems += parts.mappings.problems


def _read_rules(parts: Parts) -> None:
    document = _document(parts, parts.bundle.named("routes"))
    if document is None or parts.units is None:
        return  # without units, every one that a route names would be unknown
    try:
        parts.rules = load_rules(document, parts.directory)
    except ConfigError as error:
        parts.problems += error.problems


def _model(parts: Parts, path: str, model: type[Model], stand_ins: Fillers) -> Model | None:
    document = _document(parts, path)
    if document is None:
        return None
    found, problems = validate(model, document, stand_ins)
    parts.problems += problems
    return found


def _document(parts: Parts, path: str) -> Document | None:
    text = parts.bundle.files.get(path)
    if text is None:
        if path not in parts.bundle.unreadable:
            parts.problems.append(_missing(parts, path))
        return None
    document, problems = parts.bundle.hub if path == HUB else read_on(path, text)
    parts.problems += problems
    if document is not None:
        parts.documents[path] = document
    return document


def _missing(parts: Parts, path: str) -> Problem:
    """Said where hub.yaml names the file, not in a file that does not exist."""
    if path == HUB:
        return Problem(f"{HUB}:1", f"{HUB} does not exist", "suqiu init writes a commented one")
    hub = parts.document("hub")
    key = next(key for key in NAMED if parts.bundle.named(key) == path)
    where = hub.where((key,)) if hub else f"{HUB}:1"
    return Problem(where, f"{path} does not exist", "create it, or correct its name in hub.yaml")
