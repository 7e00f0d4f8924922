"""
Validates a file, and goes on with what is left of a wrong one.

`suqiu check` promises *every* problem. A misspelled key must not hide that two ports are the same, so
after its problems are noted the wrong parts are cut out and the rest is used for the checks that follow.
What was cut out never starts: a configuration with a problem is refused as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.problems import explain
from config.schema_walk import Schema
from router.documents import Document
from router.errors import Problem

MAX_ROUNDS = 30
_LISTS = frozenset({"units", "regions", "categories"})

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]
Fillers = Mapping[str, Callable[[int], dict[str, Any]]]
"""Block → what stands in for its required parts; for a list, for those of its entry of this number.
Entries are never taken out of such a list: problems name lines by their numbers."""


def validate(model: type[Model], document: Document, fillers: Fillers) -> tuple[Model | None, list[Problem]]:
    """The model, or what could be saved of it, and all problems."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return None, [Problem(document.where(), "the file must be a block of keys and values")]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        left = {key: copy.deepcopy(value) for key, value in data.items() if isinstance(key, str)}
        return _salvage(model, left, error, fillers), explain(error, document, model)


def _salvage(
    model: type[Model], left: dict[str, Any], error: ValidationError, fillers: Fillers
) -> Model | None:
    schema = Schema(model.model_json_schema(by_alias=True))
    for _ in range(MAX_ROUNDS):
        _mend(left, error, schema, fillers)
        try:
            return model.model_validate(left)
        except ValidationError as next_error:
            error = next_error
    return None


def _mend(left: dict[str, Any], error: ValidationError, schema: Schema, fillers: Fillers) -> None:
    paths: set[Path] = set()
    for item in error.errors(include_url=False, include_input=False):
        steps = tuple(schema.real_steps(item["loc"]))
        if steps and not _fill(left, steps, fillers):
            paths.add(_existing(left, steps))
    # From the back, so that places in lists stay what they were.
    for path in sorted(paths, key=lambda path: tuple(str(step).zfill(9) for step in path), reverse=True):
        _remove(left, path)


def _fill(left: dict[str, Any], steps: Path, fillers: Fillers) -> bool:
    """Put a stand-in where one is known; whether there was one."""
    block = str(steps[0])
    if block not in fillers:
        return False
    entries = left.get(block)
    if not isinstance(entries, list) or len(steps) == 1:
        left[block] = fillers[block](0) if block not in _LISTS else [fillers[block](0)]
        return True
    number = int(steps[1])
    filler = fillers[block](number)
    if len(steps) == 2 or not isinstance(entries[number], dict):
        entries[number] = filler
    elif steps[2] in filler:
        entries[number][steps[2]] = filler[str(steps[2])]
    else:
        return False
    return True


def _existing(data: Any, steps: Path) -> Path:
    """The part of the way that is there: what is missing takes the block along that misses it."""
    for length, step in enumerate(steps):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return steps[:length]
    return steps


def _remove(data: Any, path: Path) -> None:
    if not path:
        return
    for step in path[:-1]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(data, dict):
        data.pop(path[-1], None)
    elif isinstance(data, list) and isinstance(path[-1], int) and path[-1] < len(data):
        del data[path[-1]]
