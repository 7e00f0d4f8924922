"""The digests that signatures are made of; SM3 is the national standard's (GB/T 32905)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

Algorithm = Literal["md5", "sha1", "sha256", "sha512", "sm3"]
Encoding = Literal["hex", "base64"]


def digest(algorithm: Algorithm, text: bytes, key: bytes | None = None) -> bytes:
    """An HMAC under the key; without one the plain digest, for schemes that put the secret into the text."""
    if key is None:
        return hashlib.new(algorithm, text, usedforsecurity=False).digest()
    return hmac.new(key, text, algorithm).digest()


def spell(signature: bytes, encoding: Encoding) -> str:
    """A digest as headers carry it; hexadecimal in lower case."""
    return signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()
