"""
Between the caller's thread and the publisher's: messages one way, verdicts the other.

No lock on either way: both ends of a deque are safe between two threads. Messages go by the page, and
many pages cost one waking of the other side.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from router.broker.lanes import Decided
from router.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Seen:
    """The caller has learnt of one failure. Goes through the inbox, so that order tells what came after."""

    destination: str
    appeal_id: str


@dataclass(frozen=True, slots=True)
class Surplus:
    """Handed in without there being room; it comes back, through the lane, since order must know of it."""

    message: Outgoing


Item = Sequence[Outgoing] | Seen | Surplus


class Handover:
    """`put` and `wait` are for the caller's thread, `take` and `announce` for the publisher's."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._inbox: deque[Item] = deque()
        self._wake_is_due = False
        self._caller_waits = False
        self._news = threading.Condition()
        self.decided: deque[Decided] = deque()

    def put(self, item: Item) -> None:
        self._inbox.append(item)
        if not self._wake_is_due:
            self._wake_is_due = True
            self._wake()

    def wait(self, seconds: float) -> None:
        """Until something is decided."""
        with self._news:
            self._caller_waits = True
            self._news.wait_for(lambda: self.decided, seconds)
            self._caller_waits = False

    def take(self) -> Iterator[Item]:
        """All there is, oldest first."""
        # The flag falls first: what is put in from here on asks for another waking.
        self._wake_is_due = False
        while self._inbox:
            yield self._inbox.popleft()

    def announce(self) -> None:
        """Wake the caller if it waits and there is something."""
        if self.decided and self._caller_waits:
            with self._news:
                self._news.notify()
