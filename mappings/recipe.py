"""
How one field is made, compiled: paths, functions, shape, default. Immutable, shared by all threads.

`make` is the hot path, one closure per recipe (`_maker`, at the end). `explain` does the same and writes
down every step; a test holds the two to the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mappings.paths import Path
from mappings.plain import MAX_TEXT
from mappings.registry import Bound, Call, Note, Unreadable, is_empty

Maker = Callable[[Any, Call], Any]
"""A recipe at work: the payload and the call in, the field's value out."""


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
    shape_text: Callable[[str], str] | None = None
    """What `shape` comes to for a text of no more than MAX_TEXT, where that is less work."""
    make: Maker = field(init=False, repr=False, compare=False)
    """The field's value, None for nothing. Never raises; what was odd is noted in the call."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "make", _maker(self))

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
    finds = [path.find for path in paths]

    def find(data: Any) -> Any:
        found: list[Any] = []
        for look in finds:
            value = look(data)
            if isinstance(value, list):
                found += [item for item in value if not is_empty(item)]
            elif not is_empty(value):
                found.append(value)
        return found

    return " + ".join(path.text for path in paths), find


def _maker(recipe: Recipe) -> Maker:
    """What `make` means: the constant; else what the first path gives that gives anything; else the default.

    All that can be decided is decided here, once, and not for each message.
    """
    constant, default = recipe.constant, recipe.default
    if constant is not None:
        return lambda data, call: constant
    make: Maker = lambda data, call: default  # noqa: E731 (a link like the others)
    for _, find in reversed(recipe.candidates):
        make = _follow(recipe, find, make)
    return make


def _follow(recipe: Recipe, find: Callable[[Any], Any], otherwise: Maker) -> Maker:
    """One path: found, worked on, shaped; `otherwise` where nothing comes of it."""
    target, shape, shape_text = recipe.target, recipe.shape, recipe.shape_text
    runs = tuple(step.run for step in recipe.steps)

    def make(data: Any, call: Call) -> Any:
        call.field = target
        raw = None
        try:
            value = raw = find(data)
            for run in runs:
                # `is_empty`, without a call for what is usual; so further down.
                if (not value and is_empty(value)) or (type(value) is str and value.isspace()):
                    return otherwise(data, call)
                value = run(value, call)
            if type(value) is str and shape_text and len(value) <= MAX_TEXT:
                value = shape_text(value)
            elif (not value or type(value) is str) and is_empty(value):
                return otherwise(data, call)
            else:
                value = shape(value)
            if value or not is_empty(value):
                return value
        except Unreadable:
            call.notes.append(Note("unreadable", target, raw=raw))
        return otherwise(data, call)

    if runs or shape_text is None:
        return make

    def take(data: Any, call: Call) -> Any:
        """The same for most recipes: a text, taken as it stands."""
        try:
            value = find(data)
        except Unreadable:
            return make(data, call)
        if type(value) is str and len(value) <= MAX_TEXT:
            return shape_text(value) or otherwise(data, call)
        return otherwise(data, call) if value is None else make(data, call)

    return take
