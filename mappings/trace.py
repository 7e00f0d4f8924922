"""
Why each field is what it is, as rows for people (P6).

A trace is computed again from the kept envelope and the kept mapping, never stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from mappings.canonical import target
from mappings.recipe import Explanation, Try
from router.masking import mask_text, mask_value

# A value of these that the model accepts is a word of ours, an id or a time: not personal data.
_NOT_PERSONAL = frozenset({"mode", "kind", "urgency", "standing", "region", "proposed_units", "submitted_at"})
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """One field: what was tried where, and what came of it. Holds values as they were given."""

    field: str
    where: str
    """The line of the mapping that made it."""
    explanation: Explanation
    flags: tuple[str, ...] = ()
    required: bool = False

    @property
    def value(self) -> Any:
        return self.explanation.value

    @property
    def why(self) -> str:
        """One sentence: where the value comes from, or why there is none."""
        origin, tries = self.explanation.origin, self.explanation.tries
        if origin == "constant":
            return "a constant of the mapping"
        if origin == "found":
            return f"found at {tries[-1].path}"
        reasons = "; ".join(_why_not(tried) for tried in tries)
        if origin == "default":
            return f"the default, since {reasons}"
        return f"{'MISSING although required' if self.required else 'empty'}, since {reasons}"


@dataclass(frozen=True, slots=True)
class Row:
    """A trace as text, for a table or JSON."""

    field: str
    where: str
    raw: str
    steps: str
    value: str
    why: str
    flags: str


def rows(traces: list[FieldTrace], *, masked: bool = True) -> list[Row]:
    """One row per field. `masked=False` shows personal data: the caller needs the right, and an audit row."""
    return [_row(trace, masked) for trace in traces]


def _row(trace: FieldTrace, masked: bool) -> Row:
    show = mask_value if masked else _plainly
    tries = trace.explanation.tries
    raw = "; ".join(f"{tried.path} = {show(tried.raw)}" for tried in tries)
    steps = "; ".join(
        " → ".join([*(f"{step.written} = {show(step.result)}" for step in tried.steps), *_failure(tried)])
        for tried in tries
        if tried.steps or tried.failed
    )
    value = _public(trace.value) if masked and _is_public(trace) else show(trace.value)
    return Row(trace.field, trace.where, raw, steps, value, trace.why, ", ".join(trace.flags))


def _failure(tried: Try) -> list[str]:
    return [f"unreadable ({tried.failed})"] if tried.failed else []


def _is_public(trace: FieldTrace) -> bool:
    """What the mapping file itself says, a time, or a valid word of a closed set."""
    if trace.explanation.origin in ("constant", "default") or isinstance(trace.value, datetime):
        return True
    if trace.field not in _NOT_PERSONAL:
        return False
    try:
        target(trace.field).check(trace.value)
    except ValidationError:
        return False
    return True


def _public(value: Any) -> str:
    # Masking of text would take the digits of a time for a phone.
    return _plainly(value) if isinstance(value, datetime) else mask_text(_plainly(value))


def _plainly(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _why_not(tried: Try) -> str:
    if tried.failed:
        return f"{tried.path} could not be read ({tried.failed})"
    if tried.steps:
        return f"{tried.steps[-1].written} made nothing of {tried.path}"
    return f"nothing stands at {tried.path}"
