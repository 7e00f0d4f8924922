"""
What a mapping function is: one short Python function, its arguments, a sentence and an example.

The registry is closed: `mappings/functions.py` fills it, nothing else does. The table in the
README, the JSON Schema of mapping files and the load check are all made from it.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from router.directory import Directory
from router.places import Places

MAX_ITEMS = 1000
"""A list longer than this in one field is a mistake or an attack, not a list of phones."""


class Unreadable(Exception):
    """The value is not what the function needs. Its text never quotes the value."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a function noticed about a value. It becomes a flag, and the raw value is kept."""

    kind: Literal["unknown_code", "unknown_unit", "unreadable", "cut", "flag"]
    field: str
    detail: str = ""
    """The code table, or the flag itself."""
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What functions may look things up in. Read only, shared by all messages."""

    directory: Directory
    places: Places
    codes: Mapping[str, Mapping[str, Any]]
    """Code table → the source's code → our word."""


@dataclass(slots=True)
class Call:
    """What the functions may see besides the value, for one message. Not shared between threads."""

    around: Surroundings
    scope: str
    """The source, for aliases that only it uses."""
    notes: list[Note] = dataclasses.field(default_factory=list)
    field: str = ""
    """The field being made."""

    def note(self, kind: Literal["unknown_code", "unknown_unit", "cut"], detail: str, raw: Any) -> None:
        self.notes.append(Note(kind, self.field, detail, raw))

    def flag(self, name: str) -> None:
        self.notes.append(Note("flag", self.field, name))


class Arguments(BaseModel):
    """The arguments of a function as the mapping file writes them. `{name: x}` fills the first field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Bound = Callable[[Any, Call], Any]
"""A function with its arguments filled in."""


@dataclass(frozen=True, slots=True)
class Example:
    """`written` in a mapping turns `given` into `result`. Shown in the README, run by a test."""

    written: Any
    given: Any
    result: Any


@dataclass(frozen=True, slots=True)
class Function:
    """One entry of the closed list."""

    name: str
    run: Callable[[Any, Any, Call], Any]
    arguments: type[Arguments] | None
    each: bool
    """Given a list, it works on each item and drops the empty results."""
    example: Example

    @property
    def sentence(self) -> str:
        return " ".join((self.run.__doc__ or "").split())

    @property
    def needs_arguments(self) -> bool:
        fields = self.arguments.model_fields.values() if self.arguments else ()
        return any(info.is_required() for info in fields)

    def parse(self, written: Any) -> Arguments | None:
        """The arguments as a model; raises pydantic's ValidationError. A bare value fills the first field."""
        if self.arguments is None:
            return None
        if written is None:
            return self.arguments.model_validate({})
        if isinstance(written, dict):
            return self.arguments.model_validate(written)
        return self.arguments.model_validate({next(iter(self.arguments.model_fields)): written})

    def bind(self, arguments: Arguments | None) -> Bound:
        """The function with its arguments; over a list, value by value, where it is made for single ones."""
        run = self.run
        if not self.each:
            return lambda value, call: run(value, arguments, call)

        def run_each(value: Any, call: Call) -> Any:
            if type(value) is not list:
                return run(value, arguments, call)
            if len(value) > MAX_ITEMS:
                raise Unreadable(f"a list of more than {MAX_ITEMS}")
            made: list[Any] = []
            for item in value:
                result = None if is_empty(item) else run(item, arguments, call)
                made.extend(result if type(result) is list else [result])
            return [item for item in made if not is_empty(item)]

        return run_each


REGISTRY: dict[str, Function] = {}


def function(
    arguments: type[Arguments] | None = None, *, example: Example, each: bool = False
) -> Callable[[Callable[[Any, Any, Call], Any]], Callable[[Any, Any, Call], Any]]:
    """Put a function on the list under its own name (a trailing underscore is dropped)."""

    def add(run: Callable[[Any, Any, Call], Any]) -> Callable[[Any, Any, Call], Any]:
        name = run.__name__.rstrip("_")
        REGISTRY[name] = Function(name, run, arguments, each, example)
        return run

    return add


def is_empty(value: Any) -> bool:
    """Nothing was said: null, blank text, an empty list or object. False and 0 are something."""
    if type(value) is str:
        return not value or value.isspace()
    return value is None or (not value and isinstance(value, (list, dict, tuple)))


def did_you_mean(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    """`did you mean "x"?`, or nothing when nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
