"""
HTTP as a polled source needs it: one attempt, a bounded body, our errors. httpx is used here and in
http_destination.py, nowhere else.

A body is read with a limit on what it unpacks to, so that a small packed answer cannot fill the
memory. Redirects are not followed: the reviewed configuration says whom we talk to.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from router.errors import SourceRefused, SourceUnavailable, Throttled

LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. `form` and `json` exclude each other."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str] | None = None
    json: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a status in the 200s."""

    body: bytes
    content_type: str
    at: datetime | None
    """The source's own clock, by its Date header."""


class Unauthorized(SourceRefused):
    """401: the credentials are not good, or not good any more."""


class Gone(SourceRefused):
    """404 or 410: it is not there, and asking again will not bring it."""


class TooLarge(SourceUnavailable):
    """The answer is larger than the limit."""


class Client:
    """One source's connections. Not thread-safe; a context manager."""

    def __init__(
        self, source: str, *, timeout: timedelta, certificate: tuple[Path, Path] | None = None
    ) -> None:
        self._source = source
        self._timeout = timeout.total_seconds()
        context = ssl.create_default_context()
        if certificate is not None:
            context.load_cert_chain(*map(str, certificate))
        self._client = httpx.Client(
            timeout=self._timeout, verify=context, follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def send(self, request: Request, *, most: int) -> Answer:
        """One attempt. Raises SourceUnavailable, Throttled or SourceRefused, without a query string in it."""
        where = f"{self._source}: {shown(request.url)}"
        with as_hub_errors(where):
            with self._client.stream(
                request.method,
                request.url,
                params=dict(request.query) or None,
                headers=dict(request.headers),
                data=dict(request.form) if request.form is not None else None,
                json=request.json,
            ) as response:
                if response.status_code >= 300:
                    raise refused(where, response.status_code, response.headers)
                body = self._read(response, where, most)
            return Answer(body, response.headers.get("content-type", ""), _date(response.headers))

    def _read(self, response: httpx.Response, where: str, most: int) -> bytes:
        body, deadline = bytearray(), time.monotonic() + self._timeout
        for chunk in response.iter_bytes(65536):
            body += chunk
            if len(body) > most:
                raise TooLarge(
                    f"{where} answered more than {most // 1024} KiB; raise max_bytes, or page less"
                )
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{where} sends too slowly")
        return bytes(body)


@contextmanager
def as_hub_errors(where: str) -> Iterator[None]:
    """The one place where httpx's errors become ours. Wrap the request, never the `yield`."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise SourceUnavailable(f"{where} did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise SourceUnavailable(f"{where}: {type(error).__name__}") from error


def refused(where: str, status: int, headers: Mapping[str, str]) -> Exception:
    """What a status outside the 200s means for us."""
    if status == 429:
        return Throttled(f"{where} asks us to slow down", retry_after=retry_after(headers))
    if status >= 500:
        return SourceUnavailable(f"{where} answered {status}", retry_after=retry_after(headers))
    hint = (
        "it redirects; put the final URL into the configuration"
        if status < 400
        else "check its configuration"
    )
    kind = {401: Unauthorized, 404: Gone, 410: Gone}.get(status, SourceRefused)
    return kind(f"{where} answered {status}: {hint}")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Retry-After in seconds or as a date, bounded; None when it says nothing readable."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal() and len(said) < 9:
        return min(timedelta(seconds=int(said)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    wait = until.astimezone(UTC) - datetime.now(UTC)
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def shown(url: str) -> str:
    """A URL for error texts: no query, no user, no fragment."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None
