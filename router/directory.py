"""
Who can be addressed: units, county platforms, the desk, the supervision office, the archive, and the places.

Units are found by id, or by what a source calls them. Names change (a bureau is renamed, a
source has a number of its own for it), so each unit carries aliases and its dated later names;
all of them are understood at any time. An alias may be limited to one source (`scope`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

Part = Literal["unit", "platform", "desk", "supervision", "archive", "informed"]
"""A department or company, a county-level platform, one of the three offices, or a body that is only
told of things (R15) and never given a task to act on."""

_CHINA = timezone(timedelta(hours=8))
"""Names change at midnight there; the offset has been the same since 1991."""

_INVISIBLE = dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF))
_SUFFIX = re.compile(r"(?:\([^()]*\)|<[^<>]*>|\[[^\[\]]*\]|【[^】]*】|〔[^〕]*〕|《[^》]*》|〈[^〉]*〉)$")


@dataclass(frozen=True, slots=True)
class Spoken:
    """How much a word in an appeal's text speaks for a unit, and beside which words it does not."""

    weight: float = 1.0
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Renaming:
    """A later name of a unit, and the first day on which it was valid."""

    name: str
    since: date


@dataclass(frozen=True, slots=True)
class Unit:
    """Someone a task can be given to. Its id is its destination's id as well."""

    id: str
    name: str
    part: Part = "unit"
    short_name: str = ""
    full_name: str = ""
    renamed: tuple[Renaming, ...] = ()
    aliases: tuple[str, ...] = ()
    scoped_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source → what only that source calls it (its own numbers and codes)."""
    region: str = ""
    """For a platform: the region whose appeals it takes."""
    office: str = ""
    """责任处室 (R20)."""
    contact: str = ""
    """Who answers there for appeals: a role, never a person."""
    words: Mapping[str, Spoken] = field(default_factory=dict)
    """Words that speak for this unit."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is or was called, whenever."""
        later = (renaming.name for renaming in self.renamed)
        every = (self.name, self.short_name, self.full_name, *self.aliases, *later)
        return tuple(dict.fromkeys(name for name in every if name))

    def name_on(self, day: date) -> str:
        """What it was called on this day."""
        valid = [renaming for renaming in self.renamed if renaming.since <= day]
        latest = max(valid, key=lambda renaming: renaming.since, default=None)
        return latest.name if latest else self.name


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    name: str
    aliases: tuple[str, ...] = ()
    old_codes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


class Directory:
    """All units and regions of the city, looked up by what people call them."""

    def __init__(
        self,
        units: Iterable[Unit],
        regions: Iterable[Region] = (),
        categories: Mapping[tuple[str, ...], str] | None = None,
    ) -> None:
        """`categories` says whose business a path of the city's classes is by default."""
        self.units = {unit.id: unit for unit in units}
        self.regions = {region.code: region for region in regions}
        self._by_name = {
            fold(name): unit.id for unit in self.units.values() for name in (*unit.names, unit.id)
        }
        self._by_scope = {
            (source, fold(name)): unit.id
            for unit in self.units.values()
            for source, names in unit.scoped_aliases.items()
            for name in names
        }
        self._codes = {
            code: region.code for region in self.regions.values() for code in (region.code, *region.old_codes)
        }
        self._places = {fold(name): region.code for region in self.regions.values() for name in region.names}
        self._platforms = {
            self._codes.get(unit.region, unit.region): unit.id
            for unit in self.units.values()
            if unit.part == "platform" and unit.region
        }
        # The first one: a second desk is a mistake that the check of units.yaml tells.
        self._offices = {unit.part: unit.id for unit in reversed(self.units.values())}
        self._categories = {tuple(map(fold, path)): unit for path, unit in (categories or {}).items()}

    def unit(self, called: str, scope: str | None = None) -> str | None:
        """The id of the unit that is called this, the source's own words first; None when nobody is.

        An id is taken as it stands. A remark in brackets behind a name is left out where the whole
        is no name itself: `市行政审批局<政务办>`.
        """
        if scope is None and called in self.units:
            return called
        folded = fold(called)
        found = self._by_scope.get((scope or "", folded)) or self._by_name.get(folded)
        if found is None and (name := _SUFFIX.sub("", folded)) != folded:
            found = self._by_scope.get((scope or "", name)) or self._by_name.get(name)
        return found

    def platform_of(self, region: str) -> str | None:
        """The county-level platform that takes appeals from this region (an old code will do)."""
        return self._platforms.get(self._codes.get(region, region))

    def office(self, part: Part) -> str | None:
        """The id of the desk, the supervision office or the archive."""
        return self._offices.get(part)

    def region(self, code_or_name: str) -> str | None:
        """The present code for a code (an old one too) or for a place's exact name."""
        return self._codes.get(code_or_name.strip()) or self._places.get(fold(code_or_name))

    def acts(self, unit: str) -> bool:
        """Whether it is there and can be given a task."""
        return unit in self.units and self.units[unit].part != "informed"

    def name_at(self, unit: str, moment: datetime) -> str:
        """What the unit was called at this moment; the id of one that is not known any more."""
        known = self.units.get(unit)
        return known.name_on(moment.astimezone(_CHINA).date()) if known else unit

    def unit_of_category(self, path: Sequence[str]) -> str | None:
        """Whose business a class is: the unit of the narrowest class that has one."""
        if not self._categories:
            return None
        folded = tuple(map(fold, path))
        found = (self._categories.get(folded[:length]) for length in range(len(folded), 0, -1))
        return next((unit for unit in found if unit), None)

    @property
    def place_names(self) -> Mapping[str, str]:
        """Every name of every place → its code; for finding places inside a text."""
        return self._places


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The form in which names are compared: without blanks and what cannot be seen, and without
    regard to case or to the width of letters, digits and brackets."""
    name = unicodedata.normalize("NFKC", name)
    if not name.isalnum():  # letters and digits alone hold no blank, and nothing that cannot be seen
        name = "".join(name.translate(_INVISIBLE).split())
    return name.casefold()
