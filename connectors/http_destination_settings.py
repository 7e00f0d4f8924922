"""The settings of destination `http`: a unit's own system, how the hub signs, and what an answer means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.addresses import web_address
from connectors.blocks import Block
from connectors.outgoing import SigningScheme
from connectors.selecting import Selector
from router.durations import Duration, within
from router.limits import Identifier


def _without_password(url: str) -> str:
    if web_address(url).password is not None:
        raise ValueError("must not hold a password")
    return url


Words = Annotated[tuple[str | int | bool, ...], Field(max_length=50)]


class Verdict(Block):
    """How to read an answer in the 200s that says inside whether it means yes."""

    at: Selector
    """Where the word stands, e.g. `code`."""
    yes: Annotated[Words, Field(min_length=1)]
    """Words that mean yes."""
    duplicate: Words = ()
    """Words that mean: had it already. As good as yes."""
    busy: Words = ()
    """Words that mean: not now. Every other word is a no."""


class HttpDestinationSettings(Block):
    """A unit's own system, called by the hub."""

    kind: Literal["http"]
    url: Annotated[str, Field(max_length=2000), AfterValidator(_without_password)]
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
