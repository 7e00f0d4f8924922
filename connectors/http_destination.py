"""
Destination `http`: the hub posts each dispatch to a unit's own system.

The dispatch id goes along as Idempotency-Key and as webhook-id, the same on every attempt, so that
a receiver can drop what it has already. What it answered decides: yes, a clear no, or "unknown",
which is tried again. An answer in the 200s is not yet a yes: some systems say no inside the body,
and a login page says 200 as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

from connectors.http_destination_settings import HttpDestinationSettings, Verdict
from connectors.outgoing import Signer, signer
from connectors.selecting import Select, id_text
from router import jsontext
from router.errors import DestinationUnavailable, MalformedEnvelope, RejectedByReceiver, Throttled
from router.masking import mask_text
from router.message import Dispatch, Receipt
from router.ports import Clock, Projector
from router.secrets import SecretReader

MAX_ANSWER = 1024 * 1024
MAX_WAIT = timedelta(hours=1)
_TRY_AGAIN = frozenset({408, 425})
"""Of the 400s, the two that are about time and not about the message."""


class HttpDestination:
    """Keeps the port `router.ports.Destination`. One call, one attempt; safe in several threads."""

    def __init__(
        self,
        name: str,
        settings: HttpDestinationSettings,
        read: SecretReader,
        clock: Clock,
        projector: Projector | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._projector = projector
        self._sign: Signer = signer(settings.signing, read)
        self._word = Select(settings.verdict.at) if settings.verdict else None
        self._foreign_id = Select(settings.foreign_id) if settings.foreign_id else None
        self._client = httpx.Client(
            timeout=settings.timeout.total_seconds(), follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def deliver(self, dispatch: Dispatch, attempt: int) -> Receipt:
        """Raises DestinationUnavailable, Throttled, RejectedByReceiver; MappingFailed by the projection."""
        body = self._projector.project(dispatch) if self._projector else dispatch.model_dump_json().encode()
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "suqiu",
            "idempotency-key": dispatch.dispatch_id,
            "suqiu-attempt": str(attempt),
            **self._sign(dispatch.dispatch_id, self._settings.url, body, self._clock()),
        }
        with self._as_hub_errors():
            status, answer_headers, answer = self._post(body, headers)
        self._judge_status(status, answer_headers)
        found = self._read(status, answer_headers, answer)
        foreign_id = id_text(self._foreign_id(found)) if self._foreign_id else None
        return Receipt(dispatch_id=dispatch.dispatch_id, foreign_id=foreign_id, at=self._clock())

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, httpx.Headers, bytes]:
        deadline = time.monotonic() + self._settings.timeout.total_seconds()
        with self._client.stream("POST", self._settings.url, content=body, headers=headers) as response:
            answer = bytearray()
            for chunk in response.iter_raw(65536):
                answer += chunk
                if len(answer) > MAX_ANSWER or time.monotonic() > deadline:
                    raise DestinationUnavailable(f"{self.name}: its answer has no end")
            return response.status_code, response.headers, bytes(answer)

    @contextmanager
    def _as_hub_errors(self) -> Iterator[None]:
        """The one place where httpx's errors become ours. Their texts may quote headers; names do not."""
        try:
            yield
        except httpx.HTTPError as error:
            raise DestinationUnavailable(f"{self.name}: {type(error).__name__}") from error

    def _judge_status(self, status: int, headers: httpx.Headers) -> None:
        """Returns for what may be a yes: the 200s, and 409 for "had it already"."""
        if status == 429:
            raise Throttled(f"{self.name} asked to slow down", retry_after=_retry_after(headers))
        if 400 <= status < 500 and status != 409 and status not in _TRY_AGAIN:
            raise RejectedByReceiver(f"{self.name} answered {status}")
        if not (200 <= status < 300 or status == 409):
            raise DestinationUnavailable(f"{self.name} answered {status}", retry_after=_retry_after(headers))

    def _read(self, status: int, headers: httpx.Headers, answer: bytes) -> Any:
        """The answer's body, once it is clear that it means yes; None when it says nothing readable."""
        if status == 409:
            return _json_or_none(answer)
        is_page = "html" in headers.get("content-type", "") and answer.lstrip()[:1] == b"<"
        if is_page or answer.lstrip()[:5].lower() in (b"<html", b"<!doc"):
            raise DestinationUnavailable(f"{self.name} answered {status} with a web page")
        found = _json_or_none(answer)
        if self._settings.verdict and self._word:
            self._judge_word(self._word(found), self._settings.verdict)
        return found

    def _judge_word(self, word: Any, verdict: Verdict) -> None:
        if word is None:
            raise DestinationUnavailable(f"{self.name}: its answer does not say whether it means yes")
        said = _spell(word)
        if said in map(_spell, verdict.busy):
            raise Throttled(f"{self.name} is busy (it said {mask_text(said, 20)})")
        if said not in map(_spell, (*verdict.yes, *verdict.duplicate)):
            raise RejectedByReceiver(f"{self.name} said no inside its answer ({mask_text(said, 20)})")


def _json_or_none(answer: bytes) -> Any:
    try:
        return jsontext.loads(answer)
    except MalformedEnvelope:
        return None


def _spell(word: Any) -> str:
    """0 and "0" are the same word in different systems; so are true and "true"."""
    return str(word).lower() if isinstance(word, bool) else str(word).strip()


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Seconds only; the form with a date would trust the receiver's clock."""
    written = headers.get("retry-after", "")
    if not written.isascii() or not written.isdecimal():
        return None
    return min(timedelta(seconds=int(written[:9])), MAX_WAIT)
