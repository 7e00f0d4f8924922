"""The cursor: on the source's clock, never back, never beyond what was not read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.rest import RestSource
from connectors.rest_progress import Progress
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.server import Asked, ScriptedServer, Told

THEIR_DATE = {"date": "Sun, 01 Mar 2026 01:00:00 GMT"}
"""09:00 in Shanghai."""
BY_PAGE = {"params": {"p": "{page}"}, "paging": {"kind": "page", "size": 2}}


def polled(server: ScriptedServer, **settings: Any) -> RestSource:
    return systems.source(
        {"url": f"{server.url}/list", "items": "data", "updated": systems.TIMES, **settings}
    )


def at(*times: str) -> dict[str, Any]:
    return {"data": [{"id": f"i{n}", "updated": f"2026-03-01 {time}"} for n, time in enumerate(times)]}


def reached(source: RestSource, after: Any = None) -> str:
    return (last_cursor(fetch_all(source, after)) or {}).get("time", "")


@pytest.mark.parametrize(
    ("times", "time"),
    [
        pytest.param(["08:00:00", "08:30:00"], "2026-03-01T00:30:00+00:00", id="the latest change seen"),
        pytest.param(["08:30:00", "08:00:00"], "2026-03-01T00:30:00+00:00", id="in whatever order"),
        pytest.param(["08:00:00", "09:05:00"], "2026-03-01T00:00:00+00:00", id="a future one is no progress"),
        pytest.param(["09:00:30"], "2026-03-01T01:00:30+00:00", id="a clock may run half a minute ahead"),
        pytest.param(["09:05:00"], "", id="only future ones"),
        pytest.param(["25:00:00"], "", id="a time that cannot be read"),
        pytest.param([], "", id="nothing there"),
    ],
)
def test_the_cursor_is_on_the_sources_clock(serve: Serve, times: list[str], time: str) -> None:
    source = polled(serve(lambda _: Told(at(*times), headers=THEIR_DATE)))
    got = fetch_all(source)
    assert len(ids(got)) == len(times), "no item is left out for its time"
    assert (last_cursor(got) or {}).get("time", "") == time


def test_an_answer_with_older_items_or_none_never_moves_it_back(serve: Serve) -> None:
    answers = [at("08:30:00"), at("08:00:00"), at()]
    source = polled(serve(lambda _: Told(answers.pop(0), headers=THEIR_DATE)))
    cursor = None
    for _ in range(3):
        cursor = last_cursor(fetch_all(source, cursor))
        assert cursor is not None
        assert cursor["time"] == "2026-03-01T00:30:00+00:00"


def test_the_window_reaches_back_behind_what_was_read_in_local_time(serve: Serve) -> None:
    server = serve(lambda _: Told(at("08:30:00")))
    window = {"params": {"begin": "{from}", "end": "{to}"}, "overlap": "15m"}
    source = polled(server, **window)
    fetch_all(source, last_cursor(fetch_all(source)))
    first, second = (asked.query for asked in server.asked)
    assert "begin" not in first, "the first round asks for everything"
    assert second["begin"] == "2026-03-01 08:15:00"
    assert datetime.strptime(second["end"], "%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("form", "written"),
    [("epoch_ms", "1772323200000"), ("epoch_s", "1772323200"), ("%Y/%m/%d", "2026/03/01")],
)
def test_the_first_round_begins_where_it_is_told_in_the_sources_own_form(
    serve: Serve, form: str, written: str
) -> None:
    server = serve(lambda _: Told(at()))
    settings = {"since": "2026-03-01T00:00:00Z", "overlap": "0s", "window_format": form}
    fetch_all(polled(server, params={"begin": "{from}"}, **settings))
    assert server.asked[0].query["begin"] == written


def test_a_window_in_epochs_is_a_number_in_json(serve: Serve) -> None:
    server = serve(lambda _: Told(at()))
    settings = {"since": "2026-03-01T00:00:00Z", "overlap": "0s", "window_format": "epoch_s"}
    fetch_all(polled(server, method="POST", body="json", params={"q": {"begin": "{from}"}}, **settings))
    assert server.asked[0].json == {"q": {"begin": 1772323200}}


def broken_on_page_three(*pages: dict[str, Any]) -> Any:
    def answer(asked: Asked) -> Told:
        page = int(asked.query["p"])
        return Told(pages[page - 1], headers=THEIR_DATE) if page < 3 else Told(b"", 500)

    return answer


def numbered(first: int, *times: str) -> dict[str, Any]:
    rows = enumerate(times, first)
    return {"data": [{"id": f"i{n}", "updated": f"2026-03-01 {time}"} for n, time in rows]}


@pytest.mark.parametrize("ascending", [True, False])
def test_it_moves_page_by_page_only_in_a_list_that_is_sorted(serve: Serve, ascending: bool) -> None:
    pages = numbered(0, "08:00:00", "08:10:00"), numbered(2, "08:20:00", "08:30:00")
    source = polled(serve(broken_on_page_three(*pages)), ascending=ascending, **BY_PAGE)
    got, error = fetch_until_error(source)
    assert error is not None
    assert ids(got) == ["i0", "i1", "i2", "i3"]
    times = [(batch.cursor or {}).get("time") for batch in got]
    assert times == (
        ["2026-03-01T00:10:00+00:00", "2026-03-01T00:30:00+00:00"] if ascending else [None, None]
    )


def test_a_list_that_only_claims_to_be_sorted_is_found_out(serve: Serve) -> None:
    pages = numbered(0, "08:30:00", "08:20:00"), numbered(2, "08:10:00", "08:00:00")
    got, _ = fetch_until_error(polled(serve(broken_on_page_three(*pages)), ascending=True, **BY_PAGE))
    assert ids(got) == ["i0", "i1", "i2", "i3"]
    assert last_cursor(got) is None, "the older ones on page three would be lost"


def test_after_an_empty_last_page_the_cursor_still_arrives(serve: Serve) -> None:
    answers = [numbered(0, "08:00:00", "08:10:00"), at()]
    got = fetch_all(polled(serve(lambda _: Told(answers.pop(0), headers=THEIR_DATE)), **BY_PAGE))
    assert got[-1].envelopes == ()
    assert got[-1].cursor is not None
    assert got[-1].cursor["time"] == "2026-03-01T00:10:00+00:00"


def test_a_busy_sources_usual_number_survives_a_few_empty_rounds(serve: Serve) -> None:
    full = {"data": [{"id": str(n)} for n in range(80)]}
    answers: list[Any] = [full] * 12 + [{"data": []}] * 3
    source, cursor, usual = polled(serve(lambda _: Told(answers.pop(0)))), None, []
    for _ in range(15):
        cursor = last_cursor(fetch_all(source, cursor))
        assert cursor is not None
        usual.append(int(cursor["usual"]))
    rising, falling = usual[:12], usual[11:]
    assert all(before <= after for before, after in pairwise(rising))
    assert rising[-1] > 60
    assert falling[-1] > 30, "an odd silence is still odd a while later"


@pytest.mark.parametrize(
    "spoilt",
    [{"time": "yesterday"}, {"time": "2026-03-01T00:00:00"}, {"usual": "many"}, {"mean": "nan"}, {"x": "y"}],
)
def test_a_cursor_that_cannot_be_read_is_none(serve: Serve, spoilt: dict[str, str]) -> None:
    server = serve(lambda _: Told(at("08:00:00"), headers=THEIR_DATE))
    assert reached(polled(server, params={"b": "{from}"}), spoilt) == "2026-03-01T00:00:00+00:00"
    assert "b" not in server.asked[0].query


def test_progress_counts_each_item_once_whatever_its_time() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    progress = Progress.begin(None, None)
    for updated in (None, now, now + timedelta(days=1), now):
        progress.saw(updated, now)
    assert progress.fetched == 4
    assert progress.newest == now
