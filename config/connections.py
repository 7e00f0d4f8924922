"""
The settings of every kind of connector, joined: one line here per kind.

A connector's settings model stands beside its code; `kind` tells them apart.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.strict import Strict
from connectors.access import UnitAccess
from connectors.http_destination_settings import HttpDestinationSettings
from connectors.mail.settings import MailboxSettings
from connectors.push import PushSettings
from connectors.rest_settings import RestSettings
from connectors.table_exchange_settings import TableSettings
from router.limits import Identifier

__all__ = ["HttpDestinationSettings", "PullSettings", "PushSettings", "Receiver", "UnitAccess"]


class Receiver(Strict):
    """What every kind of destination has; http brings it along itself."""

    contact: bool = True
    """Whether the destination gets the contact's name and phones."""
    projection: Identifier | None = None
    """mappings/projections/NAME.yaml: the destination's own form of a dispatch."""


PullSettings = Annotated[RestSettings | TableSettings | MailboxSettings, Field(discriminator="kind")]
