"""
How the hub proves itself to a polled source: a header, a token, or a gateway's signature.

A proof outlives the rounds: a token is asked for when it ends, not every thirty seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from connectors.http import Answer, Gone, Request, Unauthorized
from connectors.rest_params import as_texts
from connectors.rest_settings import HeaderAuth, Place, RestSettings, SignatureAuth, TokenAuth
from connectors.selecting import Select
from connectors.signing import joined_text, signature, with_secret
from connectors.times import read_time, write_time
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused, SourceUnavailable
from router.ports import Clock
from router.secrets import SecretReader

Send = Callable[[Request], Answer]
EARLY = timedelta(seconds=30)
"""A token is renewed this long before it ends: clocks differ, and requests take time."""
LONGEST = timedelta(days=30)


class Auth(Protocol):
    """Puts the proof into a request."""

    def sign(self, request: Request) -> Request:
        """The request with its proof. May ask the token endpoint."""

    def renew(self) -> bool:
        """The proof was refused: whether a fresh one is worth a try."""


def make_auth(settings: RestSettings, read: SecretReader, send: Send, clock: Clock) -> Auth:
    """The auth of one source. Secrets are read here, once; raises ConfigError when one is missing."""
    auth = settings.auth
    if isinstance(auth, HeaderAuth):
        return _Header(auth.name, auth.prefix + read(auth.secret))
    if isinstance(auth, TokenAuth):
        return _Token(auth, {name: read(ref) for name, ref in auth.secrets.items()}, send, clock)
    if isinstance(auth, SignatureAuth):
        return _Signature(auth, read(auth.key) if auth.key else "", read(auth.secret), clock)
    return _Nothing()


class _Nothing:
    def sign(self, request: Request) -> Request:
        return request

    def renew(self) -> bool:
        return False


@dataclass(frozen=True)
class _Header:
    name: str
    word: str

    def sign(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, self.name: self.word})

    def renew(self) -> bool:
        return False


class _Token:
    def __init__(self, settings: TokenAuth, secrets: Mapping[str, str], send: Send, clock: Clock) -> None:
        self._settings = settings
        self._params = {**settings.params, **secrets}
        self._send = send
        self._clock = clock
        self._token = ""
        self._good_until: datetime | None = None

    def sign(self, request: Request) -> Request:
        if self._good_until is None or self._clock() >= self._good_until:
            self._ask()
        s = self._settings
        return put(request, s.place, {s.name: s.prefix + self._token if s.place == "header" else self._token})

    def renew(self) -> bool:
        self._good_until = None
        return True

    def _ask(self) -> None:
        try:
            data = jsontext.loads(self._send(self._request()).body)
        except (Unauthorized, Gone) as error:
            # Not as Unauthorized: a fresh token is no remedy, and locked accounts are a nuisance.
            raise SourceRefused(f"{error} (the token endpoint)") from error
        except MalformedEnvelope as error:
            raise SourceUnavailable(f"the token endpoint answered something that is {error}") from error
        token = Select(self._settings.token)(data)
        if not isinstance(token, str) or not token:
            where = self._settings.token
            raise SourceRefused(f"the token endpoint's answer has no token at {where}; check its credentials")
        life = self._life(data)
        self._token, self._good_until = token, self._clock() + life - min(EARLY, life / 4)

    def _request(self) -> Request:
        s = self._settings
        if s.method == "GET":
            return Request("GET", s.url, self._params, s.headers)
        if s.body == "json":
            return Request("POST", s.url, headers=s.headers, json=dict(self._params))
        return Request("POST", s.url, headers=s.headers, form=self._params)

    def _life(self, data: Any) -> timedelta:
        s = self._settings
        ends = read_time(Select(s.expires_at.at)(data), s.expires_at.formats) if s.expires_at else None
        if ends is not None:
            return min(max(ends - self._clock(), timedelta(0)), LONGEST)
        said = Select(s.expires_in)(data) if s.expires_in else None
        if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 12:
            said = int(said)
        if isinstance(said, bool) or not isinstance(said, (int, Decimal)):
            return s.lives
        return timedelta(seconds=min(max(int(said), 0), LONGEST // timedelta(seconds=1))) or s.lives


class _Signature:
    def __init__(self, settings: SignatureAuth, key: str, secret: str, clock: Clock) -> None:
        self._settings = settings
        self._key = key
        self._secret = secret
        self._clock = clock
        self._count = 0

    def sign(self, request: Request) -> Request:
        proof = self._said(self._clock())
        body = as_texts(request.json) if isinstance(request.json, Mapping) else {}
        params = {**request.query, **(request.form or {}), **body, **proof}
        proof[self._settings.sign_name] = self._signed(params, proof)
        return put(request, self._settings.place, proof)

    def renew(self) -> bool:
        return False

    def _said(self, now: datetime) -> dict[str, str]:
        """What goes along besides the signature."""
        s = self._settings
        form = "%Y%m%d%H%M%S" if s.timestamp_format == "yyyyMMddHHmmss" else s.timestamp_format
        said = {s.timestamp_name: write_time(now, form)}
        if self._key:
            said[s.key_name] = self._key
        if s.nonce_name:
            self._count += 1
            said[s.nonce_name] = f"{write_time(now, 'epoch_ms')}{self._count:06}"
        return said

    def _signed(self, params: Mapping[str, str], said: Mapping[str, str]) -> str:
        s = self._settings
        if s.over == "key_secret_timestamp":
            nonce = said[s.nonce_name] if s.nonce_name else ""
            text = self._key + self._secret + said[s.timestamp_name] + nonce
            return signature(s.algorithm, text, spelling=s.encoding)
        text = with_secret(joined_text(params, s.joined), self._secret, s.secret_goes, s.key_param)
        key = self._secret if s.secret_goes == "as_key" else None
        return signature(s.algorithm, text, key=key, spelling=s.encoding)


def put(request: Request, place: Place, words: Mapping[str, str]) -> Request:
    """The request with these words in its header, query or body."""
    if place == "header":
        return replace(request, headers={**request.headers, **words})
    if place == "form" and isinstance(request.json, Mapping):
        return replace(request, json={**request.json, **words})
    if place == "form" and request.method != "GET":
        return replace(request, form={**(request.form or {}), **words})
    return replace(request, query={**request.query, **words})
