"""The text under a field is its description in the schema, wherever the schema begins."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from router.described import Described


class Plain(Described):
    """A block."""

    first: int = 1
    """What the first
    one is."""
    second: Annotated[int, Field(description="said in place")] = 2
    """Not this."""
    third_: Annotated[int, Field(alias="third")] = 3
    """It has another name in the file."""
    silent: int = 4


class Heir(Plain):
    silent: int = 5
    """Broken at last."""
    first: int = 6


class Holder(Described):
    heir: Heir | None = None
    """Another block."""


def descriptions(schema: dict[str, Any]) -> dict[str, str | None]:
    return {name: field.get("description") for name, field in schema["properties"].items()}


def test_a_field_is_described_by_the_text_under_it() -> None:
    assert descriptions(Plain.model_json_schema()) == {
        "first": "What the first\none is.",
        "second": "said in place",
        "third": "It has another name in the file.",
        "silent": None,
    }


def test_a_field_that_is_declared_again_has_the_later_text_or_none() -> None:
    found = descriptions(Heir.model_json_schema())
    assert (found["first"], found["silent"]) == (None, "Broken at last.")
    assert found["third"] == "It has another name in the file."


def test_blocks_inside_are_described_as_well() -> None:
    schema = TypeAdapter(list[Holder]).json_schema()
    assert descriptions(schema["$defs"]["Holder"]) == {"heir": "Another block."}
    assert descriptions(schema["$defs"]["Heir"])["silent"] == "Broken at last."
