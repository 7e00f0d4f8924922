"""
The work that every contender does: the same items from the same source, sixty queues, one city.

An item is 1.2 KB of Chinese JSON as a hotline hands it out; fifteen of its fields are mapped. Its
`unit` says in whose queue it must end: item n belongs to unit n modulo sixty.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PAGE = 200
UNITS = tuple(f"unit{n:02}" for n in range(60))
MAX_PAGES = 500
"""In one round: what a connector remembers of a round grows with it."""
EXCHANGE = "suqiu.deliver"
KEYS = {"k1": base64.b64encode(b"k" * 32).decode(), "hashing": base64.b64encode(b"h" * 32).decode()}
TEXT = "我公司生产精密零部件，近期因用工备案系统升级，新招员工的社保无法缴纳，已影响就医报销，恳请协调处理。"


FIRST_TIME = datetime(2026, 3, 1)
"""When item 0 changed, by the source's clock."""


def queue(unit: str) -> str:
    """Where a unit's messages lie."""
    return f"suqiu.dest.{unit}"


def item(n: int) -> dict[str, Any]:
    """One appeal in the source's words."""
    return {
        "no": f"GD2026{n:012}",
        "title": f"关于第{n}件社保缴纳问题的求助",
        "content": TEXT * 6,
        "kind": "30",
        "urgent": "normal",
        "class1": "人社",
        "class2": "社会保险",
        "area": "320505",
        "address": "虎丘区科技城示例路88号",
        "time": f"{FIRST_TIME + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}",
        "unit": UNITS[n % len(UNITS)],
        "firm": {"name": f"苏州示例精密机械{n % 5000}有限公司", "code": "9132059455117770X5"},
        "link": {"name": " 王先生 ", "mobile": "13800001234", "tel": ""},
    }


def number_at(time: str) -> int:
    """Which item has this change time; there is one a second."""
    return int((datetime.fromisoformat(time) - FIRST_TIME).total_seconds())


