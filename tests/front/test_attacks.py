"""What a hostile or broken sender does to the port: it costs little, stores nothing, stops nobody."""

from __future__ import annotations

import gzip
import json
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from connectors.front import FrontLimits
from connectors.serving import HastyProtocol
from router.reasons import Refusal
from tests.front.rig import PATH, TOKEN, Rig, read_all, settings

MIB = 1024 * 1024
APPEAL = {"id": "SST-1", "content": "用工登记一直无法提交"}


def test_a_body_over_the_limit_is_refused_by_its_announced_length_alone(rig: Rig) -> None:
    with rig.raw() as line:
        line.sendall(head("content-length: 999999999"))
        assert read_all_of_one(line).startswith(b"HTTP/1.1 413")
    assert rig.events.refusals == [Refusal.TOO_LARGE]


def test_ten_mebibytes_in_chunks_are_refused_while_they_come(rig: Rig) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(160):
            yield b"x" * 65536

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = rig.client.post(f"/push/{PATH}", content=chunks(), headers=rig.headers(b""))
    assert answer.status_code == 413
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024  # KiB
    assert rig.ledger.envelopes == []


def test_a_body_at_the_limit_passes() -> None:
    with Rig().serving(settings(max_bytes=4096)) as rig:
        body = json.dumps({"id": "1", "x": ""}).encode()
        body = body[:-2] + b"x" * (4096 - len(body)) + body[-2:]
        assert len(body) == 4096
        assert rig.push(body).status_code == 200
        assert rig.push(body + b" ").status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "99999999999999999999999999999999"])
def test_a_length_that_is_no_length_opens_nothing(rig: Rig, length: str) -> None:
    with rig.raw() as line:
        line.sendall(head(f"content-length: {length}"))
        status = read_all_of_one(line).split(b" ")[1]
    assert status in (b"400", b"413")
    assert rig.ledger.envelopes == []


def test_a_gzip_bomb_is_refused_without_being_unpacked(rig: Rig) -> None:
    bomb = gzip.compress(b"0" * (300 * MIB))
    assert len(bomb) < MIB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    headers = {**rig.headers(bomb), "content-encoding": "gzip"}
    assert rig.client.post(f"/push/{PATH}", content=bomb, headers=headers).status_code == 413
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB
    assert rig.events.refusals == [Refusal.TOO_LARGE]


@pytest.mark.parametrize("signs_packed", [True, False], ids=["signed as sent", "signed before packing"])
def test_a_packed_body_is_taken(rig: Rig, signs_packed: bool) -> None:
    body = json.dumps(APPEAL).encode()
    packed = gzip.compress(body)
    headers = {**rig.headers(packed if signs_packed else body), "content-encoding": "gzip"}
    assert rig.client.post(f"/push/{PATH}", content=packed, headers=headers).status_code == 200
    assert rig.ledger.envelopes[0].body == body


