"""
What a simulator writes down for itself: JSON lines, on disk before anything is said about them.

The count of what was lost is made from these files, never from what the hub says of itself.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHANNELS = {
    "sst": "苏商通自报",
    "sst_direct": "苏商通直报",
    "crm": "12345热线",
    "exchange": "企业服务中心",
    "mailbox": "邮箱汇总",
}
"""Source → the door, in the city's words."""


def handed_out(source: str, id_: str, revision: int, expect: str) -> dict[str, Any]:
    """A line about one version of one appeal that was asked for; README of the kept folder says what the
    words mean. A push says `how` and `answer` itself."""
    return {
        "source": source,
        "channel": CHANNELS[source],
        "id": id_,
        "revision": revision,
        "how": "pull",
        "answer": None,
        "expect": expect,
    }


class Record:
    """One JSONL file, written by many threads, one whole line at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, *rows: dict[str, Any]) -> None:
        """Returns once the lines have left this process, so that killing it takes none away."""
        at = datetime.now(UTC).isoformat()
        text = "".join(json.dumps({**row, "at": at}, ensure_ascii=False) + "\n" for row in rows)
        with self._lock:
            self._file.write(text)
            self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[dict[str, Any]]:
    """All lines; a last one that was cut off by a kill does not count."""
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