@dataclass(frozen=True)
class SourceAt:
    """A running source. `GET {url}?page=K`, from 1: {"code": 0, "data": {"total": N, "list": [item, …]}}."""

    url: str
    items: int

    @property
    def pages(self) -> int:
        return -(-self.items // PAGE)

    def began(self, patience: float = 60.0) -> float:
        """When the first page was asked for; waits for it. Raises TimeoutError."""
        end = time.time() + patience
        while time.time() < end:
            with urllib.request.urlopen(self.url.replace("/appeals", "/began"), timeout=10) as answer:
                if began := json.load(answer):
                    return float(began)
            time.sleep(0.005)
        raise TimeoutError("nobody asked the source")


@contextmanager
def source(items: int, first: int = 0) -> Iterator[SourceAt]:
    """A process of its own that hands out items first … first + items - 1; it ends with the block."""
    command = [sys.executable, "-m", "bench.source", str(items), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield SourceAt(process.stdout.readline().strip(), items)
        finally:
            process.kill()


_MAPPING = """
fields:
  channel: {value: 12345热线}
  title: title
  content: {from: content, apply: [trim], required: true}
  kind: {from: kind, apply: [{code: kinds}], default: other}
  urgency: {from: urgent, default: normal}
  category: {all_of: [class1, class2]}
  enterprise.name: firm.name
  enterprise.uscc: firm.code
  contact.name: {from: link.name, apply: [trim]}
  contact.phones: {first_of: [link.mobile, link.tel], apply: [phones]}
  region: {first_of: [area, address], apply: [region]}
  address: address
  submitted_at: {from: time, apply: [{to_time: ["%Y-%m-%d %H:%M:%S"]}]}
  proposed_units: {from: unit, apply: [unit]}
  extensions.order_no: "no"
"""
_CODES = 'codes: {"10": consultation, "20": complaint, "30": help}\n'
_ROUTES = """
routes:
  - name: closed-to-archive
    when: {standing: closed}
    to: archive
  - name: proposed
    when: {proposed_units: {present: true}}
    to: {field: proposed_units}
    except: [reporter.unit, returned_by]
  - name: everything-else
    to: desk
"""


@dataclass(frozen=True)
class HubAt:
    """How a hub under measurement is set up."""

    folder: Path
    """The configuration is written below it; the SQLite file and attachments come here too."""
    database: str = "sqlite:///suqiu.db"
    amqp: str | None = None
    source_url: str | None = None
    push: bool = False
    http_destinations: tuple[str, ...] = ()
    """Base URLs, one per unit in the order of UNITS, for destinations that the hub calls itself."""
    front: int = 0
    """The port that pushes go to; 0, with which each process takes any, where nobody pushes."""

    @property
    def config(self) -> Path:
        return self.folder / "config"


def write_configuration(hub: HubAt) -> Path:
    """The smallest city that does all of the work; returns the folder for `suqiu run --config`."""
    folder = hub.config
    (folder / "mappings" / "codes").mkdir(parents=True, exist_ok=True)
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    amqp, password = _apart(hub.amqp or "")
    for name, key in {**KEYS, "push": KEYS["k1"], "amqp": password}.items():
        secret = folder / "secrets" / f"{name}.key"
        secret.write_text(key)
        secret.chmod(0o600)
    files = {
        "hub.yaml": _hub(replace(hub, amqp=amqp)),
        "units.yaml": _units(hub),
        "regions.yaml": {"regions": [{"code": "320505", "name": "虎丘区"}]},
    }
    for name, content in files.items():
        # JSON is YAML, too.
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
    (folder / "routes.yaml").write_text(_ROUTES, "utf-8")
    (folder / "mappings" / "crm.yaml").write_text(_MAPPING, "utf-8")
    (folder / "mappings" / "codes" / "kinds.yaml").write_text(_CODES, "utf-8")
    return folder


def _apart(url: str) -> tuple[str, str]:
    """A URL without its password, and the password."""
    parts = urlsplit(url)
    if not parts.password:
        return url, "none"
    return url.replace(f":{parts.password}@", "@"), unquote(parts.password)


def _hub(hub: HubAt) -> dict[str, Any]:
    crm: dict[str, Any] = {"mapping": "crm"}
    updated = {"from": "time", "formats": ["%Y-%m-%d %H:%M:%S"]}
    if hub.source_url:
        crm["pull"] = {
            "kind": "rest", "every": "1s", "url": hub.source_url,
            "params": {"page": "{page}", "from": "{from}"}, "overlap": "1m",
            "paging": {"kind": "page", "size": PAGE, "total": "data.total"},
            "success": {"at": "code", "is": [0]}, "items": "data.list", "id": "no", "updated": updated,
            "ascending": True, "per_minute": 60_000, "max_pages": MAX_PAGES,
        }  # fmt: skip
    if hub.push:
        scheme = {"kind": "standard_webhooks", "secrets": [{"file": "secrets/push.key"}]}
        rate = {"per_minute": 60_000, "burst": 1000}
        push = {"kind": "push", "scheme": scheme, "id": "no", "updated_at": updated, "rate": rate}
        crm["push"] = push
    password = {"file": "secrets/amqp.key"}
    broker = {"broker": {"url": hub.amqp, "password": password}} if hub.amqp else {}
    return {
        "data": str(hub.folder),
        "database": {"url": hub.database},
        "keys": {
            "current": "k1",
            "ring": {"k1": {"file": "secrets/k1.key"}},
            "hashing": {"file": "secrets/hashing.key"},
        },
        **broker,
        "front": {
            "port": hub.front,
            "public_url": f"http://127.0.0.1:{hub.front or 8800}",
            "requests": 400,
            "each": 200,
        },
        "monitoring": {"port": 0},
        "logging": {"form": "json", "level": "warning"},
        "sources": {"crm": crm},
    }


def _units(hub: HubAt) -> dict[str, Any]:
    offices = [
        {"id": part, "part": part, "name": name}
        for part, name in (("desk", "诉求受理中心"), ("supervision", "督查督办室"), ("archive", "归档"))
    ]
    units = []
    for n, unit in enumerate(UNITS):
        entry: dict[str, Any] = {"id": unit, "name": f"市第{n}局", "office": "综合处"}
        if hub.http_destinations:
            entry["destination"] = {"kind": "http", "url": hub.http_destinations[n]}
        else:
            entry["destination"] = {"kind": "amqp"}
        units.append(entry)
    return {"units": [*offices, *units]}
