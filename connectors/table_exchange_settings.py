"""The settings of a table exchange (前置机库表交换): whose database, which table, how news are told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from connectors.blocks import MIB, Block, Name
from connectors.times import TimeFormat
from router.durations import Duration, within
from router.secrets import SecretRef

_DIALECT = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\+[A-Za-z][A-Za-z0-9_]*)?")
_NOT_IN_A_URL = frozenset({"password", "passwd", "pwd", "sslpassword", "plugin"})


def _database_address(written: str) -> str:
    try:
        url = make_url(written)
    except (ArgumentError, ValueError) as error:
        raise ValueError("is not DIALECT+DRIVER://USER@HOST:PORT/DATABASE") from error
    if not _DIALECT.fullmatch(url.drivername):
        raise ValueError("must begin with a dialect's name: letters and digits, perhaps + and a driver")
    if url.password is not None or _NOT_IN_A_URL & {name.lower() for name in url.query}:
        raise ValueError("must hold no password and no plugin; a password is a secret of its own: `password`")
    if url.get_backend_name() == "sqlite" and not (url.database or "").startswith("/"):
        raise ValueError("a SQLite file is named by its whole path: sqlite:////FOLDER/FILE")
    return written


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not the name of a time zone, such as Asia/Shanghai or UTC") from error
    return name


def _several(written: object) -> object:
    return written if isinstance(written, (list, tuple)) else [written]


def spell_mark(mark: str | int | bool | None) -> str | None:
    """As text, which every database compares with a column of its own type."""
    return mark if mark is None or isinstance(mark, str) else str(int(mark))


Address = Annotated[str, Field(max_length=1000), AfterValidator(_database_address)]
Zone = Annotated[str, Field(max_length=60), AfterValidator(_zone)]
Mark = Annotated[str, Field(max_length=100)] | int | bool
"""What stands in a status column. `0` and `"0"` are the same, whatever the column's type."""
Formats = Annotated[tuple[TimeFormat, ...], Field(min_length=1, max_length=10)]


class UpdatedSettings(Block):
    """The column that holds a row's change time."""

    column: Name
    formats: Formats = ("iso",)
    """How it is written, where the column holds text or numbers."""


class StatusSettings(Block):
    """Rows wait in one state and are set to another once they are recorded."""

    column: Name
    pending: Annotated[tuple[Mark | None, ...], BeforeValidator(_several), Field(min_length=1, max_length=20)]
    """The state, or states, of a row that waits. An empty state counts only when `null` is among them."""
    taken: Mark
    failed: Mark | None = None
    """For rows that were not understood or may not be reported; left out, they are taken like the rest."""
    taken_at: Name | None = None
    """A column that gets the time of it."""

    @model_validator(mode="after")
    def _moves_on(self) -> Self:
        waiting = {spell_mark(mark) for mark in self.pending}
        if {spell_mark(self.taken), spell_mark(self.taken if self.failed is None else self.failed)} & waiting:
            raise ValueError("taken and failed must not be among pending, or a row would never be done")
        return self


class WatermarkSettings(Block):
    """Rows are read by their change time, from a little before the latest one seen. Nothing is written."""

    column: Name
    overlap: Annotated[Duration, within("1m", "30d")] = timedelta(minutes=10)
    """How far each round reaches back: longer than their longest transaction, and than clocks disagree."""
    start: AwareDatetime | None = None
    """Where the very first round begins; everything when it is left out."""
    format: TimeFormat = "%Y-%m-%d %H:%M:%S"
    """How the time is written, where the column holds text (that sorts like the time) or numbers."""


class TableSettings(Block):
    """One table or view of another system's database."""

    model_config = ConfigDict(hide_input_in_errors=True)

    kind: Literal["table"]
    every: Annotated[Duration, within("1s", "7d")] = timedelta(seconds=30)
    """The pause between two rounds."""
    url: Address
    """For SQLAlchemy, without a password: `mysql+pymysql://hub@10.1.2.3/exchange`."""
    password: SecretRef | None = None
    table: Name
    """Or view."""
    schema_: Annotated[Name | None, Field(alias="schema")] = None
    id: Annotated[tuple[Name, ...], BeforeValidator(_several), Field(min_length=1, max_length=8)]
    """The column, or columns, that name a row for good; several are joined by a slash."""
    columns: Annotated[tuple[Name, ...], Field(max_length=500)] = ()
    """What to read besides the id; everything when it is left out."""
    updated: UpdatedSettings | None = None
    """With a watermark it need not be said."""
    status: StatusSettings | None = None
    watermark: WatermarkSettings | None = None
    zone: Zone | None = None
    """What their times without a zone mean. Left out, they stay without one, which is Shanghai's."""
    page: Annotated[int, Field(ge=1, le=500)] = 200
    """Rows of one query."""
    max_bytes: Annotated[int, Field(ge=1024, le=16 * MIB)] = MIB
    """Of one row, as JSON; a larger one is kept cut, as a dead letter."""
    timeout: Annotated[Duration, within("1s", "5m")] = timedelta(seconds=20)
    """The longest wait for the database's answer; for a lock, a quarter of it."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.status is None) == (self.watermark is None):
            raise ValueError("say how what is new is told: status or watermark, exactly one of them")
        return self
