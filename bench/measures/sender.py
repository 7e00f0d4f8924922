"""
A sender who pushes at a steady rate, whatever the answers take, over keep-alive connections.

Written by hand: a common client's pool slows down with the number of those who wait for a connection, and
would make one pause of the hub into a jam of its own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

from bench.work import KEYS, item

CONNECTIONS = 32
"""At 200 pushes a second, none waits for a connection before an answer takes 160 ms."""
BUSY = 0.05
"""Seconds after which a sender who was told that the hub is busy tries again."""
PATIENCE = 60.0
"""Seconds beyond the last push that is due."""
MAKING_READY = 0.2


@dataclass
class Pushed:
    """Order number → when it was due to be sent, and when it was answered with yes."""

    told: dict[str, tuple[float, float]] = field(default_factory=dict)
    busy: int = 0
    """How often the answer was to come again."""


async def push(port: int, per_s: int, seconds: float, first: int) -> Pushed:
    """Raises AssertionError when one is refused for good, TimeoutError when the answers never come."""
    pushed = Pushed()
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    began = time.time() + MAKING_READY
    async with asyncio.timeout(seconds + PATIENCE), asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_send_all(port, due, pushed))
        for number in range(int(per_s * seconds)):
            at = began + number / per_s
            await asyncio.sleep(max(0.0, at - time.time()))
            due.put_nowait((first + number, at))
        for _ in range(CONNECTIONS):
            due.put_nowait(None)
    return pushed


async def _send_all(port: int, due: asyncio.Queue[tuple[int, float] | None], pushed: Pushed) -> None:
    """One connection, one push at a time. A late push still counts from when it was due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (one := await due.get()) is not None:
        number, at = one
        data = item(number)
        body = json.dumps(data, ensure_ascii=False).encode()
        while True:
            writer.write(_request(data["no"], body))
            status = await _status(reader)
            if status in (200, 202):
                break
            assert status == 503, f"a push was answered with {status}"
            pushed.busy += 1
            await asyncio.sleep(BUSY)
        pushed.told[data["no"]] = (at, time.time())
    writer.close()


def _request(id_: str, body: bytes) -> bytes:
    """Signed as Standard Webhooks asks for."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(KEYS["k1"])
    signature = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    head = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /push/crm HTTP/1.1\r\n{lines}\r\n".encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """Reads one answer to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length:")[2].split()[0]
    await reader.readexactly(int(length))
    return int(head.split()[1])
