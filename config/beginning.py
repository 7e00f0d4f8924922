"""`suqiu init`: a commented configuration that works as it stands, with keys of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from config.schemas import configuration_schemas
from router.errors import ConfigError, Problem

STARTER = Path(__file__).parent / "starter"
KEYS = ("k1.key", "hashing.key")
TOKENS = ("example-push.key", "rsj.token", "gxj.token", "wzq.token")
IGNORED = "# Never commit these.\nsecrets/\nvar/\n"

RandomBytes = Callable[[int], bytes]


def init(folder: Path, random: RandomBytes) -> list[Path]:
    """Write the starter configuration into a new or empty folder; what was written.

    Refuses to touch a folder that has something in it. `random` must be fit for keys (os.urandom).
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        where = Problem(f"{folder}:1", "is not empty; nothing was written", "choose a new folder")
        raise ConfigError([where])
    written = [_write(folder / path, text) for path, text in _texts()]
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name in (*KEYS, *TOKENS):
        written.append(_write_secret(secrets / name, base64.b64encode(random(32)).decode()))
    return written


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(STARTER.rglob("*")):
        if path.is_file() and path.suffix in (".yaml", ".json"):
            yield path.relative_to(STARTER).as_posix(), path.read_text("utf-8")
    for name, schema in configuration_schemas().items():
        yield f"schemas/{name}", json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    yield ".gitignore", IGNORED


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _write_secret(path: Path, secret: str) -> Path:
    # Made with its mode, not given it afterwards: in between, others could have opened it.
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(secret + "\n", "utf-8")
    return path
