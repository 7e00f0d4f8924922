"""The table of functions in the README, made from the registry: `python -m mappings.manual` rewrites it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from mappings.functions import FUNCTIONS
from mappings.registry import Function

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- functions: begin -->", "<!-- functions: end -->"


def table() -> str:
    """Markdown, one row per function, in the order of `functions.py`."""
    rows = ["| function | arguments | what it does | example |", "|---|---|---|---|"]
    return "\n".join([*rows, *(_row(function) for function in FUNCTIONS.values())])


def rewritten(text: str) -> str:
    """The README's text with the table as it is today."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(function: Function) -> str:
    example = function.example
    shown = f"`{_json(example.written)}`: `{_json(example.given)}` → `{_json(example.result)}`"
    each = " Works on each item of a list." if function.each else ""
    cells = [f"`{function.name}`", _arguments(function), function.sentence + each, shown]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _arguments(function: Function) -> str:
    fields = function.arguments.model_fields.items() if function.arguments else ()
    return ", ".join(f"`{name}`" if info.is_required() else f"[`{name}`]" for name, info in fields) or "none"


def _json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
