"""
HTTP as a polled source needs it: one attempt, a bounded answer, our errors.

Three bounds hold at once: the size of what an answer unpacks to, the time of each wait, and the time
of the whole exchange. The last one needs a watchdog, since a library's timeouts are per wait, and a
byte every few seconds never meets them. Redirects are not followed, and addresses are not judged:
the reviewed configuration says whom we talk to, loopback and private networks included.
"""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import httpx

from connectors.addresses import shown
from connectors.watchdog import Watchdog
from router.errors import HubError, SourceRefused, SourceUnavailable, Throttled

LONGEST_WAIT = timedelta(hours=6)
PATIENCE = 3
"""A whole exchange may take this many times the longest wait for one answer."""
OURS = {"accept": "application/json, */*;q=0.5", "accept-encoding": "gzip", "user-agent": "suqiu"}


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. `form` and `json` exclude each other."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Any = None
    hides_path: bool = False
    """The path is not for error texts: a file is often named after a person."""

    def spread(self) -> Request:
        """The same with the URL's own query among the parameters, where a signature must find it."""
        parts = urlsplit(self.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if not pairs or len(dict(pairs)) < len(pairs):
            return self
        return replace(self, url=parts._replace(query="").geturl(), query={**dict(pairs), **self.query})

    @property
    def shown(self) -> str:
        """What error texts call it."""
        return shown(urljoin(self.url, "/")) + "…" if self.hides_path else shown(self.url)

    @property
    def full_url(self) -> str:
        if not self.query:
            return self.url
        joint = "&" if urlsplit(self.url).query else "?"
        return self.url + joint + urlencode(self.query, quote_via=quote)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a status in the 200s."""

    body: bytes
    content_type: str
    at: datetime | None
    """The source's own clock, by its Date header."""
    next_url: str | None = None
    """What its Link header calls the next page."""
    status: int = 200


class Unauthorized(SourceRefused):
    """401: the credentials are not good, or not good any more."""


class Gone(SourceRefused):
    """This very thing is not to be had (400, 404, 410, 422), and asking again will not bring it."""


class TooLarge(SourceUnavailable):
    """The answer is larger than the limit."""


class Client:
    """One source's connections. Not thread-safe."""

    def __init__(self, source: str, *, timeout: timedelta, tls: ssl.SSLContext | None = None) -> None:
        self._source = source
        self._sockets: list[Any] = []
        self._client = httpx.Client(
            timeout=timeout.total_seconds(),
            verify=tls or ssl.create_default_context(),
            follow_redirects=False,
            trust_env=False,
        )
        self._watchdog = Watchdog((timeout * PATIENCE).total_seconds(), self._cut)

    def close(self) -> None:
        self._watchdog.stop()
        self._client.close()

    def send(self, request: Request, *, most: int) -> Answer:
        """One attempt. Raises SourceUnavailable, Throttled or SourceRefused, without a query string in it."""
        where = f"{self._source}: {request.shown}"
        with as_hub_errors(where), self._watched(where), self._streamed(request) as response:
            if not 200 <= response.status_code < 300:
                raise refused(where, response.status_code, response.headers)
            packing = response.headers.get("content-encoding", "")
            body = unpacked(response.iter_raw(), packing, most, where)
            return Answer(
                body,
                response.headers.get("content-type", ""),
                _date(response.headers.get("date", "")),
                response.links.get("next", {}).get("url"),
                response.status_code,
            )

    def _streamed(self, request: Request) -> Any:
        return self._client.stream(
            request.method,
            request.full_url,
            headers={**OURS, **request.headers},
            data=dict(request.form) if request.form is not None else None,
            json=request.json,
            extensions={"trace": self._note_socket},
        )

    def _note_socket(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets = [*self._sockets[-9:], info["return_value"].get_extra_info("socket")]

    @contextmanager
    def _watched(self, where: str) -> Iterator[None]:
        """Cuts the connection when the exchange as a whole takes too long."""
        exchange = self._watchdog.watch()
        try:
            yield
        except (httpx.HTTPError, HubError) as error:
            if exchange.is_cut:
                raise SourceUnavailable(f"{where} sends too slowly") from error
            raise
        finally:
            self._watchdog.rest()
        if exchange.is_cut:  # a body without a stated length looks complete when it is cut
            raise SourceUnavailable(f"{where} sends too slowly")

    def _cut(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                # Not the TLS socket's own method: it would change the object under its reader.
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def unpacked(chunks: Iterator[bytes], packing: str, most: int, where: str) -> bytes:
    """The body as it was before packing, never more than `most` bytes of it in memory."""
    unpacker = _unpacker(packing, where)
    body, taken = bytearray(), 0
    for chunk in chunks:
        taken += len(chunk)
        try:
            body += unpacker.decompress(chunk, most + 1 - len(body)) if unpacker else chunk
        except zlib.error as error:
            raise SourceUnavailable(f"{where} answered something that is not {packing}") from error
        if len(body) > most:
            raise TooLarge(f"{where} answered more than {most // 1024} KiB; raise max_bytes, or page less")
    if unpacker and taken and (not unpacker.eof or unpacker.unused_data):
        raise SourceUnavailable(f"{where} answered a {packing} body that is cut off")
    return bytes(body)


def _unpacker(packing: str, where: str) -> Any:
    if packing.strip().lower() in ("", "identity"):
        return None
    if packing.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise SourceUnavailable(f"{where} packs its answer in a way that was not asked for")


@contextmanager
def as_hub_errors(where: str) -> Iterator[None]:
    """The one place where httpx's errors become ours. Wrap the request, never the `yield`."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise SourceUnavailable(f"{where} did not answer in time") from error
    except (httpx.InvalidURL, httpx.LocalProtocolError, httpx.UnsupportedProtocol, ValueError):
        # From None: the original quotes the URL, or the header with the secret in it.
        raise SourceRefused(f"{where}: URL, header or secret cannot be sent as it is written") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise SourceUnavailable(f"{where}: {type(error).__name__}") from error


def refused(where: str, status: int, headers: Mapping[str, str]) -> HubError:
    """What a status outside the 200s means for us."""
    if status == 429:
        return Throttled(f"{where} asks us to slow down", retry_after=retry_after(headers))
    if status >= 500 or status in (408, 425):
        return SourceUnavailable(f"{where} answered {status}", retry_after=retry_after(headers))
    kinds = {401: Unauthorized, 400: Gone, 404: Gone, 410: Gone, 422: Gone}
    hint = "it redirects; put the final URL into the configuration"
    if status >= 400:
        hint = "check credentials, URL and parameters"
    return kinds.get(status, SourceRefused)(f"{where} answered {status}: {hint}")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Retry-After in seconds or as a date, bounded; None when it says nothing readable."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal() and len(said) < 9:
        return min(timedelta(seconds=int(said)), LONGEST_WAIT)
    until = _date(said)
    if until is None:
        return None
    # By the clock of the one who says it, where it shows one: the two dates then fit together.
    wait = until - (_date(headers.get("date", "")) or datetime.now(UTC))
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _date(said: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
