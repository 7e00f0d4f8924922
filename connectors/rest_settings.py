"""The settings of a polled REST source. Everything that differs between systems stands here, as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from connectors.digests import Algorithm
from connectors.pushed import TimeSettings
from connectors.selecting import Selector
from connectors.times import TimeFormat
from router.durations import Duration, within
from router.secrets import SecretRef

MIB = 1024 * 1024


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
        raise ValueError("is not a URL: it must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    return url


Url = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Place = Literal["header", "query", "form"]


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True
    )


class Says(_Block):
    """What an answer in the 200s must say inside to count."""

    at: Selector
    is_: Annotated[tuple[str | int | bool, ...], Field(alias="is", min_length=1, max_length=50)]


class NoAuth(_Block):
    kind: Literal["none"] = "none"


class HeaderAuth(_Block):
    """A fixed word in a header."""

    kind: Literal["header"]
    name: Name = "authorization"
    prefix: Text = ""
    secret: SecretRef


class TokenAuth(_Block):
    """A token from an endpoint of its own, asked for anew before it ends and once when it is refused."""

    kind: Literal["token"]
    url: Url
    body: Literal["json", "form"] = "json"
    params: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    secrets: Annotated[Mapping[Name, SecretRef], Field(max_length=10)] = {}
    """Parameters whose values are secrets."""
    token: Selector = "access_token"
    expires_in: Selector | None = "expires_in"
    """Where its life in seconds stands."""
    lives: Annotated[Duration, within("10s", "30d")] = timedelta(minutes=10)
    """When the answer does not say."""
    place: Place = "header"
    name: Name = "authorization"
    prefix: Text = "Bearer "
    expired: Says | None = None
    """How an answer in the 200s says that the token has ended."""


class CertificateAuth(_Block):
    """A client certificate; both files in PEM."""

    kind: Literal["certificate"]
    certificate: SecretRef
    key: SecretRef


class SignatureAuth(_Block):
    """A gateway's signature over the sorted parameters, or over key + secret + timestamp."""

    kind: Literal["signature"]
    algorithm: Algorithm = "md5"
    key: SecretRef | None = None
    """The application's id, sent as `key_name`."""
    secret: SecretRef
    over: Literal["sorted_params", "key_secret_timestamp"] = "sorted_params"
    joined: Literal["pairs", "plain"] = "pairs"
    """pairs: `a=1&b=2`; plain: `a1b2`."""
    secret_goes: Literal["after", "before", "around", "as_key", "key_param"] = "after"
    """Around the text to sign, or as the key of an HMAC, or as a last parameter `&key=…`."""
    encoding: Literal["hex", "HEX", "base64"] = "hex"
    place: Place = "query"
    key_name: Name = "appKey"
    timestamp_name: Name = "timestamp"
    timestamp_format: TimeFormat | Literal["yyyyMMddHHmmss"] = "epoch_ms"
    nonce_name: Name | None = None
    sign_name: Name = "sign"


class NoPaging(_Block):
    kind: Literal["none"] = "none"


class PagePaging(_Block):
    """Numbered pages; the number goes where {page} stands."""

    kind: Literal["page"]
    start: Annotated[int, Field(ge=0, le=1)] = 1
    size: Annotated[int, Field(ge=1, le=1000)] = 100


class OffsetPaging(_Block):
    """An offset; it goes where {offset} stands."""

    kind: Literal["offset"]
    size: Annotated[int, Field(ge=1, le=1000)] = 100


class KeysetPaging(_Block):
    """The time and id of the last item go where {from} and {last_id} stand."""

    kind: Literal["keyset"]
    size: Annotated[int, Field(ge=1, le=1000)] = 100


class CursorPaging(_Block):
    """The answer names the next page; it goes where {cursor} stands."""

    kind: Literal["cursor"]
    next: Selector
    size: Annotated[int, Field(ge=1, le=1000)] = 100


class DetailSettings(_Block):
    """A second call per item, whose answer is the item. Its id goes where {id} stands."""

    url: Url
    params: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    item: Selector | None = None


class AttachmentSettings(_Block):
    """Files that an item links to, fetched at once: links end."""

    list: Selector
    url: Selector = "url"
    name: Selector = "name"
    hosts: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    """Further hosts that files may come from; the source's own always may."""
    most: Annotated[int, Field(ge=0, le=50)] = 10
    max_bytes: Annotated[int, Field(ge=1, le=100 * MIB)] = 10 * MIB
    media_types: Annotated[tuple[str, ...], Field(max_length=50)] = (
        "image/*",
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.*",
        "text/plain",
    )


Auth = Annotated[
    NoAuth | HeaderAuth | TokenAuth | CertificateAuth | SignatureAuth, Field(discriminator="kind")
]
Paging = Annotated[
    NoPaging | PagePaging | OffsetPaging | KeysetPaging | CursorPaging, Field(discriminator="kind")
]


class RestSettings(_Block):
    """One polled list. Values of `params` may hold {page} {offset} {size} {cursor} {from} {to} {last_id}."""

    kind: Literal["rest"]
    every: Annotated[Duration, within("1s", "7d")] = timedelta(seconds=30)
    """The pause between two rounds."""
    url: Url
    method: Literal["GET", "POST"] = "GET"
    body: Literal["query", "form", "json"] = "query"
    """Where the parameters go."""
    params: Annotated[Mapping[Name, Text], Field(max_length=100)] = {}
    headers: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    auth: Auth = NoAuth()
    paging: Paging = NoPaging()
    items: Selector = "@"
    """Where the list of items stands in the answer."""
    id: Selector = "id"
    updated: TimeSettings | None = None
    """The item's change time. Without it every round reads everything; the ledger drops repeats."""
    success: Says | None = None
    throttled: Says | None = None
    window_format: TimeFormat = "%Y-%m-%d %H:%M:%S"
    """How {from} and {to} are written, in Shanghai time."""
    overlap: Annotated[Duration, within("0s", "30d")] = timedelta(minutes=10)
    """How far {from} reaches back behind what was read; longer than anything of theirs is late."""
    since: AwareDatetime | None = None
    """Where the very first round begins; everything when it is left out."""
    ascending: bool = False
    """The list is sorted by change time: then every page moves the cursor, not only the last one."""
    detail: DetailSettings | None = None
    attachments: AttachmentSettings | None = None
    max_pages: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 8 * MIB
    timeout: Annotated[Duration, within("1s", "5m")] = timedelta(seconds=20)
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    """Quick tries of one request after a broken connection or a 5xx; patience beyond that is the hub's."""
    per_minute: Annotated[int, Field(ge=1, le=60_000)] = 600
    """Requests a minute at most."""
