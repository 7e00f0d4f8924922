"""What goes over the units' HTTP door, as models: the source of the OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from router.durations import parse, within
from router.limits import Frozen, Moment, clean
from router.message import Dispatch

_SAYS_SOMETHING = r"[0-9A-Za-z\u4e00-\u9fff]"
_LEASE_FORM = r"^([1-9][0-9]{1,2}s?|[1-9]m|[1-5][0-9]m|1h)$"


def _lease(written: Any) -> timedelta:
    return parse(f"{written}s" if isinstance(written, str) and written.isdecimal() else written)


LeaseLength = Annotated[
    timedelta,
    BeforeValidator(_lease),
    within("10s", "1h"),
    WithJsonSchema({"type": "string", "pattern": _LEASE_FORM, "examples": ["5m"]}),
]
"""`300`, `300s` or `5m`; ten seconds to an hour."""


Words = Annotated[
    str,
    BeforeValidator(clean),
    StringConstraints(strip_whitespace=True, max_length=500, pattern=_SAYS_SOMETHING),
    # pydantic leaves a pattern behind a validator out of the schema.
    Field(json_schema_extra={"pattern": _SAYS_SOMETHING}),
]
"""A sentence that says something."""


class TaskLease(Frozen):
    """One task, the unit's to work on until the lease ends."""

    dispatch: Dispatch
    lease: str
    """Comes back with the acknowledgement."""
    lease_until: Moment
    attempt: Annotated[int, Field(ge=1)]
    """The how-manieth time this task is handed out."""


class TaskPage(Frozen):
    """What is due now; empty when nothing is."""

    tasks: tuple[TaskLease, ...]


class Acknowledgement(Frozen):
    """The unit has the task; it will not be handed out again."""

    lease: Annotated[str, Field(min_length=1, max_length=200)]


class Rejection(Acknowledgement):
    """The unit cannot take the task."""

    reason: Words
    """Why, for the person who will look at it."""
