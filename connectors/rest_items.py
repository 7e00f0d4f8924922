"""
An item of a polled list becomes an envelope: its id, its change time, its detail, its files.

Nothing else of it is read. What is odd about one item is said in its envelope, so that it takes no
neighbour along. Details and files of an item that has not changed are remembered for a while: the
overlap hands out the same items round after round.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.blocks import MIB
from connectors.http import Gone, Request
from connectors.rest_asking import Asker
from connectors.rest_files import Files
from connectors.rest_paging import Listed, Page
from connectors.rest_settings import DetailSettings, RestSettings
from connectors.selecting import Select, id_text
from connectors.times import read_time
from router import jsontext
from router.errors import Throttled, TransientError
from router.message import Attachment, Envelope
from router.ports import AttachmentStore, Clock

LARGEST = 16 * MIB
"""The body of an envelope."""
REMEMBERED = timedelta(hours=1)
MEMORY = 16 * MIB


@dataclass(frozen=True, slots=True)
class Brought:
    """What further calls brought for one item."""

    body: bytes
    problem: str | None = None
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


class Items:
    """Reads the items of one source. Not thread-safe; lives as long as the source."""

    def __init__(
        self, source: str, settings: RestSettings, asker: Asker, *, store: AttachmentStore, clock: Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._asker = asker
        self._clock = clock
        self._list = Select(settings.items)
        self._id = Select(settings.id).find
        self._time = Select(settings.updated.at).find if settings.updated else _nowhere
        self._formats = settings.updated.formats if settings.updated else ()
        files = settings.attachments
        self._files = Files(settings.url, files, asker, store) if files else None
        self._memory = _Memory()
        self.are_plain = settings.detail is None and files is None
        """All that is wanted of an item stands in the list."""

    def listed(self, page: Page) -> list[Any] | None:
        """The items of a page; None when there is no list where one should be."""
        found = self._list(page.data)
        if found is None and page.data is None:
            return []
        if found is None and self._settings.success is not None:
            return []  # an empty page is often an absent list; that the answer is a good one was said
        return found if isinstance(found, list) else None

    def look(self, item: Any) -> Listed:
        """Who the item is and when it changed."""
        body, problem = jsontext.written(item), None
        source_id = id_text(self._id(item)) if type(item) is dict else None
        if source_id is None:
            source_id, problem = self._nameless(item, body)
        written = self._time(item)
        return Listed(source_id, read_time(written, self._formats), written, body, problem)

    def _nameless(self, item: Any, body: bytes) -> tuple[str, str]:
        """The hash of its content and what is wrong with it."""
        hashed = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if type(item) is not dict:
            return hashed, "an item of the list is not an object"
        return hashed, f"no id at {self._settings.id}"

    def plain(self, some: Sequence[Listed]) -> list[Envelope]:
        """Envelopes of items without detail and files, received now; cannot fail."""
        now = self._clock()
        return [
            # Each limit of an envelope is kept: by id_text, by read_time, by the look at the size; the
            # clock is aware UTC, and the name of a source is judged where the configuration is read.
            Envelope.made(
                source=self._source,
                source_id=one.id,
                body=one.body,
                updated_at=one.updated,
                received_at=now,
            )
            if one.problem is None and len(one.body) <= LARGEST
            else self._checked(one, Brought(one.body, one.problem), now)
            for one in some
        ]

    def envelope(self, listed: Listed, *, is_patient: bool = True) -> Envelope:
        """Raises TransientError when detail or files cannot be had now; without patience, says so in it."""
        problem = listed.problem
        brought = Brought(listed.body, problem) if problem else self._brought(listed, is_patient)
        return self._checked(listed, brought, self._clock())

    def _checked(self, listed: Listed, brought: Brought, now: datetime) -> Envelope:
        problem, body = brought.problem, brought.body
        if len(body) > LARGEST:
            problem, body = f"an item of {len(body)} bytes is more than an envelope holds", body[:LARGEST]
        return Envelope(
            source=self._source,
            source_id=listed.id,
            body=body,
            updated_at=listed.updated,
            received_at=now,
            attachments=brought.attachments,
            notes=brought.notes,
            problem=problem[:500] if problem else None,
        )

    def _brought(self, listed: Listed, is_patient: bool) -> Brought:
        """Detail and files, from memory where the list shows that nothing has changed."""
        # Plain bytes: what is remembered for an hour must not hold on to what it was written from.
        body = bytes(listed.body)
        known = self._memory.recall(listed.id, body, self._clock()) if listed.updated else None
        if known is not None:
            return known
        brought = self._fetched(listed.body.value, listed.id, body, is_patient)
        if is_patient and brought.problem is None:
            self._memory.keep(listed.id, body, brought, self._clock())
        return brought

    def _fetched(self, item: Any, source_id: str, listed: bytes, is_patient: bool) -> Brought:
        problem, body = None, listed
        if self._settings.detail is not None:
            item, problem = self._detailed(self._settings.detail, item, source_id, is_patient)
            body = jsontext.dumps(item)
        if problem or self._files is None:
            return Brought(body, problem)
        return Brought(body, None, *self._files.fetch(item, is_patient=is_patient))

    def _detailed(
        self, detail: DetailSettings, item: Any, source_id: str, is_patient: bool
    ) -> tuple[Any, str | None]:
        params = {name: value.replace("{id}", source_id) for name, value in detail.params.items()}
        url = detail.url.replace("{id}", quote(source_id, safe=""))
        try:
            page = self._asker.page(Request("GET", url, params, self._settings.headers), detail.gone)
        except Gone:
            return item, "its detail is not there; this is the list's entry"
        except TransientError as error:
            if is_patient or isinstance(error, Throttled):
                raise
            return item, f"its detail could not be had, time and again; this is the list's entry ({error})"
        found = Select(detail.item)(page.data) if detail.item else page.data
        return (found, None) if isinstance(found, Mapping) else (item, "its detail is not an object")


class _Memory:
    """What was brought for unchanged items, bounded in size and age."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[bytes, datetime, Brought]] = OrderedDict()
        self._size = 0

    def recall(self, source_id: str, listed: bytes, now: datetime) -> Brought | None:
        digest, at, brought = self._kept.get(source_id, (b"", now, None))
        if brought is None or digest != _digest(listed) or now - at > REMEMBERED:
            return None
        return brought

    def keep(self, source_id: str, listed: bytes, brought: Brought, now: datetime) -> None:
        if source_id in self._kept:
            self._size -= len(self._kept.pop(source_id)[2].body)
        self._kept[source_id] = (_digest(listed), now, brought)
        self._size += len(brought.body)
        while self._size > MEMORY or len(self._kept) > 20_000:
            self._size -= len(self._kept.popitem(last=False)[1][2].body)


def _nowhere(_: Any) -> None:
    """The change time of items that have none."""


def _digest(listed: bytes) -> bytes:
    return hashlib.sha256(listed).digest()
