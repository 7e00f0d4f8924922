"""
Who can be addressed: units, county platforms, the desk, the supervision office, the archive, and the places.

Units are found by id, or by what a source calls them. Names change (a bureau is renamed, a
source has a number of its own for it), so each unit carries aliases, and an alias may be
limited to one source (`scope`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Part = Literal["unit", "platform", "desk", "supervision", "archive"]
"""A department or company, a county-level platform, or one of the three offices."""

_INVISIBLE = dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF))
_SUFFIX = re.compile(r"(?:\([^()]*\)|<[^<>]*>|\[[^\[\]]*\]|【[^】]*】|〔[^〕]*〕|《[^》]*》|〈[^〉]*〉)$")


@dataclass(frozen=True, slots=True)
class Spoken:
    """How much a word in an appeal's text speaks for a unit, and beside which words it does not."""

    weight: float = 1.0
    not_after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """Someone a task can be given to. Its id is its destination's id as well."""

    id: str
    name: str
    part: Part = "unit"
    full_name: str = ""
    aliases: tuple[str, ...] = ()
    scoped_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source → what only that source calls it (its own numbers and codes)."""
    region: str = ""
    """For a platform: the region whose appeals it takes."""
    office: str = ""
    """责任处室 (R20)."""
    words: Mapping[str, Spoken] = field(default_factory=dict)
    """Words that speak for this unit."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for n in (self.name, self.full_name, *self.aliases) if n))


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

    def __init__(self, units: Iterable[Unit], regions: Iterable[Region] = ()) -> None:
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

    @property
    def place_names(self) -> Mapping[str, str]:
        """Every name of every place → its code; for finding places inside a text."""
        return self._places


def fold(name: str) -> str:
    """The form in which names are compared: without blanks and what cannot be seen, and without
    regard to case or to the width of letters, digits and brackets."""
    name = unicodedata.normalize("NFKC", name).translate(_INVISIBLE)
    return "".join(name.split()).casefold()
