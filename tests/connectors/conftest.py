from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.connectors.server import Answers, ScriptedServer

Serve = Callable[[Answers], ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers by a function; all are closed afterwards."""
    servers: list[ScriptedServer] = []

    def start(answers: Answers) -> ScriptedServer:
        servers.append(ScriptedServer(answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
