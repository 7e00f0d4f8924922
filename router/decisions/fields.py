"""The fields that a rule can look at: of the appeal, and of the facts under `facts.`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from router.decisions.facts import Facts
from router.decisions.words import Reading
from router.message import Appeal

Kind = Literal["text", "choice", "number", "flag", "time", "texts", "table", "list", "block", "any"]
"""What a field holds: `texts` is a list of texts, `table` one of names and values, `any` a value whose
kind nobody knows (extensions)."""

_SHOWN = {
    "schema_version", "appeal_id", "source", "revision", "channel", "mode", "kind", "urgency", "standing",
    "category", "region", "submitted_at", "received_at", "attachments", "proposed_units", "flags",
    "reporter.unit", "reporter.way", "enterprise.key_enterprise", "enterprise.key_project",
    "contact.withheld", "closure.unit", "closure.satisfaction", "closure.closed_at",
}  # fmt: skip
"""What an explanation may quote. A field that is added later is masked until it stands here."""

UNIT_IDS = {
    "proposed_units", "facts.unit", "facts.category_unit", "facts.returned_by", "facts.named", "facts.told",
}  # fmt: skip
"""Hold ids of units.yaml and nothing else."""
UNIT_FIELDS = UNIT_IDS | {"reporter.unit", "closure.unit"}
"""Hold units by id or by name."""
PLACE_FIELDS = {"region", "facts.region", "facts.places", "facts.county"}


class Subject(NamedTuple):
    """What is decided on."""

    appeal: Appeal
    facts: Facts
    reading: Reading


@dataclass(frozen=True, slots=True)
class Field:
    """A readable field: how to get at it, and what it can hold."""

    path: str
    get: Callable[[Subject], Any]
    kind: Kind
    choices: tuple[str, ...] = ()
    is_personal: bool = False


def find(path: str) -> Field | None:
    """The field at this dotted path, or None when the models have none."""
    root, model, steps = _root(path)
    annotation: Any = model
    for step in steps:
        kind = _kind(annotation)
        if kind == "table" and step:
            return Field(path, _entry(root, steps), _entry_kind(annotation), (), root == "appeal")
        if kind != "block" or step not in annotation.model_fields:
            return None
        annotation = _bare(annotation.model_fields[step].annotation)
    if not steps:
        return None
    choices = tuple(get_args(annotation)) if _kind(annotation) == "choice" else ()
    is_personal = root == "appeal" and path not in _SHOWN
    return Field(path, _getter([root, *steps]), _kind(annotation), choices, is_personal)


def known() -> list[str]:
    """Every path down to two steps, for hints and editors."""
    found = [f"facts.{name}" for name in Facts.model_fields]
    for name, info in Appeal.model_fields.items():
        found.append(name)
        inner = _bare(info.annotation)
        if _kind(inner) == "block":
            found += [f"{name}.{step}" for step in inner.model_fields]
    return found


def _root(path: str) -> tuple[str, type[BaseModel], list[str]]:
    steps = path.split(".")
    return ("facts", Facts, steps[1:]) if steps[0] == "facts" else ("appeal", Appeal, steps)


def _getter(names: list[str]) -> Callable[[Subject], Any]:
    """A look-up that gives None where something on the way is absent."""
    quick = attrgetter(".".join(names))
    if len(names) == 2:  # appeal.region: always there
        return quick

    def get(subject: Subject) -> Any:
        try:
            return quick(subject)
        except AttributeError:
            return None

    return get


def _entry(root: str, steps: list[str]) -> Callable[[Subject], Any]:
    """One entry of a table; its name may hold dots."""
    table, key = _getter([root, steps[0]]), ".".join(steps[1:])
    return lambda subject: table(subject).get(key)


def _entry_kind(table: Any) -> Kind:
    kind = _kind(_bare(get_args(table)[1]))
    return kind if kind != "block" else "any"


def _bare(annotation: Any) -> Any:
    """Without Annotated and Optional."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in (Union, UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not NoneType]
        return _bare(inner[0]) if len(inner) == 1 else annotation
    return annotation


def _kind(annotation: Any) -> Kind:
    origin = get_origin(annotation)
    if origin is Literal:
        return "choice"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    if origin is tuple:
        return "texts" if _bare(get_args(annotation)[0]) is str else "list"
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return "block"
        return _PLAIN.get(annotation, "any")
    return "any"


_PLAIN: dict[type, Kind] = {str: "text", int: "number", float: "number", bool: "flag", AwareDatetime: "time"}
