"""
Fixtures for every test. The servers start with the first test that asks for them and serve the whole run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.servers.mariadb import MariaDB
from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ
from tests.servers import (
    BorrowedPostgreSQL,
    BorrowedRabbitMQ,
    VirtualHost,
    find_promtool,
    give_mariadb,
    give_postgres,
    give_rabbitmq,
    takes_queues,
)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ | BorrowedRabbitMQ]:
    """A real RabbitMQ; who kills, stops or suspends it brings it back before the test ends."""
    yield from give_rabbitmq()


@pytest.fixture
def amqp(rabbitmq: RabbitMQ | BorrowedRabbitMQ) -> Iterator[VirtualHost]:
    """A virtual host of the test's own: `.url`, `.name`, `.management_url`, `.broker`, `.manage(...)`."""
    name = f"test-{secrets.token_hex(6)}"
    url = rabbitmq.address.create_vhost(name)
    if isinstance(rabbitmq, RabbitMQ) and not takes_queues(url):
        rabbitmq.start_afresh()
        url = rabbitmq.address.create_vhost(name)
    yield VirtualHost(name, url, rabbitmq)
    if not rabbitmq.is_running:
        rabbitmq.start()
    rabbitmq.address.delete_vhost(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL | BorrowedPostgreSQL]:
    """A real PostgreSQL; who kills, stops or suspends it brings it back before the test ends."""
    yield from give_postgres()


@pytest.fixture
def database_url(postgres: PostgreSQL | BorrowedPostgreSQL) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own, as a SQLAlchemy URL."""
    name = f"suqiu_test_{secrets.token_hex(6)}"
    url = postgres.server.create_database(name)
    yield url
    if not postgres.is_running:
        postgres.start()
    postgres.server.drop_database(name)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A real MariaDB; who kills, stops or suspends it brings it back before the test ends."""
    yield from give_mariadb()


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> Iterator[str]:
    """An empty MariaDB database of the test's own, as a SQLAlchemy URL."""
    name = f"suqiu_test_{secrets.token_hex(6)}"
    url = mariadb.create_database(name)
    yield url
    if not mariadb.is_running:
        mariadb.start()
    mariadb.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a ledger can live in; the test runs once on each."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'suqiu.db'}"
    return str(request.getfixturevalue("database_url"))


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' own checker of metrics and rules."""
    return find_promtool()
