"""
One private server: in a folder of its own, on free ports of the loopback, gone afterwards.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.servers.keeper import Keeper

LOOPBACK = "127.0.0.1"
READY_WITHIN = 90.0
GONE_WITHIN = 60.0


class MissingPackage(Exception):
    """A server's programs are not installed. The message says what to type."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(
            f"{what} is not installed; type: sudo apt-get install {package} (make test does it for you)"
        )


class ServerFailed(Exception):
    """A private server did not come up, or did not go away. The message quotes the end of its log."""


def free_port() -> int:
    """A port of the loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


class PrivateServer(ABC):
    """Its whole life: start, stop, kill, suspend, resume, start again, close.

    Its data survive `stop` and `kill`; `close`, or the death of this process, removes everything.
    """

    def __init__(self, *, name: str, account: str) -> None:
        self.name = name
        self._account = account if os.geteuid() == 0 and _has_account(account) else None
        self.folder = Path(tempfile.mkdtemp(prefix=f"suqiu-{name}-"))
        if self._account:
            shutil.chown(self.folder, self._account, self._account)
        self.log = self.folder / f"{name}.log"
        self._keeper = Keeper(self.folder, self._account)
        self._pid: int | None = None

    @abstractmethod
    def _launch(self) -> int:
        """Start the server; its pid."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it serves."""

    @property
    def pid(self) -> int:
        """The server's own process, for whoever wants to send it a signal."""
        if self._pid is None:
            raise ServerFailed(f"{self.name} is not running")
        return self._pid

    @property
    def is_running(self) -> bool:
        return self._pid is not None and _is_alive(self._pid)

    def start(self) -> None:
        """Start, or start again on the same ports and data, and wait until it serves."""
        self._pid = self._launch()
        deadline = time.monotonic() + READY_WITHIN
        while not self._is_ready():
            if not self.is_running:
                raise ServerFailed(f"{self.name} ended while starting:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"{self.name} is not ready after {READY_WITHIN:.0f} s:\n{self._end_of_log()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """SIGSTOP: it holds its connections and answers nobody."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its folder. Safe to call twice."""
        self._keeper.close()
        self._pid = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run_in_background(self, command: list[str], env: dict[str, str]) -> int:
        return self._keeper.run(command, env=env, folder=self.folder, log=self.log)

    def _end(self, number: signal.Signals) -> None:
        pid = self.pid
        os.kill(pid, number)
        if not wait_until(lambda: not _is_alive(pid), GONE_WITHIN):
            raise ServerFailed(f"{self.name} is still there {GONE_WITHIN:.0f} s after {number.name}")
        self._pid = None

    def _end_of_log(self) -> str:
        if not self.log.exists():
            return "(it wrote nothing)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


def wait_until(claim: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until the claim holds (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
