"""
The signature schemes as configuration writes them.

Chinese platforms each sign in a way of their own, so a scheme is data: which text is signed (a
template), with which digest, in which header, how it is written. Without `{secret}` in the
template the digest is an HMAC under the secret; with it, it is the plain digest of the text, as
gateways of the "MD5 of sorted parameters and key" kind have it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from connectors.digests import Algorithm
from connectors.times import TimeFormat
from router.described import Described
from router.durations import Duration, within
from router.secrets import SecretRef

Header = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$", to_lower=True)]
Parameter = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Template = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Formats = Annotated[tuple[TimeFormat, ...], Field(min_length=1, max_length=5)]
Tolerance = Annotated[Duration, within("1s", "1h")]

_SLOT = re.compile(r"\{(\w+)\}")


class _Scheme(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")

    secrets: Annotated[tuple[SecretRef, ...], Field(min_length=1, max_length=2)]
    """The secret; while it is being changed, the new one and the old one."""


class TokenScheme(_Scheme):
    """A fixed word in a header. Proves nothing about the body: only over TLS."""

    kind: Literal["token"]
    header: Header = "authorization"
    prefix: Annotated[str, Field(max_length=20)] = "Bearer "


class StandardWebhooksScheme(_Scheme):
    """Standard Webhooks: HMAC-SHA256 over `id.timestamp.payload`, several signatures allowed."""

    kind: Literal["standard_webhooks"]
    tolerance: Tolerance = timedelta(minutes=5)
    """How far the sender's clock may be off, either way."""


class HmacScheme(_Scheme):
    """A signature over the raw body, perhaps with a timestamp and a nonce, in headers."""

    kind: Literal["hmac"]
    algorithm: Algorithm = "sha256"
    template: Template = "{body}"
    """The signed text, of {body} {timestamp} {nonce} {method} {path} {secret}."""
    signature_header: Header = "x-signature"
    timestamp_header: Header | None = None
    """Without it an old request cannot be told from a new one."""
    timestamp_formats: Formats = ("epoch_s", "epoch_ms")
    nonce_header: Header | None = None
    delivery_id_header: Header | None = None
    """The sender's id of this very delivery, where it has one."""
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(max_length=20)] = ""
    """What stands before the signature, e.g. `sha256=`."""
    tolerance: Tolerance = timedelta(minutes=5)

    @model_validator(mode="after")
    def _template_fits(self) -> Self:
        slots = _slots(self.template, {"body", "timestamp", "nonce", "method", "path", "secret"})
        if "body" not in slots:
            raise ValueError("the template must hold {body}, else anyone could change it")
        for slot, header in (("timestamp", self.timestamp_header), ("nonce", self.nonce_header)):
            if (slot in slots) != (header is not None):
                raise ValueError(f"{{{slot}}} in the template and {slot}_header belong together")
        return self


class ParamsScheme(_Scheme):
    """A gateway's signature over the sorted parameters of query and form, itself one of them."""

    kind: Literal["params"]
    algorithm: Algorithm = "md5"
    template: Template = "{params}&key={secret}"
    """The signed text, of {params} {secret} {body}."""
    signature_field: Parameter = "sign"
    timestamp_field: Parameter | None = "timestamp"
    timestamp_formats: Formats = ("epoch_s", "epoch_ms")
    pair: Template = "{name}={value}"
    between: Annotated[str, Field(max_length=5)] = "&"
    skip_empty: bool = True
    unsigned: Annotated[tuple[Parameter, ...], Field(max_length=20)] = ("sign_type",)
    """Parameters that are not signed."""
    encoding: Literal["hex", "base64"] = "hex"
    tolerance: Tolerance = timedelta(minutes=5)

    @model_validator(mode="after")
    def _template_fits(self) -> Self:
        if "params" not in _slots(self.template, {"params", "secret", "body"}):
            raise ValueError("the template must hold {params}")
        if _slots(self.pair, {"name", "value"}) != {"name", "value"}:
            raise ValueError("the pair must hold {name} and {value}")
        if self.timestamp_field in self.unsigned:
            raise ValueError("an unsigned timestamp proves nothing")
        return self

    @property
    def covers_body(self) -> bool:
        return "{body}" in self.template


Scheme = Annotated[
    StandardWebhooksScheme | HmacScheme | ParamsScheme | TokenScheme, Field(discriminator="kind")
]


def _slots(template: str, known: set[str]) -> set[str]:
    found = set(_SLOT.findall(template))
    if found - known:
        raise ValueError(f"the template knows only {', '.join(f'{{{slot}}}' for slot in sorted(known))}")
    return found


def fill(template: str, values: Mapping[str, bytes]) -> bytes:
    """The template with its slots filled; what a value says is never taken for a slot."""
    parts = _SLOT.split(template)
    return b"".join(values[part] if slot % 2 else part.encode() for slot, part in enumerate(parts))
