"""
From a bundle to a configuration that can be wired: read whole, checked whole.

Nothing starts on a configuration with a problem, and no problem hides another: `check` lists all,
by file and line, each once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import mappings.loading
from config import crosschecks, people
from config.files import HUB, NAMED, Bundle
from config.problems import Advice
from config.rules import RuleSet, load_rules
from config.salvage import Model, validate
from config.settings import HubSettings
from config.units import DestinationSettings, RegionsFile, UnitEntry, UnitsFile, destination_of
from mappings.projection import MappingProjector
from mappings.translator import MappingTranslator
from router.directory import Directory
from router.documents import Document, read
from router.errors import ConfigError, Problem
from router.secrets import SecretReader

_FILLER = {"env": "NONE"}
_FILLERS = {"keys": {"current": "k", "ring": {"k": _FILLER}, "hashing": _FILLER}}
"""Stands in for wrong keys while the rest of hub.yaml is checked. Never used to start."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the files say, checked. What wiring builds the hub from."""

    settings: HubSettings
    units: Mapping[str, UnitEntry]
    destinations: Mapping[str, DestinationSettings]
    """By unit id, defaults filled in."""
    directory: Directory
    rules: RuleSet
    translators: Mapping[str, MappingTranslator]
    """By mapping name; `settings.sources[x].mapping` says which."""
    projectors: Mapping[str, MappingProjector]
    tables: tuple[str, ...]
    """The code tables, for the metrics' closed label sets."""
    hash: str


@dataclass(slots=True)
class _Parts:
    """What could be read, and what is wrong."""

    bundle: Bundle
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    configuration: Configuration | None = None


def load(bundle: Bundle) -> Configuration:
    """The configuration. Raises ConfigError with every problem."""
    parts = _read(bundle)
    problems = _sorted(problem for problem in parts.problems if not isinstance(problem, Advice))
    if problems or parts.configuration is None:
        raise ConfigError(problems)
    return parts.configuration


def check(bundle: Bundle, read_secret: SecretReader | None = None) -> list[Problem]:
    """Every problem and advice. Without a reader, secrets are not looked for."""
    parts = _read(bundle)
    if read_secret is not None:
        for path in (HUB, bundle.named("units")):
            if path in parts.documents:
                parts.problems.extend(crosschecks.secrets(parts.documents[path], read_secret))
    return _sorted(parts.problems)


def _read(bundle: Bundle) -> _Parts:
    parts = _Parts(bundle)
    parts.problems.extend(Problem(f"{path}:1", why) for path, why in bundle.unreadable.items())
    settings = _file(parts, HUB, HubSettings, _FILLERS)
    units = _file(parts, bundle.named("units"), UnitsFile)
    regions = _file(parts, bundle.named("regions"), RegionsFile)
    directory = people.build(units or _nobody(), regions or RegionsFile())
    found = mappings.loading.load(_mapping_texts(bundle), directory)
    parts.problems.extend(found.problems)
    rules = _rules(parts, directory, _known_sources(parts))
    _cross_check(parts, settings, units, regions)
    if settings and units and rules is not None and not any(_stops(p) for p in parts.problems):
        parts.configuration = Configuration(
            settings=settings,
            units={entry.id: entry for entry in units.units},
            destinations={entry.id: destination_of(entry, units.defaults) for entry in units.units},
            directory=directory,
            rules=rules,
            translators=found.translators,
            projectors=found.projectors,
            tables=found.tables,
            hash=bundle.hash,
        )
    return parts


def _file(
    parts: _Parts, path: str, model: type[Model], fillers: Mapping[str, Any] | None = None
) -> Model | None:
    document = _document(parts, path)
    if document is None:
        return None
    found, problems = validate(model, document, fillers)
    parts.problems.extend(problems)
    return found


def _document(parts: _Parts, path: str) -> Document | None:
    text = parts.bundle.files.get(path)
    if text is None:
        if path not in parts.bundle.unreadable:
            parts.problems.append(_missing(parts, path))
        return None
    try:
        parts.documents[path] = read(path, text)
    except ConfigError as error:
        parts.problems.extend(error.problems)
        return None
    return parts.documents[path]


def _missing(parts: _Parts, path: str) -> Problem:
    """Said where hub.yaml names the file, not in a file that does not exist."""
    hub = parts.documents.get(HUB)
    key = next((key for key in NAMED if parts.bundle.named(key) == path), None)
    where = hub.where((key,)) if hub and key else f"{HUB}:1"
    hint = (
        "suqiu init writes a commented one" if path == HUB else "create it, or correct the name in hub.yaml"
    )
    return Problem(where, f"{path} does not exist", hint)


def _rules(parts: _Parts, directory: Directory, sources: Collection[str]) -> RuleSet | None:
    document = _document(parts, parts.bundle.named("routes"))
    if document is None:
        return None
    try:
        return load_rules(document, directory)
    except ConfigError as error:
        parts.problems.extend(error.problems)
        return None


def _cross_check(
    parts: _Parts, settings: HubSettings | None, units: UnitsFile | None, regions: RegionsFile | None
) -> None:
    hub = parts.documents.get(HUB)
    if settings and hub:
        names = _names(parts.bundle, "")
        parts.problems.extend(crosschecks.sources(settings, hub, names))
        parts.problems.extend(crosschecks.ports(settings, hub))
        parts.problems.extend(crosschecks.database(settings, hub))
    people_document = parts.documents.get(parts.bundle.named("units"))
    if units and people_document:
        places = (
            regions or RegionsFile(),
            parts.documents.get(parts.bundle.named("regions")) or people_document,
        )
        known = _known_sources(parts)
        parts.problems.extend(people.problems((units, people_document), places, known))
        parts.problems.extend(
            crosschecks.destinations(
                units,
                people_document,
                _names(parts.bundle, "projections"),
                has_broker=bool(settings and settings.broker),
            )
        )


def _known_sources(parts: _Parts) -> set[str]:
    """As written: a source with a mistake in it is known all the same."""
    hub = parts.documents.get(HUB)
    written = hub.data.get("sources") if hub and isinstance(hub.data, dict) else None
    return {str(name) for name in written} if isinstance(written, dict) else set()


def _mapping_texts(bundle: Bundle) -> dict[str, str]:
    """By full path, so that problems name files as the reader of the folder sees them."""
    inside = bundle.named("mappings") + "/"
    return {path: text for path, text in bundle.files.items() if path.startswith(inside)}


def _names(bundle: Bundle, below: str) -> set[str]:
    return {
        PurePosixPath(path).stem
        for path in bundle.mapping_files()
        if str(PurePosixPath(path).parent) == (below or ".")
    }


def _nobody() -> UnitsFile:
    return UnitsFile.model_construct(units=())


def _stops(problem: Problem) -> bool:
    return not isinstance(problem, Advice)


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    """By file and line; each once."""

    def key(problem: Problem) -> tuple[str, int, str]:
        path, _, line = problem.where.rpartition(":")
        return (path, int(line), problem.what) if line.isdigit() else (problem.where, 0, problem.what)

    return sorted({(p.where, p.what): p for p in problems}.values(), key=key)
