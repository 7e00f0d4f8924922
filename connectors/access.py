"""Which unit is calling: a bearer token of its own, or a signature and the unit's id in a header."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from connectors.rate import RateLimit, TokenBucket
from connectors.receiving import Incoming, Refused
from connectors.schemes import HmacScheme, StandardWebhooksScheme
from connectors.verification import Verifier, verifier
from router.described import Described
from router.errors import ConfigError, Problem
from router.reasons import Refusal
from router.secrets import SecretReader, SecretRef

UNIT_HEADER = "suqiu-unit"
SHORTEST_TOKEN = 16
_BEARER = "bearer "


class UnitAccess(Described):
    """How a unit proves at the HTTP door that it is this unit: by token, by signature, or by either."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretRef | None = None
    """Sent as `Authorization: Bearer …`. At least 16 characters; only over TLS."""
    old_token: SecretRef | None = None
    """Still good while the token is being changed."""
    signature: Annotated[HmacScheme | StandardWebhooksScheme, Field(discriminator="kind")] | None = None
    """Covers method and path; the unit's id stands in the header `Suqiu-Unit`."""
    rate: RateLimit = RateLimit()

    @model_validator(mode="after")
    def _some_way(self) -> Self:
        if self.token is None and self.signature is None:
            raise ValueError("needs a token or a signature")
        return self


class Units:
    """The units that may come in. `pulling` are those whose tasks are served here."""

    def __init__(
        self, access: Mapping[str, UnitAccess], read: SecretReader, *, pulling: Collection[str]
    ) -> None:
        self._tokens: dict[bytes, str] = {}
        for unit, way in access.items():
            for ref in filter(None, (way.token, way.old_token)):
                self._learn(unit, ref, read(ref))
        self._verifiers: dict[str, Verifier] = {
            unit: verifier(way.signature, read) for unit, way in access.items() if way.signature
        }
        self._buckets = {unit: TokenBucket(way.rate) for unit, way in access.items()}
        self._pulling = frozenset(pulling)

    def _learn(self, unit: str, ref: SecretRef, token: str) -> None:
        hashed = _hash(token)
        if len(token) < SHORTEST_TOKEN:
            raise ConfigError([Problem("", f"secret: {ref} is shorter than {SHORTEST_TOKEN} characters")])
        if self._tokens.setdefault(hashed, unit) != unit:
            other = self._tokens[hashed]
            raise ConfigError([Problem("", f"secret: {ref} is the token of {other} as well as of {unit}")])

    def admit(self, request: Incoming, now: datetime) -> str:
        """The id of the unit that calls. Raises Refused (401)."""
        authorization = request.headers.get("authorization", "")
        if authorization[: len(_BEARER)].lower() == _BEARER:
            # Looked up by hash: how long that takes tells nothing about the token.
            unit = self._tokens.get(_hash(authorization[len(_BEARER) :]))
            if unit is not None:
                return unit
        named = request.headers.get(UNIT_HEADER, "")
        verify = self._verifiers.get(named)
        if verify is None:
            raise Refused(Refusal.BAD_SIGNATURE, 401)
        verify(request, now)
        return named

    def slow_down(self, unit: str) -> None:
        """Raises Refused (429) when the unit comes too often."""
        wait = self._buckets[unit].take()
        if wait is not None:
            raise Refused(Refusal.TOO_MANY, 429, retry_after=wait)

    def pulls(self, unit: str) -> bool:
        return unit in self._pulling


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
