"""
The keeper of private servers: whatever it started is gone when its asker is, however that asker went.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.servers.keeper import Keeper
from demo.servers.server import wait_until

ROOT = Path(__file__).resolve().parent.parent


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kept = tmp_path / "kept"
    kept.mkdir()
    return kept


@pytest.fixture
def run(folder: Path) -> Callable[[Keeper, str], int]:
    def start(keeper: Keeper, script: str) -> int:
        return keeper.run(["sh", "-c", script], env={}, folder=folder, log=folder / "log")

    return start


def test_closing_ends_what_was_started_and_removes_the_folder(
    folder: Path, run: Callable[[Keeper, str], int]
) -> None:
    keeper = Keeper(folder, None)
    pid = run(keeper, "exec sleep 300")
    assert is_alive(pid)
    keeper.close()
    keeper.close()
    assert not is_alive(pid)
    assert not folder.exists()


def test_a_process_that_made_itself_a_daemon_does_not_get_away(
    folder: Path, run: Callable[[Keeper, str], int]
) -> None:
    keeper = Keeper(folder, None)
    run(keeper, f"setsid sh -c 'echo $$ > {folder}/pid; exec sleep 300' & exit 0")
    assert wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text() != "", 10)
    daemon = int((folder / "pid").read_text())
    assert is_alive(daemon)
    keeper.close()
    assert not is_alive(daemon)


def test_a_suspended_process_and_one_that_will_not_listen_are_ended_too(
    folder: Path, run: Callable[[Keeper, str], int]
) -> None:
    keeper = Keeper(folder, None)
    suspended = run(keeper, "exec sleep 300")
    os.kill(suspended, signal.SIGSTOP)
    deaf = run(keeper, f"trap '' QUIT TERM INT; touch {folder}/deaf; while :; do sleep 1; done")
    assert wait_until((folder / "deaf").exists, 10)
    keeper.close()
    assert not is_alive(suspended)
    assert not is_alive(deaf)


def test_what_ended_by_itself_is_reaped_and_leaves_no_zombie(
    folder: Path, run: Callable[[Keeper, str], int]
) -> None:
    keeper = Keeper(folder, None)
    pid = run(keeper, "exit 0")
    assert wait_until(lambda: not is_alive(pid), 10)
    keeper.close()


def test_a_program_that_is_not_there_is_an_error_and_the_keeper_goes_on(
    folder: Path, run: Callable[[Keeper, str], int]
) -> None:
    keeper = Keeper(folder, None)
    with pytest.raises(OSError, match="cannot start no-such-program"):
        keeper.run(["no-such-program"], env={}, folder=folder, log=folder / "log")
    assert is_alive(run(keeper, "exec sleep 300"))
    keeper.close()


ASKER = """
import os, sys, time
from pathlib import Path
from demo.servers.keeper import Keeper

folder = Path(sys.argv[1])
kept = Keeper(folder, None).run(["sleep", "300"], env={}, folder=folder, log=folder / "log")
heir = os.fork()
if heir:
    print(kept, heir, flush=True)
time.sleep(300)
"""


def test_a_process_that_inherited_the_pipe_does_not_keep_the_servers_alive(folder: Path) -> None:
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert asker.stdout is not None
    kept, heir = (int(word) for word in asker.stdout.readline().split())
    try:
        asker.kill()
        asker.wait()
        assert is_alive(heir)
        assert wait_until(lambda: not is_alive(kept), 20)
        assert wait_until(lambda: not folder.exists(), 20)
    finally:
        os.kill(heir, signal.SIGKILL)
        asker.stdout.close()
