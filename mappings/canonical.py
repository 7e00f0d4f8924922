"""
Which fields of the canonical appeal a mapping can fill, and the shape each one wants.

Read off `router.message.Appeal`, so that a field added there can be mapped at once.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from mappings.plain import MAX_TEXT, text_of
from mappings.registry import did_you_mean, is_empty
from router import jsontext
from router.message import Appeal, Scalar

MAX_EXTENSIONS = 50
"""As `Appeal.extensions` allows."""
MAX_EXTENSION_KEY = 40
"""So that `unknown_code:extensions.<key>` still fits into a flag."""
MAX_EXTENSION_TEXT = 4000

_GIVEN = {
    "schema_version": "the hub writes it",
    "appeal_id": "the intake gives it",
    "source": "it comes with the envelope",
    "source_id": "the connector reads it: name the id in the source's settings",
    "revision": "the intake counts it",
    "received_at": "it comes with the envelope",
    "attachments": "they come with the envelope: name them in the source's settings",
    "flags": "the hub notices them itself",
}
_SAFE_INTEGER = 2**53
"""Beyond it, receivers that read JSON numbers as floats would see another number."""

Shape = Literal["text", "list", "yes/no", "number", "time", "scalar"]


class UnknownField(ValueError):
    """No field that a mapping can fill."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Target:
    """One field of the appeal that a mapping can fill. `parent` is empty for a field at the top."""

    name: str
    parent: str
    leaf: str
    shape: Shape
    info: FieldInfo | None = field(repr=False, compare=False)

    def check(self, value: Any) -> None:
        """Whether the model would take this constant; raises pydantic's ValidationError."""
        _adapter(self.name).validate_python(value)


def target(name: str) -> Target:
    """The field of this name. Raises UnknownField."""
    parent, _, leaf = name.partition(".")
    if parent == "extensions" and leaf:
        if len(leaf) > MAX_EXTENSION_KEY:
            raise UnknownField(
                f'the name "{leaf}" is longer than {MAX_EXTENSION_KEY} characters', "shorten it"
            )
        return Target(name, parent, leaf, "scalar", None)
    found = TARGETS.get(name)
    if found:
        return found
    if name in _GIVEN:
        raise UnknownField(f'"{name}" cannot be mapped', _GIVEN[name])
    parts = [known for known in TARGETS if known.startswith(f"{name}.")]
    if parts or name == "extensions":
        hint = f"fill its parts: {', '.join(parts) or 'extensions.your_name'}"
        raise UnknownField(f'"{name}" is filled part by part', hint)
    hint = did_you_mean(name, TARGETS) or "what has no field of its own goes to extensions.your_name"
    raise UnknownField(f'the canonical appeal has no field "{name}"', hint)


def shaper(shape: Shape) -> Callable[[Any], Any]:
    """What brings a value into the shape of its field, losing nothing. It may raise Unreadable."""
    return {"text": _text, "list": _list, "scalar": scalar}.get(shape, _as_it_is)


def text_shaper(shape: Shape) -> Callable[[str], str] | None:
    """The same for texts of no more than MAX_TEXT, which is what nearly always comes; None: no short cut."""
    shapers: dict[Shape, Callable[[str], str]] = {"text": str.strip, "scalar": _short}
    return shapers.get(shape)


def scalar(value: Any) -> Any:
    """What `extensions` can hold: longer texts are cut, lists and objects become JSON text."""
    if isinstance(value, bool) or value is None or (isinstance(value, int) and abs(value) < _SAFE_INTEGER):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return jsontext.dumps(value).decode("utf-8", "replace")[:MAX_EXTENSION_TEXT]
    return _short(value if isinstance(value, str) else text_of(value))


def _short(text: str) -> str:
    return text.strip()[:MAX_EXTENSION_TEXT]


def _text(value: Any) -> Any:
    return text_of(value).strip()


def _list(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    try:  # the same as the last line, for nothing but texts
        if sum(map(len, items)) <= MAX_TEXT:
            return list(filter(None, map(str.strip, items)))
    except TypeError:
        pass
    return [_text(item) for item in items if not is_empty(item)]


def _as_it_is(value: Any) -> Any:
    # 5.0 from a spreadsheet is the number 5; anything else is the model's to refuse.
    return int(value) if isinstance(value, Decimal) and value in range(-1000, 1001) else value


def _walk() -> dict[str, Target]:
    found: dict[str, Target] = {}
    for name, info in Appeal.model_fields.items():
        if name in _GIVEN or name == "extensions":
            continue
        inner = next((kind for kind in _kinds(info.annotation) if _is_model(kind)), None)
        for leaf, leaf_info in inner.model_fields.items() if inner else ():
            found[f"{name}.{leaf}"] = Target(f"{name}.{leaf}", name, leaf, _shape_of(leaf_info), leaf_info)
        if inner is None:
            found[name] = Target(name, "", name, _shape_of(info), info)
    return found


def _shape_of(info: FieldInfo) -> Shape:
    kinds = _kinds(info.annotation)
    by_kind: dict[Any, Shape] = {tuple: "list", bool: "yes/no", int: "number", AwareDatetime: "time"}
    return next((by_kind[kind] for kind in kinds if kind in by_kind), "text")


def _kinds(annotation: Any) -> list[Any]:
    """The bare types behind Annotated, `| None`, Literal and tuple[...]."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [origin or annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    info = target(name).info
    if info is None:
        return TypeAdapter(Scalar)
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[annotation, *info.metadata] if info.metadata else annotation)


TARGETS = _walk()
"""Every field but `extensions.*`, by its dotted name."""
TOP_LEVEL = (*dict.fromkeys(t.parent or t.leaf for t in TARGETS.values()), "extensions", "attachments")
"""What `revision_of` may name."""
OBLIGATORY = tuple(n for n, i in Appeal.model_fields.items() if i.is_required() and n not in _GIVEN)
"""What every mapping must fill, because the model insists on it."""
