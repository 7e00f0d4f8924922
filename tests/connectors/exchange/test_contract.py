"""The source contract, kept by table exchange on every database and in both ways of telling what is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from router.ports import Source
from tests.connectors.contract import SourceContract, fetch_all, ids, taken
from tests.connectors.exchange.tables import STATUS, WATERMARK, Exchange, row


class _OfTable(SourceContract):
    EXPECTED = tuple(f"A{number:04}" for number in range(1, 8))
    WAY: dict[str, Any]

    @pytest.fixture
    def source(self, exchange: Exchange) -> Iterator[Source]:
        exchange.create()
        exchange.fill(*(row(number) for number in range(1, 8)))
        self.exchange = exchange
        return exchange.source(page=3, **self.WAY)

    def break_off(self) -> None:
        rename = "alter table appeals rename to hidden"
        self.exchange.clock.at_the_first_page(lambda: self.exchange.do(rename))

    def mend(self) -> None:
        self.exchange.do("alter table hidden rename to appeals")


class TestWatermark(_OfTable):
    WAY = {"watermark": WATERMARK}  # noqa: RUF012 (only read)


class TestStatus(_OfTable):
    WAY = {"status": STATUS}  # noqa: RUF012 (only read)

    def test_acknowledging_twice_is_harmless(self, source: Source) -> None:
        with source.open():
            for batch in source.fetch(None):
                source.acknowledge(batch, taken(batch))
                source.acknowledge(batch, taken(batch))
        assert set(self.exchange.states().values()) == {"1"}
        assert ids(fetch_all(source)) == [], "what was acknowledged waits no more"
