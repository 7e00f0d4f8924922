"""The directory out of units.yaml and regions.yaml, and every way in which its names can clash."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from config.problems import did_you_mean
from config.units import OFFICES, CategoriesFile, RegionsFile, UnitEntry, UnitsFile, WordEntry
from config.words import WordsFile, weighed
from router.decisions.lexicon import SPOKEN_FOR
from router.directory import Directory, Region, Renaming, Spoken, Unit, fold
from router.documents import Document, Loc
from router.errors import Problem


@dataclass(slots=True)
class Claims:
    """Names that may belong to one only, and who has them."""

    document: Document
    what: str
    problems: list[Problem]
    _taken: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def claim(self, name: str, owner: str, loc: Loc, scope: str = "") -> None:
        where = self.document.where(loc)
        other, line = self._taken.setdefault((scope, fold(name)), (owner, where))
        if other != owner:
            only = f" (for {scope})" if scope else ""
            what = f"{self.what} {name}{only} is claimed by {owner} and by {other}"
            self.problems.append(Problem(where, what, f"{other} has it at {line}; drop one of the two"))


def build(
    units: UnitsFile,
    regions: RegionsFile,
    categories: CategoriesFile | None = None,
    words: Mapping[str, WordsFile] | None = None,
) -> Directory:
    """The directory. Where names clash the later one wins; `problems` says that they do."""
    return Directory(
        [_unit(entry, units.defaults.contact, (words or {}).get(entry.id)) for entry in units.units],
        [Region(entry.code, entry.name, entry.aliases, entry.old_codes) for entry in regions.regions],
        {entry.path: entry.unit for entry in categories.categories} if categories else None,
    )


def _unit(entry: UnitEntry, contact: str, words: WordsFile | None) -> Unit:
    said = {**(weighed(words) if words else {}), **entry.words}
    return Unit(
        id=entry.id,
        name=entry.name,
        part=entry.part,
        short_name=entry.short_name,
        full_name=entry.full_name,
        renamed=tuple(Renaming(later.name, later.since) for later in entry.renamed),
        aliases=entry.aliases,
        scoped_aliases=entry.scoped_aliases,
        region=entry.region,
        office=entry.office,
        contact=entry.contact or contact,
        words={word: _spoken(weight) for word, weight in said.items()},
    )


def _spoken(said: float | WordEntry) -> Spoken:
    if isinstance(said, WordEntry):
        return Spoken(said.weight, said.not_after, said.not_before)
    return Spoken(said)


def unit_problems(file: UnitsFile, document: Document, sources: Collection[str] | None) -> list[Problem]:
    """What clashes among the units. `sources` are those that hub.yaml has; None when nobody knows."""
    found: list[Problem] = []
    _ids(file, document, found)
    _names(file, document, found)
    found.extend(_offices(file, document))
    found.extend(_responsible(file, document))
    for number, entry in enumerate(file.units):
        for source in entry.scoped_aliases:
            if sources is not None and source not in sources:
                where = document.where(("units", number, "scoped_aliases", source))
                found.append(Problem(where, f"no source is called {source}", did_you_mean(source, sources)))
    return found


def place_problems(file: RegionsFile, document: Document) -> list[Problem]:
    """Codes and names of places that two of them claim."""
    found: list[Problem] = []
    codes, names = Claims(document, "code", found), Claims(document, "name", found)
    for number, entry in enumerate(file.regions):
        # Owners are entries, not codes: the same code twice is the very thing to find.
        owner = f"{entry.name} (entry {number + 1})"
        codes.claim(entry.code, owner, ("regions", number, "code"))
        for place, old in enumerate(entry.old_codes):
            codes.claim(old, owner, ("regions", number, "old_codes", place))
        names.claim(entry.name, owner, ("regions", number, "name"))
        for place, alias in enumerate(entry.aliases):
            names.claim(alias, owner, ("regions", number, "aliases", place))
    return found


def platform_problems(file: UnitsFile, document: Document, regions: RegionsFile) -> Iterator[Problem]:
    """Each platform has a region that exists, for itself alone."""
    codes = {code for entry in regions.regions for code in (entry.code, *entry.old_codes)}
    taken: dict[str, str] = {}
    for number, entry in enumerate(file.units):
        where = document.where(("units", number, "region"))
        if entry.part == "platform" and not entry.region and not document.has(("units", number, "region")):
            yield Problem(where, f"platform {entry.id} has no region", "whose appeals does it take?")
        if entry.region and entry.region not in codes:
            yield Problem(where, f"no region has the code {entry.region}", did_you_mean(entry.region, codes))
        if entry.part == "platform" and entry.region:
            other = taken.setdefault(entry.region, entry.id)
            if other != entry.id:
                yield Problem(where, f"region {entry.region} has two platforms: {other} and {entry.id}")


def _ids(file: UnitsFile, document: Document, found: list[Problem]) -> None:
    seen: dict[str, str] = {}
    for number, entry in enumerate(file.units):
        where = document.where(("units", number, "id"))
        if entry.id in seen:
            found.append(Problem(where, f"unit {entry.id} stands twice", f"first at {seen[entry.id]}"))
        seen.setdefault(entry.id, where)
        if entry.id in OFFICES and entry.part != entry.id:
            what = f"the id {entry.id} is kept for the unit with part: {entry.id}"
            found.append(Problem(where, what, "routes mean the office when they say it"))


def _names(file: UnitsFile, document: Document, found: list[Problem]) -> None:
    claims = Claims(document, "name", found)
    for number, entry in enumerate(file.units):
        for loc, name in _own_names(entry):
            claims.claim(name, entry.id, ("units", number, *loc))
        for source, names in entry.scoped_aliases.items():
            for place, name in enumerate(names):
                loc = ("units", number, "scoped_aliases", source, place)
                claims.claim(name, entry.id, loc, scope=source)


def _own_names(entry: UnitEntry) -> Iterator[tuple[Loc, str]]:
    yield ("id",), entry.id
    yield ("name",), entry.name
    if entry.short_name:
        yield ("short_name",), entry.short_name
    if entry.full_name:
        yield ("full_name",), entry.full_name
    for place, alias in enumerate(entry.aliases):
        yield ("aliases", place), alias
    for place, later in enumerate(entry.renamed):
        yield ("renamed", place, "name"), later.name


def _responsible(file: UnitsFile, document: Document) -> Iterator[Problem]:
    """R20: whoever is given tasks has an office that is responsible for them."""
    for number, entry in enumerate(file.units):
        if entry.part not in OFFICES and not entry.office and not document.has(("units", number, "office")):
            where = document.where(("units", number))
            yield Problem(where, f"{entry.id} has no office (责任处室, R20)", "add office: …")


def category_problems(
    file: CategoriesFile, document: Document, units: Mapping[str, UnitEntry]
) -> Iterator[Problem]:
    """A class stands once, and its unit exists and acts."""
    claims: list[Problem] = []
    paths = Claims(document, "class", claims)
    for number, entry in enumerate(file.categories):
        paths.claim("/".join(entry.path), f"entry {number + 1}", ("categories", number, "path"))
        if entry.unit not in units or units[entry.unit].part == "informed":
            where = document.where(("categories", number, "unit"))
            yield Problem(where, f"no unit {entry.unit} can be given tasks", did_you_mean(entry.unit, units))
    yield from claims


def word_file_problems(words: Mapping[str, Document], units: Mapping[str, UnitEntry]) -> Iterator[Problem]:
    """Each file of words is called after somebody that words can speak for."""
    for name, document in words.items():
        if name not in units or units[name].part not in SPOKEN_FOR:
            known = [unit for unit, entry in units.items() if entry.part in SPOKEN_FOR]
            hint = did_you_mean(name, known) or "the file is called after the unit's id"
            yield Problem(document.where(), f"no unit is called {name}", hint)


def _offices(file: UnitsFile, document: Document) -> Iterator[Problem]:
    for part in sorted(OFFICES):
        holders = [number for number, entry in enumerate(file.units) if entry.part == part]
        if part == "desk" and not holders:
            hint = "add one: {id: desk, part: desk, name: …}; what no rule wants goes there"
            yield Problem(document.where(("units",)), "no unit has part: desk", hint)
        for number in holders[1:]:
            first = file.units[holders[0]].id
            yield Problem(
                document.where(("units", number, "part")),
                f"a second {part}: {file.units[number].id}",
                f"{first} is it",
            )
