"""A whole front on a free port of this machine, with everything behind it in memory."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.access import UnitAccess, Units
from connectors.front import FrontLimits, FrontPorts, FrontServer, build_front
from connectors.push import PushDoor, PushSettings, by_path
from tests.front.fakes import Clock, Events, Ledger, Secrets, Store, WorkList

KEY = b"0123456789abcdef0123456789abcdef"
NEW_KEY = b"fedcba9876543210fedcba9876543210"
TOKEN = "token-of-rsj-0123456789"
OTHER_TOKEN = "token-of-gaj-0123456789"
SECRETS = Secrets(
    KEY=KEY.decode(),
    NEW_KEY=NEW_KEY.decode(),
    WHSEC="whsec_" + base64.b64encode(KEY).decode(),
    NEW_WHSEC="whsec_" + base64.b64encode(NEW_KEY).decode(),
    TOKEN=TOKEN,
    OTHER_TOKEN=OTHER_TOKEN,
)
WEBHOOKS = {"kind": "standard_webhooks", "secrets": [{"env": "WHSEC"}, {"env": "NEW_WHSEC"}]}
PATH = "f3b1c9d2a7e84d55"
ACCESS = {
    "rsj": UnitAccess.model_validate({"token": {"env": "TOKEN"}}),
    "gaj": UnitAccess.model_validate({"token": {"env": "OTHER_TOKEN"}}),
    "wzq": UnitAccess.model_validate(
        {"signature": {"kind": "standard_webhooks", "secrets": [{"env": "WHSEC"}]}}
    ),
    "amqp-only": UnitAccess.model_validate({"signature": {"kind": "hmac", "secrets": [{"env": "KEY"}]}}),
}


def settings(**changes: Any) -> PushSettings:
    return PushSettings.model_validate({"path": PATH, "scheme": WEBHOOKS, **changes})


@dataclass
class Rig:
    """Everything a test looks at."""

    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)
    store: Store = field(default_factory=Store)
    events: Events = field(default_factory=Events)
    server: FrontServer = field(init=False)
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.work_list = WorkList(self.clock)

    @property
    def ports(self) -> FrontPorts:
        return FrontPorts(
            accept=self.ledger.accept,
            work_list=self.work_list,
            status=self.ledger,
            store=self.store,
            announce=self.events,
            clock=self.clock,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @contextmanager
    def serving(
        self,
        *pushes: PushSettings,
        limits: FrontLimits | None = None,
        access: Mapping[str, UnitAccess] = ACCESS,
    ) -> Iterator[Rig]:
        doors = [
            PushDoor(f"app{number or ''}", push, SECRETS, public_url="http://hub.example/in")
            for number, push in enumerate(pushes)
        ]
        units = Units(access, SECRETS, pulling={"rsj", "gaj", "wzq"})
        app = build_front(
            by_path(doors), units, self.ports, limits=limits, public_url="http://hub.example/in"
        )
        self.server = FrontServer(app, "127.0.0.1", 0)
        self.server.start()
        try:
            with httpx.Client(base_url=self.url, timeout=20) as self.client:
                yield self
        finally:
            self.server.stop()

    def headers(self, body: bytes, *, id_: str = "msg_1", key: bytes = KEY, age: float = 0) -> dict[str, str]:
        """Standard Webhooks, by the rig's clock."""
        timestamp = str(int(self.clock().timestamp() - age))
        return {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": "v1," + sign(f"{id_}.{timestamp}.".encode() + body, key),
        }

    def push(self, data: Any, *, path: str = PATH, **how: Any) -> httpx.Response:
        body = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
        return self.client.post(f"/push/{path}", content=body, headers=self.headers(body, **how))

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=20)


def sign(text: bytes, key: bytes = KEY) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def read_all(connection: socket.socket) -> bytes:
    """What the server says until it closes."""
    said = b""
    while True:
        try:
            got = connection.recv(65536)
        except ConnectionResetError:
            return said
        if not got:
            return said
        said += got
