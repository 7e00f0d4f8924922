"""Who else works on a SQLite ledger: a hub may be several processes there, and the first one cleans up."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO


class Presence:
    """A lock on a file beside the ledger, held as long as the process lives; the kernel lets go of it
    however the process ends."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(f"{ledger.name}.running")
        self._file: IO[bytes] | None = None

    def enter(self) -> bool:
        """True for the first process: nobody else runs, so whoever held a lease is dead.

        Others wait here until the first one says `settle`.
        """
        self._file = self._path.open("ab")
        with suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        fcntl.flock(self._file, fcntl.LOCK_SH)
        return False

    def settle(self) -> None:
        """What only the first may do is done: let others in."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Be gone; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
