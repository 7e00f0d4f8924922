"""
Validates a file, and goes on with what is left of a wrong one.

`suqiu check` promises *every* problem. A misspelled key must not hide that two ports are the same, so
after its problems are noted the wrong parts are cut out and the rest is used for the checks that follow.
What was cut out never starts: a configuration with a problem is refused as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.problems import explain
from config.schema_walk import Schema
from router.documents import Document
from router.errors import Problem

MAX_ROUNDS = 30

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]


def validate(
    model: type[Model], document: Document, fillers: Mapping[str, Any] | None = None
) -> tuple[Model | None, list[Problem]]:
    """The model, or what could be saved of it, and all problems. `fillers` stand in for required blocks."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return None, [Problem(document.where(), "the file must be a block of keys and values")]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return _salvage(model, data, error, fillers or {}), explain(error, document, model)


def _salvage(
    model: type[Model], data: dict[str, Any], error: ValidationError, fillers: Mapping[str, Any]
) -> Model | None:
    left, schema = copy.deepcopy(data), Schema(model.model_json_schema(by_alias=True))
    for _ in range(MAX_ROUNDS):
        _cut(left, error, schema, fillers)
        try:
            return model.model_validate(left)
        except ValidationError as next_error:
            error = next_error
    return None


def _cut(left: dict[str, Any], error: ValidationError, schema: Schema, fillers: Mapping[str, Any]) -> None:
    paths: set[Path] = set()
    for item in error.errors(include_url=False, include_input=False):
        steps = tuple(schema.real_steps(item["loc"]))
        if steps[:1] and steps[0] in fillers:
            left[str(steps[0])] = copy.deepcopy(fillers[str(steps[0])])
        elif steps:
            paths.add(_existing(left, steps))
    # From the back, so that places in lists stay what they were.
    for path in sorted(paths, key=lambda path: tuple(str(step).zfill(9) for step in path), reverse=True):
        _remove(left, path)


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
