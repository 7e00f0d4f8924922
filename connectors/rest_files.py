"""Attachments that a polled item links to: fetched at once, for links end; checked by what they are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.http import Request, TooLarge
from connectors.rest_asking import Asker
from connectors.rest_settings import AttachmentSettings
from connectors.selecting import Select
from router.errors import SourceRefused
from router.message import Attachment
from router.ports import AttachmentStore

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0", "application/msword"),
)


class Files:
    """Brings an item's files. What cannot be had for good becomes a note; a passing trouble is raised."""

    def __init__(
        self, source: str, url: str, settings: AttachmentSettings, asker: Asker, store: AttachmentStore
    ) -> None:
        self._source = source
        self._base = url
        self._settings = settings
        self._asker = asker
        self._store = store
        self._hosts = {urlsplit(url).hostname, *settings.hosts}

    def fetch(self, item: Any, notes: list[str]) -> tuple[Attachment, ...]:
        """The item's attachments, stored; `notes` gets a sentence for each that is missing."""
        listed = Select(self._settings.list)(item)
        entries = listed if isinstance(listed, list) else []
        if len(entries) > self._settings.most:
            notes.append(f"{len(entries)} attachments, only the first {self._settings.most} were fetched")
        found = []
        for number, entry in enumerate(entries[: self._settings.most], 1):
            attachment = self._one(entry, number, notes)
            if attachment is not None:
                found.append(attachment)
        return tuple(found)

    def _one(self, entry: Any, number: int, notes: list[str]) -> Attachment | None:
        url = entry if isinstance(entry, str) else Select(self._settings.url)(entry)
        name = None if isinstance(entry, str) else Select(self._settings.name)(entry)
        if not isinstance(url, str) or not url:
            notes.append(f"attachment {number} has no address")
            return None
        url = urljoin(self._base, url)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname not in self._hosts:
            notes.append(f"attachment {number} lies on a host that is not allowed")
            return None
        signed = parts.hostname == urlsplit(self._base).hostname
        try:
            content = self._asker.file(
                Request("GET", url, {}, {}), signed=signed, most=self._settings.max_bytes
            ).body
        except TooLarge:
            notes.append(f"attachment {number} is larger than {self._settings.max_bytes // 1024} KiB")
            return None
        except SourceRefused as error:
            notes.append(f"attachment {number} could not be fetched: {type(error).__name__}")
            return None
        return self._kept(content, str(name or f"attachment-{number}")[:200], number, notes)

    def _kept(self, content: bytes, name: str, number: int, notes: list[str]) -> Attachment | None:
        media_type = sniff(content)
        if not any(fnmatchcase(media_type, allowed) for allowed in self._settings.media_types):
            notes.append(f"attachment {number} is {media_type}, which is not allowed")
            return None
        return Attachment(
            name=name, media_type=media_type, size=len(content), sha256=self._store.put(content)
        )


def sniff(content: bytes) -> str:
    """What the bytes are, whatever their name says."""
    for magic, media_type in _MAGIC:
        if content.startswith(magic):
            return media_type
    if b"\x00" in content[:4096]:
        return "application/octet-stream"
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        start = content[:512].lstrip().lower()
        return "text/html" if start.startswith((b"<!doctype", b"<html", b"<script")) else "text/plain"
    return "application/octet-stream"
