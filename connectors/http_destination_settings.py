"""The settings of destination `http`: a unit's own system, how the hub signs, and what an answer means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from connectors.outgoing import SigningScheme
from connectors.selecting import Selector
from router.described import Described
from router.durations import Duration, within
from router.limits import Identifier


def _web_address(written: str) -> str:
    try:
        parts = urlsplit(written)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or any(sign.isspace() for sign in written):
        raise ValueError("is not a URL: it must begin with http:// or https:// and name a host")
    if parts.password is not None:
        raise ValueError("must not hold a password")
    return written


class _Block(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")


Words = Annotated[tuple[str | int | bool, ...], Field(max_length=50)]


class Verdict(_Block):
    """How to read an answer in the 200s that says inside whether it means yes."""

    at: Selector
    """Where the word stands, e.g. `code`."""
    yes: Annotated[Words, Field(min_length=1)]
    """Words that mean yes."""
    duplicate: Words = ()
    """Words that mean: had it already. As good as yes."""
    busy: Words = ()
    """Words that mean: not now. Every other word is a no."""


class HttpDestinationSettings(_Block):
    """A unit's own system, called by the hub."""

    kind: Literal["http"]
    url: Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
    signing: SigningScheme | None = None
    """How the hub signs; without it nothing proves that a message is the hub's."""
    timeout: Annotated[Duration, within("1s", "25s")] = timedelta(seconds=15)
    """For one attempt; an answer later than this is unknown and tried again."""
    verdict: Verdict | None = None
    foreign_id: Selector | None = None
    """Where the receiver's own number for the task stands in its answer."""
    contact: bool = True
    """Whether the contact's name and phones leave."""
    projection: Identifier | None = None
    """mappings/projections/NAME.yaml: the receiver's own form of a dispatch."""
