"""A whole hub as its users run it: a configuration folder, `suqiu run`, real servers around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pika
from ruamel.yaml import YAML
from standardwebhooks import Webhook

from config.beginning import init
from config.wiring import Installation
from demo.servers.server import free_port
from router.ledger import migrate
from router.ledger.views import Filter

SUQIU = [sys.executable, "-c", "from console.cli.main import main; main()"]
PUSH_TIMEOUT = 5.0


@dataclass
class HubRig:
    """One hub in `folder`. `amqp_url` empty: no broker, units fetch over HTTP."""

    folder: Path
    database_url: str
    amqp_url: str = ""
    management_url: str = ""
    process: subprocess.Popen[bytes] | None = None
    front_port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        init(self.folder, os.urandom)
        self.edit("hub.yaml", self._hub)
        if self.amqp_url:
            self.edit("units.yaml", _all_amqp)
        installation = self.installation()
        migrate.upgrade(installation.database)
        installation.database.close()
        if self.amqp_url:
            self.suqiu("topology", "apply")

    def _hub(self, hub: Any) -> None:
        hub["front"] = {"host": "127.0.0.1", "port": self.front_port, "public_url": self.front}
        hub["monitoring"] = {"host": "127.0.0.1", "port": self.health_port}
        if not self.database_url.startswith("sqlite"):
            hub["database"] = {"url": self.database_url}
        if self.amqp_url:
            broker, management = urlsplit(self.amqp_url), urlsplit(self.management_url)
            password = self.folder / "secrets/amqp.password"
            password.touch(mode=0o600)
            password.write_text(broker.password or "")
            hub["broker"] = {
                "url": f"amqp://{broker.username}@{broker.hostname}:{broker.port}{broker.path}",
                "password": {"file": "secrets/amqp.password"},
                "management": f"http://{management.hostname}:{management.port}",
                "publisher": {"confirm_deadline": "2s", "patience": "2s", "first_pause": "100ms"},
                "link": {"first_reconnect": "100ms", "longest_reconnect": "1s"},
            }

    @property
    def front(self) -> str:
        return f"http://127.0.0.1:{self.front_port}"

    def edit(self, file: str, change: Callable[[Any], None]) -> None:
        """Change a YAML file in place."""
        yaml, path = YAML(), self.folder / file
        data = yaml.load(path.read_text("utf-8"))
        change(data)
        with path.open("w", encoding="utf-8") as out:
            yaml.dump(data, out)

    def suqiu(self, *arguments: str, expect: int = 0, **more: Any) -> str:
        """Run a command against this folder; its standard output."""
        command = [*SUQIU, *arguments, "--config", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, expect: int = 0) -> Any:
        return json.loads(self.suqiu(*arguments, "--json", expect=expect))

    def start(self, *options: str, crash_at: str = "") -> None:
        """Start the hub and wait until it takes requests (or died at its crash point)."""
        self.process = self.run(*options, crash_at=crash_at)
        wait_until(lambda: self.has_died or self.answers(), 30, "the hub to come up")

    def run(self, *options: str, crash_at: str = "") -> subprocess.Popen[bytes]:
        """`suqiu run`, not waited for."""
        environ = {**os.environ, "SUQIU_CRASH_AT": crash_at}
        with (self.folder / "hub.log").open("ab") as log:
            command = [*SUQIU, "run", "--config", str(self.folder), *options]
            return subprocess.Popen(command, env=environ, stdout=log, stderr=log)

    @property
    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.front}/v1/openapi.json", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to finish; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=60)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def push(self, number: int, **changes: Any) -> bool:
        """Push one appeal, signed; whether the hub said yes."""
        body = json.dumps(item(number, **changes), ensure_ascii=False)
        secret = (self.folder / "secrets/example-push.key").read_text().strip()
        at = datetime.now(UTC)
        message_id = f"msg-{number}-{changes.get('updated', '')}".replace(" ", "_").replace(".", "_")
        signature = Webhook(secret).sign(message_id, at, body)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        try:
            url = f"{self.front}/push/example"
            answer = httpx.post(url, content=body.encode(), headers=headers, timeout=PUSH_TIMEOUT)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def token(self, unit: str) -> str:
        return (self.folder / f"secrets/{unit}.token").read_text().strip()

    def installation(self) -> Installation:
        return Installation(self.folder)

    def states(self) -> Counter[str]:
        """How many deliveries are in each state, as the ledger says."""
        installation = self.installation()
        rows = installation.views.deliveries(Filter(limit=10_000))
        installation.database.close()
        return Counter(row["state"] for row in rows)

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.health_port}/metrics", timeout=5).text

    def log(self) -> str:
        return (self.folder / "hub.log").read_text("utf-8", errors="replace")


def item(number: int, **changes: Any) -> dict[str, Any]:
    """An appeal in the words of the starter's example source."""
    return {
        "orderNo": f"EX-{number:05}",
        "subject": f"第{number}件：社保缴费基数咨询",
        "text": f"我公司第{number}次咨询社保缴费基数如何申报，请给予指导。",
        "type": "10",
        "caller": {"name": "王先生", "mobile": "13800001234"},
        "company": "示例电子有限公司",
        "area": "320506",
        "address": "吴中区示例路1号",
        "department": "1010" if number % 2 else "1020",
        "created": "2026-03-02 09:15:00",
        "updated": "2026-03-02 09:15:00",
        **changes,
    }


def _all_amqp(units: Any) -> None:
    units["defaults"]["destination"] = {"kind": "amqp"}


@dataclass
class Sink:
    """A unit's side of the queues: takes everything, acknowledges, remembers each delivery of each copy."""

    amqp_url: str
    copies: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)

    def drain(self, *units: str, reject: Callable[[dict[str, Any]], bool] = lambda _: False) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.amqp_url))
        channel = connection.channel()
        for unit in units:
            while True:
                method, properties, body = channel.basic_get(f"suqiu.dest.{unit}")
                if method is None:
                    break
                message = json.loads(body)
                if reject(message):
                    channel.basic_reject(method.delivery_tag, requeue=False)
                    continue
                self.copies.append((unit, message, properties))
                channel.basic_ack(method.delivery_tag)
        connection.close()

    @property
    def effects(self) -> dict[str, dict[str, Any]]:
        """Message id → message: what a receiver that drops repeats has done."""
        return {message["dispatch_id"]: message for _, message, _ in self.copies}

    def received(self) -> set[str]:
        return {message["appeal"]["source_id"] for message in self.effects.values()}


def wait_until(claim: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until the claim holds; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)
