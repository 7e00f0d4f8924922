"""The settings of a polled REST source. Everything that differs between systems stands here, as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from connectors.blocks import MIB, Block, Name, Says, Text, Url
from connectors.digests import Algorithm
from connectors.pushed import TimeSettings
from connectors.rest_paging import NoPaging, Paging
from connectors.rest_params import Params, slots_in
from connectors.selecting import Selector
from connectors.signing import Joined, SecretGoes, Spelling
from connectors.times import TimeFormat
from router.durations import Duration, within
from router.secrets import SecretRef

Place = Literal["header", "query", "form"]
"""Where a proof goes; `form` is the body, of whichever kind it is."""


class NoAuth(Block):
    """Nothing is asked for."""

    kind: Literal["none"] = "none"


class HeaderAuth(Block):
    """A fixed word in a header."""

    kind: Literal["header"]
    name: Name = "authorization"
    prefix: Text = ""
    secret: SecretRef


class TokenAuth(Block):
    """A token from an endpoint of its own, asked for anew before it ends and once when it is refused."""

    kind: Literal["token"]
    url: Url
    method: Literal["GET", "POST"] = "POST"
    """With GET the parameters go into the query, whatever `body` says."""
    body: Literal["json", "form"] = "json"
    params: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    headers: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    secrets: Annotated[Mapping[Name, SecretRef], Field(max_length=10)] = {}
    """Parameters whose values are secrets."""
    token: Selector = "access_token"
    """Where the token stands in the endpoint's answer."""
    expires_in: Selector | None = "expires_in"
    """Where its life in seconds stands."""
    expires_at: TimeSettings | None = None
    """Where the moment of its end stands, for endpoints that say that instead."""
    lives: Annotated[Duration, within("10s", "30d")] = timedelta(minutes=10)
    """How long it is good when the answer does not say."""
    place: Place = "header"
    name: Name = "authorization"
    prefix: Text = "Bearer "
    """Before the token, in a header only."""
    expired: Says | None = None
    """How an answer in the 200s says that the token has ended."""


class CertificateAuth(Block):
    """A client certificate; both in PEM, the key without a passphrase."""

    kind: Literal["certificate"]
    certificate: SecretRef
    key: SecretRef


class SignatureAuth(Block):
    """A gateway's signature over the sorted parameters, or over key + secret + timestamp (+ nonce)."""

    kind: Literal["signature"]
    algorithm: Algorithm = "md5"
    key: SecretRef | None = None
    """The application's id, sent as `key_name`."""
    secret: SecretRef
    over: Literal["sorted_params", "key_secret_timestamp"] = "sorted_params"
    joined: Joined = "pairs"
    """pairs: `a=1&b=2`; plain: `a1b2`; values: `12`."""
    secret_goes: SecretGoes = "after"
    """Around the text to sign, or as the key of an HMAC, or as a last parameter `&key=…`."""
    key_param: Name = "key"
    """The name of that last parameter."""
    encoding: Spelling = "hex"
    place: Place = "query"
    key_name: Name = "appKey"
    timestamp_name: Name = "timestamp"
    timestamp_format: TimeFormat | Literal["yyyyMMddHHmmss"] = "epoch_ms"
    nonce_name: Name | None = None
    sign_name: Name = "sign"


class DetailSettings(Block):
    """A second call (GET) per item, whose answer is the item. Its id goes where {id} stands."""

    url: Url
    params: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    item: Selector | None = None
    """Where the item stands in the answer; without it, the answer is the item."""
    gone: Says | None = None
    """How an answer in the 200s says that there is no such item."""

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if not any("{id}" in text for text in (self.url, *self.params.values())):
            raise ValueError("{id} must stand in url or in params")
        return self


class AttachmentSettings(Block):
    """Files that an item links to, fetched at once: links end."""

    list: Selector
    """Where the links stand: a list, one object, one URL, several URLs with commas, or a JSON text."""
    url: Selector = "url"
    name: Selector = "name"
    hosts: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    """Further hosts (HOST or HOST:PORT) that files may come from; they are not shown our credentials."""
    most: Annotated[int, Field(ge=0, le=50)] = 10
    max_bytes: Annotated[int, Field(ge=1, le=100 * MIB)] = 10 * MIB
    media_types: Annotated[tuple[str, ...], Field(max_length=50)] = (
        "image/*",
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.*",
        "application/ofd",
        "text/plain",
    )
    """What the bytes may be; what name and header claim does not count."""


Auth = Annotated[
    NoAuth | HeaderAuth | TokenAuth | CertificateAuth | SignatureAuth, Field(discriminator="kind")
]


class RestSettings(Block):
    """One polled list. Values of `params` may hold {page} {offset} {size} {cursor} {from} {to} {last_id}."""

    kind: Literal["rest"]
    every: Annotated[Duration, within("1s", "7d")] = timedelta(seconds=30)
    """The pause between two rounds."""
    url: Url
    method: Literal["GET", "POST"] = "GET"
    body: Literal["query", "form", "json"] = "query"
    """Where the parameters go."""
    params: Params = Field(default_factory=dict)
    headers: Annotated[Mapping[Name, Text], Field(max_length=50)] = {}
    auth: Auth = NoAuth()
    authority: SecretRef | None = None
    """The certificate (PEM) of the authority that signed the source's own; without it, the system's list."""
    paging: Paging = NoPaging()
    items: Selector = "@"
    """Where the list of items stands in the answer."""
    id: Selector = "id"
    updated: TimeSettings | None = None
    """The item's change time. Without it every round reads everything; the ledger drops repeats."""
    success: Says | None = None
    """What an answer in the 200s must say inside to count. Only then an absent list is an empty one."""
    throttled: Says | None = None
    """How an answer in the 200s says "slow down"."""
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
    """More than so many pages in a round are an error, or the next round's where `ascending` is set."""
    max_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 8 * MIB
    """Of one answer, unpacked."""
    timeout: Annotated[Duration, within("1s", "5m")] = timedelta(seconds=20)
    """The longest wait for an answer; all of it must be there within three times that."""
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    """Quick tries of one request after a broken connection or a 5xx; patience beyond that is the hub's."""
    per_minute: Annotated[int, Field(ge=1, le=60_000)] = 600
    """Requests a minute at most."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        needed = {"page": "page", "offset": "offset", "cursor": "cursor", "keyset": "from"}
        slot = needed.get(self.paging.kind)
        if slot and slot not in slots_in(self.params):
            raise ValueError(f"paging: {{{slot}}} must stand in params, or every page is the first one")
        if self.paging.kind == "keyset" and self.updated is None:
            raise ValueError("paging: keyset goes on from the change time; say where `updated` stands")
        if self.method == "GET" and self.body != "query":
            raise ValueError(f"body: a GET has no {self.body}; write method: POST, or body: query")
        return self
