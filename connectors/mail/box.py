"""What a mailbox is to the source, be it on a server or in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from router.message import Cursor


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it lies in the box."""

    key: str
    """By which the box knows it: its UID, its file's name."""
    arrived_at: datetime | None
    """By the clock of our own server, where it says."""
    raw: bytes
    size: int
    """Of the whole; `raw` is its beginning when it is shorter."""
    cursor: Cursor
    """Where to go on from behind it."""
    fault: str = ""
    """Why the box cannot hand it over, round after round; `raw` is empty then."""


class Box(Protocol):
    def connected(self) -> AbstractContextManager[None]:
        """Hold it open for one round."""

    def mails(self, after: Cursor | None) -> Iterator[Mail]:
        """What is new behind the cursor, and what nobody has marked as read; oldest first, one at a time.

        What a person has read before us is new all the same. What is unread behind us was never
        acknowledged, or somebody wants to have it read again.
        """

    def settle(self, key: str) -> None:
        """Mark it as read, and move it where that is wanted. Safe to call twice; never deletes."""


KEPT_OF_TOO_LARGE = 1024 * 1024
"""So many bytes of a mail over the limit are kept: its head, and what it is about."""
PATIENCE = 5
"""Rounds that one mail which cannot be had may hold up those behind it."""


class Patience:
    """Counts how often a mail could not be had."""

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}

    def lose(self, key: str) -> None:
        """It could not be had."""
        self._failed[key] = self._failed.get(key, 0) + 1

    def is_over(self, key: str) -> bool:
        return self._failed.get(key, 0) >= PATIENCE

    def praise(self, key: str) -> None:
        """It could be had."""
        self._failed.pop(key, None)
