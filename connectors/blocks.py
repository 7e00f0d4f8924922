"""What the settings of polled sources are made of: blocks that refuse unknown keys, URLs, conditions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from connectors.addresses import web_address
from connectors.selecting import Select, Selector
from router.described import Described

MIB = 1024 * 1024


class Block(Described):
    """A part of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _anonymous(url: str) -> str:
    parts = web_address(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    return url


Url = Annotated[str, Field(max_length=2000), AfterValidator(_anonymous)]
Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Says(Block):
    """A condition on an answer: what stands at a place is one of these words; `0` and `"0"` are the same."""

    at: Selector
    is_: Annotated[tuple[str | int | bool, ...], Field(alias="is", min_length=1, max_length=50)]

    def holds(self, data: Any) -> bool:
        return spell_word(Select(self.at)(data)) in map(spell_word, self.is_)


def spell_word(word: object) -> str | None:
    """How a code is compared. None for what is no word, so that it equals nothing configured."""
    if isinstance(word, bool):
        return str(word).lower()
    return str(word).strip() if isinstance(word, (str, int)) else None
