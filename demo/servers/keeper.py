"""
Keeps the servers of one folder, and outlives whoever asked for them just long enough to clear up.

`Keeper` starts this very file as a process of its own and asks it for servers over a pipe, one
JSON line each. When the pipe closes or the asker is gone, kill -9 included, everything ever
started here is ended and the folder removed.

The process is a subreaper: what turns itself into a daemon (Erlang's epmd does) becomes its child
and not init's, so nothing gets away. Standard library only, because it runs as a bare script.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 3.0
"""Seconds between asking the servers to end and ending them."""


class Keeper:
    """The asker's end of the pipe."""

    def __init__(self, folder: Path, owner: str | None) -> None:
        self._owner = owner
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).resolve()), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Of its own session: a Ctrl-C or a kill of the asker's whole group must not reach it.
            start_new_session=True,
        )

    def run(self, command: Sequence[str], *, env: Mapping[str, str], folder: Path, log: Path) -> int:
        """Start a process in the background; its pid. Raises OSError when it cannot be started."""
        request = {
            "command": list(command),
            "env": dict(env),
            "owner": self._owner,
            "folder": str(folder),
            "log": str(log),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise OSError(f"cannot start {command[0]}: {answer['error']}")
        return int(answer["pid"])

    def close(self) -> None:
        """End everything and wait for it. Safe to call twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def main(folder: Path) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGCHLD, _reap)
    try:
        for line in _requests(os.getppid()):
            print(json.dumps(_answer(json.loads(line))), flush=True)
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _end_all_children()
        shutil.rmtree(folder, ignore_errors=True)


def _requests(asker: int) -> Iterator[str]:
    # The parent is looked at too: a process forked by the asker holds a copy of the pipe, and the
    # pipe alone would then stay open after the asker's death.
    while os.getppid() == asker:
        readable, _, _ = select.select([sys.stdin], [], [], 1.0)
        if not readable:
            continue
        line = sys.stdin.readline()
        if not line:
            return
        yield line


def _answer(request: Mapping[str, Any]) -> dict[str, object]:
    owner = request["owner"]
    switch: dict[str, Any] = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
    try:
        with Path(request["log"]).open("ab") as log:
            process = subprocess.Popen(
                request["command"],
                env=request["env"],
                cwd=request["folder"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **switch,
            )
    except OSError as error:
        return {"error": str(error)}
    # Reaped by the signal handler, like the adopted ones.
    process.returncode = 0
    return {"pid": process.pid}


def _reap(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def _end_all_children() -> None:
    """Ask, then kill, then kill what the killed ones leave behind, until there is nobody left."""
    # SIGQUIT means "at once, but tidily" to PostgreSQL (which frees its shared memory) and to Erlang.
    _signal_children(signal.SIGQUIT)
    _signal_children(signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while _has_children():
        if time.monotonic() > deadline:
            _signal_children(signal.SIGKILL)
        time.sleep(0.02)


def _has_children() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return False
    return True


def _signal_children(number: signal.Signals) -> None:
    for pid in _children():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _children() -> Iterator[int]:
    me = os.getpid()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # "pid (name) state ppid ...": the name may hold blanks and brackets.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == me:
            yield int(status.parent.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
