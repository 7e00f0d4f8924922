"""Secrets are there, are what they should be, and are nobody else's."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from config.problems import Advice
from config.secrets import Secrets
from config.settings import HubSettings
from config.units import UnitsFile
from connectors.access import Units
from connectors.outgoing import signer
from connectors.verification import verifier
from router.documents import Document
from router.errors import ConfigError, Problem
from router.secrets import SecretReader, SecretRef

KEY_BYTES = 32


def pointers(document: Document, read: SecretReader) -> Iterator[Problem]:
    """Every secret that the file points to is there; keys are keys; files are not open to others."""
    for loc, ref in _pointers(document.data, ()):
        where = document.where(loc)
        try:
            secret = read(ref)
        except ConfigError as error:
            yield from (Problem(where, problem.what, problem.hint) for problem in error.problems)
            continue
        if loc[0] == "keys" and not _is_key(secret):
            what = f"{ref} is not {KEY_BYTES} random bytes as base64"
            yield Problem(where, what, "suqiu keys generate prints a good one")
        if isinstance(read, Secrets) and read.is_open_to_others(ref):
            yield Advice(where, f"{ref} can be read by others", "chmod 600")


def _pointers(data: Any, loc: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], SecretRef]]:
    """Pointers as they are written, so that a mistake elsewhere does not hide a missing secret."""
    if isinstance(data, Mapping):
        if len(data) == 1 and next(iter(data)) in ("env", "file"):
            try:
                yield loc, SecretRef.model_validate(dict(data))
            except ValueError:
                return  # validation of the file says what is wrong with it
            return
        for key, value in data.items():
            yield from _pointers(value, (*loc, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _pointers(value, (*loc, place))


def _is_key(secret: str) -> bool:
    try:
        return len(base64.b64decode(secret.strip(), validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def pushes(settings: HubSettings, document: Document, read: SecretReader) -> Iterator[Problem]:
    """The secrets of senders fit their schemes."""
    for name, source in settings.sources.items():
        if source.push is not None:
            where = document.where(("sources", name, "push", "scheme"))
            yield from _said_by(where, partial(verifier, source.push.scheme, read))


def units(file: UnitsFile, document: Document, read: SecretReader) -> Iterator[Problem]:
    """A unit's secret is long enough, and no other unit's: it would be taken for that one."""
    tokens: dict[bytes, str] = {}
    for number, entry in enumerate(file.units):
        access = entry.access
        if access is None:
            continue
        where = document.where(("units", number, "access"))
        yield from _said_by(where, partial(Units, {entry.id: access}, read, pulling=()))
        for ref in (access.token, access.old_token):
            token = _quietly(ref, read)
            if token is not None:
                other = tokens.setdefault(hashlib.sha256(token.encode()).digest(), entry.id)
                if other != entry.id:
                    yield Problem(where, f"{entry.id} has the same token as {other}", "give each its own")


def receivers(file: UnitsFile, document: Document, read: SecretReader) -> Iterator[Problem]:
    """The secrets that the hub signs with fit their schemes."""
    for number, entry in enumerate(file.units):
        if entry.destination is not None and entry.destination.kind == "http":
            where = document.where(("units", number, "destination", "signing"))
            yield from _said_by(where, partial(signer, entry.destination.signing, read))


def _said_by(where: str, build: Callable[[], object]) -> Iterator[Problem]:
    """What the connector itself says when it is built with these secrets."""
    try:
        build()
    except ConfigError as error:
        yield from (Problem(where, problem.what, problem.hint) for problem in error.problems)


def _quietly(ref: SecretRef | None, read: SecretReader) -> str | None:
    try:
        return read(ref) if ref else None
    except ConfigError:
        return None
