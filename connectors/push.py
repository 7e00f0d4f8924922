"""
Push: a system calls us whenever it has something new, one appeal or several at a time.

A door is verified first and parsed after, and both are pure. Once the signature is good, nothing
in the body is a reason to say no: a sender would repeat the same broken thing for days. What
cannot be read is recorded byte for byte with its problem, and people look at it.

Pushes come late, twice and out of order, and some never come: give every pushing source a pull
as well where it has one. Both are one source, and the ledger recognises what comes by both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from connectors.answering import No, Yes
from connectors.forms import File, read_multipart, read_urlencoded
from connectors.pushed import Arrival, Records, TimeSettings
from connectors.rate import RateLimit
from connectors.receiving import Incoming, Refused
from connectors.schemes import ParamsScheme, Scheme
from connectors.selecting import Selector
from connectors.verification import Proof, Verifier, verifier
from router import jsontext
from router.described import Described
from router.durations import Duration, within
from router.errors import ConfigError, MalformedEnvelope, Problem
from router.message import Batch, Envelope
from router.reasons import Refusal
from router.secrets import SecretReader

MIB = 1024 * 1024
Content = Literal["json", "form", "multipart"]
_MEDIA_TYPES: dict[str, Content] = {
    "application/json": "json",
    "text/json": "json",
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "multipart",
}


class _Block(Described):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSettings(_Block):
    """Files of a multipart form. A form that breaks these limits is kept whole for people to look at."""

    most: Annotated[int, Field(ge=0, le=50)] = 10
    max_bytes: Annotated[int, Field(ge=1, le=16 * MIB)] = 10 * MIB
    media_types: Annotated[tuple[str, ...], Field(max_length=50)] = (
        "image/*",
        "application/pdf",
        "application/msword",
        "application/vnd.*",
        "text/plain",
    )


class PushSettings(_Block):
    """How one source pushes."""

    kind: Literal["push"] = "push"
    path: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$")] | None = None
    """The last part of its URL, /push/PATH. Make it long and random; without it, the source's name."""
    scheme: Scheme
    """How it signs."""
    accepts: Annotated[tuple[Content, ...], Field(min_length=1)] = ("json",)
    max_bytes: Annotated[int, Field(ge=1024, le=16 * MIB)] = MIB
    """The largest body, packed or unpacked."""
    read_within: Annotated[Duration, within("1s", "1m")] = timedelta(seconds=10)
    """A sender that takes longer to send one body is cut off."""
    items: Selector | None = None
    """Where the list of appeals stands in the body. Without it a list is many, an object is one."""
    max_items: Annotated[int, Field(ge=1, le=10_000)] = 1000
    id: Selector | None = "id"
    """Where an appeal's own id stands. null for a form that gives none: the content is its id then."""
    updated_at: TimeSettings | None = None
    files: FileSettings = FileSettings()
    rate: RateLimit = RateLimit()
    answer: Yes = Yes()
    refusal: No = No()

    @model_validator(mode="after")
    def _body_is_signed(self) -> Self:
        if (
            isinstance(self.scheme, ParamsScheme)
            and not self.scheme.covers_body
            and self.accepts != ("form",)
        ):
            raise ValueError("this scheme signs parameters only: accept form alone, or put {body} into it")
        return self


@dataclass(frozen=True, slots=True)
class Parsed:
    """A push as a batch, and the files that its attachments are claim checks for."""

    batch: Batch
    files: tuple[bytes, ...] = ()


class PushDoor:
    """One source's way in. Pure: what it returns depends on its settings and its arguments only."""

    def __init__(self, source: str, settings: PushSettings, read: SecretReader, *, public_url: str) -> None:
        self.source = source
        self.settings = settings
        self.path = settings.path or source
        self.url = f"{public_url.rstrip('/')}/push/{self.path}"
        self._verify: Verifier = verifier(settings.scheme, read)
        self._records = Records(
            items=settings.items,
            id_at=settings.id,
            updated_at=settings.updated_at,
            most=settings.max_items,
        )

    @property
    def status_url(self) -> str:
        """Up to the appeal id."""
        return f"{self.url}/appeals/"

    def content_of(self, media_type: str) -> Content:
        """Raises Refused for what this source does not send."""
        content = _MEDIA_TYPES.get(media_type, "json" if media_type.endswith("+json") else None)
        if content is None or content not in self.settings.accepts:
            raise Refused(Refusal.WRONG_TYPE, 415)
        return content

    def verify(self, request: Incoming, now: datetime) -> Proof:
        """Raises Refused."""
        return self._verify(request, now)

    def parse(self, request: Incoming, proof: Proof, now: datetime) -> Parsed:
        """The batch of a verified request. Never raises for what the body says."""
        arrival = Arrival(self.source, proof.delivery_id, now)
        try:
            data, files = self._read(request)
            original = request.body if self.content_of(request.content_type) == "json" else None
            envelopes = self._records.envelopes(data, original, files, arrival)
            return Parsed(self._batch(envelopes), tuple(file.content for file in files))
        except MalformedEnvelope as error:
            problem = str(error)
        except ValidationError:
            problem = "larger than an appeal can be"
        return Parsed(self._batch([arrival.unread(request.body, request.content_type, problem)]))

    def _batch(self, envelopes: Iterable[Envelope]) -> Batch:
        return Batch(source=self.source, envelopes=tuple(envelopes))

    def _read(self, request: Incoming) -> tuple[Any, list[File]]:
        content = self.content_of(request.content_type)
        if content == "json":
            return jsontext.loads(request.body), []
        if content == "form":
            return read_urlencoded(request.body), []
        fields, files = read_multipart(request.body, request.headers["content-type"])
        self._limit(files)
        return fields, files

    def _limit(self, files: list[File]) -> None:
        limits = self.settings.files
        if len(files) > limits.most:
            raise MalformedEnvelope(f"more than {limits.most} files")
        for number, file in enumerate(files, 1):
            if len(file.content) > limits.max_bytes:
                raise MalformedEnvelope(f"file {number} is larger than {limits.max_bytes} bytes")
            if not any(fnmatchcase(file.media_type, kind) for kind in limits.media_types):
                raise MalformedEnvelope(f"file {number} is of a type that is not taken")


def by_path(doors: Iterable[PushDoor]) -> Mapping[str, PushDoor]:
    """Each under the end of its URL. Raises ConfigError where two sources share one."""
    found: dict[str, PushDoor] = {}
    for door in doors:
        other = found.setdefault(door.path, door)
        if other is not door:
            said = f"sources {other.source} and {door.source} push to the same path /push/{door.path}"
            raise ConfigError([Problem("", said, "give one of them another push.path")])
    return found
