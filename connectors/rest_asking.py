"""
One request to a polled source, until its answer is worth reading or clearly is not.

Inside: the rate limit, a few quick tries, a fresh token once, and what an answer in the 200s says
about itself. Some gateways answer 200 to everything, deliver JSON as text/html, or a login page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from connectors.http import Answer, Client, Request, TooLarge, Unauthorized, shown
from connectors.rate import RateLimit, TokenBucket
from connectors.rest_auth import make_auth
from connectors.rest_settings import RestSettings, Says, TokenAuth
from connectors.selecting import Select
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused, SourceUnavailable, Throttled
from router.ports import Clock
from router.secrets import SecretReader


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, read."""

    data: Any
    at: datetime | None


class _Again(SourceUnavailable):
    """Worth a quick second try: the connection broke, or the source had a fault."""


class Asker:
    """Asks one source. Not thread-safe; lives for one polling round."""

    def __init__(
        self,
        source: str,
        settings: RestSettings,
        client: Client,
        *,
        read: SecretReader,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._source = source
        self._settings = settings
        self._client = client
        self._sleep = sleep
        self._bucket = TokenBucket(RateLimit(per_minute=settings.per_minute, burst=10))
        self._auth = make_auth(settings, read, self._send, clock)

    def page(self, request: Request) -> Page:
        """A JSON answer that says it is good. Renews a token once, in mid-round too."""
        for may_renew in (True, False):
            try:
                answer = self._send(self._auth.sign(request))
                page = Page(self._json(answer, request), answer.at)
            except Unauthorized:
                if may_renew and self._auth.renew():
                    continue
                raise
            if self._token_ended(page.data) and may_renew and self._auth.renew():
                continue
            self._judge(page.data, request)
            return page
        raise SourceRefused(f"{self._source}: a fresh token was refused as well; check its credentials")

    def file(self, request: Request, *, signed: bool, most: int) -> Answer:
        """A file's bytes. Only the source itself is shown our credentials."""
        return self._send(self._auth.sign(request) if signed else request, most)

    def _send(self, request: Request, most: int | None = None) -> Answer:
        quick = Retrying(
            stop=stop_after_attempt(self._settings.tries),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception_type(_Again),
            sleep=self._sleep,
            reraise=True,
        )
        answer: Answer = quick(self._once, request, most or self._settings.max_bytes)
        return answer

    def _once(self, request: Request, most: int) -> Answer:
        wait = self._bucket.take()
        while wait is not None:
            self._sleep(wait.total_seconds())
            wait = self._bucket.take()
        try:
            return self._client.send(request, most=most)
        except (Throttled, TooLarge):
            raise
        except SourceUnavailable as error:
            if error.retry_after is not None:
                raise
            raise _Again(str(error)) from error

    def _json(self, answer: Answer, request: Request) -> Any:
        where = f"{self._source}: {shown(request.url)}"
        try:
            return jsontext.loads(answer.body)
        except MalformedEnvelope as error:
            start = answer.body[:512].lstrip().lower()
            if start.startswith((b"<!doctype", b"<html")):
                hint = "a login page? check credentials and URL"
                raise SourceRefused(f"{where} answered a web page instead of data; {hint}") from error
            raise SourceUnavailable(f"{where} answered 200 with something that is {error}") from error

    def _token_ended(self, data: Any) -> bool:
        auth = self._settings.auth
        return isinstance(auth, TokenAuth) and auth.expired is not None and says(auth.expired, data)

    def _judge(self, data: Any, request: Request) -> None:
        where = f"{self._source}: {shown(request.url)}"
        if self._settings.throttled is not None and says(self._settings.throttled, data):
            raise Throttled(f"{where} asks us to slow down")
        success = self._settings.success
        if success is not None and not says(success, data):
            wanted = ", ".join(map(str, success.is_))
            raise SourceUnavailable(f"{where} answered 200, but {success.at} is not {wanted}")


def says(test: Says, data: Any) -> bool:
    """Whether the word at the place is one of those; `0` and `"0"` are the same word."""
    found = Select(test.at)(data)
    return found in test.is_ or (not isinstance(found, bool) and str(found) in map(str, test.is_))
