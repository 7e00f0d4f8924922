"""units.yaml, regions.yaml and categories.yaml: who can be addressed, how it reaches them, the city's
places and classes. What in a text speaks for a unit stands in words/ (words.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from config.connections import HttpDestinationSettings, Receiver, UnitAccess
from config.strict import Strict
from router.directory import Part
from router.limits import Identifier

Names = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(strict=False, max_length=200)
]
Text = Annotated[str, Field(max_length=200)]
RegionCode = Annotated[str, Field(pattern=r"^\d{6}$")]


class AmqpDestination(Receiver):
    """A queue of its own in RabbitMQ: suqiu.dest.<id>."""

    kind: Literal["amqp"]
    finished: Literal["published", "accepted"] = "published"
    """When the next message about the same appeal may follow: confirmed by the broker, or received."""
    single_active_consumer: bool = False


class PullDestination(Receiver):
    """The unit fetches its tasks over HTTP."""

    kind: Literal["pull"]


class InternalDestination(Receiver):
    """People of the 12345 platform work on it inside the hub."""

    kind: Literal["internal"]


DestinationSettings = Annotated[
    AmqpDestination | PullDestination | InternalDestination | HttpDestinationSettings,
    Field(discriminator="kind"),
]


class WordEntry(Strict):
    """How much a word speaks for the unit."""

    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    not_after: Names = ()
    """It does not, right behind one of these."""
    not_before: Names = ()


Word = Annotated[str, Field(min_length=2, max_length=50)]
Weight = Annotated[float, Field(gt=0, le=100)]
Weights = Annotated[Mapping[Word, Weight | WordEntry], Field(max_length=2000)]


class RenamingEntry(Strict):
    """A later name. The earlier ones stay known, and messages that carry them stay as they are."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    since: Annotated[date, Field(strict=False)]
    """The first day on which it is valid: 2024-10-24."""


class UnitEntry(Strict):
    """One unit, platform or office."""

    id: Identifier
    part: Part = "unit"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    short_name: Text = ""
    full_name: Text = ""
    aliases: Names = ()
    """What people and sources call it. A name belongs to one unit only."""
    renamed: Annotated[tuple[RenamingEntry, ...], Field(strict=False, max_length=20)] = ()
    """Its later names, each with its first day."""
    scoped_aliases: Annotated[Mapping[Identifier, Names], Field(max_length=50)] = {}
    """Source: what only that source calls it."""
    office: Text = ""
    """责任处室: who is responsible inside the unit (R20). Nothing is sent to a unit without one."""
    contact: Text = ""
    """Who answers there for appeals: a role, never a person's name."""
    region: Annotated[str, Field(pattern=r"^(\d{6})?$")] = ""
    """For a platform: the region whose appeals it takes."""
    words: Weights = {}  # noqa: RUF012 (pydantic)
    """Words in an appeal's text that speak for this unit; many are better kept in words/<id>.yaml."""
    destination: DestinationSettings | None = None
    access: UnitAccess | None = None
    """How the unit proves at the HTTP door who it is."""


class UnitDefaults(Strict):
    """What units and platforms have that do not say otherwise. Offices are always internal."""

    destination: DestinationSettings = PullDestination(kind="pull")
    contact: Text = ""


class UnitsFile(Strict):
    """units.yaml"""

    defaults: UnitDefaults = UnitDefaults()
    units: Annotated[tuple[UnitEntry, ...], Field(strict=False, min_length=1, max_length=5000)]


class RegionEntry(Strict):
    """One place."""

    code: RegionCode
    name: Annotated[str, Field(min_length=1, max_length=200)]
    aliases: Names = ()
    old_codes: Annotated[tuple[RegionCode, ...], Field(strict=False)] = ()


class RegionsFile(Strict):
    """regions.yaml"""

    regions: Annotated[tuple[RegionEntry, ...], Field(strict=False, max_length=5000)] = ()


class CategoryEntry(Strict):
    """One class of the city, and whose business it is unless something else is known."""

    path: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
        Field(strict=False, min_length=1, max_length=6),
    ]
    """From the widest class to the narrowest; what lies below it belongs to it."""
    unit: Identifier


class CategoriesFile(Strict):
    """categories.yaml"""

    categories: Annotated[tuple[CategoryEntry, ...], Field(strict=False, max_length=5000)] = ()


OFFICES: frozenset[Part] = frozenset({"desk", "supervision", "archive"})


def destination_of(entry: UnitEntry, defaults: UnitDefaults) -> DestinationSettings:
    """What stands there, else what its part has by default."""
    if entry.destination is not None:
        return entry.destination
    return InternalDestination(kind="internal") if entry.part in OFFICES else defaults.destination
