"""Walking a list: short pages, shifting pages, circles, and where a walk ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from connectors.rest import RestSource
from router.errors import SourceRefused, SourceUnavailable
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.server import Answers, Asked, ScriptedServer, Told

BY_PAGE = {"params": {"p": "{page}"}, "paging": {"kind": "page", "size": 3}}


def paged(server: ScriptedServer, **settings: Any) -> RestSource:
    return systems.source(
        {"url": f"{server.url}/list", "items": "data", "updated": systems.TIMES, **settings}
    )


def rows(names: Sequence[str], minute: int = 0) -> list[dict[str, str]]:
    return [{"id": name, "updated": f"2026-03-01 08:{minute:02}:00"} for name in names]


def cut(listed: Sequence[Any], size: int = 3, most: int | None = None) -> Answers:
    """Serve a list by page number; `most` is the page that is answered for all later ones."""

    def answer(asked: Asked) -> Told:
        page = int(asked.query["p"]) - 1
        page = min(page, most - 1) if most else page
        return Told({"data": list(listed[page * size : (page + 1) * size])})

    return answer


def test_a_source_that_caps_its_pages_is_read_to_its_end(serve: Serve) -> None:
    """It was asked for a hundred at once and hands out two: a short page is no end."""
    names = [f"r{n}" for n in range(7)]
    server = serve(cut(rows(names), size=2))
    paging = {"params": {"p": "{page}", "n": "{size}"}, "paging": {"kind": "page", "size": 100}}
    assert ids(fetch_all(paged(server, **paging))) == names


def test_beyond_the_end_the_last_page_again_is_the_end(serve: Serve) -> None:
    names = [f"r{n}" for n in range(7)]
    assert ids(fetch_all(paged(serve(cut(rows(names), most=3)), **BY_PAGE))) == names
    assert ids(fetch_all(paged(serve(cut(rows(names[:2]), most=1)), **BY_PAGE))) == names[:2]
    full = serve(cut(rows(names[:6]), most=2))
    assert ids(fetch_all(paged(full, **BY_PAGE))) == names[:6]
    assert len(full.asked) == 4, "a full page that comes again is asked past once"


def test_total_saves_the_request_for_an_empty_page(serve: Serve) -> None:
    listed = rows([f"r{n}" for n in range(5)])

    def answer(asked: Asked) -> Told:
        page = int(asked.query["p"]) - 1
        return Told({"data": listed[page * 3 : page * 3 + 3], "total": "5"})

    server = serve(answer)
    paging = {**BY_PAGE, "paging": {"kind": "page", "size": 3, "total": "total"}}
    assert len(ids(fetch_all(paged(server, **paging)))) == 5
    assert len(server.asked) == 2


def test_a_page_number_that_the_source_ignores_is_an_error_and_moves_nothing(serve: Serve) -> None:
    server = serve(lambda _: Told({"data": rows(["a", "b", "c"])}))
    got, error = fetch_until_error(paged(server, **BY_PAGE))
    assert isinstance(error, SourceUnavailable)
    assert "check params and paging" in str(error)
    assert set(ids(got)) == {"a", "b", "c"}
    assert last_cursor(got) is None


def test_a_repeated_short_page_that_lacks_items_by_total_is_an_error(serve: Serve) -> None:
    server = serve(lambda _: Told({"data": rows(["a", "b"]), "total": 20}))
    paging = {**BY_PAGE, "paging": {"kind": "page", "size": 3, "total": "total"}}
    got, error = fetch_until_error(paged(server, **paging))
    assert isinstance(error, SourceUnavailable)
    assert last_cursor(got) is None


def test_new_items_that_push_the_others_down_lose_nothing(serve: Serve) -> None:
    names = [f"r{n}" for n in range(6)]

    def shifting(asked: Asked) -> Told:
        page = int(asked.query["p"])
        if page == 2 and "new" not in names:
            names.insert(0, "new")
        return cut(rows(names))(asked)

    got = fetch_all(paged(serve(shifting), **BY_PAGE))
    assert set(ids(got)) >= {f"r{n}" for n in range(6)}
    assert len(ids(got)) == len(set(ids(got))), (
        "an item handed out on the page before is not handed out again"
    )


def test_a_whole_page_of_new_items_is_not_taken_for_the_end(serve: Serve) -> None:
    names = [f"r{n}" for n in range(9)]

    def shifting(asked: Asked) -> Told:
        if asked.query["p"] == "2" and "n0" not in names:
            names[:0] = ["n0", "n1", "n2"]
        return cut(rows(names))(asked)

    assert set(ids(fetch_all(paged(serve(shifting), **BY_PAGE)))) >= {f"r{n}" for n in range(9)}


def test_an_item_that_moves_to_the_end_while_the_list_is_read_takes_none_along(serve: Serve) -> None:
    """Sorted by change time: r0 changes between two pages, r3 moves up to a page already read."""
    listed = [{"id": f"r{n}", "updated": f"2026-03-01 08:0{n}:00"} for n in range(7)]

    def moving(asked: Asked) -> Told:
        if asked.query["p"] == "2" and listed[0]["id"] == "r0":
            listed.append({**listed.pop(0), "updated": "2026-03-01 08:30:00"})
        return cut(listed)(asked)

    server = serve(moving)
    got = fetch_all(paged(server, ascending=True, overlap="0s", **BY_PAGE))
    assert set(ids(got)) == {f"r{n}" for n in range(7)}
    assert ids(got).count("r0") == 2, "both of its states"
    assert ids(got).count("r1") == 1


def test_an_item_that_vanishes_while_the_list_is_read_takes_none_along(serve: Serve) -> None:
    """No trace of it but a smaller total: the list is read again."""
    listed = rows([f"r{n}" for n in range(7)])

    def shrinking(asked: Asked) -> Told:
        if asked.query["p"] == "2" and len(listed) == 7:
            listed.pop(0)
        page = int(asked.query["p"]) - 1
        return Told({"data": listed[page * 3 : page * 3 + 3], "total": len(listed)})

    paging = {**BY_PAGE, "paging": {"kind": "page", "size": 3, "total": "total"}}
    assert set(ids(fetch_all(paged(serve(shrinking), **paging)))) == {f"r{n}" for n in range(7)}


def test_a_list_that_never_stands_still_is_read_a_few_times_and_no_more(serve: Serve) -> None:
    minute = iter(range(60))

    def restless(asked: Asked) -> Told:
        page = int(asked.query["p"])
        return Told({"data": rows([f"r{page}", "busy"], next(minute)) if page < 3 else []})

    server = serve(restless)
    assert set(ids(fetch_all(paged(server, **BY_PAGE)))) == {"r1", "r2", "busy"}
    assert len(server.asked) == 9


def test_more_pages_than_allowed_are_an_error_and_move_nothing(serve: Serve) -> None:
    listed = [{"id": f"r{n}", "updated": f"2026-03-01 08:{59 - n}:00"} for n in range(9)]
    got, error = fetch_until_error(paged(serve(cut(listed)), max_pages=2, **BY_PAGE))
    assert isinstance(error, SourceUnavailable)
    assert "max_pages" in str(error)
    assert len(ids(got)) == 6
    assert last_cursor(got) is None, "older items are still to come"


def test_of_a_sorted_list_the_next_round_goes_on_where_this_one_ended(serve: Serve) -> None:
    listed = [{"id": f"r{n}", "updated": f"2026-03-01 08:0{n}:00"} for n in range(9)]

    def answer(asked: Asked) -> Told:
        left = [item for item in listed if item["updated"] >= asked.query.get("since", "")]
        return cut(left)(asked)

    settings = {"params": {"p": "{page}", "since": "{from}"}, "paging": BY_PAGE["paging"]}
    source = paged(serve(answer), ascending=True, overlap="0s", max_pages=2, **settings)
    first = fetch_all(source)
    assert ids(first) == [f"r{n}" for n in range(6)]
    assert set(ids(fetch_all(source, last_cursor(first)))) == {"r5", "r6", "r7", "r8"}


def test_a_round_that_cannot_get_beyond_its_overlap_says_so(serve: Serve) -> None:
    listed = [{"id": f"r{n}", "updated": "2026-03-01 08:00:00"} for n in range(9)]
    source = paged(serve(cut(listed)), ascending=True, max_pages=2, **BY_PAGE)
    cursor = last_cursor(fetch_all(source))
    _, error = fetch_until_error(source, cursor)
    assert isinstance(error, SourceUnavailable)


def test_a_next_cursor_in_a_circle_ends_the_round(serve: Serve) -> None:
    system = systems.NextCursor()
    system.goes_round = True
    got, error = fetch_until_error(systems.source(system.settings))
    system.server.close()
    assert isinstance(error, SourceUnavailable)
    assert "circle" in str(error)
    assert ids(got), "what was good is kept"
    assert last_cursor(got) is None


BY_CURSOR = {"params": {"c": "{cursor}"}, "paging": {"kind": "cursor", "next": "next"}}


def test_fresh_cursors_without_end_to_the_same_items_end_the_round(serve: Serve) -> None:
    server = serve(lambda _: Told({"data": rows(["a"]), "next": len(server.asked)}))
    got, error = fetch_until_error(paged(server, **BY_CURSOR))
    assert isinstance(error, SourceUnavailable)
    assert set(ids(got)) == {"a"}
    assert len(server.asked) < 10


def test_an_empty_page_that_names_a_next_one_is_not_the_end(serve: Serve) -> None:
    pages = {"": ([], "2"), "2": (["a"], "3"), "3": ([], None)}

    def answer(asked: Asked) -> Told:
        names, following = pages[asked.query.get("c", "")]
        return Told({"data": rows(names), "next": following})

    assert ids(fetch_all(paged(serve(answer), **BY_CURSOR))) == ["a"]


def test_a_source_that_always_names_a_next_page_is_believed_a_few_times(serve: Serve) -> None:
    server = serve(lambda _: Told({"data": [], "next": f"n{len(server.asked)}"}))
    assert ids(fetch_all(paged(server, **BY_CURSOR))) == []
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    "named", ["http://elsewhere.invalid/list?p=2", "https://127.0.0.1/list", "//x/y", "ftp://x", "http://[x"]
)
def test_a_next_page_on_another_host_is_refused(serve: Serve, named: str) -> None:
    server = serve(lambda _: Told({"data": rows(["a"]), "next": named}))
    _, error = fetch_until_error(paged(server, paging={"kind": "link", "next": "next"}))
    assert isinstance(error, SourceRefused)
    assert len(server.asked) == 1


def test_a_next_url_keeps_its_own_query_and_gets_our_proof(serve: Serve) -> None:
    def answer(asked: Asked) -> Told:
        following = None if "at" in asked.query else "?at=x%2By&size=3"
        return Told({"data": rows([f"r{len(asked.query)}"]), "next": following})

    server = serve(answer)
    auth = {"kind": "header", "name": "x-key", "secret": {"env": "APP_TOKEN"}}
    settings = {
        "params": {"size": "{size}"},
        "paging": {"kind": "link", "next": "next", "size": 3},
        "auth": auth,
    }
    assert ids(fetch_all(paged(server, **settings))) == ["r1", "r2"]
    assert server.asked[1].query == {"at": "x+y", "size": "3"}
    assert all(asked.headers["x-key"] for asked in server.asked)


def test_a_keyset_goes_on_from_the_exact_time_also_where_ours_is_too_coarse(serve: Serve) -> None:
    listed = [{"id": f"r{n}", "t": f"2026-03-01T08:00:00.{n}00+08:00"} for n in range(9)]

    def answer(asked: Asked) -> Told:
        key = asked.query.get("since", ""), asked.query.get("id", "")
        return Told({"data": [item for item in listed if (item["t"], item["id"]) > key][:2]})

    settings = {
        "params": {"since": "{from}", "id": "{last_id}"},
        "paging": {"kind": "keyset", "size": 2},
        "updated": {"from": "t", "formats": ["iso"]},
    }
    assert ids(fetch_all(paged(serve(answer), **settings))) == [f"r{n}" for n in range(9)]


def test_a_keyset_walks_past_an_item_from_the_future_but_the_cursor_does_not(serve: Serve) -> None:
    listed = [
        *rows(["a", "b"]),
        {"id": "c", "updated": "2199-01-01 00:00:00"},
        {"id": "d", "updated": "2199-01-02 00:00:00"},
    ]

    def answer(asked: Asked) -> Told:
        key = asked.query.get("since", ""), asked.query.get("id", "")
        return Told({"data": [item for item in listed if (item["updated"], item["id"]) > key][:1]})

    settings = {"params": {"since": "{from}", "id": "{last_id}"}, "paging": {"kind": "keyset", "size": 1}}
    got = fetch_all(paged(serve(answer), **settings))
    assert ids(got) == ["a", "b", "c", "d"]
    assert (last_cursor(got) or {})["time"] == "2026-03-01T00:00:00+00:00"


def test_more_ties_than_a_page_holds_are_an_error_where_the_source_knows_no_last_id(serve: Serve) -> None:
    listed = rows([f"r{n}" for n in range(5)])
    server = serve(
        lambda asked: Told({"data": [r for r in listed if r["updated"] >= asked.query.get("since", "")][:3]})
    )
    got, error = fetch_until_error(
        paged(server, params={"since": "{from}"}, paging={"kind": "keyset", "size": 3})
    )
    assert isinstance(error, SourceUnavailable)
    assert len(set(ids(got))) == 3


def test_a_large_answer_becomes_batches_of_two_hundred(serve: Serve) -> None:
    listed = rows([f"r{n}" for n in range(450)])
    got = fetch_all(paged(serve(lambda _: Told({"data": listed}))))
    assert [len(batch.envelopes) for batch in got] == [200, 200, 50, 0]
    assert [batch.cursor is None for batch in got] == [True, True, True, False]
