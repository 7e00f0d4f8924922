"""Whole hubs on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.rig import HubRig
from tests.servers import VirtualHost


@pytest.fixture
def hub(tmp_path: Path, ledger_url: str, amqp: VirtualHost) -> Iterator[HubRig]:
    """A hub with RabbitMQ, once on SQLite and once on PostgreSQL. Not started yet."""
    rig = HubRig(tmp_path / "hub", ledger_url, amqp.url, amqp.management_url)
    yield rig
    rig.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[HubRig]:
    """A hub as it comes: SQLite, no broker, units fetch over HTTP."""
    rig = HubRig(tmp_path / "hub", "sqlite")
    yield rig
    rig.close()
