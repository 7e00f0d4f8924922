"""
The signatures that gateways ask for, as pure functions: the same words give the same signature.

Two families. Over the request's own parameters, sorted by name and joined, with the secret put around
them or used as the key of an HMAC. Or over key + secret + timestamp (+ nonce), whatever the request says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from connectors.digests import Algorithm, digest, spell

Joined = Literal["pairs", "plain", "values"]
SecretGoes = Literal["after", "before", "around", "as_key", "key_param"]
Spelling = Literal["hex", "HEX", "base64"]


def joined_text(params: Mapping[str, str], joined: Joined) -> str:
    """Sorted by name, empty ones left out: `a=1&b=2`, `a1b2` or `12`."""
    pairs = sorted((name, value) for name, value in params.items() if value != "")
    if joined == "pairs":
        return "&".join(f"{name}={value}" for name, value in pairs)
    if joined == "plain":
        return "".join(f"{name}{value}" for name, value in pairs)
    return "".join(value for _, value in pairs)


def with_secret(text: str, secret: str, goes: SecretGoes, key_param: str = "key") -> str:
    """The text to digest. For `as_key` it stays as it is."""
    forms = {
        "after": text + secret,
        "before": secret + text,
        "around": secret + text + secret,
        "as_key": text,
        "key_param": f"{text}&{key_param}={secret}",
    }
    return forms[goes]


def signature(algorithm: Algorithm, text: str, *, key: str | None = None, spelling: Spelling = "hex") -> str:
    """An HMAC under the key, the plain digest without one."""
    # A file's address may hold what no request can: that is found out, and told, when it is sent.
    raw = digest(algorithm, text.encode("utf-8", "surrogatepass"), key.encode() if key is not None else None)
    if spelling == "base64":
        return spell(raw, "base64")
    return spell(raw, "hex").upper() if spelling == "HEX" else spell(raw, "hex")
