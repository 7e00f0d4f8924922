"""The fields that a rule can look at: of the appeal, and of the facts under `facts.`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from router.decisions.facts import Facts
from router.message import Appeal

TEXT = "text"
"""Title and content together; only for words."""
_PERSONAL = {"title", "content", "address"}
"""Shown masked when a decision is explained."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided on."""

    appeal: Appeal
    facts: Facts
    words: Mapping[str, bool]
    """Word of any rule that the text holds → whether in the title."""


@dataclass(frozen=True, slots=True)
class Field:
    """A readable field: how to get at it, and which words it can hold."""

    path: str
    get: Callable[[Subject], Any]
    choices: tuple[str, ...] = ()
    is_personal: bool = False


def find(path: str) -> Field | None:
    """The field at this dotted path, or None when the models have none."""
    root, model, rest = _root(path)
    kind: Any = model
    for step in rest:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and step in kind.model_fields:
            kind = _bare(kind.model_fields[step].annotation)
        elif get_origin(kind) in (dict, Mapping) or _is_mapping(kind):
            return Field(path, _mapping(root, rest), (), True)
        else:
            return None
    names = [root, *rest]
    personal = bool(_PERSONAL & set(rest)) or rest[:1] in (["contact"], ["enterprise"])
    return Field(path, _getter(names), _choices(kind), personal and root == "appeal")


def known() -> list[str]:
    """Every path down to two steps, for hints."""
    found = [f"facts.{name}" for name in Facts.model_fields]
    for name, info in Appeal.model_fields.items():
        kind = _bare(info.annotation)
        found.append(name)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += [f"{name}.{inner}" for inner in kind.model_fields]
    return found


def _root(path: str) -> tuple[str, type[BaseModel], list[str]]:
    steps = path.split(".")
    return ("facts", Facts, steps[1:]) if steps[0] == "facts" else ("appeal", Appeal, steps)


def _getter(names: list[str]) -> Callable[[Subject], Any]:
    """A look-up that gives None where something on the way is absent."""
    quick = attrgetter(".".join(names))

    def get(subject: Subject) -> Any:
        try:
            return quick(subject)
        except AttributeError:
            return None

    return get


def _mapping(root: str, rest: list[str]) -> Callable[[Subject], Any]:
    holder, key = _getter([root, rest[0]]), ".".join(rest[1:])
    return lambda subject: (holder(subject) or {}).get(key)


def _bare(kind: Any) -> Any:
    """Without Annotated and Optional."""
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    if get_origin(kind) in (Union, UnionType):
        inner = [arg for arg in get_args(kind) if arg is not type(None)]
        return _bare(inner[0]) if len(inner) == 1 else kind
    return kind


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _choices(kind: Any) -> tuple[str, ...]:
    return tuple(get_args(kind)) if get_origin(kind) is Literal else ()
