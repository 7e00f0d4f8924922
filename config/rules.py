"""The one place where routes.yaml meets the decisions: an adaptor until their loader stands."""

from __future__ import annotations

from typing import Any

from router.directory import Directory
from router.documents import Document
from router.errors import ConfigError, Problem

RuleSet = Any


def load_rules(document: Document, directory: Directory) -> RuleSet:
    """The rules, ready to decide. Raises ConfigError with every problem of the file."""
    routes = document.data.get("routes") if isinstance(document.data, dict) else None
    if not isinstance(routes, list) or not routes:
        hint = "routes: a list, the last one to the desk"
        raise ConfigError([Problem(document.where(), "the file has no routes", hint)])
    return document.data


def routes_schema() -> dict[str, Any]:
    """The JSON Schema of routes.yaml."""
    return {"type": "object", "properties": {"routes": {"type": "array"}}, "additionalProperties": False}
