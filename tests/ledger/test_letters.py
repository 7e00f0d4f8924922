"""The hub's own mails: kept sealed, sent until a mail server takes them, dead letters when none does."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from router.decisions.recovery import RetryPolicy
from router.errors import DestinationUnavailable, RejectedByReceiver
from router.flows.letters import Post, PostTools
from router.flows.records import Actor
from router.ledger import schema as t
from router.ledger.leases import LeaseStore
from router.ledger.rotation import rotate, sealed_under
from router.ledger.sealing import Sealer
from router.ledger.views import Filter
from router.letters import Letter
from tests.hub import CANARY_NAME, HASHING, SOURCE, Hub, new_id

GO = threading.Event()
POLICY = RetryPolicy(timedelta(seconds=5), timedelta(minutes=1), 3)


class MailServer:
    """Takes a letter, or raises what it was told to."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.got: list[Letter] = []

    def send(self, letter: Letter) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.got.append(letter)


def letter(letter_id: str = "l1", source: str = SOURCE) -> Letter:
    return Letter(
        letter_id=letter_id,
        source=source,
        to="office@example.org",
        subject="已收到",
        text=f"{CANARY_NAME} 一行未收",
        file_name="结果.xlsx",
        file=b"PK\x03\x04",
    )


def post(hub: Hub, server: MailServer) -> Post:
    leases = LeaseStore(hub.database, "one")
    tools = PostTools(hub.letters, leases, POLICY, hub.clock, new_id, lambda: 0.5, hub.events.append)
    return Post({SOURCE: server}, tools)


def test_a_letter_is_sent_once_however_often_it_was_posted(hub: Hub) -> None:
    server = MailServer()
    hub.letters.post(letter())
    hub.letters.post(letter())
    assert post(hub, server).round(GO) == 1
    hub.letters.post(letter())
    assert post(hub, server).round(GO) == 0
    assert server.got == [letter()]


def test_nothing_personal_lies_open(hub: Hub) -> None:
    hub.letters.post(letter())
    with hub.database.read() as connection:
        row = connection.execute(select(t.letters)).one()
    assert CANARY_NAME.encode() not in row.body
    assert b"office@example.org" not in row.body


def test_a_mail_server_that_is_away_is_asked_again(hub: Hub) -> None:
    server = MailServer()
    server.errors = [DestinationUnavailable("421 come back later")] * 2
    hub.letters.post(letter())
    assert post(hub, server).round(GO) == 0
    assert post(hub, server).round(GO) == 0, "not before its time"
    assert len(server.errors) == 1
    for _ in range(2):
        hub.clock.move(timedelta(minutes=2))
        post(hub, server).round(GO)
    assert server.got == [letter()]


@pytest.mark.parametrize("error", [RejectedByReceiver("550 no such user"), None])
def test_what_no_server_takes_is_a_dead_letter_and_can_be_posted_again(
    hub: Hub, error: Exception | None
) -> None:
    server = MailServer()
    if error is not None:
        server.errors = [error]
    hub.letters.post(letter(source=SOURCE if error else "another"))
    post(hub, server).round(GO)
    (dead,) = hub.views.dead(Filter(state="open"))
    assert (dead["destination"], dead["source_id"]) == ("mail", "l1")
    assert CANARY_NAME not in dead["sentence"]
    (mended,) = hub.replay.replay([dead["dead_id"]], Actor("admin", "address is right now"))
    assert mended.outcome == "replayed"
    post(hub, server).round(GO)
    assert bool(server.got) is (error is not None)


def test_one_process_sends_at_a_time(hub: Hub) -> None:
    server = MailServer()
    hub.letters.post(letter())
    assert LeaseStore(hub.database, "other").take("letters", hub.clock(), timedelta(minutes=1))
    assert post(hub, server).round(GO) == 0
    assert server.got == []


def test_keys_are_rotated_under_letters_too(hub: Hub) -> None:
    hub.letters.post(letter())
    ring = {**hub.ring, "k2": b"2" * 32}
    assert sum(rotate(hub.database, Sealer(ring, "k2", HASHING))) >= 1
    assert sealed_under(hub.database)["letters", "k2"] == 1
