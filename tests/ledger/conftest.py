"""The ledger's tests run on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import Hub


@pytest.fixture
def hub(ledger_url: str, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(ledger_url, tmp_path)
    yield hub
    hub.close()
