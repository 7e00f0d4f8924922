"""
The attachment store: a folder of sealed files named by the hash of what is in them.

A file is written aside, synced and renamed, so that it is whole or absent. What is in it is
sealed with the ledger's keys; its first line is the key's id.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from pathlib import Path

from router.ledger.sealing import Sealer

_SHA256 = re.compile(r"[0-9a-f]{64}")


class FolderStore:
    """Keeps the port `router.ports.AttachmentStore`. Thread- and process-safe."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder = folder
        self._sealer = sealer

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            self._write(path, self._sealer.current.encode() + b"\n" + self._sealer.seal(sha256, content))
        return sha256

    def get(self, sha256: str) -> bytes | None:
        if not _SHA256.fullmatch(sha256):
            return None
        try:
            key_id, _, sealed = self._path(sha256).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        return self._sealer.open(key_id.decode(), sha256, sealed)

    def reseal(self) -> int:
        """Seal under the current key what is sealed under an older one; how many files changed."""
        changed = 0
        for path in sorted(self._folder.glob("*/*")):
            if _SHA256.fullmatch(path.name) and not self._is_current(path):
                content = self.get(path.name)
                assert content is not None
                sealed = self._sealer.seal(path.name, content)
                self._write(path, self._sealer.current.encode() + b"\n" + sealed)
                changed += 1
        return changed

    def _is_current(self, path: Path) -> bool:
        with path.open("rb") as file:
            return file.readline(100).rstrip(b"\n") == self._sealer.current.encode()

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with aside.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        for folder in (path.parent, self._folder):
            _sync(folder)


def _sync(folder: Path) -> None:
    """Make the folder's new entry survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
