"""How the hub proves itself to a polled source: a header, a token, or a gateway's signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from connectors.digests import digest, spell
from connectors.http import Answer, Request
from connectors.rest_settings import HeaderAuth, Place, RestSettings, SignatureAuth, TokenAuth
from connectors.selecting import Select
from connectors.times import write_time
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused
from router.ports import Clock
from router.secrets import SecretReader

Send = Callable[[Request], Answer]
EARLY = timedelta(seconds=30)
"""A token is renewed this long before it ends: clocks differ, and requests take time."""


class Auth(Protocol):
    """Puts the proof into a request."""

    def sign(self, request: Request) -> Request:
        """The request with its proof. May ask the token endpoint."""

    def renew(self) -> bool:
        """The proof was refused: whether a fresh one is worth a try."""


def make_auth(settings: RestSettings, read: SecretReader, send: Send, clock: Clock) -> Auth:
    """The auth of one source; secrets are read once."""
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
        self._ends: datetime | None = None

    def sign(self, request: Request) -> Request:
        if self._ends is None or self._clock() >= self._ends - EARLY:
            self._ask()
        s = self._settings
        return put(request, s.place, {s.name: s.prefix + self._token if s.place == "header" else self._token})

    def renew(self) -> bool:
        self._ends = None
        return True

    def _ask(self) -> None:
        s = self._settings
        is_json = s.body == "json"
        asked = Request(
            "POST",
            s.url,
            {},
            {},
            form=None if is_json else self._params,
            json=self._params if is_json else None,
        )
        try:
            data = jsontext.loads(self._send(asked).body)
        except MalformedEnvelope as error:
            raise SourceRefused(f"the token endpoint answered something that is {error}") from error
        token = Select(s.token)(data)
        if not isinstance(token, str) or not token:
            raise SourceRefused(
                f"the token endpoint's answer has no token at {s.token}; check its credentials"
            )
        self._token = token
        self._ends = self._clock() + self._life(data)

    def _life(self, data: Any) -> timedelta:
        said = Select(self._settings.expires_in)(data) if self._settings.expires_in else None
        if isinstance(said, str) and said.isascii() and said.isdecimal():
            said = int(said)
        if isinstance(said, bool) or not isinstance(said, (int, Decimal)):
            return self._settings.lives
        return timedelta(seconds=min(max(int(said), 0), 30 * 86400)) or self._settings.lives


class _Signature:
    def __init__(self, settings: SignatureAuth, key: str, secret: str, clock: Clock) -> None:
        self._settings = settings
        self._key = key
        self._secret = secret
        self._clock = clock
        self._count = 0

    def sign(self, request: Request) -> Request:
        s, now = self._settings, self._clock()
        form = "%Y%m%d%H%M%S" if s.timestamp_format == "yyyyMMddHHmmss" else s.timestamp_format
        proof = {s.timestamp_name: write_time(now, form)}
        if self._key:
            proof[s.key_name] = self._key
        if s.nonce_name:
            self._count += 1
            proof[s.nonce_name] = f"{now.timestamp():.6f}".replace(".", "") + str(self._count)
        body = (
            {str(k): str(v) for k, v in (request.json or {}).items()}
            if isinstance(request.json, dict)
            else {}
        )
        params = {**request.query, **(request.form or {}), **body, **proof}
        proof[s.sign_name] = self._sign(params, proof)
        return put(request, s.place, proof)

    def renew(self) -> bool:
        return False

    def _sign(self, params: Mapping[str, str], proof: Mapping[str, str]) -> str:
        s = self._settings
        if s.over == "key_secret_timestamp":
            text = self._key + self._secret + proof[s.timestamp_name] + proof.get(s.nonce_name or "", "")
            return self._spell(digest(s.algorithm, text.encode()))
        pairs = sorted((name, value) for name, value in params.items() if value != "")
        if s.joined == "pairs":
            text = "&".join(f"{name}={value}" for name, value in pairs)
        else:
            text = "".join(f"{name}{value}" for name, value in pairs)
        key = self._secret.encode() if s.secret_goes == "as_key" else None
        return self._spell(digest(s.algorithm, self._with_secret(text).encode(), key))

    def _with_secret(self, text: str) -> str:
        secret = self._secret
        forms = {"after": text + secret, "before": secret + text, "around": secret + text + secret}
        return forms.get(
            self._settings.secret_goes,
            text + (f"&key={secret}" if self._settings.secret_goes == "key_param" else ""),
        )

    def _spell(self, signature: bytes) -> str:
        encoding = self._settings.encoding
        spelled = spell(signature, "base64" if encoding == "base64" else "hex")
        return spelled.upper() if encoding == "HEX" else spelled


def put(request: Request, place: Place, words: Mapping[str, str]) -> Request:
    """The request with these words in its header, query or form."""
    if place == "header":
        return replace(request, headers={**request.headers, **words})
    if place == "form" and isinstance(request.json, dict):
        return replace(request, json={**request.json, **words})
    if place == "form":
        return replace(request, form={**(request.form or {}), **words})
    return replace(request, query={**request.query, **words})
