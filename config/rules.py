"""routes.yaml as the decisions read it, with problems raised like everywhere in the configuration."""

from __future__ import annotations

from typing import Any

from router.decisions import routes
from router.decisions.rules import RuleSet
from router.directory import Directory
from router.documents import Document
from router.errors import ConfigError

__all__ = ["RuleSet", "load_rules", "routes_schema"]


def load_rules(document: Document, directory: Directory) -> RuleSet:
    """The rules, ready to decide. Raises ConfigError with every problem of the file."""
    rules, problems = routes.load_rules(document, directory)
    if rules is None:
        raise ConfigError(problems)
    return rules


def routes_schema() -> dict[str, Any]:
    """The JSON Schema of routes.yaml."""
    return routes.json_schema()
