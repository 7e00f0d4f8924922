"""What an answer in the 200s says about itself, how often is asked, and that the payloads are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.rest import RestSource
from router.errors import SourceRefused, SourceUnavailable, Throttled
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids
from tests.connectors.server import Asked, ScriptedServer, Told

PAYLOADS = Path(__file__).parent.parent / "payloads" / "rest"
CANARY = "13911112222"


def polled(server: ScriptedServer, **settings: Any) -> RestSource:
    return systems.source({"url": f"{server.url}/list", "items": "data", **settings})


@pytest.mark.parametrize("code", [0, "0", " 0 "])
def test_success_is_compared_as_a_word(serve: Serve, code: Any) -> None:
    server = serve(lambda _: Told({"code": code, "data": [{"id": "a"}]}))
    assert ids(fetch_all(polled(server, success={"at": "code", "is": [0]}))) == ["a"]


@pytest.mark.parametrize("code", [1, None, True, False, [], "00", f"用户{CANARY}不存在"])
def test_a_200_that_says_no_inside_is_an_error_that_does_not_repeat_it(serve: Serve, code: Any) -> None:
    server = serve(lambda _: Told({"code": code, "msg": CANARY, "data": [{"id": "a"}]}))
    got, error = fetch_until_error(polled(server, success={"at": "code", "is": [0]}))
    assert isinstance(error, SourceUnavailable)
    assert got == []
    assert CANARY not in str(error)


def test_an_absent_list_is_empty_only_where_success_was_said(serve: Serve) -> None:
    server = serve(lambda _: Told({"code": 0}))
    assert ids(fetch_all(polled(server, success={"at": "code", "is": [0]}))) == []
    _, error = fetch_until_error(polled(server))
    assert isinstance(error, SourceUnavailable)
    assert "configure success" in str(error)


def test_slow_down_said_inside_a_200_slows_down(serve: Serve) -> None:
    server = serve(lambda _: Told({"code": "LIMIT"}))
    _, error = fetch_until_error(polled(server, throttled={"at": "code", "is": ["LIMIT"]}))
    assert isinstance(error, Throttled)
    assert len(server.asked) == 1, "it is not tried again at once"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(Told('{"data": [{"id": "件"}]}', headers={"content-type": "text/html"}), id="text/html"),
        pytest.param(Told('{"data": [{"id": "件"}]}'), id="no content type"),
        pytest.param(
            Told(b"\xef\xbb\xbf" + '{"data": [{"id": "件"}]}'.encode()), id="with a mark at its head"
        ),
        pytest.param(
            Told('{"data": [{"id": "件"}]}'.encode("gbk"), headers={"content-type": "text/json;charset=GBK"}),
            id="GBK",
        ),
    ],
)
def test_json_is_read_however_it_is_labelled(serve: Serve, told: Told) -> None:
    assert ids(fetch_all(polled(serve(lambda _: told)))) == ["件"]


def test_204_is_an_empty_answer(serve: Serve) -> None:
    got, error = fetch_until_error(polled(serve(lambda _: Told(b"", 204))))
    assert error is None
    assert ids(got) == []


def test_a_login_page_is_told_as_what_it_is(serve: Serve) -> None:
    page = f"<!DOCTYPE html><html>登录 {CANARY}</html>"
    for label in ("text/html", "application/json"):
        _, error = fetch_until_error(
            polled(serve(lambda _, t=label: Told(page, headers={"content-type": t})))
        )
        assert isinstance(error, SourceRefused)
        assert "a login page?" in str(error)
        assert CANARY not in str(error)


def test_requests_keep_to_the_rate(serve: Serve) -> None:
    """Thirty pages at one a minute: after the first ten, each waits for its minute."""
    slept: list[float] = []

    def answer(asked: Asked) -> Told:
        page = int(asked.query["p"])
        return Told({"data": [{"id": f"i{page}"}] if page < 30 else []})

    settings = {"params": {"p": "{page}"}, "paging": {"kind": "page", "size": 1}, "per_minute": 1}
    server = serve(answer)
    source = systems.source({"url": f"{server.url}/l", "items": "data", **settings}, sleep=slept.append)
    assert len(ids(fetch_all(source))) == 29
    assert len(server.asked) == 30
    assert len(slept) == 20
    assert 50 < slept[0] <= 60


@pytest.mark.parametrize(("status", "times"), [(500, 3), (503, 3), (404, 1), (403, 1), (429, 1)])
def test_only_what_may_pass_quickly_is_tried_again(serve: Serve, status: int, times: int) -> None:
    server = serve(lambda _: Told(b"", status))
    _, error = fetch_until_error(polled(server, tries=3))
    assert error is not None
    assert len(server.asked) == times


def test_a_source_that_says_when_to_come_again_is_not_tried_before(serve: Serve) -> None:
    server = serve(lambda _: Told(b"", 503, {"retry-after": "60"}))
    _, error = fetch_until_error(polled(server, tries=3))
    assert isinstance(error, SourceUnavailable)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("place", "paging"),
    [
        pytest.param({"params": {"c": "{cursor}"}}, {"kind": "cursor", "next": "next"}, id="in the query"),
        pytest.param({}, {"kind": "link", "next": "next"}, id="as a URL"),
    ],
)
def test_a_next_page_that_no_request_can_name_ends_in_an_error_that_can_be_printed(
    serve: Serve, place: Any, paging: Any
) -> None:
    server = serve(lambda _: Told('{"data": [{"id": "a"}], "next": "x\\ud800"}'))
    auth = {"kind": "signature", "secret": {"env": "CRM_SECRET"}}
    got, error = fetch_until_error(polled(server, auth=auth, paging=paging, **place))
    assert isinstance(error, SourceUnavailable)
    assert str(error).encode()
    assert ids(got) == ["a"]


def shown(name: str, label: str) -> Any:
    """A payload on its first page, nothing on later ones, a PDF for every file."""
    whole = (PAYLOADS / name).read_bytes()

    def answer(asked: Asked) -> Told:
        if asked.path != "/list":
            return Told(b"%PDF-1.7 " + asked.path.encode())
        return Told(whole, headers={"content-type": label})

    return answer


def test_the_apps_payload_is_read(serve: Serve) -> None:
    server = serve(shown("sst_appeals.json", "application/json;charset=UTF-8"))
    source = polled(
        server, params={"pageNo": "{page}"}, paging={"kind": "page", "total": "data.total"},
        items="data.rows", id="appealId",
        attachments={"list": "files", "url": "fileUrl", "name": "fileName"},
        updated={"from": "gmtModified", "formats": ["%Y-%m-%d %H:%M:%S"]},
        success={"at": "code", "is": [0]},
    )  # fmt: skip
    (envelopes,) = [batch.envelopes for batch in fetch_all(source) if batch.envelopes]
    first, second, nameless = envelopes
    assert (first.source_id, second.source_id) == ("ZB20250911000017", "ZB20250911000018")
    assert all(one.updated_at for one in envelopes)
    assert b'"orderNo":20250911000000000000017' in first.body
    assert [file.name for file in first.attachments] == ["提示截图.png"]
    assert nameless.problem == "no id at appealId"


def test_the_hotlines_payload_is_read_with_its_files(serve: Serve) -> None:
    source = polled(
        serve(shown("crm_orders.html", "text/html")), method="POST", body="form",
        items="res.list", id="record_number", success={"at": "status", "is": ["success"]},
        updated={"from": "update_time", "formats": ["%Y-%m-%d %H:%M:%S"]},
        attachments={"list": "d_attachments"},
    )  # fmt: skip
    (envelopes,) = [batch.envelopes for batch in fetch_all(source) if batch.envelopes]
    assert [one.source_id for one in envelopes] == ["250911101108115409", "250911101512220031"]
    assert [[file.name for file in one.attachments] for one in envelopes] == [["a.pdf", "b.pdf"], []]