@pytest.mark.parametrize(
    ("encoding", "change", "status"),
    [
        pytest.param("gzip", lambda packed: packed[:-4], 400, id="cut off"),
        pytest.param("gzip", lambda packed: packed + b"more", 400, id="with something behind it"),
        pytest.param("gzip", lambda packed: packed + packed, 400, id="twice"),
        pytest.param("gzip", lambda packed: b"{}", 400, id="not packed at all"),
        pytest.param("br", lambda packed: packed, 415, id="packed in another way"),
        pytest.param("gzip, gzip", lambda packed: packed, 415, id="packed twice"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    rig: Rig, encoding: str, change: object, status: int
) -> None:
    assert callable(change)
    body = change(gzip.compress(json.dumps(APPEAL).encode()))
    headers = {**rig.headers(body), "content-encoding": encoding}
    assert rig.client.post(f"/push/{PATH}", content=body, headers=headers).status_code == status
    assert rig.events.refusals == [Refusal.BAD_ENCODING]


def test_a_sender_that_drips_is_cut_off_and_told_so() -> None:
    with Rig().serving(settings(read_within="1s")) as rig, rig.raw() as line:
        line.sendall(head("content-length: 1000"))
        started = time.monotonic()
        dripping = threading.Thread(target=drip, args=(line, b"x"))
        dripping.start()
        said = read_all(line)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in said
        assert 0.8 < time.monotonic() - started < 5
        dripping.join(5)
        assert rig.events.refusals == [Refusal.TOO_SLOW]


def test_a_head_that_drips_is_cut_off(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HastyProtocol, "head_within", 0.5)
    with rig.raw() as line:
        line.sendall(b"POST /push/x HTTP/1.1\r\n")
        started = time.monotonic()
        dripping = threading.Thread(target=drip, args=(line, b"a: b\r\n"))
        dripping.start()
        assert read_all(line) == b""
        assert time.monotonic() - started < 3
        dripping.join(5)


def test_a_silent_connection_is_cut_off(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HastyProtocol, "head_within", 0.3)
    with rig.raw() as line:
        started = time.monotonic()
        assert read_all(line) == b""
        assert time.monotonic() - started < 3


def test_who_goes_on_sending_after_the_no_is_cut_off(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HastyProtocol, "request_within", 0.6)
    with rig.raw() as line:
        line.sendall(head("transfer-encoding: chunked", content_type="text/html"))
        dripping = threading.Thread(target=drip, args=(line, b"1\r\nx\r\n"))
        dripping.start()
        assert read_all(line).startswith(b"HTTP/1.1 415")
        dripping.join(5)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"a: " + b"b" * 20_000], id="one long line"),
        pytest.param([b"a: " + b"b" * 200_000], id="one very long line"),
        pytest.param([b"a: b"] * 101, id="too many lines"),
    ],
)
@pytest.mark.parametrize("is_whole", [True, False], ids=["in one piece", "in pieces"])
def test_a_head_over_the_limit_is_refused(rig: Rig, lines: list[bytes], is_whole: bool) -> None:
    with rig.raw() as line:
        whole = b"\r\n".join([b"GET /v1/tasks HTTP/1.1", b"host: x", b"connection: close", *lines, b"", b""])
        pieces = [whole] if is_whole else [whole[at : at + 9000] for at in range(0, len(whole), 9000)]
        for piece in pieces:
            try:
                line.sendall(piece)
            except OSError:
                break  # it has heard enough
            time.sleep(0.02)
        said = read_all(line)
    assert said == b"" or said.split(b" ")[1] in (b"400", b"431")


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"1;" + b"x" * 9000 + b"\r\n", id="behind the size of a chunk"),
        pytest.param(b"0\r\n" + b"a: b\r\n" * 1500, id="behind the last chunk"),
    ],
)
def test_what_is_neither_head_nor_body_is_bounded_too(rig: Rig, piece: bytes) -> None:
    with rig.raw() as line:
        line.sendall(head("transfer-encoding: chunked"))
        for _ in range(100):
            try:
                line.sendall(piece)
            except OSError:
                break
            piece = b"a: b\r\n" * 1500 if piece.startswith(b"0") else b"x" * 9000
            time.sleep(0.02)
        else:
            pytest.fail("it took a megabyte of nothing")
    assert rig.ledger.envelopes == []


def test_a_header_behind_the_body_is_none(rig: Rig) -> None:
    body = json.dumps(APPEAL).encode()
    signed = rig.headers(body)
    late = f"webhook-signature: {signed.pop('webhook-signature')}\r\n".encode()
    names = [f"{name}: {value}" for name, value in signed.items() if name != "content-type"]
    with rig.raw() as line:
        line.sendall(head("transfer-encoding: chunked", "connection: close", *names))
        line.sendall(b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, late))
        assert read_all(line).startswith(b"HTTP/1.1 401")
    assert rig.ledger.envelopes == []


