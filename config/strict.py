"""What every settings model here shares: frozen, unknown keys forbidden, and URLs that hold no password."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from router.described import Described


class Strict(Described):
    """A block of a configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def check_url(written: str, schemes: Collection[str], *, needs_host: bool = True) -> str:
    """The URL itself. Raises ValueError for what is none, and for a password inside, which is not quoted."""
    try:
        parts = urlsplit(written)
        port, host, password = parts.port, parts.hostname, parts.password
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if password is not None:
        raise ValueError("must not hold a password; write it as a secret: password: {env: NAME}")
    if needs_host and (not host or port == 0 or any(sign.isspace() for sign in written)):
        raise ValueError("is not a URL: host missing, or blanks in it")
    return written


def url_of(*schemes: str, needs_host: bool = True) -> AfterValidator:
    """`check_url` as a part of a type."""
    return AfterValidator(lambda written: check_url(written, schemes, needs_host=needs_host))


HttpUrl = Annotated[
    str, Field(max_length=2000, examples=["https://example.org/api"]), url_of("http", "https")
]
Port = Annotated[int, Field(ge=0, le=65535)]
"""0 takes a free one."""
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[0-9A-Za-z.:_-]+$")]
