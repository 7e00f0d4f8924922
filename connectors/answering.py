"""
What a pushing system is told, in the words that it understands.

Some senders want `{"code":0}`, some look at the status only, some take anything but 200 for a
broken line and want their refusals as `{"code":401}` with status 200. So both answers are
templates; what stands in `{}` is filled in.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from router import jsontext
from router.described import Described
from router.errors import MalformedEnvelope
from router.message import Acceptance, Accepted

MediaType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=60)]
Template = Annotated[str, StringConstraints(max_length=4000)]
_NO_ITEM = {"appeal_id": "", "status_url": "", "outcome": ""}
_SLOT = re.compile(r"\{(\w+)\}")


class _Words(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")

    content_type: MediaType = "application/json"

    def _check(self, body: str, samples: dict[str, str]) -> None:
        unknown = set(_SLOT.findall(body)) - set(samples)
        if unknown:
            known = ", ".join(f"{{{slot}}}" for slot in sorted(samples))
            raise ValueError(f"the body has an unknown {{{min(unknown)}}}; known are {known}")
        if self.content_type == "application/json" and body:
            try:
                jsontext.loads(_fill(body, samples))
            except MalformedEnvelope as error:
                raise ValueError(f"the body is no JSON once it is filled in: {error}") from error


class Yes(_Words):
    """The answer to a push that is safe in the ledger."""

    status: Annotated[int, Field(ge=200, le=299)] = 200
    body: Template = '{"accepted":{count},"items":{items}}'
    """May hold {appeal_id} {status_url} {outcome} of the first item, {count}, and {items}: all of them
    in the order of the push, as a JSON list; one that was not admitted has its `reason` there."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self._check(
            self.body, {"appeal_id": "", "status_url": "", "outcome": "", "count": "0", "items": "[]"}
        )
        return self

    def write(self, acceptance: Acceptance, url_of: str) -> bytes:
        """`url_of` is the status URL up to the appeal id."""
        items = [_told(item, url_of) for item in acceptance.items]
        first = items[0] if items else _NO_ITEM
        listed = jsontext.dumps(items).decode() if "{items}" in self.body else ""
        return _fill(self.body, {**first, "count": str(len(items)), "items": listed}).encode()


class No(_Words):
    """The answer to a request that is turned away."""

    status: Annotated[int, Field(ge=200, le=599)] | None = None
    """A fixed one for senders that insist on it; else the fitting one (401, 413, 429, 503 …)."""
    body: Template = '{"code":{status},"reason":"{reason}","message":"{message}"}'
    """May hold {status} (the fitting one), {reason} (a word) and {message} (a sentence)."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self._check(self.body, {"status": "401", "reason": "", "message": ""})
        return self

    def write(self, status: int, reason: str, message: str) -> bytes:
        return _fill(self.body, {"status": str(status), "reason": reason, "message": message}).encode()


def _told(item: Accepted, url_of: str) -> dict[str, str]:
    told = {"appeal_id": item.appeal_id, "status_url": url_of + item.appeal_id, "outcome": item.outcome}
    return told | ({"reason": item.reason} if item.outcome == "unapproved" else {})


def _fill(body: str, values: dict[str, str]) -> str:
    """What is filled in comes from the hub itself: ids, numbers and fixed words, safe in JSON and XML."""
    return _SLOT.sub(lambda slot: values[slot.group(1)], body)
