"""
REST: polls a list of items over HTTP. One connector for every such system; they differ by settings.

The cursor is on the source's clock: the latest change time seen in an item, never later than the
source's own Date. Each round asks from the cursor minus an overlap, so that what came late or stood
at the edge is read again; the ledger drops the repeats. No item is left out for its time. Unless the
list is sorted by change time, the cursor moves only with the end of a round.

`acknowledge` has nothing to do: such systems know no "read".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connectors.http import Client, Gone, Request
from connectors.rest_asking import Asker, Page
from connectors.rest_files import Files
from connectors.rest_settings import (
    CertificateAuth,
    CursorPaging,
    KeysetPaging,
    NoPaging,
    OffsetPaging,
    RestSettings,
)
from connectors.selecting import Select, id_text
from connectors.times import read_time, write_time
from router import jsontext
from router.errors import SourceUnavailable
from router.message import Attachment, Batch, Cursor, Envelope
from router.ports import AttachmentStore, Clock
from router.secrets import SecretReader

BATCH = 200
"""Envelopes in one batch: one transaction's worth."""
CLOCK_SLACK = timedelta(minutes=1)
"""How far an item may be ahead of the source's Date header and still move the cursor."""
FORGETS = 8
"""The usual number of items is a running mean over about so many rounds."""


@dataclass
class _Round:
    """Where a round stands."""

    newest: datetime | None
    last_id: str = ""
    token: str = ""
    page: int = 0
    offset: int = 0
    fetched: int = 0
    from_: datetime | None = None
    seen_tokens: set[str] = field(default_factory=set)
    ids_before: tuple[str, ...] = ()


