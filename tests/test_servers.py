"""
The test servers themselves: private, real, mortal on demand, and gone afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import kombu
import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text

from demo.servers.mariadb import MariaDB
from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ
from demo.servers.server import answers, wait_until
from tests.servers import BorrowedPostgreSQL, BorrowedRabbitMQ, VirtualHost, find_promtool, give_rabbitmq

ROOT = Path(__file__).resolve().parent.parent


def test_a_virtual_host_takes_a_message_and_gives_it_back(amqp: VirtualHost) -> None:
    with kombu.Connection(amqp.url) as connection:
        queue = connection.SimpleQueue("letters")
        queue.put({"n": 1})
        message = queue.get(timeout=10)
        message.ack()
        queue.close()
    assert message.payload == {"n": 1}


def test_every_test_has_an_empty_virtual_host(amqp: VirtualHost) -> None:
    assert amqp.manage("GET", f"/api/queues/{amqp.name}") == []


def test_a_killed_rabbitmq_comes_back_with_its_durable_queues(
    rabbitmq: RabbitMQ | BorrowedRabbitMQ, amqp: VirtualHost
) -> None:
    amqp.manage(
        "PUT", f"/api/queues/{amqp.name}/kept", {"durable": True, "arguments": {"x-queue-type": "quorum"}}
    )
    rabbitmq.kill()
    assert not answers(rabbitmq.port)
    rabbitmq.start()
    queues = amqp.manage("GET", f"/api/queues/{amqp.name}")
    assert [queue["name"] for queue in queues] == ["kept"]


def test_rabbitmqctl_speaks_to_the_private_node(
    rabbitmq: RabbitMQ | BorrowedRabbitMQ, amqp: VirtualHost
) -> None:
    assert amqp.name in rabbitmq.ctl("list_vhosts").split()


def test_a_killed_postgresql_comes_back_with_what_was_committed(
    postgres: PostgreSQL | BorrowedPostgreSQL, database_url: str
) -> None:
    plain = database_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    postgres.kill()
    assert not answers(postgres.port)
    postgres.start()
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_killed_mariadb_comes_back_with_what_was_committed(mariadb: MariaDB, mariadb_url: str) -> None:
    engine = create_engine(mariadb_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("create table kept as select 1 as n"))
    mariadb.kill()
    assert not answers(mariadb.port)
    mariadb.start()
    with engine.begin() as connection:
        assert connection.execute(text("select n from kept")).all() == [(1,)]


def test_a_ledger_can_live_in_both_databases(ledger_url: str) -> None:
    assert ledger_url.startswith(("sqlite:///", "postgresql+psycopg://"))


ORPHANS = """
import time
from demo.servers.mariadb import MariaDB
from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ

def test_that_never_ends():
    with RabbitMQ() as rabbitmq, PostgreSQL() as postgres, MariaDB() as mariadb:
        print(rabbitmq.folder, postgres.folder, mariadb.folder, flush=True)
        time.sleep(300)
"""


def test_a_pytest_that_is_killed_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    test = tmp_path / "test_orphans.py"
    test.write_text(ORPHANS)
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(ROOT),
            str(test),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    folders = [Path(word) for word in child.stdout.readline().split()]
    assert len(folders) == 3, folders
    assert all(folder.exists() for folder in folders)
    assert len(processes_of(folders)) >= 4
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert wait_until(lambda: not processes_of(folders), 30), processes_of(folders)
    assert wait_until(lambda: not any(folder.exists() for folder in folders), 10)


def processes_of(folders: list[Path]) -> list[str]:
    """Command lines that mention a folder, and processes whose environment does (epmd, for one)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if any(str(folder).encode() in words for folder in folders):
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100])
    return found


def test_the_testers_own_broker_is_never_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUQIU_TEST_AMQP_URL", "amqp://guest:guest@broker.example:5673/")
    monkeypatch.setenv("SUQIU_TEST_AMQP_MANAGEMENT_URL", "http://guest:guest@broker.example:15672")
    broker = next(give_rabbitmq())
    assert broker.address.url_of("a/b") == "amqp://guest:guest@broker.example:5673/a%2Fb"
    with pytest.raises(pytest.skip.Exception, match="SUQIU_TEST_AMQP_URL points at a server of your own"):
        broker.kill()


@pytest.mark.parametrize(
    ("required", "outcome"),
    [
        pytest.param("1", pytest.fail.Exception, id="under make a missing server is a failure"),
        pytest.param("", pytest.skip.Exception, id="in a bare pytest a missing server is a skip"),
    ],
)
def test_a_missing_package_is_said_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("SUQIU_TEST_REQUIRE_SERVERS", required)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(outcome, match="promtool is not installed; type: sudo apt-get install prometheus"):
        find_promtool()
