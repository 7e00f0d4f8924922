"""How long people wait who look something up in a ledger that holds very many appeals."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.work import UNITS
from config.wiring import Installation
from demo.processes import suqiu
from router.ledger.views import Filter

TIMES = 5
FEW = 3
"""Closed appeals among all the open ones: a rare state is what people filter for."""


@dataclass(frozen=True)
class Looked:
    """Milliseconds: medians of some looks; `commands` with the start of the program."""

    held: int
    show: float
    list: float
    filtered: Mapping[str, float]
    commands: Mapping[str, float]

    @property
    def slowest(self) -> float:
        """Of all lists of appeals, filtered or not."""
        return max(self.list, *(took for name, took in self.filtered.items() if "appeal" in name))


def looking(config: Path, ledger: Path, *, times: int = 3) -> Looked:
    """Look around in the ledger of this configuration, which no hub is running on.

    The commands, which take seconds, are tried so many `times`."""
    held, appeal_id = _prepare(ledger)
    installation = Installation(config)
    views = installation.views
    one = views.appeals(Filter(source="crm", limit=1))[0]
    filtered: dict[str, Callable[[], object]] = {
        "appeals of a source": lambda: views.appeals(Filter(source="crm")),
        "appeals of a source that sent none": lambda: views.appeals(Filter(source="other")),
        "an appeal by its number": lambda: views.appeals(Filter(source_id=one["source_id"])),
        "appeals in a rare state": lambda: views.appeals(Filter(state="closed")),
        "tasks of a unit": lambda: views.tasks(Filter(unit=UNITS[7])),
        "tasks of a unit without any": lambda: views.tasks(Filter(unit="archive")),
        "deliveries to a unit": lambda: views.deliveries(Filter(destination=UNITS[7])),
        "deliveries in a rare state": lambda: views.deliveries(Filter(state="dead")),
        "dead letters": lambda: views.dead(Filter()),
    }
    try:
        show, list_ = _ms(lambda: views.appeal(appeal_id)), _ms(lambda: views.appeals(Filter()))
        found = {name: _ms(look) for name, look in filtered.items()}
    finally:
        installation.database.close()
    commands = {
        "suqiu appeals show ID": _command_ms(config, times, "appeals", "show", appeal_id),
        "suqiu appeals list": _command_ms(config, times, "appeals", "list"),
    }
    return Looked(held, show, list_, found, commands)


def _prepare(ledger: Path) -> tuple[int, str]:
    """A few appeals closed; how many there are, and the id of one whose text opens."""
    with sqlite3.connect(ledger) as connection:
        newest = "SELECT appeal_id FROM appeals ORDER BY appeal_id DESC LIMIT"
        connection.execute(f"UPDATE appeals SET state = 'closed' WHERE appeal_id IN ({newest} {FEW})")
        held = int(connection.execute("SELECT count(*) FROM appeals").fetchone()[0])
        return held, str(connection.execute(f"{newest} 1 OFFSET 100").fetchone()[0])


def _ms(look: Callable[[], object]) -> float:
    """The first look warms up."""
    look()
    return median(_timed(look) for _ in range(TIMES))


def _timed(look: Callable[[], object]) -> float:
    began = time.perf_counter()
    look()
    return (time.perf_counter() - began) * 1000


def _command_ms(config: Path, times: int, *words: str) -> float:
    command = suqiu(*words, "--config", str(config))
    return median(
        _timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(times)
    )
