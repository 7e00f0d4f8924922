"""What every settings model here shares: frozen, unknown keys forbidden, and URLs that hold no password."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A block of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def url_of(*schemes: str, needs_host: bool = True) -> AfterValidator:
    """A URL with one of these schemes. A password inside is refused, and not quoted."""

    def check(written: str) -> str:
        try:
            parts = urlsplit(written)
            port, host, password = parts.port, parts.hostname, parts.password
        except ValueError as error:
            raise ValueError("is not a URL") from error
        if parts.scheme not in schemes:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if password is not None:
            raise ValueError("must not hold a password; write it as a secret: password: {env: NAME}")
        if needs_host and (not host or port == 0 or any(sign.isspace() for sign in written)):
            raise ValueError("is not a URL: host missing, or blanks in it")
        return written

    return AfterValidator(check)


HttpUrl = Annotated[
    str, Field(max_length=2000, examples=["https://example.org/api"]), url_of("http", "https")
]
Port = Annotated[int, Field(ge=0, le=65535)]
"""0 takes a free one."""
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[0-9A-Za-z.:_-]+$")]
