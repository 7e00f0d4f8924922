"""A hub under measurement: a process of its own, with what can be seen of it from outside."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pika

from bench.contestants import suqiu
from bench.work import UNITS, HubAt, queue, write_configuration

READY_WITHIN = 30.0
ENDS_WITHIN = 60.0
MEGABYTE = 1024 * 1024
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Running:
    """A started hub."""

    process: subprocess.Popen[bytes]
    started: float
    """`time.time()` when it was asked for."""
    config: Path

    @property
    def rss_mb(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * _PAGE_SIZE / MEGABYTE

    @property
    def peak_mb(self) -> float:
        """The most resident memory so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    @property
    def cpu_seconds(self) -> float:
        """User and system, so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def prepared(hub: HubAt) -> Path:
    """Its configuration written and its ledger upgraded; the folder of the configuration."""
    config = write_configuration(hub)
    upgrade = [*suqiu("ledger", "upgrade"), "--config", str(config)]
    done = subprocess.run(upgrade, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"the hub's configuration or ledger is not as it should be: {done.stdout}{done.stderr}"
        )
    return config


@contextmanager
def running(config: Path, *, front: int = 0) -> Iterator[Running]:
    """The hub runs inside; with a port given, its front answers."""
    log = (config.parent / "hub.log").open("ab")
    started = time.time()
    command = [*suqiu("run"), "--config", str(config)]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        if front:
            _wait_for(front)
        yield Running(process, started, config)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
        process.kill()
        process.wait()
        log.close()


def _wait_for(port: int) -> None:
    end = time.time() + READY_WITHIN
    while time.time() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(f"no hub listens on port {port}")


def wait_for_arrival(
    amqp: str, items: int, *, first: int = 0, units: Sequence[str] = UNITS, patience: float = 900.0
) -> float:
    """When those of so many items, from the source's first on, that go to these units lay in their queues."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    end = time.time() + patience
    wanted = Counter(UNITS[number % len(UNITS)] for number in range(first, first + items))
    for unit in units:
        while channel.queue_declare(queue(unit), passive=True).method.message_count < wanted[unit]:
            if time.time() > end:
                raise TimeoutError(f"not everything arrived within {patience:.0f} s; {unit} still waits")
            time.sleep(0.01)
    connection.close()
    return time.time()
