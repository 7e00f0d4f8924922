"""A hub under measurement: a process of its own, with what can be seen of it from outside."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.watching import cpu_seconds
from bench.work import HubAt, write_configuration
from demo.processes import suqiu

READY_WITHIN = 30.0
ENDS_WITHIN = 60.0
MEGABYTE = 1024 * 1024
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
        return cpu_seconds(self.process.pid)


def prepared(hub: HubAt) -> Path:
    """Its configuration written and its ledger upgraded; the folder of the configuration."""
    config = write_configuration(hub)
    upgrade = suqiu("ledger", "upgrade", "--config", str(config))
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
    command = suqiu("run", "--config", str(config))
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
