from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.connectors.exchange.tables import Exchange


@pytest.fixture
def exchange_on(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Exchange]:
    """An empty database of the named kind."""

    def make(kind: str) -> Exchange:
        if kind == "sqlite":
            file = tmp_path / "exchange.db"
            file.touch()
            return Exchange(f"sqlite:///{file}")
        return Exchange(
            str(request.getfixturevalue({"postgresql": "database_url", "mysql": "mariadb_url"}[kind]))
        )

    return make


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def exchange(request: pytest.FixtureRequest, exchange_on: Callable[[str], Exchange]) -> Exchange:
    """An empty database of each kind; the test runs once on each."""
    return exchange_on(request.param)


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest, exchange_on: Callable[[str], Exchange]) -> Exchange:
    """The same, where there is a server."""
    return exchange_on(request.param)
