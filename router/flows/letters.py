"""
The postman's round: the hub's own mails handed to a mail server, again and again until one takes them.

A crash after a mail was handed over and before that was written down sends it twice, under the same
Message-ID. A mail server that is away holds up nothing but mail.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from router.crashpoints import crashpoint
from router.decisions.recovery import Retry, RetryPolicy, decide
from router.errors import told
from router.events import DeadLettered, Observer, Trouble
from router.flows.polling import Leases
from router.flows.records import NewDead
from router.letters import Letter
from router.ports import Clock, NewId, Postman
from router.reasons import Reason, Stage

MAIL = "mail"
"""What dead letters about the hub's own mails have as their destination."""
BATCH = 20
LOOK_AGAIN = timedelta(seconds=2)
HOLD = timedelta(minutes=5)
"""Longer than the slowest single mail: each renews it."""
LEASE = "letters"


class DueLetter(NamedTuple):
    letter: Letter
    attempts: int
    """Those made so far."""


class Drawer(Protocol):
    """Where letters lie until they are sent."""

    def due(self, now: datetime, limit: int) -> list[DueLetter]: ...
    def sent(self, letter_id: str, now: datetime) -> None: ...
    def again(self, letter_id: str, at: datetime) -> None: ...
    def died(self, due: DueLetter, dead: NewDead, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class PostTools:
    drawer: Drawer
    leases: Leases
    policy: RetryPolicy
    clock: Clock
    new_id: NewId
    chance: Callable[[], float]
    announce: Observer


class Post:
    """Sends what is due until told to stop. `postmen`: mailbox → who carries its mail."""

    def __init__(self, postmen: Mapping[str, Postman], tools: PostTools) -> None:
        self._postmen = postmen
        self._tools = tools

    def run(self, stop: threading.Event) -> None:
        """One round after another; one process at a time, by a lease."""
        while not stop.is_set():
            try:
                self.round(stop)
            except Exception as error:  # the edge of this flow: the next round tries again
                self._tools.announce(Trouble(self._tools.clock(), "letters", told(error)))
            stop.wait(LOOK_AGAIN.total_seconds())

    def round(self, stop: threading.Event) -> int:
        """Try everything that is due now; how many were sent."""
        tools, sent = self._tools, 0
        if not tools.leases.take(LEASE, tools.clock(), HOLD):
            return 0
        for due in tools.drawer.due(tools.clock(), BATCH):
            if stop.is_set():
                break
            tools.leases.take(LEASE, tools.clock(), HOLD)
            sent += self._send(due)
        return sent

    def _send(self, due: DueLetter) -> bool:
        tools, letter = self._tools, due.letter
        postman = self._postmen.get(letter.source)
        if postman is None:
            sentence = "its mailbox has no mail server to answer with (reply: in hub.yaml)"
            self._died(due, Reason.NO_BINDING, sentence)
            return False
        try:
            postman.send(letter)
        except Exception as error:  # the edge of this flow: recovery decides about every error
            self._failed(due, error)
            return False
        crashpoint("letters.after_send")
        tools.drawer.sent(letter.letter_id, tools.clock())
        return True

    def _failed(self, due: DueLetter, error: Exception) -> None:
        tools = self._tools
        verdict = decide(error, due.attempts + 1, tools.policy, chance=tools.chance())
        if isinstance(verdict, Retry):
            tools.drawer.again(due.letter.letter_id, tools.clock() + verdict.after)
            tools.announce(Trouble(tools.clock(), "letters", told(error)))
        else:
            self._died(due, verdict.reason, verdict.sentence)

    def _died(self, due: DueLetter, reason: Reason, sentence: str) -> None:
        tools, now = self._tools, self._tools.clock()
        self._tools.drawer.died(due, NewDead(tools.new_id(), Stage.DELIVER, reason, sentence), now)
        tools.announce(DeadLettered(now, Stage.DELIVER, reason, due.letter.source, None))