def test_a_flood_is_slowed_down_and_told_when_to_come_again() -> None:
    with Rig().serving(settings(rate={"per_minute": 60, "burst": 5})) as rig:
        answers = [rig.push({"id": number}) for number in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
        assert answers[-1].headers["retry-after"] == "1"
        assert len(rig.ledger.envelopes) == 5
        assert rig.events.refusals == [Refusal.TOO_MANY] * 3


def test_p4_one_sources_flood_does_not_slow_another() -> None:
    flooded = settings(rate={"per_minute": 1, "burst": 1})
    other = settings(path="other-door-0123")
    with Rig().serving(flooded, other) as rig:
        assert [rig.push({"id": 1}).status_code for _ in range(3)] == [200, 429, 429]
        body = b'{"id":2}'
        answer = rig.client.post("/push/other-door-0123", content=body, headers=rig.headers(body))
        assert answer.status_code == 200


def test_p4_a_source_whose_senders_all_drip_leaves_room_for_the_others() -> None:
    dripping = settings(read_within="5s")
    other = settings(path="other-door-0123")
    with Rig().serving(dripping, other, limits=FrontLimits(requests=4, each=2)) as rig:
        lines = [rig.raw() for _ in range(3)]
        for line in lines:
            line.sendall(head("content-length: 1000") + b"x")
        answered, _, _ = select.select(lines, [], [], 10)  # one of the three, whichever came last
        assert [read_all_of_one(line).split(b" ")[1] for line in answered] == [b"503"]
        body = b'{"id":2}'
        answer = rig.client.post("/push/other-door-0123", content=body, headers=rig.headers(body))
        assert answer.status_code == 200
        for line in lines:
            line.close()
        assert rig.events.refusals == [Refusal.BUSY]


def test_more_at_once_than_there_is_room_for_are_told_to_come_again() -> None:
    may_commit, inside = threading.Event(), threading.Semaphore(0)
    doors = [PATH, "other-door-0123"]
    pushes = [settings(path=path) for path in doors]
    with Rig().serving(*pushes, limits=FrontLimits(requests=2, each=2)) as rig:

        def hold() -> None:
            inside.release()
            assert may_commit.wait(10)

        rig.ledger.before_commit = hold
        answers: list[httpx.Response] = []
        pushing = [
            threading.Thread(target=lambda p=path: answers.append(rig.push(APPEAL, path=p))) for path in doors
        ]
        for thread in pushing:
            thread.start()
        assert all(inside.acquire(timeout=10) for _ in pushing)
        refused = rig.push(APPEAL)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        tasks = rig.client.get("/v1/tasks", headers={"authorization": f"Bearer {TOKEN}"})
        assert tasks.status_code == 503
        may_commit.set()
        for thread in pushing:
            thread.join(10)
        assert [answer.status_code for answer in answers] == [200, 200]


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing_behind(rig: Rig) -> None:
    for _ in range(20):
        with rig.raw() as line:
            line.sendall(head("content-length: 1000") + b"x")
    assert rig.push(APPEAL).status_code == 200
    assert len(rig.ledger.envelopes) == 1
    assert [type(event).__name__ for event in rig.events] == []


def test_stopping_answers_what_is_under_way_first() -> None:
    may_commit, is_waiting = threading.Event(), threading.Event()
    with Rig().serving(settings()) as rig:

        def hold() -> None:
            is_waiting.set()
            may_commit.wait(10)

        rig.ledger.before_commit = hold
        answers: list[httpx.Response] = []
        pushing = threading.Thread(target=lambda: answers.append(rig.push(APPEAL)))
        pushing.start()
        assert is_waiting.wait(10)
        stopping = threading.Thread(target=rig.server.stop)
        stopping.start()
        stopping.join(0.5)
        assert stopping.is_alive()
        may_commit.set()
        stopping.join(10)
        pushing.join(10)
        assert [answer.status_code for answer in answers] == [200]
        with pytest.raises(OSError, match="refused"):
            rig.raw()


def head(*headers: str, content_type: str = "application/json") -> bytes:
    lines = [f"POST /push/{PATH} HTTP/1.1", "host: hub", f"content-type: {content_type}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def drip(line: socket.socket, drop: bytes) -> None:
    """A drop every tenth of a second until the other side has had enough."""
    for _ in range(100):
        try:
            line.sendall(drop)
        except OSError:
            return
        time.sleep(0.1)


def read_all_of_one(line: socket.socket) -> bytes:
    return line.recv(65536)
