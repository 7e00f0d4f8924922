"""Column types of the ledger, the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=1024)
def micros(value: datetime | None) -> int | None:
    """A time as it is stored. A page's rows mostly hold the same few times."""
    return None if value is None else (value - EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """What Micros makes of a stored number."""
    return EPOCH + timedelta(microseconds=stored)


class Micros(TypeDecorator[datetime]):
    """An aware UTC time as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


Serial = BigInteger().with_variant(Integer(), "sqlite")
