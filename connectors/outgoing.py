"""
The hub's own signature on what it sends, in the schemes that it also reads (connectors/schemes.py).

While a secret is being changed, Standard Webhooks carries a signature by each; the others know
one only, and use the first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from connectors.digests import digest, spell
from connectors.schemes import HmacScheme, StandardWebhooksScheme, TokenScheme, fill
from connectors.times import write_time
from connectors.verification import webhook_key
from router.secrets import SecretReader

SigningScheme = Annotated[StandardWebhooksScheme | HmacScheme | TokenScheme, Field(discriminator="kind")]
Signer = Callable[[str, str, bytes, datetime], dict[str, str]]
"""(message id, URL, body, now) → the headers that prove it."""


def signer(scheme: SigningScheme | None, read: SecretReader) -> Signer:
    """Reads the secrets once. Raises ConfigError when one is missing or not usable."""
    if scheme is None:
        return lambda id_, url, body, now: {}
    secrets = [read(ref) for ref in scheme.secrets]
    if isinstance(scheme, TokenScheme):
        return _token(scheme, secrets[0])
    if isinstance(scheme, HmacScheme):
        return _hmac(scheme, secrets[0].encode())
    return _webhooks([webhook_key(secret, ref) for secret, ref in zip(secrets, scheme.secrets, strict=True)])


def _token(scheme: TokenScheme, secret: str) -> Signer:
    return lambda id_, url, body, now: {scheme.header: scheme.prefix + secret}


def _webhooks(keys: list[bytes]) -> Signer:
    def sign(id_: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        text = f"{id_}.{timestamp}.".encode() + body
        signatures = [f"v1,{spell(digest('sha256', text, key), 'base64')}" for key in keys]
        return {
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(signatures),
        }

    return sign


def _hmac(scheme: HmacScheme, secret: bytes) -> Signer:
    def sign(id_: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = write_time(now, scheme.timestamp_formats[0])
        parts = urlsplit(url)
        values = {
            "body": body,
            "timestamp": timestamp.encode(),
            "nonce": id_.encode(),
            "method": b"POST",
            "path": f"{parts.path}?{parts.query}".rstrip("?").encode(),
            "secret": secret,
        }
        key = None if "{secret}" in scheme.template else secret
        signature = spell(digest(scheme.algorithm, fill(scheme.template, values), key), scheme.encoding)
        sent = {
            scheme.signature_header: scheme.prefix + signature,
            scheme.timestamp_header: timestamp,
            scheme.nonce_header: id_,
            scheme.delivery_id_header: id_,
        }
        return {header: value for header, value in sent.items() if header}

    return sign
