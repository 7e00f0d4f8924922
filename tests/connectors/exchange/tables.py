"""Exchange tables on real databases, as other systems keep them, and sources that poll them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from connectors.table_exchange import TableSource
from connectors.table_exchange_settings import TableSettings
from router.message import Acceptance, Batch
from router.secrets import SecretRef
from tests.connectors.contract import taken

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
STATUS = {"column": "take_state", "pending": "0", "taken": "1"}
WATERMARK = {"column": "updated", "overlap": "10m", "format": "%Y-%m-%d %H:%M:%S"}
MOMENT = {"postgresql": "timestamp", "mysql": "datetime(6)", "sqlite": "datetime"}
BYTES = {"postgresql": "bytea", "mysql": "longblob", "sqlite": "blob"}


class Hook:
    """A clock that stands still. Being asked is how a test gets into the middle of a round."""

    FIRST_PAGE = 3
    """A source asks for the session's zone, then how late it is, then with every page."""

    def __init__(self) -> None:
        self.now = NOON
        self._asked = 0
        self._do: Callable[[], object] | None = None

    def at_the_first_page(self, do: Callable[[], object]) -> None:
        """Once, in the next round, when the first page is read and not yet handed out."""
        self._asked, self._do = 0, do

    def __call__(self) -> datetime:
        self._asked += 1
        if self._do is not None and self._asked == self.FIRST_PAGE:
            do, self._do = self._do, None
            do()
        return self.now


class Exchange:
    """One database of another system, and what its people do in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        arguments: dict[str, Any] = {"timeout": 5} if self.dialect == "sqlite" else {}
        if self.dialect == "postgresql":
            arguments = {"client_encoding": "utf8"}
        self._engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
        self.clock = Hook()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction of theirs."""
        with self._engine.begin() as connection:
            yield connection

    def do(self, statement: str, **words: Any) -> None:
        with self.begin() as connection:
            connection.execute(text(statement), words)

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        with self.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def create(self, *, key: str = "id varchar(60)", unique: str = "id") -> None:
        self.do(
            f"create table appeals ({key}, title varchar(200), content text, "
            f"updated {MOMENT[self.dialect]}, take_state varchar(10), take_at {MOMENT[self.dialect]}"
            + (f", primary key ({unique}))" if unique else ")")
        )

    def fill(self, *rows: Mapping[str, Any]) -> None:
        with self.begin() as connection:
            insert(connection, *rows)

    def states(self) -> dict[str, str | None]:
        return {row[0]: row[1] for row in self.all("select id, take_state from appeals order by id")}

    def settings(self, **changes: Any) -> TableSettings:
        words = {
            "kind": "table",
            "url": self.url,
            "table": "appeals",
            "id": "id",
            "updated": {"column": "updated", "formats": ["%Y-%m-%d %H:%M:%S"]},
            "timeout": "4s",
            **changes,
        }
        if "status" not in words and "watermark" not in words:
            words["status"] = STATUS
        return TableSettings.model_validate({name: word for name, word in words.items() if word is not None})

    def source(self, *, secrets: Callable[[SecretRef], str] = str, **changes: Any) -> TableSource:
        return TableSource("exchange", self.settings(**changes), secrets=secrets, clock=self.clock)


def insert(connection: Connection, *rows: Mapping[str, Any]) -> None:
    for row in rows:
        names = ", ".join(row)
        slots = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"insert into appeals ({names}) values ({slots})"), dict(row))


def row(number: int, *, minute: float | None = None, **changes: Any) -> dict[str, Any]:
    """The row A0001 of 08:01 and so on."""
    at = datetime(2026, 3, 1, 8) + timedelta(minutes=number if minute is None else minute)
    return {
        "id": f"A{number:04}",
        "title": f"第{number}件",
        "content": "园区路灯不亮",
        "updated": str(at),
        "take_state": "0",
        **changes,
    }


def work_off(
    source: TableSource, cursor: Any = None, *, acknowledge: Callable[[Batch], Acceptance] = taken
) -> list[str]:
    """One round as the intake walks it; the ids in the order they came."""
    ids: list[str] = []
    with source.open():
        for batch in source.fetch(cursor):
            ids += [envelope.source_id for envelope in batch.envelopes]
            source.acknowledge(batch, acknowledge(batch))
    return ids


def bodies(batches: Sequence[Batch]) -> dict[str, dict[str, Any]]:
    return {one.source_id: json.loads(one.body) for batch in batches for one in batch.envelopes}


def problems(batches: Sequence[Batch]) -> dict[str, str | None]:
    return {one.source_id: one.problem for batch in batches for one in batch.envelopes}
