"""The demonstration's child processes: started, watched, killed on purpose, ended in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ENDS_WITHIN = 60.0
SUQIU = "from demo.leash import die_with_parent; die_with_parent(); from console.cli.main import main; main()"
"""The command `suqiu`, wherever it is installed."""
TOO_SOON = 5.0
PATIENCE = 4
"""A hub that dies so often within seconds of its start will not get better by another start."""


class ChildFailed(Exception):
    """A process of the demonstration could not do its part. The message quotes the end of its log."""


@dataclass
class Child:
    """One process with a log of its own."""

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str]
    stdin: str = ""
    starts: int = 0
    _process: subprocess.Popen[str] | None = None
    _started: float = field(default=0.0)
    _early_deaths: int = 0

    def start(self) -> None:
        """Start the process and hand it what it gets on standard input."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                env=dict(self.environ),
                # A Ctrl-C is for the demonstration, which ends its children in order.
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(self.stdin)
        self._process.stdin.close()
        self.starts += 1
        self._started = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def watch(self, *, is_restarted: bool = False) -> None:
        """Start it again when it died, or say that it did."""
        if self.is_running:
            return
        self._early_deaths += time.monotonic() - self._started < TOO_SOON
        if not is_restarted or self._early_deaths > PATIENCE:
            raise ChildFailed(f"{self.name} ended; the end of {self.log}:\n{self.end_of_log()}")
        self.start()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Let it finish; safe to call twice and on what never ran."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def end_of_log(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-20:])


def suqiu(*words: str) -> list[str]:
    return [sys.executable, "-c", SUQIU, *words]


def module(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", name, *words]


def run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """What a command that must succeed printed. Raises ChildFailed with what it said."""
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True)
    if done.returncode:
        raise ChildFailed(f"{' '.join(command[3:])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
