"""What a polled system does wrong: none of it crashes, hangs, loses a neighbour or says what was said."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.rest import RestSource
from connectors.rest_settings import RestSettings
from router.errors import HubError, SourceRefused, SourceUnavailable, Throttled
from router.message import Batch
from tests.connectors import systems
from tests.connectors.contract import fetch_all, ids, last_cursor
from tests.connectors.server import Answers, Asked, ScriptedServer, Told

CANARY = "13911112222"
Serve = Callable[[Answers], ScriptedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ScriptedServer] = []

    def start(answers: Answers) -> ScriptedServer:
        servers.append(ScriptedServer(answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def polled(server: ScriptedServer, **settings: Any) -> RestSource:
    base = {"url": f"{server.url}/list?who={CANARY}", "items": "data"}
    return systems.source({**base, **settings})


def collect(source: RestSource) -> tuple[list[Batch], HubError | None]:
    got: list[Batch] = []
    try:
        with source.open():
            for batch in source.fetch(None):
                got.append(batch)
    except HubError as error:
        return got, error
    return got, None


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
    got, error = collect(polled(serve(lambda _: told)))
    assert type(error) is kind or isinstance(error, kind)
    assert ids(got) == []
    assert last_cursor(got) is None, "a bad answer moves no cursor"
    assert CANARY not in str(error), "P8: neither the query nor the body is in the text"


def test_a_slow_answer_ends(serve: Serve) -> None:
    def sleepy(_: Asked) -> Told:
        time.sleep(2.5)
        return Told({"data": []})

    began = time.monotonic()
    _, error = collect(polled(serve(sleepy), timeout="1s", tries=1))
    assert isinstance(error, SourceUnavailable)
    assert time.monotonic() - began < 2.4


def test_retry_after_is_carried_along_in_both_forms(serve: Serve) -> None:
    _, by_seconds = collect(polled(serve(lambda _: Told(b"", 429, {"retry-after": "17"}))))
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    _, by_date = collect(polled(serve(lambda _: Told(b"", 503, {"retry-after": until}))))
    assert isinstance(by_seconds, Throttled)
    assert by_seconds.retry_after == timedelta(seconds=17)
    assert isinstance(by_date, SourceUnavailable)
    assert by_date.retry_after is not None
    assert timedelta(seconds=50) < by_date.retry_after <= timedelta(seconds=60)


def test_a_broken_connection_is_tried_again_at_once(serve: Serve) -> None:
    tries = iter([Told(b"", 502), Told({"data": [{"id": "a"}]})])
    got, error = collect(polled(serve(lambda _: next(tries))))
    assert error is None
    assert ids(got) == ["a"]


def test_an_odd_item_takes_no_neighbour_along(serve: Serve) -> None:
    items = [{"id": "a"}, {"id": ""}, {"name": "none"}, 7, None, {"id": {"x": 1}}, {"id": "b"}, {"id": "a"}]
    got, error = collect(polled(serve(lambda _: Told({"data": items}))))
    assert error is None
    envelopes = got[0].envelopes
    assert [e.source_id for e in envelopes if e.problem is None] == ["a", "b", "a"]
    odd = [e for e in envelopes if e.problem]
    assert len(odd) == 5
    assert all(e.source_id.startswith("sha256:") for e in odd)
    assert len({e.source_id for e in odd}) == 5


def test_a_number_of_23_digits_stays_what_it_is(serve: Serve) -> None:
    raw = '{"data": [{"id": 12345678901234567890123, "sum": 1.10, "t": "\\ud800\\u0000"}]}'
    got, _ = collect(polled(serve(lambda _: Told(raw))))
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
    _, error = collect(systems.source(settings))
    assert isinstance(error, SourceUnavailable | SourceRefused)
    assert app.tokens == 2, "renewed once, not for ever"
    app.server.close()


def test_the_same_page_again_and_again_ends_the_round(serve: Serve) -> None:
    page = {"data": [{"id": "a"}, {"id": "b"}]}
    got, error = collect(
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
    got, error = collect(polled(serve(shifting), params={"p": "{page}"}, paging=paging))
    assert error is None
    assert set(ids(got)) >= {f"r{n}" for n in range(6)}


def test_a_future_time_never_moves_the_cursor(serve: Serve) -> None:
    items = [{"id": "a", "t": "2026-03-01 08:00:00"}, {"id": "b", "t": "2199-01-01 00:00:00"}]
    settings = {"updated": {"from": "t", "formats": ["%Y-%m-%d %H:%M:%S"]}}
    got, _ = collect(polled(serve(lambda _: Told({"data": items})), **settings))
    assert ids(got) == ["a", "b"], "no item is left out for its time"
    cursor = last_cursor(got)
    assert cursor is not None
    assert cursor["time"] == "2026-03-01T00:00:00+00:00"


def test_the_window_reaches_back_behind_what_was_read(serve: Serve) -> None:
    server = serve(lambda _: Told({"data": [{"id": "a", "t": "2026-03-01 08:30:00"}]}))
    settings = {
        "params": {"begin": "{from}"},
        "overlap": "15m",
        "updated": {"from": "t", "formats": ["%Y-%m-%d %H:%M:%S"]},
    }
    source = polled(server, **settings)
    cursor = last_cursor(fetch_all(source))
    fetch_all(source, cursor)
    assert "begin" not in server.asked[0].query
    assert server.asked[1].query["begin"] == "2026-03-01 08:15:00"


def test_an_empty_page_is_the_end_and_the_usual_number_is_remembered(serve: Serve) -> None:
    full = {"data": [{"id": str(n)} for n in range(80)]}
    answers = [full] * 8 + [{"data": []}]
    server = serve(lambda _: Told(answers.pop(0)))
    source, cursor = polled(server), None
    for _ in range(8):
        cursor = last_cursor(fetch_all(source, cursor))
    assert cursor is not None
    assert int(cursor["usual"]) > 40
    assert ids(fetch_all(source, cursor)) == []


def test_details_are_fetched_and_a_missing_one_is_told(serve: Serve) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": "a/1"}, {"id": "gone"}, {"id": "c"}]})
        return Told(b"", 404) if asked.path.endswith("gone") else Told({"d": {"id": "x", "text": asked.path}})

    server = serve(answer)
    got, error = collect(polled(server, detail={"url": f"{server.url}/one/{{id}}", "item": "d"}))
    assert error is None
    first, gone, last = got[0].envelopes
    assert b"text" in first.body
    assert gone.problem is not None
    assert (first.source_id, last.source_id) == ("a/1", "c")


def test_a_detail_that_cannot_be_had_now_stops_before_its_item(serve: Serve) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": "a"}, {"id": "b"}, {"id": "c"}]})
        return Told(b"", 500) if asked.path.endswith("b") else Told({"id": "x"})

    server = serve(answer)
    got, error = collect(polled(server, detail={"url": f"{server.url}/one/{{id}}"}))
    assert isinstance(error, SourceUnavailable)
    assert ids(got) == ["a"]
    assert last_cursor(got) is None


def test_attachments_are_kept_by_what_they_are(serve: Serve) -> None:
    files = {
        "/f/ok.pdf": Told(b"%PDF-1.7 content"),
        "/f/lie.pdf": Told(b"\x7fELF\x00\x00binary"),
        "/f/page.png": Told(b"<!doctype html><html>"),
        "/f/big.pdf": Told(b"%PDF-" + b"x" * 5000),
        "/f/gone.pdf": Told(b"", 404),
    }

    def answer(asked: Asked) -> Told:
        links = [{"url": path, "name": path[3:]} for path in files] + [{"url": "http://elsewhere.invalid/x"}]
        return files.get(asked.path) or Told({"data": [{"id": "a", "files": links}]})

    store = systems.Store()
    server = serve(answer)
    settings = {
        "url": f"{server.url}/list",
        "items": "data",
        "attachments": {"list": "files", "max_bytes": 4096},
    }
    got, error = collect(systems.source(settings, store=store))
    assert error is None
    envelope = got[0].envelopes[0]
    assert [(a.name, a.media_type) for a in envelope.attachments] == [("ok.pdf", "application/pdf")]
    assert list(store.kept.values()) == [b"%PDF-1.7 content"]
    assert len(envelope.notes) == 5


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
