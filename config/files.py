"""
A configuration folder as one value: relative path → text, and a hash over both.

The bundle is what the ledger keeps under its hash, so that it can show years later under which
rules a decision fell. Secrets are not in it: files hold pointers to them (`router.secrets`).

Which files belong to it is said by hub.yaml: the files and the folders (mappings, words) it names.
Those may stand elsewhere (`../../mappings/suzhou`); a symbolic link that leads out of the folder it
stands in is not followed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from router.documents import MAX_BYTES, Document, read_on
from router.errors import Problem

HUB = "hub.yaml"
MAX_FILES = 2000
MAX_TOTAL = 32 * 1024 * 1024
NAMED = {"units": "units.yaml", "regions": "regions.yaml", "routes": "routes.yaml"}
"""Key of hub.yaml → the file it stands for unless it says otherwise."""
OPTIONAL = {"categories": "categories.yaml"}
"""Those that a city can do without."""
MAPPINGS = "mappings"
WORDS = "words"
Reading = tuple[Document | None, Sequence[Problem]]
_USUAL = {**NAMED, **OPTIONAL, MAPPINGS: MAPPINGS, WORDS: WORDS}


@dataclass(frozen=True)
class Bundle:
    """All text of one configuration. Paths are relative to hub.yaml, with forward slashes."""

    files: Mapping[str, str]
    unreadable: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Path → why, for what is there but could not be read. Not part of the hash."""
    hub_read: Reading | None = field(default=None, compare=False, repr=False)
    """hub.yaml, where it has been read already to find the others. Not part of the hash."""

    @cached_property
    def hash(self) -> str:
        """The same text in the same files gives the same hash, on every machine."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The canonical form: what is hashed, and what the ledger keeps."""
        return json.dumps(dict(self.files), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        files = json.loads(text)
        if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
            raise ValueError("not a kept configuration: path and text expected")
        return cls(files)

    def named(self, key: str) -> str:
        """The path that hub.yaml gives for `units`, `regions`, `routes`, `mappings` and the like."""
        document, problems = self.hub
        # In a file with a key that stands twice nobody knows which of the two is meant.
        data = document.data if document and not problems else None
        written = data.get(key) if isinstance(data, dict) else None
        usual = _USUAL[key]
        path = written if isinstance(written, str) and written and "\x00" not in written else usual
        normal = os.path.normpath(PurePosixPath(path)).replace(os.sep, "/")
        return usual if normal.startswith("/") else normal

    @cached_property
    def hub(self) -> Reading:
        """hub.yaml and what is wrong with it, read once for all who ask."""
        return self.hub_read or read_on(HUB, self.files.get(HUB, ""))

    def mapping_files(self) -> dict[str, str]:
        """The files of the mappings folder, by their path inside it."""
        return self._files_in(MAPPINGS)

    def word_files(self) -> dict[str, str]:
        """The files of the words folder, by their path inside it."""
        return self._files_in(WORDS)

    def _files_in(self, key: str) -> dict[str, str]:
        inside = self.named(key) + "/"
        return {
            path.removeprefix(inside): text for path, text in self.files.items() if path.startswith(inside)
        }


def read_folder(folder: Path) -> Bundle:
    """Read what is there. What is missing or wrong is found by `config.loading`, not here."""
    reader = _Reader(folder)
    reader.take(HUB)
    begun = Bundle(reader.files)
    for key in (*NAMED, *OPTIONAL):
        reader.take(begun.named(key))
    for key in (MAPPINGS, WORDS):
        for path in _yaml_files(folder, begun.named(key)):
            reader.take(path)
    return Bundle(dict(sorted(reader.files.items())), dict(sorted(reader.unreadable.items())), begun.hub)


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._total = 0
        self.files: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}

    def take(self, path: str) -> None:
        """Read one file; what is missing is passed over, what cannot be read is noted with the reason."""
        try:
            text = self._text(path)
        except FileNotFoundError:
            return
        except UnicodeDecodeError as error:
            self.unreadable[path] = f"not UTF-8 at byte {error.start}"
        except OSError as error:
            self.unreadable[path] = f"cannot be read: {error.strerror}"
        except ValueError as error:
            self.unreadable[path] = str(error)
        else:
            self.files[path] = text

    def _text(self, path: str) -> str:
        file = Path(os.path.normpath(self._folder / path))
        inside = self._folder if not path.startswith("../") else file.parent
        if not file.resolve(strict=True).is_relative_to(inside.resolve()):
            raise ValueError("a link that leads out of its folder is not followed")
        if not file.is_file():
            raise ValueError("not a file")
        size = file.stat().st_size
        self._total += size
        if size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
        if len(self.files) >= MAX_FILES or self._total > MAX_TOTAL:
            raise ValueError(f"the configuration has more than {MAX_FILES} files or 32 MiB")
        # Line ends are made equal: a checkout on Windows is the same configuration.
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def _yaml_files(folder: Path, inside: str) -> Iterator[str]:
    """Every YAML file below a folder; hidden folders and cases are not configuration."""
    for place, folders, names in os.walk(folder / inside):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not f.endswith(".cases"))
        below = Path(place).relative_to(folder / inside).as_posix()
        for name in sorted(names):
            if name.endswith((".yaml", ".yml")) and not name.startswith("."):
                yield os.path.normpath(f"{inside}/{below}/{name}")
