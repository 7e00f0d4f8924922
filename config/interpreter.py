"""How Python itself runs here: its cycle collector looks seldom, its threads take turns quickly."""

from __future__ import annotations

import atexit
import gc
import sys
from datetime import timedelta

TURN = timedelta(milliseconds=1)
"""A thread that comes back from the database, several times a page, waits so long until the one that works
out the next page lets it go on; five milliseconds as Python comes, which together are as long as a page."""


def tune_command() -> None:
    """For a command that begins: let the cycle collector wait until half a million objects are new, and
    leave out its last search at the end.

    Importing and reading a configuration make two hundred thousand, nearly all of which stay; searching
    them for cycles took a sixth of a hub's start. A command's own work stays below that, or is worth it.
    """
    gc.set_threshold(500_000, 20, 20)
    # As Python ends it searches everything once more, for 0.4 s, to give back what ends with the process.
    # What must be closed is closed before: by its owner, or as the ledger's database by a finalizer.
    atexit.register(gc.freeze)


def tune_interpreter() -> None:
    """For a hub that is built and about to run: make the collector look seldom, and not at what lives for
    ever, and the threads take turns.

    A page makes thousands of objects without a single cycle; searching them for some took a tenth of
    the intake's time.
    """
    # Without a collection before: it took 0.2 s to find 0.1 MB, which stays.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(TURN.total_seconds())
