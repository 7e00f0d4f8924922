"""
Reads secrets from where configuration points: environment variables and files.

The environment is handed in; only wiring looks at the process's own.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from router.errors import ConfigError, Problem
from router.secrets import SecretRef

MAX_BYTES = 64 * 1024


class Secrets:
    """A `router.secrets.SecretReader`. Files are relative to the configuration folder, or absolute."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder

    def __call__(self, ref: SecretRef) -> str:
        secret = self._environ.get(ref.env, "") if ref.env else self._file(ref)
        if not secret.strip():
            raise _missing(ref, "is not set" if ref.env else "is empty")
        return secret

    def is_open_to_others(self, ref: SecretRef) -> bool:
        """Whether people besides the owner can read the secret's file."""
        if ref.file is None:
            return False
        try:
            mode = (self._folder / ref.file).stat().st_mode
        except OSError:
            return False
        return bool(mode & (stat.S_IRWXG | stat.S_IRWXO))

    def _file(self, ref: SecretRef) -> str:
        try:
            with (self._folder / str(ref.file)).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise _missing(ref, "does not exist") from error
        except (OSError, ValueError) as error:
            raise _missing(ref, f"cannot be read ({type(error).__name__})") from error
        if len(content) > MAX_BYTES:
            raise _missing(ref, f"is larger than {MAX_BYTES // 1024} KiB")
        try:
            return content.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            # From None: the original quotes the secret.
            raise _missing(ref, "is not UTF-8 text") from None


def _missing(ref: SecretRef, what: str) -> ConfigError:
    if ref.env:
        hint = f"export {ref.env}=…, or write {{file: PATH}}"
        return ConfigError([Problem("", f"secret: environment variable {ref.env} {what}", hint)])
    hint = "create it with mode 600; the path is relative to the configuration folder"
    return ConfigError([Problem("", f"secret: file {ref.file} {what}", hint)])
