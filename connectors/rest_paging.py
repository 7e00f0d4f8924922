"""
How a list is walked page by page, and when to stop believing it.

Short pages do not end a walk: a source may cap what it hands out at once. An empty page ends it, or
`total`, or the source itself where it names the next page. What goes round in a circle is an error,
and the round that met it moves no cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urljoin

from pydantic import Field

from connectors.addresses import origin
from connectors.blocks import Block
from connectors.selecting import Select, Selector, id_text
from router import jsontext
from router.errors import SourceRefused, SourceUnavailable

EMPTY_PAGES = 5
"""Pages in a row that bring nothing new although the source names a next one."""


Size = Annotated[int, Field(ge=1, le=1000)]


class NoPaging(Block):
    """One answer holds everything that was asked for."""

    kind: Literal["none"] = "none"


class PagePaging(Block):
    """Numbered pages; the number goes where {page} stands."""

    kind: Literal["page"]
    start: Annotated[int, Field(ge=0, le=1)] = 1
    size: Size = 100
    total: Selector | None = None
    """Where the number of all items stands; saves the request for an empty page at the end."""


class OffsetPaging(Block):
    """An offset; it goes where {offset} stands."""

    kind: Literal["offset"]
    start: Annotated[int, Field(ge=0, le=1)] = 0
    size: Size = 100
    total: Selector | None = None
    """Where the number of all items stands; saves the request for an empty page at the end."""


class KeysetPaging(Block):
    """The time and id of the last item go where {from} and {last_id} stand."""

    kind: Literal["keyset"]
    size: Size = 100


class CursorPaging(Block):
    """The answer names the next page by a word; it goes where {cursor} stands."""

    kind: Literal["cursor"]
    next: Selector
    size: Size = 100


class LinkPaging(Block):
    """The answer holds the URL of the next page, on the same host."""

    kind: Literal["link"]
    next: Selector | None = None
    """Where the URL stands; without it, the answer's Link header says it (rel="next")."""
    size: Size = 100


Paging = Annotated[
    NoPaging | PagePaging | OffsetPaging | KeysetPaging | CursorPaging | LinkPaging,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, read."""

    data: Any
    at: datetime | None
    """The source's own clock."""
    next_url: str | None = None
    """From the Link header."""


class Listed(NamedTuple):
    """An item of a page, with all that the connector reads of it; looked at once."""

    id: str
    updated: datetime | None
    written: object
    """The change time as it stands there."""
    body: jsontext.Written
    problem: str | None
    """Why it has no id of its own."""


@dataclass
class Walk:
    """One walk over the list, from its first page to its end."""

    source: str
    url: str
    paging: Paging
    page: int = 0
    offset: int = 0
    cursor: str = ""
    next_url: str | None = None
    last: Listed | None = None
    """The item that a keyset goes on from."""
    pages: int = 0
    has_shifted: bool = False
    """Items have moved up while the list was read: some may have been missed."""
    _before: list[str] = field(default_factory=list)
    _known: dict[str, datetime | None] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)
    _total: int | None = None
    _idle: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.paging, PagePaging):
            self.page = self.paging.start
        if isinstance(self.paging, OffsetPaging):
            self.offset = self.paging.start

    def turn(self, page: Page, seen: Sequence[Listed]) -> bool:
        """On to the next page; False when this was the last one."""
        self.pages += 1
        new = self._notice(seen)
        self._idle = 0 if new else self._idle + 1
        ids = [one.id for one in seen]
        is_repeated, self._before = ids == self._before, ids
        if isinstance(self.paging, CursorPaging | LinkPaging):
            return self._named_next(page, self.paging)
        if not seen or isinstance(self.paging, NoPaging) or self._has_all(page):
            return False
        if not new and self._is_end(is_repeated, len(seen) < self.paging.size):
            return False
        self.page += 1
        self.offset += len(seen)
        self.last = seen[-1]
        return True

    def _notice(self, seen: Sequence[Listed]) -> int:
        """How many were not there before. One that comes again with a later time has left its old place."""
        there = {one.id: one.updated for one in seen}
        if len(there) == len(seen) and self._known.keys().isdisjoint(there):
            self._known.update(there)
            return len(seen)
        new = 0
        for one in seen:
            if one.id not in self._known:
                new += 1
            elif one.updated != self._known[one.id]:
                self.has_shifted = True
            self._known[one.id] = one.updated
        return new

    def _named_next(self, page: Page, paging: CursorPaging | LinkPaging) -> bool:
        name = id_text(Select(paging.next)(page.data), 2000) if paging.next else page.next_url
        if not name or (self._idle >= EMPTY_PAGES and not self._before):
            return False
        if name in self._named or self._idle >= EMPTY_PAGES:
            raise SourceUnavailable(
                f"{self.source}: the next pages that it names go round in a circle; check paging"
            )
        self._named.add(name)
        if isinstance(paging, LinkPaging):
            self.next_url = self._same_host(name)
        else:
            self.cursor = name
        return True

    def _same_host(self, name: str) -> str:
        try:
            url = urljoin(self.next_url or self.url, name)
        except ValueError:
            url = ""
        if origin(url) is None or origin(url) != origin(self.url):
            raise SourceRefused(f"{self.source}: the next page that it names is not on its own host")
        return url

    def _is_end(self, is_repeated: bool, is_short: bool) -> bool:
        """What a page without anything new means: beyond the end some sources answer their last page again.

        A full page may also come again because as many items were put in before it: then go on, once.
        """
        has_gone_on = self.pages - self._idle > 1 and not isinstance(self.paging, KeysetPaging)
        if is_repeated and (is_short or (has_gone_on and self._idle >= 2)) and not self._is_short_of_total():
            return True
        if self._idle >= (2 if is_repeated else EMPTY_PAGES):
            raise SourceUnavailable(
                f"{self.source}: it hands out the same items again and again; check params and paging"
            )
        return False

    def _is_short_of_total(self) -> bool:
        return self._total is not None and len(self._known) < self._total

    def _has_all(self, page: Page) -> bool:
        """Whether `total` says so. A total that shrinks under our hands means that items have moved up."""
        if not isinstance(self.paging, PagePaging | OffsetPaging) or self.paging.total is None:
            return False
        written = id_text(Select(self.paging.total)(page.data)) or ""
        if not (written.isascii() and written.isdecimal() and len(written) < 12):
            return False
        before, self._total = self._total, int(written)
        self.has_shifted = self.has_shifted or (before is not None and self._total < before)
        return len(self._known) >= self._total
