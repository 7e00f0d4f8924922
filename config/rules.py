"""The one place where routes.yaml meets the decisions: an adaptor until their loader stands."""

from __future__ import annotations

from typing import Any

from router.directory import Directory
from router.documents import Document

RuleSet = Any


def load_rules(document: Document, directory: Directory) -> RuleSet:
    return document.data


def routes_schema() -> dict[str, Any]:
    return {"type": "object"}
