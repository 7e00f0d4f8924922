"""
How one field is made, compiled: paths, functions, shape, default. Immutable, shared by all threads.

`make` is the hot path. `explain` does the same and writes down every step; a test holds the two
to the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mappings.paths import Path
from mappings.registry import Bound, Call, Note, Unreadable, is_empty


@dataclass(frozen=True, slots=True)
class Step:
    """A function with its arguments; `written` is how the mapping file says it."""

    written: str
    run: Bound = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class StepResult:
    written: str
    result: Any
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One path that was tried: what stood there, and what each function made of it."""

    path: str
    raw: Any
    steps: tuple[StepResult, ...] = ()
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one field came to its value, or why it has none."""

    value: Any
    origin: Literal["constant", "found", "default", "empty"]
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one field is made, and where the mapping file says so."""

    target: str
    where: str
    candidates: tuple[tuple[str, Callable[[Any], Any]], ...]
    """Tried in turn until one gives a value: the path's text and its look-up."""
    steps: tuple[Step, ...]
    shape: Callable[[Any], Any]
    constant: Any = None
    default: Any = None
    required: bool = False

    def make(self, data: Any, call: Call) -> Any:
        """The field's value, None for nothing. Never raises; what was odd is noted in the call."""
        if self.constant is not None:
            return self.constant
        call.field = self.target
        for _, find in self.candidates:
            raw = None
            try:
                value = raw = find(data)
                if value is None:
                    continue
                for step in self.steps:
                    if is_empty(value):
                        break
                    value = step.run(value, call)
                if not is_empty(value) and not is_empty(value := self.shape(value)):
                    return value
            except Unreadable:
                call.notes.append(Note("unreadable", self.target, raw=raw))
        return self.default

    def explain(self, data: Any, call: Call) -> Explanation:
        """The same with every step written down. For people; costs more."""
        if self.constant is not None:
            return Explanation(self.constant, "constant")
        call.field = self.target
        tries: list[Try] = []
        for path, find in self.candidates:
            value, tried = self._try(path, find, data, call)
            tries.append(tried)
            if not is_empty(value):
                return Explanation(value, "found", tuple(tries))
        return Explanation(self.default, "empty" if self.default is None else "default", tuple(tries))

    def _try(self, path: str, find: Callable[[Any], Any], data: Any, call: Call) -> tuple[Any, Try]:
        raw, done, written = None, [], path
        try:
            value = raw = find(data)
            for step in self.steps:
                if is_empty(value):
                    break
                written = step.written
                value = step.run(value, call)
                done.append(StepResult(written, value))
            written = "the field's shape"
            return None if is_empty(value) else self.shape(value), Try(path, raw, tuple(done))
        except Unreadable as error:
            call.notes.append(Note("unreadable", self.target, raw=raw))
            return None, Try(path, raw, tuple(done), f"{written}: {error}")

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.candidates)


def together(paths: list[Path]) -> tuple[str, Callable[[Any], Any]]:
    """The values of all paths as one list, without the empty ones; lists are joined in."""

    def find(data: Any) -> Any:
        found: list[Any] = []
        for path in paths:
            value = path.find(data)
            found.extend(value if isinstance(value, list) else [value])
        return [value for value in found if not is_empty(value)]

    return " + ".join(path.text for path in paths), find
