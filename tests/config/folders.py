"""A fresh starter configuration, and copies of it with mistakes."""

from __future__ import annotations

import os
from pathlib import Path

from config.beginning import init
from config.files import read_folder
from config.loading import check
from config.secrets import Secrets
from router.errors import Problem


def starter(folder: Path) -> Path:
    init(folder, os.urandom)
    return folder


def swap(folder: Path, file: str, old: str, new: str) -> int:
    """Put `new` where `old` stands, which must be there once; the line that it begins on."""
    path = folder / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), "utf-8")
    return text[: text.index(old)].count("\n") + 1 + (len(new) - len(new.lstrip("\n")))


def add(folder: Path, file: str, text: str) -> int:
    """Put text at the end; its first line."""
    path = folder / file
    before = path.read_text("utf-8") if path.exists() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + text, "utf-8")
    return before.count("\n") + 1


def checked(folder: Path, environ: dict[str, str] | None = None) -> list[Problem]:
    return check(
        read_folder(folder), Secrets({"SUQIU_X": "x" * 40, "SUQIU_SHORT": "abcd", **(environ or {})}, folder)
    )


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in checked(folder)]
