"""
One request to a polled source, until its answer is worth reading or clearly is not.

Inside: the rate limit, a few quick tries, a fresh token once, and what an answer in the 200s says
about itself. Some gateways answer 200 to everything, deliver JSON as text/html or in GBK, or answer
with a login page.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from connectors.blocks import MIB, Says, spell_word
from connectors.http import Answer, Client, Gone, Request, TooLarge, Unauthorized
from connectors.rate import RateLimit, TokenBucket
from connectors.rest_auth import make_auth
from connectors.rest_paging import Page
from connectors.rest_settings import CertificateAuth, RestSettings, TokenAuth
from connectors.selecting import Select
from connectors.tls import tls_context
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused, SourceUnavailable, Throttled
from router.masking import mask_text
from router.ports import Clock
from router.secrets import SecretReader

BURST = 10
"""Requests that may follow each other at once after a pause."""
_GBK = re.compile(r"charset\s*=\s*\"?(gbk|gb2312|gb18030)", re.IGNORECASE)


class _Again(SourceUnavailable):
    """Worth a quick second try: the connection broke, or the source had a fault."""


class Asker:
    """Asks one source, round after round. Not thread-safe."""

    def __init__(
        self,
        source: str,
        settings: RestSettings,
        *,
        read: SecretReader,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._source = source
        self._settings = settings
        self._sleep = sleep
        self._quick = Retrying(
            stop=stop_after_attempt(settings.tries),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception_type(_Again),
            sleep=sleep,
            reraise=True,
        )
        self._bucket = TokenBucket(RateLimit(per_minute=settings.per_minute, burst=BURST))
        self._auth = make_auth(settings, read, self._send, clock)
        self._tls = _tls(settings, read)
        self._client: Client | None = None

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Hold the connections of one polling round."""
        self._client = Client(self._source, timeout=self._settings.timeout, tls=self._tls)
        try:
            yield
        finally:
            self._client.close()
            self._client = None

    def page(self, request: Request, gone: Says | None = None) -> Page:
        """A JSON answer that says it is good. Renews a token once, in mid-round too.

        `gone` is how an answer in the 200s says that there is no such thing; raises Gone then.
        """
        answer = self._prove(request, self._settings.max_bytes)
        data = self._json(answer, request)
        if self._has_token_ended(data) and self._auth.renew():
            answer = self._prove(request, self._settings.max_bytes)
            data = self._json(answer, request)
        if answer.status != 204:
            self._judge(data, request, gone)
        return Page(data, answer.at, answer.next_url)

    def file(self, url: str, *, signed: bool, most: int) -> bytes:
        """A file's bytes. Only the source itself may be shown our credentials."""
        request = Request("GET", url, hides_path=True)
        return self._prove(request, most).body if signed else self._send(request, most).body

    def _prove(self, request: Request, most: int) -> Answer:
        request = request.spread()
        try:
            return self._send(self._auth.sign(request), most)
        except Unauthorized:
            if not self._auth.renew():
                raise
        return self._send(self._auth.sign(request), most)

    def _send(self, request: Request, most: int = MIB) -> Answer:
        """As it is, with a few quick tries."""
        answer: Answer = self._quick(self._once, request, most)
        return answer

    def _once(self, request: Request, most: int) -> Answer:
        assert self._client is not None, "open() first"
        wait = self._bucket.take()
        if wait is not None:
            self._sleep(wait.total_seconds())
            self._bucket.take()
        try:
            return self._client.send(request, most=most)
        except TooLarge:
            raise
        except SourceUnavailable as error:
            if error.retry_after is not None:
                raise
            raise _Again(str(error)) from error

    def _json(self, answer: Answer, request: Request) -> Any:
        if answer.status == 204:
            return None
        try:
            return jsontext.loads(_decoded(answer))
        except MalformedEnvelope as error:
            where = self._where(request)
            if answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                hint = "a login page? check credentials and URL"
                raise SourceRefused(f"{where} answered a web page instead of data; {hint}") from error
            raise SourceUnavailable(f"{where} answered 200 with something that is {error}") from error

    def _has_token_ended(self, data: Any) -> bool:
        auth = self._settings.auth
        return isinstance(auth, TokenAuth) and auth.expired is not None and auth.expired.holds(data)

    def _judge(self, data: Any, request: Request, gone: Says | None) -> None:
        if self._has_token_ended(data):
            raise SourceRefused(
                f"{self._where(request)} refused a fresh token as well; check its credentials"
            )
        if self._settings.throttled is not None and self._settings.throttled.holds(data):
            raise Throttled(f"{self._where(request)} asks us to slow down")
        if gone is not None and gone.holds(data):
            raise Gone(f"{self._where(request)} says that it is not there")
        success = self._settings.success
        if success is not None and not success.holds(data):
            wanted = " or ".join(map(str, success.is_))
            said = _outline(Select(success.at)(data))
            where = self._where(request)
            raise SourceUnavailable(f"{where} answered 200, but {success.at} is {said}, not {wanted}")

    def _where(self, request: Request) -> str:
        return f"{self._source}: {request.shown}"


def _tls(settings: RestSettings, read: SecretReader) -> ssl.SSLContext:
    auth = settings.auth
    own = auth if isinstance(auth, CertificateAuth) else None
    return tls_context(
        certificate=read(own.certificate) if own else None,
        key=read(own.key) if own else None,
        authority=read(settings.authority) if settings.authority else None,
    )


def _decoded(answer: Answer) -> bytes | str:
    if not _GBK.search(answer.content_type):
        return answer.body
    try:
        return answer.body.decode("gb18030")
    except UnicodeDecodeError as error:
        raise MalformedEnvelope(f"not GB 18030 at byte {error.start}") from error


def _outline(said: object) -> str:
    """A code of theirs, for ops; what may be a sentence with someone's name in it is not repeated."""
    word = spell_word(said)
    if word is None:
        return "not there"
    return mask_text(word) if re.fullmatch(r"[A-Za-z0-9_.-]{1,20}", word) else "something else"
