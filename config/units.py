"""units.yaml and regions.yaml: who can be addressed, how it reaches them, and the city's places."""

from __future__ import annotations

from collections.abc import Mapping
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


class UnitEntry(Strict):
    """One unit, platform or office."""

    id: Identifier
    part: Part = "unit"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    full_name: Text = ""
    aliases: Names = ()
    """What people and sources call it. A name belongs to one unit only."""
    scoped_aliases: Annotated[Mapping[Identifier, Names], Field(max_length=50)] = {}
    """Source: what only that source calls it."""
    office: Text = ""
    """责任处室"""
    region: Annotated[str, Field(pattern=r"^(\d{6})?$")] = ""
    """For a platform: the region whose appeals it takes."""
    words: Annotated[
        Mapping[Annotated[str, Field(min_length=2, max_length=50)], Weight | WordEntry],
        Field(max_length=2000),
    ] = {}
    """Words in an appeal's text that speak for this unit."""
    destination: DestinationSettings | None = None
    access: UnitAccess | None = None
    """How the unit proves at the HTTP door who it is."""


class UnitDefaults(Strict):
    """What units and platforms have that do not say otherwise. Offices are always internal."""

    destination: DestinationSettings = PullDestination(kind="pull")


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


OFFICES: frozenset[Part] = frozenset({"desk", "supervision", "archive"})


def destination_of(entry: UnitEntry, defaults: UnitDefaults) -> DestinationSettings:
    """What stands there, else what its part has by default."""
    if entry.destination is not None:
        return entry.destination
    return InternalDestination(kind="internal") if entry.part in OFFICES else defaults.destination
