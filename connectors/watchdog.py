"""Ends what takes too long as a whole: a library's timeouts are per wait, and many short waits are long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Watched:
    """One exchange."""

    ends: float
    is_cut: bool = False


class Watchdog:
    """Calls `cut` once for an exchange that is not over in time. There is one exchange at a time.

    One thread for all of them: to start one for each costs as much as half a request.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self._seconds = seconds
        self._cut = cut
        self._watched: Watched | None = None
        self._cutting = threading.Lock()
        self._is_over = threading.Event()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def watch(self) -> Watched:
        """One begins. The thread need not be woken: it never sleeps longer than one may last."""
        self._watched = watched = Watched(time.monotonic() + self._seconds)
        return watched

    def rest(self) -> None:
        """It has ended and will not be cut any more."""
        with self._cutting:
            self._watched = None

    def stop(self) -> None:
        """There will be no further ones."""
        self._is_over.set()

    def _run(self) -> None:
        wait = self._seconds
        while not self._is_over.wait(wait):
            with self._cutting:
                wait = self._look()

    def _look(self) -> float:
        """How long nothing can happen from now on."""
        watched = self._watched
        if watched is None or watched.is_cut:
            return self._seconds
        left = watched.ends - time.monotonic()
        if left > 0:
            return left
        watched.is_cut = True
        self._cut()
        return self._seconds
