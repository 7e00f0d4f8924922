"""How Python itself runs here: its cycle collector looks seldom, its threads take turns quickly."""

from __future__ import annotations

import gc
import sys
from datetime import timedelta

TURN = timedelta(milliseconds=1)
"""A thread that comes back from the database, several times a page, waits so long until the one that works
out the next page lets it go on; five milliseconds as Python comes, which together are as long as a page."""


def collect_seldom() -> None:
    """Make the cycle collector look seldom.

    A command's imports, and later each page, make thousands of objects without a single cycle: searching
    them for some took a sixth of a hub's start, and a tenth of the intake's time.
    """
    gc.set_threshold(50_000, 20, 20)


def tune_interpreter() -> None:
    """For a hub that is built and about to run: what lives for ever is not searched for cycles either."""
    gc.collect()
    gc.freeze()
    collect_seldom()
    sys.setswitchinterval(TURN.total_seconds())
