"""
Where a secret stands, never the secret itself: configuration is kept in the ledger and must not hold one.

    token: {env: SUQIU_SST_TOKEN}
    token: {file: secrets/sst.token}      # relative to the configuration folder
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator


class SecretRef(BaseModel):
    """A pointer to a secret: one environment variable or one file, exactly one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is {env: NAME} or {file: PATH}, exactly one of them")
        return self

    def __str__(self) -> str:
        return f"env {self.env}" if self.env else f"file {self.file}"


SecretReader = Callable[[SecretRef], str]
"""Reads the secret, without a trailing newline. Wiring makes it; raises ConfigError when it is missing."""
