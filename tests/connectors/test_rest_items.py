"""What further calls bring for an item: its detail and its files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors import rest
from connectors.rest import RestSource
from router.errors import SourceUnavailable, Throttled
from router.message import Envelope
from tests.connectors import systems
from tests.connectors.conftest import Serve
from tests.connectors.contract import fetch_all, fetch_until_error, ids, last_cursor
from tests.connectors.server import Asked, ScriptedServer, Told

CANARY = "13911112222"
PDF = b"%PDF-1.7 content"


def polled(server: ScriptedServer, store: systems.Store | None = None, **settings: Any) -> RestSource:
    return systems.source({"url": f"{server.url}/list", "items": "data", **settings}, store=store)


def detailed(server: ScriptedServer, **settings: Any) -> RestSource:
    return polled(server, detail={"url": f"{server.url}/one/{{id}}", "item": "d", **settings})


def envelopes(source: RestSource) -> list[Envelope]:
    return [envelope for batch in fetch_all(source) for envelope in batch.envelopes]


def one_item(files: Any, **answers: Told) -> Any:
    """A list of one item that links to files; `answers` by the last part of the path, PDF otherwise."""

    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": "a", "files": files}]})
        return answers.get(asked.path.rpartition("/")[2], Told(PDF))

    return answer


def test_the_detail_is_the_body_and_the_list_gives_the_id(serve: Serve) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": "a/1?x"}, {"id": 12345678901234567890123}]})
        return Told({"d": {"id": "other", "at": asked.path}})

    first, second = envelopes(detailed(serve(answer)))
    assert (first.source_id, second.source_id) == ("a/1?x", "12345678901234567890123")
    assert json.loads(first.body) == {"id": "other", "at": "/one/a%2F1%3Fx"}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        pytest.param(Told(b"", 404), "not there", id="404"),
        pytest.param(Told(b"", 410), "not there", id="410"),
        pytest.param(Told({"code": 1404}), "not there", id="said inside a 200"),
        pytest.param(Told({"d": []}), "not an object", id="a list where the item should be"),
    ],
)
def test_a_detail_that_is_gone_leaves_the_lists_entry_and_says_so(
    serve: Serve, told: Told, word: str
) -> None:
    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": "gone", "title": "t"}, {"id": "b"}]})
        return told if asked.path.endswith("gone") else Told({"d": {"id": "b"}})

    gone, after = envelopes(detailed(serve(answer), gone={"at": "code", "is": [1404]}))
    assert json.loads(gone.body) == {"id": "gone", "title": "t"}
    assert gone.problem is not None
    assert word in gone.problem
    assert (after.source_id, after.problem) == ("b", None)


def failing_at(name: str, told: Told) -> Any:
    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": one, "updated": "2026-03-01 08:00:00"} for one in "abc"]})
        return told if asked.path.endswith(name) else Told({"d": {"id": "x"}})

    return answer


def test_a_detail_that_cannot_be_had_now_stops_before_its_item(serve: Serve) -> None:
    source = detailed(serve(failing_at("b", Told(b"", 500))))
    got, error = fetch_until_error(source)
    assert isinstance(error, SourceUnavailable)
    assert ids(got) == ["a"], "what came before it counts"
    assert last_cursor(got) is None, "the cursor does not pass it"


def test_an_item_that_fails_alone_does_not_hold_up_the_others_for_ever(serve: Serve) -> None:
    source = detailed(serve(failing_at("b", Told(b"", 500))))
    for _ in range(rest.PATIENCE - 1):
        assert isinstance(fetch_until_error(source)[1], SourceUnavailable)
    stuck = envelopes(source)[1]
    assert [one.source_id for one in envelopes(source)] == ["a", "b", "c"]
    assert stuck.problem is not None
    assert "time and again" in stuck.problem


def test_a_source_that_is_down_is_never_blamed_on_its_items(serve: Serve) -> None:
    down = serve(
        lambda asked: Told({"data": [{"id": "a"}, {"id": "b"}]}) if asked.path == "/list" else Told(b"", 500)
    )
    source = detailed(down)
    for _ in range(rest.PATIENCE + 2):
        got, error = fetch_until_error(source)
        assert isinstance(error, SourceUnavailable)
        assert ids(got) == []


def test_a_detail_call_that_is_told_to_slow_down_ends_the_round_however_often(serve: Serve) -> None:
    source = detailed(serve(failing_at("b", Told(b"", 429, {"retry-after": "9"}))))
    for _ in range(rest.PATIENCE + 1):
        _, error = fetch_until_error(source)
        assert isinstance(error, Throttled)
        assert error.retry_after is not None


def test_an_unchanged_item_is_not_asked_for_again(serve: Serve) -> None:
    title = {"b": "old"}

    def answer(asked: Asked) -> Told:
        if asked.path == "/list":
            return Told({"data": [{"id": one, "t": title.get(one), "updated": 1772323200} for one in "ab"]})
        return Told({"d": {"at": asked.path, "t": title.get(asked.path[-1])}})

    server = serve(answer)
    detail = {"url": f"{server.url}/one/{{id}}", "item": "d"}
    source = polled(server, detail=detail, updated={"from": "updated", "formats": ["epoch_s"]})
    first = [one.body for one in envelopes(source)]
    title["b"] = "new"
    second = [one.body for one in envelopes(source)]
    assert [asked.path for asked in server.asked if asked.path != "/list"] == ["/one/a", "/one/b", "/one/b"]
    assert first[0] == second[0]
    assert b"new" in second[1]


@pytest.mark.parametrize("place", [{"url": "/one/{id}"}, {"url": "/one", "params": {"no": "{id}"}}])
def test_an_id_that_no_request_can_hold_takes_no_neighbour_along(serve: Serve, place: Any) -> None:
    listed = '{"data": [{"id": "a\\ud800\\u0000"}, {"id": "b"}]}'
    server = serve(lambda asked: Told(listed) if asked.path == "/list" else Told({"d": {"id": "x"}}))
    source = polled(server, detail={**place, "url": server.url + place["url"], "item": "d"})
    assert [one.source_id for one in envelopes(source)] == ["a\ufffd\ufffd", "b"]


def test_attachments_are_kept_by_what_they_are(serve: Serve) -> None:
    names = ("ok.pdf", "lie.pdf", "page.png", "big.pdf", "gone.pdf")
    answer = one_item(
        [{"url": f"/f/{name}", "name": name} for name in names],
        **{
            "lie.pdf": Told(b"\x7fELF\x00\x00binary", headers={"content-type": "application/pdf"}),
            "page.png": Told(b"<!doctype html><html>"),
            "big.pdf": Told(b"%PDF-" + b"x" * 5000),
            "gone.pdf": Told(b"", 404),
        },
    )
    store = systems.Store()
    (envelope,) = envelopes(polled(serve(answer), store, attachments={"list": "files", "max_bytes": 4096}))
    (kept,) = envelope.attachments
    assert (kept.name, kept.media_type, kept.size) == ("ok.pdf", "application/pdf", len(PDF))
    assert store.kept == {kept.sha256: PDF}
    assert envelope.problem is None, "the item itself is whole"
    assert envelope.notes == (
        "attachment 2 is application/x-executable, which is not allowed",
        "attachment 3 is text/html, which is not allowed",
        "attachment 4 is larger than 4 KiB",
        "attachment 5 could not be fetched (answered 404)",
    )


@pytest.mark.parametrize(
    ("files", "names"),
    [
        pytest.param(["/f/a.pdf", "/f/b.pdf"], ["a.pdf", "b.pdf"], id="a list of URLs"),
        pytest.param({"url": "/f/a.pdf", "name": "材料.pdf"}, ["材料.pdf"], id="one object"),
        pytest.param("/f/a.pdf,/f/b.pdf", ["a.pdf", "b.pdf"], id="one text with commas"),
        pytest.param("/f/a,b.pdf", ["a,b.pdf"], id="a comma in a name is no separator"),
        pytest.param('[{"url": "/f/a.pdf", "name": "甲"}]', ["甲"], id="JSON in a text"),
        pytest.param([{"url": "/f/%E6%9D%90.pdf", "name": " "}], ["材.pdf"], id="a name left empty"),
        pytest.param("", [], id="an empty text"),
        pytest.param(None, [], id="nothing"),
    ],
)
def test_links_are_read_as_systems_write_them(serve: Serve, files: Any, names: list[str]) -> None:
    (envelope,) = envelopes(polled(serve(one_item(files)), attachments={"list": "files"}))
    assert [one.name for one in envelope.attachments] == names
    assert envelope.notes == ()


def test_files_from_elsewhere_come_only_from_named_hosts_and_see_no_credentials(serve: Serve) -> None:
    named, other = serve(lambda _: Told(PDF)), serve(lambda _: Told(PDF))
    server = serve(one_item([f"{named.url}/a", f"{other.url}/b", "/c", "file:///etc/passwd", "//[x", 7]))
    host = named.url.removeprefix("http://")
    auth = {"kind": "header", "name": "x-key", "secret": {"env": "APP_TOKEN"}}
    source = polled(server, auth=auth, attachments={"list": "files", "hosts": [host]})
    (envelope,) = envelopes(source)
    assert [one.name for one in envelope.attachments] == ["a", "c"]
    assert len(envelope.notes) == 4
    assert other.asked == []
    assert "x-key" not in named.asked[0].headers
    assert all(asked.headers["x-key"] for asked in server.asked)


def test_a_redirecting_file_is_not_followed(serve: Serve) -> None:
    secret = serve(lambda _: Told(PDF))
    moved = Told(b"", 302, {"location": f"{secret.url}/internal"})
    (envelope,) = envelopes(polled(serve(one_item("/f/a", a=moved)), attachments={"list": "files"}))
    assert envelope.attachments == ()
    assert secret.asked == []


def test_of_too_many_files_the_first_are_fetched_and_the_rest_is_told(serve: Serve) -> None:
    server = serve(one_item([f"/f/{n}.pdf" for n in range(5)]))
    (envelope,) = envelopes(polled(server, attachments={"list": "files", "most": 2}))
    assert len(envelope.attachments) == 2
    assert envelope.notes == ("5 attachments, only the first 2 were fetched",)


def test_there_are_never_more_notes_than_an_envelope_holds(serve: Serve) -> None:
    server = serve(one_item([{"url": ""}] * 60))
    (envelope,) = envelopes(polled(server, attachments={"list": "files", "most": 50}))
    assert len(envelope.notes) == 20
    assert "more attachments are missing" in envelope.notes[-1]


def test_a_file_that_cannot_be_had_now_stops_before_its_item_and_is_not_named(serve: Serve) -> None:
    """P8: files are often named after people, and the error is shown to everyone."""
    name = f"{CANARY}.pdf"
    source = polled(serve(one_item([f"/f/{name}"], **{name: Told(b"", 500)})), attachments={"list": "files"})
    got, error = fetch_until_error(source)
    assert isinstance(error, SourceUnavailable)
    assert ids(got) == []
    assert CANARY not in str(error)
    assert "127.0.0.1" in str(error), "ops must know which host it is"


def test_a_link_that_no_request_can_hold_is_a_note_under_a_signature_too(serve: Serve) -> None:
    listed = '{"data": [{"id": "a", "files": ["/f/a?n=\\ud800"]}, {"id": "b"}]}'
    auth = {"kind": "signature", "secret": {"env": "CRM_SECRET"}}
    server = serve(lambda asked: Told(listed) if asked.path == "/list" else Told(PDF))
    first, second = envelopes(polled(server, auth=auth, attachments={"list": "files"}))
    assert (first.source_id, second.source_id) == ("a", "b")
    assert first.notes == ("attachment 1 could not be fetched",)
