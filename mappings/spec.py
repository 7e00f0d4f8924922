"""
What a mapping file, a code table file and a projection file may say. Unknown keys are forbidden.

These models check the form; `mappings.compiling` checks that the names and paths mean something.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from mappings.canonical import TARGETS, TOP_LEVEL
from mappings.functions import FUNCTIONS
from mappings.paths import MAX_LENGTH

MAX_FIELDS = 100
MAX_CODES = 20_000

DEFAULT_REVISION = ("title", "content", "contact", "attachments", "standing")
"""What makes a revision unless `revision_of` says otherwise."""

Constant = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=2000)]
"""Never a number with a fraction: write it in quotes, so that it keeps its spelling."""


def _is_constant(written: Any) -> Any:
    """One clear sentence instead of a complaint from every member of the union."""
    items = written if isinstance(written, list) else [written]
    if all(item is None or isinstance(item, (str, int)) for item in items):
        return written
    raise ValueError(
        "it must be text, a whole number, true or false, or a list of these; 1.10 goes in quotes"
    )


Constants = Annotated[
    Constant | Annotated[list[Constant], Field(max_length=50)],
    BeforeValidator(_is_constant, json_schema_input_type=bool | int | str | list[bool | int | str]),
]
PathText = Annotated[StrictStr, Field(min_length=1, max_length=MAX_LENGTH)]


def _schema_of_step() -> dict[str, Any]:
    bare = [name for name, function in FUNCTIONS.items() if not function.needs_arguments]
    return {
        "anyOf": [
            {"enum": bare},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {
                    name: {
                        "description": function.sentence,
                        **({"type": "null"} if function.arguments is None else {}),
                    }
                    for name, function in FUNCTIONS.items()
                },
            },
        ]
    }


def _is_step(step: Any) -> Any:
    if isinstance(step, str) or (
        isinstance(step, dict) and len(step) == 1 and isinstance(next(iter(step)), str)
    ):
        return step
    raise ValueError("a step is the name of a function, or {name: arguments} with one name")


Step = Annotated[Any, BeforeValidator(_is_step), WithJsonSchema(_schema_of_step())]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class Sourced(_Form):
    """Where a value comes from and what is done to it."""

    from_: PathText | None = Field(None, alias="from", description="JMESPath")
    first_of: Annotated[list[PathText], Field(min_length=1, max_length=10)] | None = Field(
        None, description="The first of these that gives a value after all functions"
    )
    all_of: Annotated[list[PathText], Field(min_length=1, max_length=20)] | None = Field(
        None, description="All of these as one list, without the empty ones"
    )
    apply: Annotated[list[Step], Field(max_length=10)] = Field([], description="Functions, in this order")

    @property
    def paths(self) -> list[str]:
        return [self.from_] if self.from_ else self.first_of or self.all_of or []

    def _origins(self) -> int:
        return sum(origin is not None for origin in (self.from_, self.first_of, self.all_of))

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self._origins() != 1:
            raise ValueError("exactly one of from, first_of, all_of says where the value comes from")
        return self


class FieldSpec(Sourced):
    """How one field is made."""

    value: Constants | None = Field(None, description="A constant")
    default: Constants | None = Field(None, description="Taken when nothing (readable) was found")
    required: StrictBool = Field(
        False, description="Nothing found, no default: the appeal cannot be translated"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self._origins() + (self.value is not None) != 1:
            raise ValueError("exactly one of from, first_of, all_of, value says where the value comes from")
        if self.value is not None and (self.apply or self.default is not None):
            raise ValueError("a constant value needs neither functions nor a default")
        if self.required and self.default is not None:
            raise ValueError("a required field with a default is never missing: drop one of the two")
        return self


class EchoSpec(Sourced):
    """How our own write-back is recognised when the source shows it to us again."""

    equals: Constants


def _short(written: Any) -> Any:
    return {"from": written} if isinstance(written, str) else written


FieldForm = Annotated[FieldSpec, BeforeValidator(_short, json_schema_input_type=str | FieldSpec)]
SourcedForm = Annotated[Sourced, BeforeValidator(_short, json_schema_input_type=str | Sourced)]
_FIELD_NAMES: dict[str, Any] = {
    "propertyNames": {"anyOf": [{"enum": list(TARGETS)}, {"pattern": r"^extensions\..+"}]}
}
_REVISION_NAMES: dict[str, Any] = {"items": {"type": "string", "enum": list(TOP_LEVEL)}}


class MappingSpec(_Form):
    """One source's mapping: mappings/NAME.yaml."""

    description: StrictStr = ""
    extends: StrictStr | None = Field(None, description="The mapping that this one builds on")
    abstract: StrictBool = Field(False, description="Only to be extended; need not be complete")
    revision_of: Annotated[list[StrictStr], Field(min_length=1, max_length=20)] | None = Field(
        None,
        description="The top-level fields whose change makes a revision",
        json_schema_extra=_REVISION_NAMES,
    )
    source_time: SourcedForm | None = Field(None, description="When the source last changed the item")
    echo: EchoSpec | None = Field(None, description="How our own write-back is recognised")
    fields: Annotated[dict[StrictStr, FieldForm | None], Field(max_length=MAX_FIELDS)] = Field(
        {},
        description="Canonical field: how it is made; null drops an inherited one",
        json_schema_extra=_FIELD_NAMES,
    )


class CodeTableSpec(_Form):
    """A code table: mappings/codes/NAME.yaml. null means: known, and it says nothing."""

    description: StrictStr = ""
    codes: Annotated[dict[StrictStr, Constants | None], Field(min_length=1, max_length=MAX_CODES)]


class ProjectionSpec(_Form):
    """A destination's own form of a dispatch: mappings/projections/NAME.yaml."""

    description: StrictStr = ""
    keep_empty: StrictBool = Field(
        False, description="Write null for what is empty instead of leaving it out"
    )
    fields: Annotated[dict[StrictStr, FieldForm], Field(min_length=1, max_length=MAX_FIELDS)]


def json_schemas() -> dict[str, dict[str, Any]]:
    """A JSON Schema per kind of file, for editors."""
    models: dict[str, type[BaseModel]] = {
        "mapping": MappingSpec,
        "codes": CodeTableSpec,
        "projection": ProjectionSpec,
    }
    return {name: model.model_json_schema(by_alias=True) for name, model in models.items()}
