"""A unit without AMQP: it fetches what is due, writes it down, acknowledges; and asks again."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from demo.units.desk import UnitDesk

PAGE = 50
LEASE = "30s"
"""Short: what a killed hub or unit left leased comes again soon."""
PAUSE = 0.3
PATIENCE = 20.0


class HttpUnit:
    """One unit's loop; ends when `stop` is set."""

    def __init__(self, desk: UnitDesk, front: str, token: str, stop: threading.Event) -> None:
        self._desk = desk
        self._http = HTTPConnection(urlsplit(front).hostname or "", urlsplit(front).port, timeout=PATIENCE)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._stop = stop

    def run(self) -> None:
        while not self._stop.is_set():
            tasks = self._fetch()
            for task in tasks:
                self._handle(task)
            if not tasks:
                self._stop.wait(PAUSE)
        self._http.close()

    def _fetch(self) -> list[dict[str, Any]]:
        body = self._call("GET", f"/v1/tasks?limit={PAGE}&lease={LEASE}")
        tasks: list[dict[str, Any]] = json.loads(body)["tasks"] if body else []
        return tasks

    def _handle(self, task: dict[str, Any]) -> None:
        """An answer that does not come is no matter: the task comes again and is recognised."""
        is_ours = self._desk.take(task["dispatch"])
        said = {"lease": task["lease"]} if is_ours else {"lease": task["lease"], "reason": "不属于本单位职责"}
        verb = "ack" if is_ours else "reject"
        self._call("POST", f"/v1/tasks/{task['dispatch']['dispatch_id']}/{verb}", json.dumps(said).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes | None:
        """The answer's body; None while the hub is away or busy."""
        try:
            self._http.request(method, path, body, self._headers)
            answer = self._http.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._http.close()
            self._stop.wait(PAUSE)
            return None
        if answer.status in (429, 503):
            self._stop.wait(PAUSE)
        return content if answer.status == 200 else None
