"""What a polled system does wrong: none of it crashes, hangs, loses a neighbour or says what was said."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.rest import RestSource
from connectors.rest_settings import RestSettings
from router.errors import HubError, SourceRefused, SourceUnavailable, Throttled
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.server import Asked, ScriptedServer, Told

CANARY = "13911112222"


def polled(server: ScriptedServer, **settings: Any) -> RestSource:
    base = {"url": f"{server.url}/list?who={CANARY}", "items": "data"}
    return systems.source({**base, **settings})


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        pytest.param(Told("{not json"), SourceUnavailable, id="malformed JSON"),
        pytest.param(Told('{"data": NaN}'), SourceUnavailable, id="NaN"),
        pytest.param(Told('{"data": 5}'), SourceUnavailable, id="a number where the list should be"),
        pytest.param(Told("<!DOCTYPE html><html>login</html>"), SourceRefused, id="a login page with 200"),
        pytest.param(Told(b"", 500), SourceUnavailable, id="a fault of its own"),
        pytest.param(Told(b"", 403), SourceRefused, id="forbidden"),
        pytest.param(Told(b"", 302, {"location": "/else"}), SourceRefused, id="a redirect"),
        pytest.param(Told(b"", 429), Throttled, id="slow down"),
        pytest.param(Told(b"x" * 10_000_000), SourceUnavailable, id="10 MB"),
        pytest.param(
            Told(gzip.compress(b" " * 200_000_000), headers={"content-encoding": "gzip"}),
            SourceUnavailable,
            id="a gzip bomb",
        ),
        pytest.param(Told(json.dumps({"data": [{"id": CANARY}]}), cut=True), SourceUnavailable, id="cut off"),
        pytest.param(Told("[" * 5000), SourceUnavailable, id="nested without end"),
    ],
)
def test_a_bad_answer_is_one_clear_error_of_ours(told: Told, kind: type[HubError], serve: Serve) -> None:
    got, error = fetch_until_error(polled(serve(lambda _: told)))
    assert isinstance(error, kind)
    assert ids(got) == []
    assert last_cursor(got) is None, "a bad answer moves no cursor"
    assert CANARY not in str(error), "P8: neither the query nor the body is in the text"


def test_a_slow_answer_ends(serve: Serve) -> None:
    def sleepy(_: Asked) -> Told:
        time.sleep(2.5)
        return Told({"data": []})

    began = time.monotonic()
    _, error = fetch_until_error(polled(serve(sleepy), timeout="1s", tries=1))
    assert isinstance(error, SourceUnavailable)
    assert time.monotonic() - began < 2.4


def test_retry_after_is_carried_along_in_both_forms(serve: Serve) -> None:
    _, by_seconds = fetch_until_error(polled(serve(lambda _: Told(b"", 429, {"retry-after": "17"}))))
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    _, by_date = fetch_until_error(polled(serve(lambda _: Told(b"", 503, {"retry-after": until}))))
    assert isinstance(by_seconds, Throttled)
    assert by_seconds.retry_after == timedelta(seconds=17)
    assert isinstance(by_date, SourceUnavailable)
    assert by_date.retry_after is not None
    assert timedelta(seconds=50) < by_date.retry_after <= timedelta(seconds=60)


def test_a_broken_connection_is_tried_again_at_once(serve: Serve) -> None:
    tries = iter([Told(b"", 502), Told({"data": [{"id": "a"}]})])
    got, error = fetch_until_error(polled(serve(lambda _: next(tries))))
    assert error is None
    assert ids(got) == ["a"]


def test_an_odd_item_takes_no_neighbour_along(serve: Serve) -> None:
    items = [{"id": "a"}, {"id": ""}, {"name": "none"}, 7, None, {"id": {"x": 1}}, {"id": "b"}, {"id": "a"}]
    got, error = fetch_until_error(polled(serve(lambda _: Told({"data": items}))))
    assert error is None
    envelopes = got[0].envelopes
    assert [e.source_id for e in envelopes if e.problem is None] == ["a", "b", "a"]
    odd = [e for e in envelopes if e.problem]
    assert len(odd) == 5
    assert all(e.source_id.startswith("sha256:") for e in odd)
    assert len({e.source_id for e in odd}) == 5


def test_a_number_of_23_digits_stays_what_it_is(serve: Serve) -> None:
    raw = '{"data": [{"id": 12345678901234567890123, "sum": 1.10, "t": "\\ud800\\u0000"}]}'
    got, _ = fetch_until_error(polled(serve(lambda _: Told(raw))))
    envelope = got[0].envelopes[0]
    assert envelope.source_id == "12345678901234567890123"
    assert b"12345678901234567890123" in envelope.body
    assert b"1.10" in envelope.body
    assert b"\\ud800" in envelope.body


def test_a_token_that_ends_in_mid_page_is_renewed_once() -> None:
    app = systems.App()
    app.refuse_after = 2
    source = systems.source(app.settings)
    assert ids(fetch_all(source)) == list(systems.IDS)
    assert app.tokens == 2
    app.server.close()


def test_a_token_that_is_never_good_ends_the_round() -> None:
    app = systems.App()
    settings = {**app.settings, "auth": {**app.settings["auth"], "name": "x-wrong"}}
    _, error = fetch_until_error(systems.source(settings))
    assert isinstance(error, SourceUnavailable | SourceRefused)
    assert app.tokens == 2, "renewed once, not for ever"
    app.server.close()


def test_the_same_page_again_and_again_ends_the_round(serve: Serve) -> None:
    page = {"data": [{"id": "a"}, {"id": "b"}]}
    got, error = fetch_until_error(
        polled(serve(lambda _: Told(page)), params={"p": "{page}"}, paging={"kind": "page", "size": 2})
    )
    assert isinstance(error, SourceUnavailable)
    assert ids(got) == ["a", "b"]


def test_a_page_that_shifts_while_it_is_read_loses_nothing(serve: Serve) -> None:
    """New items push the others down between two pages: one is seen twice, none is missed."""
    rows = [f"r{n}" for n in range(6)]

    def shifting(asked: Asked) -> Told:
        page = int(asked.query["p"])
        if page == 2:
            rows.insert(0, "new")
        return Told({"data": [{"id": r} for r in rows[(page - 1) * 3 : page * 3]]})

    paging = {"kind": "page", "size": 3}
    got, error = fetch_until_error(polled(serve(shifting), params={"p": "{page}"}, paging=paging))
    assert error is None
    assert set(ids(got)) >= {f"r{n}" for n in range(6)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://host/list"},
        {"url": "http://user:pass@host/list"},
        {"items": "data["},
        {"every": "0s"},
        {"paging": {"kind": "pages"}},
        {"auth": {"kind": "token", "url": "http://h"}, "surplus": 1},
        {"max_bytes": 1},
        {"updated": {"from": "t", "formats": ["%H:%M"]}},
    ],
)
def test_wrong_settings_are_refused_at_load(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RestSettings.model_validate({"kind": "rest", "url": "http://host/list", **wrong})
