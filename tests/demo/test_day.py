"""A whole day: sources, hub and units as processes; nothing is lost, whatever happens to the hub (P1-P3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from demo.processes import SUQIU
from demo.record import CHANNELS
from demo.servers.server import wait_until
from tests.servers import VirtualHost

pytestmark = pytest.mark.timeout(600)
SEED = 7


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SUQIU, "demo", "--once", "--json", "--seed", str(SEED), *words],
        capture_output=True,
        text=True,
        timeout=550,
    )


def result_of(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr[-3000:] + done.stdout
    assert len(done.stdout.splitlines()) == 1, "one JSON object and nothing else"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def without_time(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "seconds"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of two hundred appeals that nobody disturbed."""
    folder = tmp_path_factory.mktemp("day") / "out"
    result_of(demo("--items", "200", "--keep", str(folder)))
    return folder


@pytest.fixture(scope="module")
def undisturbed(kept: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((kept / "result.json").read_text("utf-8"))
    return found


def test_a_day_loses_nothing_and_has_everything_that_a_day_has(undisturbed: dict[str, Any]) -> None:
    assert undisturbed["lost"] == 0
    assert undisturbed["items"] == 200
    assert undisturbed["received"] == 200 + undisturbed["by_channel"]["邮箱汇总"], "and the rows of tables"
    assert undisturbed["rows_refused"] == 3
    assert set(undisturbed["by_channel"]) == set(CHANNELS.values())
    for name in ("duplicates", "revisions", "rejected", "dead", "internal", "archived", "unapproved"):
        assert undisturbed[name] > 0, name
    assert len(undisturbed["delivered"]) >= 12


def test_a_count_of_ones_own_from_the_files_agrees(kept: Path, undisturbed: dict[str, Any]) -> None:
    """Written again here, in the plainest way, against the files alone."""

    def rows(pattern: str) -> list[dict[str, Any]]:
        return [json.loads(line) for path in kept.glob(pattern) for line in path.read_text().splitlines()]

    handed = rows("handed-out-*.jsonl")
    forged = {(r["source"], r["id"]) for r in handed if r["expect"] == "rejected"}
    delivered = {(r["source"], r["source_id"]) for r in rows("got-*.jsonl")}
    offices = ("desk", "supervision", "archive")
    inside = {(r["source"], r["source_id"]) for r in rows("fates.jsonl") if r["destination"] in offices}
    ids = {(r["source"], r["id"]) for r in handed}
    kept_out = {(r["source"], r["source_id"]) for r in rows("fates.jsonl") if r["state"] == "unapproved"}
    assert ids - delivered - inside - forged - kept_out == set()
    assert len(ids) == undisturbed["received"]
    assert len(forged) == undisturbed["rejected"]
    copied = [sys.executable, "-I", "-S", str(kept / "compare.py"), str(kept)]
    counted = json.loads(subprocess.run(copied, capture_output=True, text=True, check=True).stdout)
    assert counted.items() <= undisturbed.items()


def test_the_hub_killed_in_the_middle_changes_nothing_of_the_result(
    undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    done = demo("--items", "200", "--kill-hub-at", "0.5", "--keep", str(tmp_path / "out"))
    assert without_time(result_of(done)) == without_time(undisturbed)
    assert (tmp_path / "out" / "hub.log").read_text("utf-8").count("the hub is up") == 2


def door_of(folder: Path, unit: str) -> tuple[str, str] | None:
    """Where this unit fetches its tasks, and its token; None while the city is not built yet."""
    try:
        hub = YAML(typ="safe").load(folder / "config" / "suzhou" / "hub.yaml")
        words = dict(line.split("=", 1) for line in (folder / "secrets.env").read_text().splitlines())
        return hub["front"]["public_url"], words[f"SUQIU_UNIT_{unit.upper()}_TOKEN"].strip("'")
    except (OSError, KeyError):
        return None


def seize(url: str, token: str) -> bool:
    """Take a task of this unit on a long lease, and say nothing more: as a unit that died with it would."""
    bearer = {"authorization": f"Bearer {token}"}
    try:
        return bool(httpx.get(f"{url}/v1/tasks?limit=1&lease=25s", headers=bearer).json()["tasks"])
    except (KeyError, httpx.TransportError):
        return False  # the city is not open yet


def test_the_day_waits_for_what_a_unit_has_on_lease(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with ThreadPoolExecutor() as pool:
        day = pool.submit(demo, "--items", "120", "--keep", str(folder))
        assert wait_until(lambda: door_of(folder, "sjg") is not None, 60)
        door = door_of(folder, "sjg")
        # Looked up once: the unit itself fetches, too, and must not always be quicker.
        assert door
        assert wait_until(lambda: seize(*door), 60)
        seized = time.monotonic()
        assert result_of(day.result())["lost"] == 0
    assert time.monotonic() - seized >= 20


def test_a_planted_loss_is_caught() -> None:
    result = result_of(demo("--items", "120", "--lose-one"), code=1)
    assert result["lost"] == 1
    assert len(result["lost_ids"]) == 1


def test_the_same_day_on_real_servers_with_the_hub_killed(
    amqp: VirtualHost, undisturbed: dict[str, Any]
) -> None:
    done = demo(
        "--items", "200", "--amqp", amqp.url, "--management", amqp.management_url, "--kill-hub-at", "0.4"
    )  # fmt: skip
    assert without_time(result_of(done)) == without_time(undisturbed)


def test_the_same_day_on_postgresql(
    amqp: VirtualHost, database_url: str, undisturbed: dict[str, Any]
) -> None:
    servers = ("--amqp", amqp.url, "--management", amqp.management_url, "--database", database_url)
    assert without_time(result_of(demo("--items", "200", *servers))) == without_time(undisturbed)


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", "utf-8")
    done = demo("--keep", str(tmp_path))
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def children_of(folder: Path) -> set[int]:
    """Processes whose command line or working files name this day's folder."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = str(folder).encode() in (place / "cmdline").read_bytes()
        except OSError:
            continue
        if is_ours:
            found.add(int(place.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_city_that_stays_up_takes_everything_with_it_when_it_ends(
    number: signal.Signals, tmp_path: Path
) -> None:
    folder = tmp_path / "live"
    with (tmp_path / "screen").open("w") as screen:
        city = subprocess.Popen(
            [sys.executable, "-c", SUQIU, "demo", "--keep", str(folder)], stdout=screen, stderr=screen
        )
    assert wait_until(lambda: any(path.stat().st_size for path in folder.glob("got-*.jsonl")), 90)
    time.sleep(1)
    assert len(children_of(folder) - {city.pid}) >= 3
    os.kill(city.pid, number)
    city.wait(120)
    assert wait_until(lambda: not children_of(folder), 90), children_of(folder)
