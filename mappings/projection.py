"""
The same engine outward: a canonical dispatch in a destination's own fields.

The input is the dispatch as its JSON says it; output names are free, dots nest objects. Whole
numbers and Decimals stay numbers, empty fields are left out unless the file says `keep_empty`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from pydantic import BaseModel

from mappings.paths import Path
from mappings.recipe import Recipe
from mappings.registry import Call, Surroundings, did_you_mean, is_empty
from router import jsontext
from router.errors import MappingFailed
from router.message import Dispatch


@dataclass(frozen=True, slots=True)
class MappingProjector:
    """One projection, ready to work (the port `Projector`). Immutable and thread-safe."""

    name: str
    recipes: tuple[tuple[tuple[str, ...], Recipe], ...]
    """Where the value goes, step by step, and how it is made."""
    around: Surroundings = field(repr=False)
    keep_empty: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(recipe.target for _, recipe in self.recipes)

    def project(self, dispatch: Dispatch) -> bytes:
        """The body to send. Raises MappingFailed when a required field has nothing to say."""
        data = dispatch.model_dump(mode="json")
        call = Call(self.around, dispatch.destination)
        body: dict[str, Any] = {}
        for keys, recipe in self.recipes:
            value = recipe.make(data, call)
            if is_empty(value) and recipe.required:
                looked = " or ".join(recipe.paths)
                raise MappingFailed(
                    f"{recipe.where}: {recipe.target} is required, and {looked} gives nothing"
                )
            if self.keep_empty or not is_empty(value):
                _put(body, keys, value)
        return jsontext.dumps(body)


def unknown_key(path: Path) -> tuple[str, str] | None:
    """The first key of a plain path that no dispatch has, and a hint; None when all is well."""
    kind: Any = Dispatch
    for key in path.keys or ():
        model = next((k for k in (kind, *get_args(kind)) if _is_model(k)), None)
        if model is None or not isinstance(key, str):
            return None
        if key not in model.model_fields:
            return key, did_you_mean(key, model.model_fields)
        kind = model.model_fields[key].annotation
    return None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _put(body: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    for key in keys[:-1]:
        body = body.setdefault(key, {})
    body[keys[-1]] = value.isoformat() if isinstance(value, datetime) else value
