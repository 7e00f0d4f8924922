from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from demo.servers.dovecot import Dovecot
from demo.servers.server import MissingPackage
from tests.connectors.mail.postbox import Postbox
from tests.servers import missing


def _installed(separator: str) -> Dovecot:
    try:
        return Dovecot(separator=separator)
    except MissingPackage as error:
        missing(error)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real mail server; who kills it brings it back before the test ends."""
    with _installed(".") as server:
        yield server


@pytest.fixture
def dovecot_with(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Dovecot]]:
    """One of another kind: by the sign between folders."""
    started: list[Dovecot] = []

    def start(separator: str) -> Dovecot:
        started.append(_installed(separator))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def postbox(dovecot: Dovecot) -> Iterator[Postbox]:
    """An empty mailbox of the test's own."""
    yield Postbox(dovecot, f"box-{secrets.token_hex(4)}")
    if not dovecot.is_running:
        dovecot.start()
