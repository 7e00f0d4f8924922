"""Items that need nothing from elsewhere take a quick way into their envelopes; it changes none of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.selecting import id_text
from connectors.times import read_time
from router import jsontext
from router.limits import clean
from router.message import Batch, Envelope
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all
from tests.connectors.server import Told

SIGNS = [chr(n) for n in (*range(0x3100), 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFEFF, 0xFFFD, 0xFFFF, 0x1F600)]
TIME = "2026-03-01 08:00:00"
ODD: list[Any] = [
    {"id": " padded ", "updated": f"\t{TIME}\n"},
    {"id": "x" * 200, "updated": "2026-03-01 08:00"},
    {"id": "x" * 201, "updated": TIME},
    {"id": "税" * 200, "updated": 1772323200},
    {"id": "\x00", "updated": True},
    {"id": "a\ud800b", "updated": "\ud800", "text": "\ud800"},
    {"id": "\u3000", "updated": None},
    {"id": 12345678901234567890123, "updated": 1.5},
    {"id": 1.5, "updated": []},
    {"id": True, "updated": {}},
    {"id": "", "updated": ""},
    {"id": None, "updated": "1989-12-31 23:59:59"},
    {"id": "a", "updated": "1990-06-01 00:30:00"},
    {"id": ["a"], "updated": "2026-13-01 08:00:00"},
    {"updated": TIME},
    "text",
    7,
    None,
    ["a"],
]


def handed_out(serve: Serve, items: list[Any], **settings: Any) -> list[Batch]:
    server = serve(lambda _: Told(json.dumps({"data": items})))
    about = {"url": f"{server.url}/list", "items": "data", "updated": systems.TIMES, "ascending": True}
    return fetch_all(systems.source({**about, **settings}))


def without_moment(envelope: Envelope) -> dict[str, Any]:
    return envelope.model_dump(exclude={"received_at"})


@pytest.mark.parametrize(
    "items",
    [pytest.param(ODD, id="odd ones"), pytest.param([{"id": f"{s}a{s}"} for s in SIGNS], id="every sign")],
)
def test_an_envelope_that_nobody_checked_would_have_passed(serve: Serve, items: list[Any]) -> None:
    batches = handed_out(serve, items)
    made = [envelope for batch in batches for envelope in batch.envelopes]
    assert len(made) == len(items)
    for envelope in made:
        again = Envelope(**{name: getattr(envelope, name) for name in Envelope.model_fields})
        assert again == envelope
        assert again.model_dump_json() == envelope.model_dump_json()
    for batch in batches:
        assert Batch(**{name: getattr(batch, name) for name in Batch.model_fields}) == batch


def test_the_quick_way_hands_out_what_the_slow_one_does(serve: Serve) -> None:
    items = [*ODD, *({"id": f"n{n}", "updated": f"2026-03-01 08:{n % 60:02}:00"} for n in range(450)), *ODD]
    quick = handed_out(serve, items)
    slow = handed_out(serve, items, attachments={"list": "files"})
    assert [batch.cursor for batch in quick] == [batch.cursor for batch in slow]
    assert [list(map(without_moment, batch.envelopes)) for batch in quick] == [
        list(map(without_moment, batch.envelopes)) for batch in slow
    ]


def test_what_is_more_than_an_envelope_holds_is_kept_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.rest_items.LARGEST", 40)
    item = {"id": "a", "text": "x" * 40}
    (batch, _) = handed_out(serve, [item, {"id": "b"}])
    large, small = batch.envelopes
    assert (large.source_id, large.body) == ("a", jsontext.dumps(item)[:40])
    assert large.problem is not None
    assert (small.source_id, small.problem) == ("b", None)


def test_an_id_is_what_an_envelope_makes_of_it() -> None:
    for sign in SIGNS:
        for text in (sign, f"{sign}a{sign}"):
            assert id_text(text) == (str(clean(text)).strip() or None)
    assert [id_text(value) for value in (True, None, 1.5, [])] == [None] * 4
    assert [id_text(value) for value in (0, Decimal("1.50"))] == ["0", "1.50"]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC"])
@given(local=st.datetimes(datetime(1990, 1, 1), datetime(2200, 12, 31)))
@example(local=datetime(1990, 9, 16, 1, 30))
@example(local=datetime(1991, 4, 14, 2, 30))
@example(local=datetime(2026, 3, 29, 2, 30))
@example(local=datetime(2026, 10, 25, 2, 30))
def test_a_time_without_a_zone_is_the_zones(zone: str, local: datetime) -> None:
    there = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert read_time(local.isoformat(), ["iso"], ZoneInfo(zone)) == there
    text = f"{local:%Y-%m-%d %H:%M:%S}"
    found = read_time(text, ["%Y-%m-%d %H:%M:%S"], ZoneInfo(zone))
    assert found == there.replace(microsecond=0)
    assert found.tzinfo is UTC
