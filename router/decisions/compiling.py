"""What all parts of the compilation of routes.yaml share: problems with their lines, and the fields."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from router.decisions import fields
from router.decisions.fields import Field
from router.directory import Directory, Part
from router.documents import Document, Loc
from router.errors import Problem

OFFICES: dict[str, Part] = {part: part for part in ("desk", "supervision", "archive")}
"""What a route may write instead of an office's id."""


@dataclass(slots=True)
class Compiler:
    """One file being compiled. Nothing stops at a mistake, so that none hides another."""

    document: Document
    directory: Directory
    problems: list[Problem] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    """Every word that a rule listens for."""

    def wrong(self, loc: Loc, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.document.where(loc), what, hint))

    def field(self, loc: Loc, path: Any) -> Field | None:
        """The field of this name."""
        found = fields.find(path) if isinstance(path, str) else None
        if found is None:
            self.wrong(loc, f"there is no field {path}", near(path, fields.known()))
        return found

    def unit(self, loc: Loc, name: Any) -> str | None:
        """The id of a unit, or of the office that is called by its part."""
        if isinstance(name, str) and name in OFFICES:
            office = self.directory.office(OFFICES[name])
            if office is None:
                self.wrong(loc, f"there is no {name} in units.yaml", f"add a unit with part: {name}")
            return office
        if not isinstance(name, str) or name not in self.directory.units:
            called = self.directory.unit(name) if isinstance(name, str) else None
            hint = f"write its id: {called}" if called else near(name, [*self.directory.units, *OFFICES])
            self.wrong(loc, f"unknown unit {name}", hint)
            return None
        if not self.directory.acts(name):
            self.wrong(loc, f"{name} is only informed and is given no tasks", "name the unit that acts")
            return None
        return name

    def only(self, loc: Loc, said: Mapping[Any, Any], allowed: Iterable[str], what: str = "key") -> None:
        """Tell every key that is not among those allowed."""
        names = sorted(allowed)
        for key in said:
            if key not in names:
                hint = near(key, names) or f"one of: {', '.join(names)}"
                self.wrong((*loc, key), f"unknown {what} {key}", hint)

    def number(self, loc: Loc, value: Any) -> float | None:
        """A finite number, or None and a problem; None itself is none."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.wrong(loc, f"a number is expected, not {value}")
            return None
        return value


def near(written: Any, known: Iterable[Any]) -> str:
    """A hint, when something known looks much like it."""
    found = get_close_matches(str(written), [str(word) for word in known], n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""
