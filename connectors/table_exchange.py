"""
Table exchange (前置机库表交换): polls a table or view of another system's database.

Never by `id > last`: ids are given out before they are committed, and such a reader passes over what
commits late. With `status`, rows wait in one state and are marked once they are recorded. With
`watermark`, rows are read by change time from a little before the latest one committed to the ledger,
which drops the repeats; nothing is written.

A row that says no time is read all the same, and one without an id becomes a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.table_exchange_database import Database
from connectors.table_exchange_layout import look_up
from connectors.table_exchange_marking import Marker
from connectors.table_exchange_reading import Reader
from connectors.table_exchange_rounds import Round
from connectors.table_exchange_settings import TableSettings
from router.errors import SourceUnavailable
from router.message import Acceptance, Batch, Cursor
from router.ports import Clock
from router.secrets import SecretReader

NOT_UNDERSTOOD = ("failed", "unapproved")


class TableSource:
    """Keeps the port `router.ports.Source`. For one thread."""

    goes_ahead = False

    def __init__(self, name: str, settings: TableSettings, *, secrets: SecretReader, clock: Clock) -> None:
        """Reads the password, once; raises ConfigError when it or the database's driver is missing."""
        self.name = name
        self._settings = settings
        self._clock = clock
        password = secrets(settings.password) if settings.password else None
        self._database = Database(name, settings, password, clock)
        self._round: Round | None = None
        self._marker: Marker | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Connects and looks the columns up, every round anew: the table is not ours to count on."""
        settings, database = self._settings, self._database
        where = f"{self.name}: table {settings.table}"
        with database.connected() as connection:
            with database.watched():
                layout = look_up(connection, settings, where, database.zone)
            now = min(filter(None, (self._clock(), database.now(connection))))
            reader = Reader(connection, database, layout, settings, where)
            self._round = Round(self.name, layout, reader, self._clock, now)
            if settings.status is not None:
                self._marker = Marker(connection, database, layout, settings.status, where)
            try:
                yield
            finally:
                self._round = self._marker = None

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        """All rows that wait, or all from the cursor minus the overlap on."""
        watermark = self._settings.watermark
        if watermark is not None:
            return self._at_work().by_watermark(watermark, after)
        return self._at_work().by_status(after)

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        """Mark what was read by `status`; with `watermark` there is nothing to say."""
        rows = self._at_work().handed(batch)
        if self._marker is None or not rows:
            return
        outcomes = {item.source_id: item.outcome for item in acceptance.items}
        self._marker.mark(
            [(row, outcomes.get(source_id) not in NOT_UNDERSTOOD) for source_id, row in rows.items()],
            self._clock(),
        )

    def _at_work(self) -> Round:
        if self._round is None:
            raise SourceUnavailable(f"{self.name}: its database is not open")
        return self._round
