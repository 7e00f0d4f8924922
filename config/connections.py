"""
The settings of every kind of connector, joined: one line here per kind.

A connector's settings model stands beside its code; `kind` tells them apart.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from config.strict import HttpUrl, Strict
from router.message import Identifier
from router.secrets import SecretRef


class _Open(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class RestSettings(_Open):
    kind: Literal["rest"]


class PushSettings(_Open):
    kind: Literal["push"] = "push"


class Receiver(Strict):
    """What every kind of destination has."""

    contact: bool = True
    """Whether the destination gets the contact's name and phones."""
    projection: Identifier | None = None
    """mappings/projections/NAME.yaml: the destination's own form of a dispatch."""


class HttpDestinationSettings(Receiver):
    """The hub calls the unit's own system."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["http"]
    url: HttpUrl


class UnitAccess(BaseModel):
    """How a unit proves at the HTTP door that it is this unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretRef | None = None
    signature: dict[str, Any] | None = None


PullSettings = RestSettings
"""A union on `kind` as soon as there is a second polled connector."""
