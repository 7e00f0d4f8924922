"""
REST: polls a list of items over HTTP. One connector for every such system; they differ by settings.

The cursor is on the source's clock (rest_progress.py). Each round asks from the cursor minus an overlap,
so that what came late or stood at the edge is read again; the ledger drops the repeats. No item is left
out for its time. Unless the list is sorted by change time, the cursor moves only with the end of a round.

`acknowledge` has nothing to do: such systems know no "read".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from connectors.http import Request
from connectors.rest_asking import Asker
from connectors.rest_items import Items
from connectors.rest_paging import KeysetPaging, Listed, NoPaging, OffsetPaging, Page, PagePaging, Walk
from connectors.rest_params import Words, as_texts, fill
from connectors.rest_progress import Progress
from connectors.rest_settings import RestSettings
from connectors.times import read_time, write_time
from router.errors import HubError, SourceUnavailable
from router.limits import clean
from router.message import Acceptance, Batch, Cursor, Envelope
from router.ports import AttachmentStore, Clock
from router.secrets import SecretReader

BATCH = 200
"""Envelopes in one batch: one transaction's worth."""
WALKS = 3
"""A list whose items move up while it is read is read again, so many times at most."""
PATIENCE = 5
"""Rounds in which one item's detail or file may hold up the items behind it."""


