"""routes.yaml for editors: its keys, every field and its matchers. What the loader checks goes further."""

from __future__ import annotations

from typing import Any

from router.decisions import conditions, fields
from router.decisions.fields import Field

_WORD = {"type": "string", "minLength": 1}
_WORDS = {"anyOf": [_WORD, {"type": "array", "items": _WORD, "minItems": 1}]}
_NUMBER = {"type": "number"}
_SCALAR = {"type": ["string", "number", "boolean"]}
_TYPES: dict[fields.Kind, dict[str, Any]] = {"number": _NUMBER, "flag": {"type": "boolean"}, "any": _SCALAR}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of routes.yaml."""
    routes = {"type": "array", "minItems": 1, "items": _route()}
    names = {"type": "array", "items": {"type": "string"}}
    top = {"routes": routes, "reroute_on": names}
    return {**_object(top, ["routes"]), "$defs": {"block": _block(), "words": _words()}}


def _route() -> dict[str, Any]:
    unit = {"type": "string", "description": "a unit's id, or desk, supervision, archive"}
    to = {
        "anyOf": [
            unit,
            {"type": "array", "items": unit, "minItems": 1},
            _object({"field": {"type": "string"}}, ["field"]),
            _object({"platform_of": {"type": "string"}}, ["platform_of"]),
        ]
    }
    name = {"type": "string", "pattern": "^[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}$"}
    when = {"$ref": "#/$defs/block", "description": "field: matcher; all of them must hold"}
    properties = {"name": name, "note": {"type": "string"}, "when": when, "to": to, "assisting": to}
    asks = {"type": "string", "maxLength": 100, "description": "what it asks of the lead: 不予受理审核"}
    return _object({**properties, "except": _WORDS, "asks": asks}, ["name", "to"])


def _block() -> dict[str, Any]:
    block = {"$ref": "#/$defs/block"}
    known = (fields.find(path) for path in fields.known())
    properties: dict[str, Any] = {field.path: _matchers(field) for field in known if field}
    words = {"$ref": "#/$defs/words"}
    properties["text"] = words
    for name in ("title", "content"):
        properties[name] = {"anyOf": [*properties[name]["anyOf"], words]}
    for name in conditions.GROUPS:
        properties[name] = {"anyOf": [block, {"type": "array", "items": block, "minItems": 1}]}
    return {**_object(properties), "patternProperties": {r"^(extensions|facts\.(candidates|because))\.": {}}}


def _matchers(field: Field) -> dict[str, Any]:
    value = (
        {"enum": list(field.choices)} if field.choices else _TYPES.get(field.kind, _WORD | {"minLength": 0})
    )
    values = {"type": "array", "items": value, "minItems": 1}
    ends = _object({"min": _NUMBER, "max": _NUMBER})
    forms: dict[str, Any] = {
        "equals": value,
        "in": values,
        "prefix": _WORDS,
        "present": {"type": "boolean"},
        "absent": {"type": "boolean"},
        "count": {"anyOf": [_NUMBER, ends]},
        "min": _NUMBER,
        "max": _NUMBER,
        "between": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
    }
    fitting = conditions.FITTING[field.kind]
    direct = [value, values] if "equals" in fitting else []
    return {"anyOf": [*direct, {**_object({key: forms[key] for key in fitting}), "minProperties": 1}]}


def _words() -> dict[str, Any]:
    keys: dict[str, Any] = dict.fromkeys(conditions.WORD_KEYS, _WORDS)
    keys["min_score"] = {"type": "number", "exclusiveMinimum": 0}
    return {**_object(keys), "anyOf": [{"required": ["any_of"]}, {"required": ["none_of"]}]}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made
