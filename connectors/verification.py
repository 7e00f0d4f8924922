"""
Who really sent this: requests checked against the signature schemes of connectors/schemes.py.

The signature is compared first and in constant time; only then is the timestamp looked at, so
that a refusal for a wrong clock is always a real sender's. Two secrets may be valid at once.

Where it is not a push (a status question, the units' door), the signature must cover method and
path. Unless the template names {method} and {path}, the request line `GET /path?query` then takes
the body's place, followed by a newline and the body if there is one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from connectors.digests import Algorithm, digest
from connectors.receiving import Incoming, Refused
from connectors.schemes import HmacScheme, ParamsScheme, Scheme, StandardWebhooksScheme, TokenScheme, fill
from connectors.times import read_time
from router.errors import ConfigError, Problem
from router.reasons import Refusal
from router.secrets import SecretReader, SecretRef

_MOST_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """A request that is what it claims to be."""

    delivery_id: str | None = None


Verifier = Callable[[Incoming, datetime], Proof]
"""Raises Refused: the signature is not theirs, or the timestamp is outside the tolerance."""


def verifier(scheme: Scheme, read: SecretReader) -> Verifier:
    """Read the secrets once. Raises ConfigError when one is missing or not usable."""
    secrets = [read(ref) for ref in scheme.secrets]
    if isinstance(scheme, TokenScheme):
        return _Token(scheme, [secret.encode() for secret in secrets])
    if isinstance(scheme, StandardWebhooksScheme):
        return _StandardWebhooks(
            scheme, [webhook_key(s, r) for s, r in zip(secrets, scheme.secrets, strict=True)]
        )
    keys = [secret.encode() for secret in secrets]
    return _Hmac(scheme, keys) if isinstance(scheme, HmacScheme) else _Params(scheme, keys)


def webhook_key(secret: str, ref: SecretRef) -> bytes:
    """The bytes behind a Standard Webhooks secret. Raises ConfigError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
        if len(key) >= 16:
            return key
    except ValueError:
        pass
    hint = "it is whsec_ and base64 of at least 16 random bytes: openssl rand -base64 32"
    # From None: the original may quote the secret.
    raise ConfigError([Problem("", f"secret: {ref} is no key of Standard Webhooks", hint)]) from None


class _Token:
    def __init__(self, scheme: TokenScheme, secrets: Sequence[bytes]) -> None:
        self._scheme = scheme
        self._hashes = [hashlib.sha256(secret).digest() for secret in secrets]

    def __call__(self, request: Incoming, now: datetime) -> Proof:
        shown = request.headers.get(self._scheme.header, "")
        head, word = shown[: len(self._scheme.prefix)], shown[len(self._scheme.prefix) :]
        if head.lower() != self._scheme.prefix.lower() or not _matches(
            hashlib.sha256(word.encode("latin-1", "replace")).digest(), self._hashes
        ):
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        return Proof()


class _StandardWebhooks:
    """The library `standardwebhooks` reads the machine's clock, a fixed tolerance and UTF-8 bodies only."""

    def __init__(self, scheme: StandardWebhooksScheme, keys: Sequence[bytes]) -> None:
        self._tolerance = scheme.tolerance
        self._keys = keys

    def __call__(self, request: Incoming, now: datetime) -> Proof:
        id_ = request.headers.get("webhook-id", "")
        timestamp = request.headers.get("webhook-timestamp", "")
        if not 0 < len(id_) <= 200 or not id_.isascii() or "." in id_ or not timestamp.isdecimal():
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        shown = [
            _decoded(signature, "base64")
            for version, _, signature in (
                one.partition(",") for one in request.headers.get("webhook-signature", "").split(" ")[:10]
            )
            if version == "v1"
        ]
        head = f"{id_}.{timestamp}.".encode()
        expected = [
            digest("sha256", head + body, key) for key in self._keys for body in _bodies(request, line=True)
        ]
        if not any(_matches(one, expected) for one in shown):
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        _in_time(timestamp, ("epoch_s",), now, self._tolerance)
        return Proof(id_)


