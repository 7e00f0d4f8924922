"""
Taking one request in: whole or not at all, within limits of size, time and number.

Nothing here looks at what a body says. The limits hold while it is being read, for chunked and
for packed bodies alike, so that no sender decides how much memory the hub uses.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from router.reasons import Refusal

if TYPE_CHECKING:  # whoever reads a configuration comes by here, and few of them open a front
    from starlette.requests import Request


class Refused(Exception):
    """The request is turned away, and nothing of it is kept."""

    def __init__(self, reason: Refusal, status: int, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, read completely. `raw` is what came over the wire, `body` the same unpacked."""

    method: str
    path: str
    """As the caller wrote it: with the public prefix, without the query."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    raw: bytes
    body: bytes
    covers_line: bool = False
    """Whether a signature must also cover method and path: everywhere but at the push itself."""

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def line(self) -> bytes:
        """What stands for method and path in a signature: `GET /v1/tasks?limit=5`."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.method} {target}".encode()


class Slots:
    """How many requests are worked on at once: in all, and for any one caller.

    A slow sender keeps its slot while it is sending; the share of one caller is smaller than the
    whole, so that it cannot keep the others out. For one thread (the event loop).
    """

    def __init__(self, *, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        """Raises Refused (503) when there is no room."""
        if self._taken.total() >= self._most or self._taken[caller] >= self._each:
            raise Refused(Refusal.BUSY, 503, retry_after=timedelta(seconds=1))
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1


async def receive(request: Request, *, most: int, within: timedelta, prefix: str = "") -> Incoming:
    """Read the request. `most` bounds the bytes on the wire and unpacked, `within` the whole reading.

    `prefix` is the path of the public URL, for hubs that stand behind a proxy which takes it off.
    Raises Refused.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            raw = await _read(request, most)
    except TimeoutError as error:
        raise Refused(Refusal.TOO_SLOW, 408) from error
    body = _unpack(raw, request.headers.get("content-encoding", ""), most)
    scope = request.scope
    path = prefix + scope["raw_path"].decode("ascii", "replace")
    query = scope["query_string"].decode("ascii", "replace")
    return Incoming(request.method, path, query, dict(request.headers.items()), raw, body)


async def _read(request: Request, most: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > most:
        raise Refused(Refusal.TOO_LARGE, 413)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused(Refusal.TOO_LARGE, 413)
    return bytes(body)


def _unpack(raw: bytes, encoding: str, most: int) -> bytes:
    if encoding.lower() in ("", "identity"):
        return raw
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise Refused(Refusal.BAD_ENCODING, 415)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = unpacker.decompress(raw, most + 1)
    except zlib.error as error:
        raise Refused(Refusal.BAD_ENCODING, 400) from error
    if len(body) > most:
        raise Refused(Refusal.TOO_LARGE, 413)
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(Refusal.BAD_ENCODING, 400)  # cut off, or several members
    return body
