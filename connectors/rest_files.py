"""Attachments that a polled item links to: fetched at once, for links end; judged by what they are."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from connectors.addresses import origin
from connectors.http import TooLarge
from connectors.media_types import media_type_of
from connectors.rest_asking import Asker
from connectors.rest_settings import AttachmentSettings
from connectors.selecting import Select
from router import jsontext
from router.errors import MalformedEnvelope, SourceRefused, Throttled, TransientError
from router.message import Attachment
from router.ports import AttachmentStore

MOST_NOTES = 20
"""As many as an envelope holds."""


class Files:
    """Brings an item's files. What cannot be had for good becomes a note; a passing trouble is raised."""

    def __init__(self, url: str, settings: AttachmentSettings, asker: Asker, store: AttachmentStore) -> None:
        self._base = url
        self._settings = settings
        self._asker = asker
        self._store = store
        self._list = Select(settings.list)
        self._url = Select(settings.url)
        self._name = Select(settings.name)

    def fetch(self, item: Any, *, is_patient: bool = True) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
        """The item's attachments, stored, and a sentence for each that is missing.

        Raises TransientError for what may come back; without patience that is a sentence too.
        """
        entries, most = _entries(self._list(item)), self._settings.most
        found, notes = [], []
        if len(entries) > most:
            notes.append(f"{len(entries)} attachments, only the first {most} were fetched")
        for number, entry in enumerate(entries[:most], 1):
            got = self._one(entry, number, is_patient)
            if isinstance(got, Attachment):
                found.append(got)
            else:
                notes.append(f"attachment {number} {got}")
        return tuple(found), _few(notes)

    def _one(self, entry: Any, number: int, is_patient: bool) -> Attachment | str:
        written = entry if isinstance(entry, str) else self._url(entry)
        url = self._absolute(written)
        if url is None:
            return "has no usable address"
        if not self._is_allowed(url):
            return "lies on a host that is not allowed; add it to attachments.hosts"
        try:
            most, signed = self._settings.max_bytes, origin(url) == origin(self._base)
            content = self._asker.file(url, signed=signed, most=most)
        except TooLarge:
            return f"is larger than {self._settings.max_bytes // 1024} KiB"
        except SourceRefused as error:
            return f"could not be fetched{_status(error)}"
        except TransientError as error:
            if is_patient or isinstance(error, Throttled):
                raise
            return f"could not be fetched, time and again{_status(error)}"
        name = None if isinstance(entry, str) else self._name(entry)
        return self._kept(
            content, name if isinstance(name, str) and name.strip() else _last_part(url, number)
        )

    def _absolute(self, written: Any) -> str | None:
        if not isinstance(written, str) or not written.strip():
            return None
        try:
            url = urljoin(self._base, written.strip())
        except ValueError:
            return None
        return url if origin(url) else None

    def _is_allowed(self, url: str) -> bool:
        where = origin(url)
        if where is None:
            return False
        scheme, host, port = where
        is_usual = port == (443 if scheme == "https" else 80)
        allowed = self._settings.hosts
        return where == origin(self._base) or f"{host}:{port}" in allowed or (is_usual and host in allowed)

    def _kept(self, content: bytes, name: str) -> Attachment | str:
        media_type = media_type_of(content, name)
        if not any(fnmatchcase(media_type, allowed) for allowed in self._settings.media_types):
            return f"is {media_type}, which is not allowed"
        return Attachment(
            name=name[:200], media_type=media_type, size=len(content), sha256=self._store.put(content)
        )


def _entries(listed: Any) -> list[Any]:
    """A list as it is; one object or text alone; a text may hold several, with commas or as JSON."""
    if isinstance(listed, str):
        if listed.lstrip()[:1] in ("[", "{"):
            try:
                return _entries(jsontext.loads(listed))
            except MalformedEnvelope:
                return [listed]
        return [part.strip() for part in re.split(r"[,;|](?=\s*(?:https?:|/|$))", listed) if part.strip()]
    if isinstance(listed, list):
        return listed
    return [] if listed is None else [listed]


def _last_part(url: str, number: int) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]).strip() or f"attachment-{number}"


def _status(error: Exception) -> str:
    """The status alone: a file's path may be somebody's name."""
    found = re.search(r" answered (\d{3})", str(error))
    return f" (answered {found[1]})" if found else ""


def _few(notes: list[str]) -> tuple[str, ...]:
    if len(notes) <= MOST_NOTES:
        return tuple(notes)
    rest = len(notes) - MOST_NOTES + 1
    return (*notes[: MOST_NOTES - 1], f"{rest} more attachments are missing")
