"""What was pushed, cut into envelopes: where the items stand, what their ids and change times are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.forms import File
from connectors.selecting import Select, Selector, id_text
from connectors.times import TimeFormat, read_time
from router import jsontext
from router.errors import MalformedEnvelope
from router.message import Attachment, Envelope


class TimeSettings(BaseModel):
    """Where the source's own change time stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    at: Annotated[Selector, Field(alias="from")]
    formats: Annotated[tuple[TimeFormat, ...], Field(min_length=1, max_length=10)] = ("iso",)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What all envelopes of one push share."""

    source: str
    delivery_id: str | None
    received_at: datetime

    def unread(self, body: bytes, content_type: str, problem: str) -> Envelope:
        """What cannot be read, kept under the hash of its bytes, so that a repeat is recognised."""
        return Envelope(
            source=self.source,
            source_id=f"unread:{hashlib.sha256(body).hexdigest()}",
            body=body,
            content_type=content_type[:64],
            received_at=self.received_at,
            delivery_id=self.delivery_id,
            problem=problem[:500],
        )

    def nameless(self, body: bytes, attachments: tuple[Attachment, ...], problem: str) -> Envelope:
        """An item without an id. The ledger knows by the `sha256:` that nobody else can look it up."""
        unread = self.unread(body, "application/json", problem)
        source_id = unread.source_id.replace("unread:", "sha256:")
        return unread.model_copy(update={"source_id": source_id, "attachments": attachments})


class Records:
    """The appeals inside one document. Pure."""

    def __init__(
        self, *, items: str | None, id_at: str | None, updated_at: TimeSettings | None, most: int
    ) -> None:
        self._items = Select(items) if items else None
        self._id = Select(id_at) if id_at else None
        self._time = Select(updated_at.at) if updated_at else None
        self._formats = updated_at.formats if updated_at else ()
        self._most = most

    def envelopes(
        self, data: Any, original: bytes | None, files: Sequence[File], arrival: Arrival
    ) -> Iterator[Envelope]:
        """One for each appeal in the document. Raises MalformedEnvelope when they cannot be found.

        `original` are the bytes that a single JSON appeal came as, and keeps; None for a form.
        """
        attachments = tuple(_claim_check(file) for file in files)
        if isinstance(data, dict) and self._items is None:
            yield self._envelope(data, original or jsontext.dumps(data), attachments, arrival)
            return
        for item in self._listed(data):
            yield self._envelope(item, jsontext.dumps(item), attachments, arrival)

    def _listed(self, data: Any) -> list[Any]:
        items = self._items(data) if self._items else data
        if not isinstance(items, list):
            raise MalformedEnvelope("there is no list of items where the configuration says")
        if len(items) > self._most:
            raise MalformedEnvelope(f"more than {self._most} items in one push")
        return items

    def _envelope(
        self, item: Any, body: bytes, attachments: tuple[Attachment, ...], arrival: Arrival
    ) -> Envelope:
        if not isinstance(item, dict):
            return arrival.nameless(body, attachments, "an item is not an object")
        source_id = self._id_of(item, body)
        if source_id is None:
            return arrival.nameless(body, attachments, "the item has no id where the configuration says")
        return Envelope(
            source=arrival.source,
            source_id=source_id,
            body=body,
            updated_at=read_time(self._time(item), self._formats) if self._time else None,
            received_at=arrival.received_at,
            delivery_id=arrival.delivery_id,
            attachments=attachments,
        )

    def _id_of(self, item: Any, body: bytes) -> str | None:
        if self._id is None:
            return f"content:{hashlib.sha256(body).hexdigest()}"
        return id_text(self._id(item))


def _claim_check(file: File) -> Attachment:
    sha256 = hashlib.sha256(file.content).hexdigest()
    return Attachment(name=file.name, media_type=file.media_type, size=len(file.content), sha256=sha256)
