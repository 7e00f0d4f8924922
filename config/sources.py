"""Which connector polls a source: one line per kind."""

from __future__ import annotations

import time

from config.connections import PullSettings
from config.wiring import Installation, now
from connectors.rest import RestSource
from connectors.rest_settings import RestSettings
from connectors.table_exchange import TableSource
from router.ports import Source


def polled(installation: Installation, name: str, settings: PullSettings) -> Source:
    """The source, ready to be polled. Raises ConfigError when a secret or a driver is missing."""
    secrets = installation.secret
    if isinstance(settings, RestSettings):
        store = installation.attachments
        return RestSource(name, settings, secrets=secrets, store=store, clock=now, sleep=time.sleep)
    return TableSource(name, settings, secrets=secrets, clock=now)
