"""
The pushing half of the 苏商通-like system: signed as Standard Webhooks asks, again and again until a yes.

A few pushes are signed with a wrong key, once: they are answered 401 and never come again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from demo.plan import Item
from demo.record import Record, handed_out
from demo.sources.shelf import Moment
from demo.sources.sst_words import payload

SENDERS = 4
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
LATER = 15
"""So many pushes of the same sender lie between an appeal and its change."""
PATIENCE = 15.0
"""Seconds until an answer that does not come counts as none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One push to be made."""

    item: Item
    version: int
    is_repeat: bool = False

    @property
    def delivery_id(self) -> str:
        return f"msg_{self.item.id}_{self.version}"


@dataclass
class Pushing:
    """All pushes of the day, by a few senders; what one sender does stays in order."""

    url: str
    key: bytes
    record: Record
    moment: Moment
    per_second: float = 0.0
    """0: as fast as the answers come."""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._left = self.planned = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self, items: Sequence[Item]) -> None:
        shares = [_steps(items[number::SENDERS]) for number in range(SENDERS)]
        self._left = self.planned = sum(map(len, shares))
        self._threads = [threading.Thread(target=self._send_all, args=(share,)) for share in shares if share]
        for thread in self._threads:
            thread.start()

    @property
    def left(self) -> int:
        """Pushes without their final answer."""
        with self._lock:
            return self._left

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self, steps: Sequence[Step]) -> None:
        with closing(_Line(self.url)) as line:
            for step in steps:
                if not self._send_until_answered(line, step):
                    return
                with self._lock:
                    self._left -= 1
                if self.per_second:
                    self._stop.wait(SENDERS / self.per_second)

    def _send_until_answered(self, line: _Line, step: Step) -> bool:
        updated, pause = self.moment(), FIRST_PAUSE
        while not self._stop.is_set():
            status = line.post(*self._signed(step, updated))
            is_yes = status is not None and 200 <= status < 300
            self.record.write(_line(step, None if status is None else "yes" if is_yes else "no"))
            if is_yes or (status == 401 and step.item.fate == "rejected"):
                return True
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return False

    def _signed(self, step: Step, updated: datetime) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(payload(step.item, step.version, updated), ensure_ascii=False).encode()
        key = b"not the key that was agreed on" if step.item.fate == "rejected" else self.key
        return body, sign(body, step.delivery_id, int(time.time()), key)


def sign(body: bytes, delivery_id: str, timestamp: int, key: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    text = f"{delivery_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _steps(items: Sequence[Item]) -> list[Step]:
    """What one sender does, in order: a change comes a while after what it changes."""
    due = [
        (place + LATER * (version - 1), Step(item, version, is_repeat=is_repeat))
        for place, item in enumerate(items)
        for version in range(1, item.versions + 1)
        for is_repeat in ((False, True) if item.twice and version == 1 else (False,))
    ]
    return [step for _, step in sorted(due, key=lambda one: one[0])]


def _line(step: Step, answer: str | None) -> dict[str, object]:
    expect = "duplicate" if step.is_repeat else step.item.fate
    item = step.item
    return handed_out(item.source, item.id, step.version, expect) | {"how": "push", "answer": answer}


class _Line:
    """One connection, opened again when it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._http = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)

    def post(self, body: bytes, headers: dict[str, str]) -> int | None:
        """The status, or None when nobody knows what became of it."""
        try:
            self._http.request("POST", self._path, body, headers)
            answer = self._http.getresponse()
            answer.read()
        except (OSError, HTTPException):
            self.close()
            return None
        return answer.status

    def close(self) -> None:
        """It opens itself again."""
        self._http.close()
