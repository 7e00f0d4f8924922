"""
The servers that tests talk to: private ones from the system's packages, or the tester's own.

    SUQIU_TEST_AMQP_URL              amqp://user:password@host:port/
    SUQIU_TEST_AMQP_MANAGEMENT_URL   http://user:password@host:15672
    SUQIU_TEST_DATABASE_URL          postgresql+psycopg://user@host/database, its user may create databases
    SUQIU_TEST_REQUIRE_SERVERS=1     a missing server is a failure (make test), not a skip (bare pytest)

The fixtures are in conftest.py.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import pika
import pika.exceptions
import pytest

from demo.servers.mariadb import MariaDB
from demo.servers.postgres import DatabaseServer, PostgreSQL
from demo.servers.rabbitmq import BrokerAddress, RabbitMQ
from demo.servers.server import MissingPackage, free_port

__all__ = [
    "BorrowedPostgreSQL",
    "BorrowedRabbitMQ",
    "VirtualHost",
    "find_promtool",
    "find_strace",
    "free_port",
    "give_mariadb",
    "give_postgres",
    "give_rabbitmq",
    "takes_queues",
]

Server = TypeVar("Server", RabbitMQ, PostgreSQL, MariaDB)

NOT_OURS = "{variable} points at a server of your own: it is not ours to {verb}; unset it to run this test"


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """A virtual host that one test has for itself."""

    name: str
    url: str
    """AMQP URL with user, password and virtual host."""
    broker: RabbitMQ | BorrowedRabbitMQ

    @property
    def management_url(self) -> str:
        return self.broker.management_url

    def manage(self, method: str, path: str, body: object = None) -> object:
        """A call to the management API, for instance `manage("GET", f"/api/queues/{vhost.name}")`."""
        return self.broker.address.manage(method, path, body)


class BorrowedRabbitMQ:
    """The tester's own RabbitMQ. What would hurt it skips the test and says why."""

    def __init__(self, amqp_url: str, management_url: str) -> None:
        self.address = BrokerAddress(amqp_url, management_url)
        self.amqp_url = amqp_url
        self.management_url = management_url
        self.host = urlsplit(amqp_url).hostname or "127.0.0.1"
        self.port = urlsplit(amqp_url).port or 5672

    def ctl(self, *arguments: str) -> str:
        _refuse("SUQIU_TEST_AMQP_URL", f"control (rabbitmqctl {' '.join(arguments)})")

    def start(self) -> None:
        _refuse("SUQIU_TEST_AMQP_URL", "start")

    def stop(self) -> None:
        _refuse("SUQIU_TEST_AMQP_URL", "stop")

    def kill(self) -> None:
        _refuse("SUQIU_TEST_AMQP_URL", "kill")

    def suspend(self) -> None:
        _refuse("SUQIU_TEST_AMQP_URL", "suspend")

    def resume(self) -> None:
        _refuse("SUQIU_TEST_AMQP_URL", "resume")

    @property
    def is_running(self) -> bool:
        return True


class BorrowedPostgreSQL:
    """The tester's own PostgreSQL, as far as one may use it."""

    def __init__(self, database_url: str) -> None:
        self.server = DatabaseServer(database_url)
        self.database_url = database_url
        self.host = urlsplit(database_url).hostname or "127.0.0.1"
        self.port = urlsplit(database_url).port or 5432

    def start(self) -> None:
        _refuse("SUQIU_TEST_DATABASE_URL", "start")

    def stop(self) -> None:
        _refuse("SUQIU_TEST_DATABASE_URL", "stop")

    def kill(self) -> None:
        _refuse("SUQIU_TEST_DATABASE_URL", "kill")

    def suspend(self) -> None:
        _refuse("SUQIU_TEST_DATABASE_URL", "suspend")

    def resume(self) -> None:
        _refuse("SUQIU_TEST_DATABASE_URL", "resume")

    @property
    def is_running(self) -> bool:
        return True


def give_rabbitmq() -> Iterator[RabbitMQ | BorrowedRabbitMQ]:
    """A running RabbitMQ for as long as the generator is held."""
    own = os.environ.get("SUQIU_TEST_AMQP_URL")
    if own:
        management = os.environ.get("SUQIU_TEST_AMQP_MANAGEMENT_URL")
        if not management:
            pytest.fail(
                "SUQIU_TEST_AMQP_URL is set: set SUQIU_TEST_AMQP_MANAGEMENT_URL too (http://user:password@host:15672)"
            )
        yield BorrowedRabbitMQ(own, management.rstrip("/"))
        return
    with _installed(RabbitMQ) as server:
        yield server


def takes_queues(amqp_url: str) -> bool:
    """Whether the broker still makes quorum queues: a test before may have worn its Raft system out."""
    try:
        connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
        channel = connection.channel()
        channel.queue_declare("probe", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_delete("probe")
        connection.close()
    except pika.exceptions.AMQPError:
        return False
    return True


def give_postgres() -> Iterator[PostgreSQL | BorrowedPostgreSQL]:
    """A running PostgreSQL for as long as the generator is held."""
    own = os.environ.get("SUQIU_TEST_DATABASE_URL")
    if own:
        yield BorrowedPostgreSQL(own)
        return
    with _installed(lambda: PostgreSQL(durable=False)) as server:
        yield server


def give_mariadb() -> Iterator[MariaDB]:
    """A running MariaDB of our own for as long as the generator is held."""
    with _installed(lambda: MariaDB(durable=False)) as server:
        yield server


def find_promtool() -> Path:
    """Prometheus' own checker of metrics and rules."""
    found = shutil.which("promtool")
    if found is None:
        missing(MissingPackage("promtool", "prometheus"))
    return Path(found)


def find_strace() -> Path:
    """Shows the system calls of a process."""
    found = shutil.which("strace")
    if found is None:
        missing(MissingPackage("strace", "strace"))
    return Path(found)


def missing(error: MissingPackage) -> NoReturn:
    """Fail under make, skip in a bare pytest; either way with the sentence that says what to type."""
    if os.environ.get("SUQIU_TEST_REQUIRE_SERVERS") == "1":
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def _installed(make: Callable[[], Server]) -> Server:
    try:
        return make()
    except MissingPackage as error:
        missing(error)


def _refuse(variable: str, verb: str) -> NoReturn:
    pytest.skip(NOT_OURS.format(variable=variable, verb=verb))