class _Hmac:
    def __init__(self, scheme: HmacScheme, secrets: Sequence[bytes]) -> None:
        self._scheme = scheme
        self._secrets = secrets
        self._names_line = "{method}" in scheme.template and "{path}" in scheme.template

    def __call__(self, request: Incoming, now: datetime) -> Proof:
        scheme = self._scheme
        timestamp = request.headers.get(scheme.timestamp_header or "", "")
        shown = request.headers.get(scheme.signature_header, "")
        values = {
            "timestamp": timestamp.encode("latin-1", "replace"),
            "nonce": request.headers.get(scheme.nonce_header or "", "").encode("latin-1", "replace"),
            "method": request.method.encode(),
            "path": request.line.partition(b" ")[2],
        }
        expected = [
            _signed(scheme.algorithm, scheme.template, {**values, "body": body}, secret)
            for secret in self._secrets
            for body in _bodies(request, line=not self._names_line)
        ]
        given = _decoded(shown.removeprefix(scheme.prefix), scheme.encoding)
        if not shown.startswith(scheme.prefix) or not _matches(given, expected):
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        if scheme.timestamp_header:
            _in_time(timestamp, scheme.timestamp_formats, now, scheme.tolerance)
        delivery_id = request.headers.get(scheme.delivery_id_header or "", "")
        return Proof(delivery_id[:200] or None)


class _Params:
    def __init__(self, scheme: ParamsScheme, secrets: Sequence[bytes]) -> None:
        self._scheme = scheme
        self._secrets = secrets

    def __call__(self, request: Incoming, now: datetime) -> Proof:
        scheme = self._scheme
        found = _parameters(request)
        if found is None or (request.raw and not _is_form(request) and not scheme.covers_body):
            raise Refused(Refusal.BAD_SIGNATURE, 401)  # ambiguous, or a body that nothing vouches for
        shown = found.pop(scheme.signature_field, "")
        line = b"" if not request.covers_line else f"{request.method} {request.path}\n".encode()
        values = {"params": self._sorted(found), "body": request.raw}
        expected = [
            _signed(scheme.algorithm, scheme.template, values, secret, line) for secret in self._secrets
        ]
        if not _matches(_decoded(shown, scheme.encoding), expected):
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        if scheme.timestamp_field:
            shown_time = found.get(scheme.timestamp_field, "")
            _in_time(shown_time, scheme.timestamp_formats, now, scheme.tolerance)
        return Proof()

    def _sorted(self, found: Mapping[str, str]) -> bytes:
        scheme = self._scheme
        pairs = (
            fill(scheme.pair, {"name": _bytes(name), "value": _bytes(value)})
            for name, value in sorted(found.items())
            if name not in scheme.unsigned and (value or not scheme.skip_empty)
        )
        return scheme.between.encode().join(pairs)


def _signed(
    algorithm: Algorithm, template: str, values: Mapping[str, bytes], secret: bytes, line: bytes = b""
) -> bytes:
    text = line + fill(template, {**values, "secret": secret})
    return digest(algorithm, text, None if "{secret}" in template else secret)


def _bodies(request: Incoming, *, line: bool) -> Iterator[bytes]:
    """What may be signed as the body: as it came, or unpacked (some sign before they pack)."""
    for body in dict.fromkeys((request.raw, request.body)):
        yield b"\n".join(filter(None, (request.line, body))) if line and request.covers_line else body


def _parameters(request: Incoming) -> dict[str, str] | None:
    """Query and form together; None when a name stands twice: then two readers could read two things."""
    form = request.body.decode("utf-8", "replace") if _is_form(request) else ""
    try:
        pairs = [
            pair
            for text in (request.query, form)
            for pair in parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        ]
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _is_form(request: Incoming) -> bool:
    return request.content_type == "application/x-www-form-urlencoded"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(signature: str, encoding: str) -> bytes:
    """Empty for what is no signature; that never equals a digest."""
    try:
        if encoding == "hex":
            return binascii.unhexlify(signature)
        return base64.b64decode(signature, validate=True)
    except ValueError:
        return b""


def _matches(given: bytes, expected: Sequence[bytes]) -> bool:
    """Compares with every one of them, whichever fits, so that time tells nothing."""
    return sum(hmac.compare_digest(given, one) for one in expected) > 0


def _in_time(written: str, formats: Sequence[str], now: datetime, tolerance: timedelta) -> None:
    moment = read_time(written, formats)
    if moment is None or abs(now - moment) > tolerance:
        raise Refused(Refusal.OUTSIDE_TOLERANCE, 401)
