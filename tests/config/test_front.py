"""What hub.yaml says of the front is what the front does."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.roles import BUILD, Crew
from config.wiring import Installation
from connectors.front import FrontServer
from router.events import nobody
from router.ledger import migrate
from tests.config.folders import starter, swap

UNFINISHED = (
    b"POST /push/example HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n"
    b"content-length: 1000\r\n\r\n{"
)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[FrontServer]:
    folder = starter(tmp_path)
    swap(folder, "hub.yaml", "  port: 8800", "  port: 0\n  requests: 6\n  each: 2")
    installation = Installation(folder)
    migrate.upgrade(installation.database)
    crew = Crew(installation, nobody)
    BUILD["front"](crew)
    assert crew.front is not None
    server = crew.front()
    server.start()
    yield server
    server.stop()
    installation.database.close()


def test_the_share_of_one_source_is_what_the_file_says(front: FrontServer) -> None:
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=20))
            for _ in range(3)
        ]
        for line in lines:
            line.sendall(UNFINISHED)
        answered, _, _ = select.select(lines, [], [], 10)
        assert [line.recv(65536).split(b" ")[1] for line in answered] == [b"503"]