class RestSource:
    """Keeps the port `router.ports.Source`."""

    def __init__(
        self,
        name: str,
        settings: RestSettings,
        *,
        secrets: SecretReader,
        store: AttachmentStore,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self.name = name
        self._settings = settings
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._items = Select(settings.items)
        self._id = Select(settings.id)
        self._time = Select(settings.updated.at) if settings.updated else None
        self._asker: Asker | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        s = self._settings
        client = Client(self.name, timeout=s.timeout, certificate=self._certificate())
        self._asker = Asker(self.name, s, client, read=self._secrets, clock=self._clock, sleep=self._sleep)
        try:
            yield
        finally:
            self._asker = None
            client.close()

    def _certificate(self) -> tuple[Path, Path] | None:
        auth = self._settings.auth
        if not isinstance(auth, CertificateAuth) or not auth.certificate.file or not auth.key.file:
            return None
        return Path(auth.certificate.file), Path(auth.key.file)

    def acknowledge(self, batch: Batch) -> None:
        """Nothing: the source keeps no account of what we have."""

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        assert self._asker is not None, "open() first"
        state = self._begin(after)
        for _ in range(self._settings.max_pages):
            page = self._asker.page(self._request(state))
            items = self._listed(page.data)
            if not items:
                break
            ids = tuple(self._identity(item)[0] for item in items)
            self._refuse_standing_still(state, ids)
            for first in range(0, len(items), BATCH):
                yield from self._batches(items[first : first + BATCH], page, state, after)
            state.ids_before = ids
            if not self._turn(state, page, items):
                break
        yield Batch(source=self.name, envelopes=(), cursor=self._position(state, after, is_end=True))

    def _begin(self, after: Cursor | None) -> _Round:
        written = (after or {}).get("time")
        newest = datetime.fromisoformat(written) if written else self._settings.since
        state = _Round(newest, from_=newest - self._settings.overlap if newest else None)
        paging = self._settings.paging
        if paging.kind == "page":
            state.page = paging.start
        return state

    def _listed(self, data: Any) -> list[Any]:
        items = self._items(data)
        if items is None and self._settings.items != "@":
            return []  # an empty page is often an absent list
        if not isinstance(items, list):
            raise SourceUnavailable(f"{self.name}: there is no list at {self._settings.items} in its answer")
        return items

    def _batches(self, items: list[Any], page: Page, state: _Round, after: Cursor | None) -> Iterator[Batch]:
        """One batch; what came before an item that cannot be fetched now is yielded before the error."""
        envelopes: list[Envelope] = []
        try:
            for item in items:
                envelopes.append(self._envelope(item, page, state))
        except SourceUnavailable:
            if envelopes:
                yield Batch(source=self.name, envelopes=tuple(envelopes))
            raise
        state.fetched += len(envelopes)
        cursor = self._position(state, after, is_end=False) if self._settings.ascending else None
        yield Batch(source=self.name, envelopes=tuple(envelopes), cursor=cursor)

    def _envelope(self, item: Any, page: Page, state: _Round) -> Envelope:
        source_id, problem = self._identity(item)
        updated = self._updated(item)
        notes: list[str] = []
        attachments: tuple[Attachment, ...] = ()
        if problem is None:
            item, problem = self._detailed(item, source_id)
        if problem is None and self._settings.attachments:
            files = Files(self.name, self._settings.url, self._settings.attachments, self._asked, self._store)
            attachments = files.fetch(item, notes)
        limit = (page.at or self._clock()) + CLOCK_SLACK
        if updated and updated <= limit and (state.newest is None or updated >= state.newest):
            state.newest = updated
        state.last_id = source_id
        return Envelope(
            source=self.name,
            source_id=source_id,
            body=jsontext.dumps(item),
            updated_at=updated,
            received_at=self._clock(),
            attachments=attachments,
            notes=tuple(notes),
            problem=problem,
        )

    @property
    def _asked(self) -> Asker:
        assert self._asker is not None
        return self._asker

    def _identity(self, item: Any) -> tuple[str, str | None]:
        """The item's own id; the hash of its content and a problem, when it has none."""
        hashed = f"sha256:{hashlib.sha256(jsontext.dumps(item)).hexdigest()}"
        if not isinstance(item, Mapping):
            return hashed, "an item of the list is not an object"
        source_id = id_text(self._id(item))
        if source_id is None:
            return hashed, f"no id at {self._settings.id}"
        return source_id, None

    def _updated(self, item: Any) -> datetime | None:
        settings = self._settings.updated
        return read_time(self._time(item), settings.formats) if self._time and settings else None

    def _detailed(self, item: Any, source_id: str) -> tuple[Any, str | None]:
        detail = self._settings.detail
        if detail is None:
            return item, None
        params = {name: value.replace("{id}", source_id) for name, value in detail.params.items()}
        url = detail.url.replace("{id}", quote(source_id, safe=""))
        try:
            page = self._asked.page(Request("GET", url, params, self._settings.headers))
        except Gone:
            return item, "its detail is not there (404); this is the list's entry"
        found = Select(detail.item)(page.data) if detail.item else page.data
        return (found, None) if isinstance(found, Mapping) else (item, "its detail is not an object")

    def _request(self, state: _Round) -> Request:
        s = self._settings
        paging = s.paging
        size = "" if isinstance(paging, NoPaging) else str(paging.size)
        from_ = state.newest if isinstance(paging, KeysetPaging) and state.last_id else state.from_
        words = {
            "{page}": str(state.page),
            "{offset}": str(state.offset),
            "{size}": size,
            "{cursor}": state.token,
            "{last_id}": state.last_id,
            "{from}": write_time(from_, s.window_format) if from_ else "",
            "{to}": write_time(self._clock(), s.window_format),
        }
        params = {name: _fill(value, words) for name, value in s.params.items()}
        params = {name: value for name, value in params.items() if value != ""}
        if s.body == "json":
            typed = {n: int(v) if s.params[n] in _NUMBERS else v for n, v in params.items()}
            return Request(s.method, s.url, {}, s.headers, json=typed)
        if s.body == "form":
            return Request(s.method, s.url, {}, s.headers, form=params)
        return Request(s.method, s.url, params, s.headers)

    def _turn(self, state: _Round, page: Page, items: list[Any]) -> bool:
        """On to the next page; False when this was the last one."""
        paging = self._settings.paging
        if isinstance(paging, CursorPaging):
            token = id_text(Select(paging.next)(page.data))
            if not token:
                return False
            if token in state.seen_tokens:
                raise SourceUnavailable(f"{self.name}: its next-cursor goes round in a circle")
            state.seen_tokens.add(token)
            state.token = token
            return True
        if isinstance(paging, NoPaging):
            return False
        state.page += 1
        if isinstance(paging, OffsetPaging):
            state.offset += len(items)
        return len(items) >= paging.size

    def _refuse_standing_still(self, state: _Round, ids: tuple[str, ...]) -> None:
        if ids == state.ids_before:
            raise SourceUnavailable(f"{self.name}: it hands out the same page again and again; check paging")

    def _position(self, state: _Round, after: Cursor | None, *, is_end: bool) -> dict[str, str]:
        usual = float((after or {}).get("usual", "0") or 0)
        if is_end:
            usual += (state.fetched - usual) / FORGETS
        position = {"usual": f"{usual:.0f}" if usual >= 1 else "0"}
        if state.newest is not None:
            position["time"] = state.newest.astimezone(UTC).isoformat()
        if state.last_id:
            position["last_id"] = state.last_id
        return position


_NUMBERS = ("{page}", "{offset}", "{size}")
"""In a JSON body these are numbers, not texts."""


def _fill(text: str, words: Mapping[str, str]) -> str:
    for slot, word in words.items():
        text = text.replace(slot, word)
    return text