class RestSource:
    """Keeps the port `router.ports.Source`. For one thread."""

    goes_ahead = True
    """It has nothing to acknowledge."""

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
        """Reads the secrets, once; raises ConfigError when one is missing or no certificate."""
        self.name = name
        self._settings = settings
        self._clock = clock
        self._asker = Asker(name, settings, read=secrets, clock=clock, sleep=sleep)
        self._items = Items(name, settings, self._asker, store=store, clock=clock)
        self._stuck: dict[str, int] = {}

    def open(self) -> AbstractContextManager[None]:
        return self._asker.connected()

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        """Nothing: the source keeps no account of what we have."""

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        """Walk the list from the cursor minus the overlap; again, when it shifted while it was read."""
        progress = Progress.begin(after, self._settings.since)
        began, from_ = progress.newest, self._window_start(progress)
        handed: set[bytes] = set()
        for _ in range(WALKS):
            walk = Walk(self.name, self._settings.url, self._settings.paging)
            is_whole = yield from self._walked(walk, progress, from_, handed)
            if not is_whole and (not self._may_move(progress) or progress.newest == began):
                raise SourceUnavailable(
                    f"{self.name}: more than {self._settings.max_pages} pages in one round; raise max_pages"
                )
            if not (walk.has_shifted and isinstance(walk.paging, PagePaging | OffsetPaging)):
                break
            progress.walk_again()
        yield Batch(source=self.name, envelopes=(), cursor=progress.cursor(is_end=True))

    def _window_start(self, progress: Progress) -> str:
        s = self._settings
        return write_time(progress.newest - s.overlap, s.window_format) if progress.newest else ""

    def _may_move(self, progress: Progress) -> bool:
        """Whether the cursor may move before the end of the round."""
        is_said = self._settings.ascending or isinstance(self._settings.paging, KeysetPaging)
        return is_said and progress.is_sorted

    def _walked(
        self, walk: Walk, progress: Progress, from_: str, handed: set[bytes]
    ) -> Generator[Batch, None, bool]:
        """Every page of one walk; False when there are more pages than a round may have."""
        while True:
            page = self._asker.page(self._request(walk, from_))
            items = self._items.listed(page)
            if items is None:
                hint = "" if self._settings.success else "; if an empty answer has none, configure success"
                raise SourceUnavailable(
                    f"{self.name}: there is no list at {self._settings.items} in its answer{hint}"
                )
            listed = [self._items.look(item) for item in items]
            yield from self._handed_out(listed, page, progress, handed)
            if not walk.turn(page, listed):
                return True
            if walk.pages >= self._settings.max_pages:
                return False

    def _handed_out(
        self, items: Sequence[Listed], page: Page, progress: Progress, handed: set[bytes]
    ) -> Iterator[Batch]:
        """A page's items, without those that an earlier page of this round handed out just so."""
        digests = [hashlib.sha256(item.body).digest() for item in items]
        new = [item for item, digest in zip(items, digests, strict=True) if digest not in handed]
        handed.update(digests)
        if not self._items.are_plain:
            yield from self._one_by_one(new, page, progress)
            return
        for first in range(0, len(new), BATCH):
            some = new[first : first + BATCH]
            envelopes = self._items.plain(some)
            progress.saw_all([item.updated for item in some], page.at or self._clock())
            yield from self._batch(envelopes, progress)

    def _one_by_one(self, items: Sequence[Listed], page: Page, progress: Progress) -> Iterator[Batch]:
        """Items with detail or files.

        What came before an item that cannot be had now is handed out before the error.
        """
        envelopes: list[Envelope] = []
        for place, item in enumerate(items):
            try:
                envelopes.append(self._read(item, items[place + 1 :]))
            except HubError:
                yield from self._batch(envelopes, progress)
                raise
            progress.saw(item.updated, page.at or self._clock())
            if len(envelopes) == BATCH:
                yield from self._batch(envelopes, progress)
                envelopes = []
        yield from self._batch(envelopes, progress)

    def _batch(self, envelopes: Sequence[Envelope], progress: Progress) -> Iterator[Batch]:
        if not envelopes:
            return
        cursor = progress.cursor(is_end=False) if self._may_move(progress) else None
        # Nothing of it is from outside: our name, envelopes of ours that bear it, texts for a cursor.
        yield Batch.made(source=self.name, envelopes=tuple(envelopes), cursor=cursor)

    def _read(self, item: Listed, behind: Sequence[Listed]) -> Envelope:
        """One item; one that holds up the others round after round goes without its detail or file."""
        source_id = item.id
        try:
            envelope = self._items.envelope(item)
        except SourceUnavailable:
            if not self._is_to_blame(source_id, behind):
                raise
            return self._items.envelope(item, is_patient=False)
        self._stuck.pop(source_id, None)
        return envelope

    def _is_to_blame(self, source_id: str, behind: Sequence[Listed]) -> bool:
        """It has failed often enough, and the item behind it does not: the source is up."""
        self._stuck[source_id] = self._stuck.get(source_id, 0) + 1
        if self._stuck[source_id] < PATIENCE or not behind:
            return False
        try:
            self._items.envelope(behind[0])
        except HubError:
            return False
        return True

    def _request(self, walk: Walk, from_: str) -> Request:
        s = self._settings
        filled = fill(s.params, self._words(walk, from_))
        request = Request(s.method, s.url, headers=s.headers)
        if s.body == "json":
            request = replace(request, json=filled)
        elif s.body == "form":
            request = replace(request, form=as_texts(filled))
        elif walk.next_url is None:
            request = replace(request, query=as_texts(filled))
        return replace(request, url=walk.next_url) if walk.next_url else request

    def _words(self, walk: Walk, from_: str) -> Words:
        s = self._settings
        # Now, not the round's beginning: an item that changes meanwhile must not leave the window.
        to = write_time(self._clock(), s.window_format)
        words: dict[str, str | int] = {
            "page": walk.page,
            "offset": walk.offset,
            "size": "" if isinstance(s.paging, NoPaging) else s.paging.size,
            "cursor": walk.cursor,
            "last_id": walk.last.id if walk.last else "",
            "from": self._last_time(walk) or from_,
            "to": to,
        }
        if s.window_format.startswith("epoch"):
            words |= {name: int(words[name]) for name in ("from", "to") if str(words[name]).isdecimal()}
        return words

    def _last_time(self, walk: Walk) -> str:
        """A keyset goes on from exactly the last item's time: as they write it, where ours is too coarse."""
        if walk.last is None or not isinstance(walk.paging, KeysetPaging):
            return ""
        form, moment = self._settings.window_format, walk.last.updated
        written = write_time(moment, form) if moment else ""
        return written if moment and read_time(written, (form,)) == moment else _as_text(walk.last.written)


def _as_text(time: object) -> str:
    return str(clean(str(time)))[:64] if time else ""
