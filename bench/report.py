"""bench/RESULTS.md: what was measured, on what, with what, and when."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pika
import psycopg

from bench.race import LIMIT, Run, Servers, cpu_us_per_item, items_per_s

FILE = Path(__file__).parent / "RESULTS.md"
LIBRARIES = (
    "pika", "kombu", "pydantic", "sqlalchemy", "psycopg", "httpx", "cryptography",
    "aio-pika", "faststream", "celery",
)  # fmt: skip


def surroundings(servers: Servers) -> list[str]:
    """The machine and the versions, as Markdown lines."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"- {date.today().isoformat()}; {os.cpu_count()} cores of {model[1] if model else 'unknown make'},"
        f" {memory:.0f} GiB, Linux {platform.release()}",
        f"- Python {platform.python_version()}, {_broker(servers.amqp)}, {_database(servers)}",
        f"- {libraries}",
    ]


def _broker(amqp: str) -> str:
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    told = connection._impl.server_properties  # pika has no public way to it
    connection.close()
    name, number, platform_ = (_text(told.get(key, "")) for key in ("product", "version", "platform"))
    return f"{name} {number} ({platform_})"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _database(servers: Servers) -> str:
    url = servers.postgresql.database_url.replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}"


def table(done: Sequence[Mapping[str, Run]]) -> list[str]:
    """The race, fastest first."""
    speeds, cpu = items_per_s(done), cpu_us_per_item(done)
    lines = ["| contestant | items/s | of the raw limit | CPU µs per item |", "|---|---|---|---|"]
    for name in sorted(speeds, key=lambda name: -speeds[name]):
        of_limit = speeds[name] / speeds[LIMIT]
        used = f"{cpu[name]:.0f}" if name in cpu else "–"
        lines.append(f"| {name} | {speeds[name]:.0f} | {of_limit:.3f} | {used} |")
    return lines


def write(head: Sequence[str], sections: Mapping[str, Sequence[str]]) -> None:
    """The file anew."""
    lines = ["# Results", "", "Written by `make bench`; figures elsewhere come from here.", "", *head]
    for title, content in sections.items():
        lines += ["", f"## {title}", "", *content]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
