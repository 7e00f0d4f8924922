"""
The appeals that the simulated city hands out: written for this project, one JSONL file per owner.

Every text knows its true owners, so the same corpus serves `suqiu route evaluate`. What stands in
braces is filled anew for each appeal (filling.py), so that no two are alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Text:
    """One appeal as somebody might write it, with places to be filled."""

    id: str
    title: str
    content: str
    kind: str
    """As in `router.message.Kind`."""
    units: tuple[str, ...]
    """The true owners, the lead first; ids of config/suzhou/units.yaml."""
    region: str = ""
    """Where it plays, if that is fixed."""
    way: str = ""
    """How a unit came to hear of it: only of what units report (直报)."""
    result: str = ""
    """How it ended, for what was closed before it was reported (R5)."""


@cache
def texts() -> tuple[Text, ...]:
    """All of them, in the order of their files."""
    return tuple(
        Text(**{**fields, "units": tuple(fields["units"])})
        for path in sorted(FOLDER.glob("*.jsonl"))
        for fields in map(json.loads, path.read_text("utf-8").splitlines())
    )
