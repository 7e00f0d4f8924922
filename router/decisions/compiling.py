"""routes.yaml into rules. Every problem is found, with its line; none hides another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args

from router.decisions import fields, matchers, targets
from router.decisions.fields import TEXT, Field
from router.decisions.matchers import Condition
from router.decisions.targets import Target
from router.directory import Directory, Part
from router.documents import Document, Loc
from router.errors import Problem

WORD_KEYS = {"any_of", "none_of", "min_score"}
FIELD_KEYS = {"equals", "in", "prefix", "present", "absent", "count", "min", "max", "between"}
MAX_WORDS = 2000
MAX_NESTING = 5
OFFICES = tuple(part for part in get_args(Part) if part not in ("unit", "platform"))


@dataclass(slots=True)
class Compiler:
    """Compiles the parts of one file, collecting problems and the words that rules listen for."""

    document: Document
    directory: Directory
    problems: list[Problem] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def wrong(self, loc: Loc, what: str, hint: str = "") -> None:
        self.problems.append(Problem(self.document.where(loc), what, hint))

    def field(self, loc: Loc, path: Any) -> Field | None:
        found = fields.find(path) if isinstance(path, str) else None
        if found is None:
            self.wrong(loc, f"there is no field {path}", near(str(path), fields.known()))
        return found

    def when(self, loc: Loc, said: Any, depth: int = 0) -> list[Condition]:
        """The conditions of a mapping; all of them must hold."""
        if depth > MAX_NESTING:
            self.wrong(loc, f"conditions nested deeper than {MAX_NESTING}")
            return []
        if not isinstance(said, Mapping):
            self.wrong(loc, "conditions must be written as `field: matcher`")
            return []
        made = (self._condition((*loc, str(key)), str(key), value, depth) for key, value in said.items())
        return [condition for condition in made if condition]

    def _condition(self, loc: Loc, key: str, said: Any, depth: int) -> Condition | None:
        if key in ("all", "any"):
            parts = [
                c
                for place, part in enumerate(self._list(loc, said))
                for c in [matchers.every(self.when((*loc, place), part, depth + 1))]
            ]
            return matchers.every(parts) if key == "all" else matchers.some(parts)
        if key == "not":
            return matchers.negated(matchers.every(self.when(loc, said, depth + 1)))
        if key == TEXT:
            return self._words(loc, said)
        found = self.field(loc, key)
        return self._on_field(loc, found, said) if found else None

    def _list(self, loc: Loc, said: Any) -> list[Any]:
        if isinstance(said, list) and said:
            return said
        self.wrong(loc, "a list with at least one entry is expected")
        return []

    def _words(self, loc: Loc, said: Any) -> Condition | None:
        if not isinstance(said, Mapping) or not (said.keys() & {"any_of", "none_of"}):
            self.wrong(loc, "text needs any_of or none_of")
            return None
        self._only(loc, said, WORD_KEYS)
        any_of, none_of = (self._word_list((*loc, key), said.get(key)) for key in ("any_of", "none_of"))
        for word in sorted(set(any_of) & set(none_of)):
            self.wrong((*loc, "none_of"), f"{word} stands in any_of and in none_of", "it can never match")
        least = said.get("min_score", 1)
        if isinstance(least, bool) or not isinstance(least, (int, float)) or not 0 < least <= 1000:
            self.wrong((*loc, "min_score"), "min_score must be a number above 0, 1000 at most")
            least = 1
        self.words.update((*any_of, *none_of))
        parts = [f"any_of {', '.join(any_of)}"] * bool(any_of) + [f"none_of {', '.join(none_of)}"] * bool(
            none_of
        )
        return matchers.on_words(any_of, none_of, least, "; ".join(parts))

    def _word_list(self, loc: Loc, said: Any) -> list[str]:
        if said is None:
            return []
        words = said if isinstance(said, list) else [said]
        if not words or len(words) > MAX_WORDS or not all(isinstance(w, str) and w.strip() for w in words):
            self.wrong(loc, f"a list of 1 to {MAX_WORDS} words is expected")
            return []
        return [word.strip() for word in words]

    def _on_field(self, loc: Loc, on: Field, said: Any) -> Condition | None:
        if not isinstance(said, Mapping):
            key = "in" if isinstance(said, list) else "equals"
            return self._matcher(loc, on, key, said)
        self._only(loc, said, FIELD_KEYS)
        bounds = {key: said[key] for key in ("min", "max") if key in said}
        made = [
            self._matcher((*loc, key), on, key, value)
            for key, value in said.items()
            if key in FIELD_KEYS and key not in bounds
        ]
        if bounds:
            made.append(self._range(loc, on, bounds.get("min"), bounds.get("max")))
        if not made:
            self.wrong(loc, "no matcher", f"one of: {', '.join(sorted(FIELD_KEYS))}")
        kept = [condition for condition in made if condition]
        return kept[0] if len(kept) == 1 else matchers.every(kept)

    def _only(self, loc: Loc, said: Mapping[str, Any], allowed: set[str]) -> None:
        for key in said.keys() - allowed:
            self.wrong((*loc, key), f"unknown matcher {key}", near(str(key), sorted(allowed)))

    def _matcher(self, loc: Loc, on: Field, key: str, said: Any) -> Condition | None:
        if key in ("present", "absent"):
            wants_present = (key == "present") == (said is not False)
            if wants_present:
                return matchers.on_field(on, matchers.is_present, "present")
            return matchers.on_field(on, matchers.is_absent, "absent")
        if key == "count":
            least, most = (said.get("min"), said.get("max")) if isinstance(said, Mapping) else (said, said)
            inside = self._inside(loc, least, most)
            return matchers.on_field(on, matchers.counted(inside), f"count {span(least, most)}")
        if key == "between":
            ends = said if isinstance(said, list) and len(said) == 2 else [None, None]
            return self._range(loc, on, *ends)
        if key == "prefix":
            prefixes = tuple(self._word_list(loc, said))
            return matchers.on_field(on, matchers.starts_with(prefixes), f"prefix {', '.join(prefixes)}")
        values = self._list(loc, said) if key == "in" else [said]
        self._known_values(loc, on, values)
        test = matchers.one_of(values) if key == "in" else matchers.equals(said)
        return matchers.on_field(on, test, f"{'in' if key == 'in' else '='} {', '.join(map(str, values))}")

    def _known_values(self, loc: Loc, on: Field, values: list[Any]) -> None:
        for value in values:
            if isinstance(value, (Mapping, list)):
                self.wrong(loc, "a single value is expected here")
            elif on.choices and value not in on.choices:
                self.wrong(loc, f"{on.path} is never {value}", near(str(value), on.choices))

    def _range(self, loc: Loc, on: Field, least: Any, most: Any) -> Condition:
        return matchers.on_field(on, self._inside(loc, least, most), span(least, most))

    def _inside(self, loc: Loc, least: Any, most: Any) -> Any:
        ends = [end for end in (least, most) if end is not None]
        if not ends or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in ends):
            self.wrong(loc, "numbers are expected: {min: 1, max: 3} or between: [1, 3]")
            return matchers.within(None, None)
        if least is not None and most is not None and least > most:
            self.wrong(loc, f"min {least} is above max {most}", "it can never match")
        return matchers.within(least, most)

    def target(self, loc: Loc, said: Any) -> Target | None:
        """Whom a rule sends to."""
        if isinstance(said, Mapping):
            return self._derived(loc, said)
        names = said if isinstance(said, list) else [said]
        units = [self._unit(loc, name) for name in names]
        if not names or not all(units):
            return None
        return targets.fixed([unit for unit in units if unit])

    def _derived(self, loc: Loc, said: Mapping[str, Any]) -> Target | None:
        if len(said) != 1 or not said.keys() <= {"field", "platform_of"}:
            self.wrong(loc, "a unit, an office, {field: …} or {platform_of: …} is expected")
            return None
        ((how, path),) = said.items()
        found = self.field((*loc, how), path)
        if found is None:
            return None
        make = targets.named_in if how == "field" else targets.platform_of
        return make(found, self.directory)

    def _unit(self, loc: Loc, name: Any) -> str | None:
        if name in OFFICES:
            office = self.directory.office(name)
            if office is None:
                self.wrong(loc, f"there is no {name} in units.yaml", f"add a unit with part: {name}")
            return office
        if not isinstance(name, str) or name not in self.directory.units:
            self.wrong(loc, f"unknown unit {name}", near(str(name), [*self.directory.units, *OFFICES]))
            return None
        return name


def span(least: Any, most: Any) -> str:
    if least is not None and most is not None:
        return f"between {least} and {most}"
    return f"at least {least}" if most is None else f"at most {most}"


def near(written: str, known: Any) -> str:
    found = get_close_matches(written, [str(word) for word in known], n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""
