"""One exchange with a real server: every bound holds, every error is ours and shows no query."""

from __future__ import annotations

import gzip
import resource
import threading
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors import addresses, http
from connectors.http import Answer, Client, Gone, Request, TooLarge, Unauthorized
from router.errors import HubError, SourceRefused, SourceUnavailable, Throttled
from tests.connectors.conftest import Serve
from tests.connectors.server import ScriptedServer, Told

CANARY = "13911112222"


def exchange(server: ScriptedServer, *, most: int = 1_000_000, timeout: float = 3) -> Answer:
    client = Client("sys", timeout=timedelta(seconds=timeout))
    try:
        return client.send(Request("GET", f"{server.url}/list?phone={CANARY}"), most=most)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        pytest.param(Told(status=401), Unauthorized, id="401"),
        pytest.param(Told(status=403), SourceRefused, id="403"),
        pytest.param(Told(status=404), Gone, id="404"),
        pytest.param(Told(status=302, headers={"location": "/else"}), SourceRefused, id="a redirect"),
        pytest.param(Told(status=408), SourceUnavailable, id="408"),
        pytest.param(Told(status=429), Throttled, id="429"),
        pytest.param(Told(status=503), SourceUnavailable, id="503"),
        pytest.param(Told(b"12345678", cut=True), SourceUnavailable, id="cut in mid-body"),
        pytest.param(Told(b"x" * 1_000_001), TooLarge, id="larger than the limit"),
        pytest.param(Told(b"x", headers={"content-encoding": "gzip"}), SourceUnavailable, id="not gzip"),
        pytest.param(Told(b"x", headers={"content-encoding": "br"}), SourceUnavailable, id="not asked for"),
        pytest.param(
            Told(gzip.compress(b"whole")[:-9], headers={"content-encoding": "gzip"}),
            SourceUnavailable,
            id="gzip cut off, with a length that fits",
        ),
        pytest.param(
            Told(gzip.compress(b"a") + b"more", headers={"content-encoding": "gzip"}),
            SourceUnavailable,
            id="something behind the gzip",
        ),
    ],
)
def test_what_goes_wrong_is_one_error_of_ours(serve: Serve, told: Told, kind: type[HubError]) -> None:
    with pytest.raises(HubError) as caught:
        exchange(serve(lambda _: told))
    assert type(caught.value) is kind
    assert str(caught.value).startswith("sys: http://127.0.0.1:")
    assert CANARY not in str(caught.value)


def test_nobody_there_is_an_error_of_ours(serve: Serve) -> None:
    server = serve(lambda _: Told())
    server.close()
    with pytest.raises(SourceUnavailable) as caught:
        exchange(server)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "drip",
    [
        pytest.param(Told(b"x" * 4000, drip=0.05), id="of the body"),
        pytest.param(
            Told(b"x" * 4000, drip=0.05, says_length=False), id="of a body that does not say how long"
        ),
        pytest.param(Told(b"x", drip=0.05, drips_head=True), id="of the head"),
    ],
)
def test_a_byte_now_and_then_does_not_hold_us_for_ever(
    serve: Serve, drip: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PATIENCE", 1)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="too slowly"):
        exchange(serve(lambda _: drip), timeout=0.7)
    assert time.monotonic() - began < 3


def test_each_exchange_of_a_client_has_the_whole_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE", 1)
    answers = iter([Told(b"first"), Told(b"after a pause"), Told(b"x" * 8, drip=0.05), Told(b"x", drip=0.6)])
    server = serve(lambda _: next(answers, Told(b"x" * 4000, drip=0.05)))
    client = Client("sys", timeout=timedelta(seconds=0.7))
    ask = Request("GET", server.url)
    try:
        assert client.send(ask, most=99).body == b"first"
        time.sleep(0.8)
        assert client.send(ask, most=99).body == b"after a pause"
        time.sleep(0.4)
        assert client.send(ask, most=99).body == b"x" * 8
        assert client.send(ask, most=99).body == b"x"
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(SourceUnavailable, match="too slowly"):
                client.send(ask, most=9999)
            assert 0.6 < time.monotonic() - began < 3
    finally:
        client.close()


def test_a_closed_client_leaves_no_thread_behind(serve: Serve) -> None:
    server = serve(lambda _: Told(b"[]"))
    before = threading.active_count()
    for _ in range(5):
        exchange(server)
    until = time.monotonic() + 3
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_gzip_bomb_never_fills_the_memory(serve: Serve) -> None:
    bomb = gzip.compress(b" " * 300_000_000)
    server = serve(lambda _: Told(bomb, headers={"content-encoding": "gzip"}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLarge):
        exchange(server)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "KiB"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_packed_answers_are_unpacked(serve: Serve, pack: Callable[[bytes], bytes]) -> None:
    packing = "gzip" if pack is gzip.compress else "deflate"
    server = serve(lambda _: Told(pack("整".encode() * 50_000), headers={"content-encoding": packing}))
    assert exchange(server).body == "整".encode() * 50_000
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_the_answer_carries_the_sources_clock_and_the_next_page(serve: Serve) -> None:
    headers = {"date": "Mon, 02 Mar 2026 01:00:00 GMT", "link": '</list?p=2>; rel="next", </x>; rel="prev"'}
    answer = exchange(serve(lambda _: Told(b"[]", headers=headers)))
    assert answer.at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert answer.next_url == "/list?p=2"


@pytest.mark.parametrize("said", ["", "soon", "Mon, 99 Foo 2026", "-5"])
def test_a_date_or_wait_that_says_nothing_is_none(serve: Serve, said: str) -> None:
    assert exchange(serve(lambda _: Told(b"[]", headers={"date": said}))).at is None
    assert http.retry_after({"retry-after": said}) is None


def test_retry_after_is_read_in_both_forms_and_bounded() -> None:
    theirs = datetime(2031, 1, 1, tzinfo=UTC)
    dates = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=60), usegmt=True),
    }
    assert http.retry_after({"retry-after": "17"}) == timedelta(seconds=17)
    assert http.retry_after(dates) == timedelta(seconds=60), "by their clock, whatever ours says"
    assert http.retry_after({"retry-after": "99999999"}) == http.LONGEST_WAIT
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert http.retry_after({"retry-after": past}) == timedelta(0)


def test_the_query_of_the_url_survives_further_parameters(serve: Serve) -> None:
    server = serve(lambda _: Told(b"[]"))
    client = Client("sys", timeout=timedelta(seconds=3))
    client.send(
        Request("GET", f"{server.url}/x?method=list&a=1&a=2", {"from": "2026-03-01 08:00:00"}), most=99
    )
    client.close()
    assert server.asked[0].query == {"method": "list", "a": "2", "from": "2026-03-01 08:00:00"}


def test_an_origin_is_scheme_host_and_port() -> None:
    assert addresses.origin("http://h/x") == addresses.origin("http://h:80/y")
    assert addresses.origin("http://h/x") != addresses.origin("https://h/x")
    assert addresses.origin("http://h:81/x") != addresses.origin("http://h/x")
    for odd in ("ftp://h/x", "//h/x", "x", "http://[x", "http://h:99999/"):
        assert addresses.origin(odd) is None
        assert CANARY not in addresses.shown(f"{odd}?{CANARY}")
