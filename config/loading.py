"""
From a bundle to a configuration that can be wired: read whole, checked whole.

Nothing starts on a configuration with a problem, and no problem hides another: `check` lists all,
by file and line, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config import crosschecks, people, secret_checks
from config.files import Bundle
from config.problems import Advice
from config.reading import Parts, read_parts
from config.rules import RuleSet
from config.settings import HubSettings
from config.units import DestinationSettings, UnitEntry, destination_of
from mappings.projection import MappingProjector
from mappings.translator import MappingTranslator
from router.decisions.facts import CaseHistory
from router.directory import Directory
from router.errors import ConfigError, Problem
from router.message import Appeal
from router.secrets import SecretReader

_UNSCREENED, _SCREENED = CaseHistory(unscreened=True), CaseHistory()


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

    def first_look(self, appeal: Appeal) -> CaseHistory:
        """What is known of an appeal before anybody has dealt with it."""
        source = self.settings.sources.get(appeal.source)
        return _UNSCREENED if source is not None and not source.screened else _SCREENED


def load(bundle: Bundle) -> Configuration:
    """The configuration. Raises ConfigError with every problem."""
    parts = read_parts(bundle)
    problems = [problem for problem in _all_problems(parts) if not isinstance(problem, Advice)]
    if problems or parts.settings is None or parts.units is None or parts.rules is None:
        raise ConfigError(_sorted(problems))
    return Configuration(
        settings=parts.settings,
        units={entry.id: entry for entry in parts.units.units},
        destinations={entry.id: destination_of(entry, parts.units.defaults) for entry in parts.units.units},
        directory=parts.directory,
        rules=parts.rules,
        translators=parts.mappings.translators,
        projectors=parts.mappings.projectors,
        tables=parts.mappings.tables,
        hash=bundle.hash,
    )


def check(bundle: Bundle, read_secret: SecretReader | None = None) -> list[Problem]:
    """Every problem and advice. Without a reader, secrets are not looked for."""
    parts = read_parts(bundle)
    return _sorted([*_all_problems(parts), *(_in_secrets(parts, read_secret) if read_secret else ())])


def _in_secrets(parts: Parts, read: SecretReader) -> list[Problem]:
    hub, units = parts.document("hub"), parts.document("units")
    found = [
        problem
        for document in (hub, units)
        if document is not None
        for problem in secret_checks.pointers(document, read)
    ]
    missing = {problem.what for problem in found}
    users: list[Problem] = []
    if parts.settings and hub:
        users += secret_checks.pushes(parts.settings, hub, read)
    if parts.units and units:
        users += secret_checks.units(parts.units, units, read)
        users += secret_checks.receivers(parts.units, units, read)
    # A missing secret is told on its own line, not again where it would have been used.
    return [*found, *(problem for problem in users if problem.what not in missing)]


def _all_problems(parts: Parts) -> list[Problem]:
    return [*parts.problems, *_in_hub(parts), *_in_units(parts)]


def _in_hub(parts: Parts) -> list[Problem]:
    document = parts.document("hub")
    if parts.settings is None or document is None:
        return []
    abstract = parts.names_in() - set(parts.mappings.translators) if not parts.mappings.problems else set()
    return [
        *crosschecks.sources(parts.settings, document, parts.names_in(), abstract),
        *crosschecks.push_paths(parts.settings, document),
        *crosschecks.ports(parts.settings, document),
        *crosschecks.database(parts.settings, document),
        *crosschecks.broker(parts.settings, document),
    ]


def _in_units(parts: Parts) -> list[Problem]:
    document = parts.document("units")
    if parts.units is None or document is None:
        return []
    projections = parts.names_in("projections")
    has_broker = parts.settings is None or parts.settings.broker is not None
    found = [
        *people.unit_problems(parts.units, document, parts.source_names()),
        *crosschecks.destinations(parts.units, document, projections, has_broker=has_broker),
    ]
    entries = {entry.id: entry for entry in parts.units.units}
    found += people.word_file_problems(parts.word_documents(), entries)
    classes = parts.document("categories")
    if parts.categories is not None and classes is not None:
        found += people.category_problems(parts.categories, classes, entries)
    places = parts.document("regions")
    if parts.regions is not None and places is not None:
        found += people.place_problems(parts.regions, places)
        found += people.platform_problems(parts.units, document, parts.regions)
    return found


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    """By file and line; each once."""

    def key(problem: Problem) -> tuple[str, int, str]:
        path, _, line = problem.where.rpartition(":")
        return (path, int(line), problem.what) if line.isdigit() else (problem.where, 0, problem.what)

    return sorted({(p.where, p.what): p for p in problems}.values(), key=key)
