"""Simulated units: what they acknowledge they have written down, once, unless a loss is planted."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from demo.record import Record, read
from demo.sources.serving import Answer, Asked, json_answer
from demo.units.desk import UnitDesk
from demo.units.over_http import HttpUnit
from tests.demo.systems import running


def dispatch(number: int, source_id: str = "a-1", sequence: int = 1) -> dict[str, Any]:
    return {
        "dispatch_id": f"d-{number}",
        "type": "task.created",
        "destination": "rsj",
        "task": {"sequence": sequence, "role": "lead"},
        "appeal": {
            "source": "crm",
            "source_id": source_id,
            "revision": 1,
            "extensions": {"source_version": "2"},
        },
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "got-rsj.jsonl"


def test_a_message_that_comes_again_is_written_down_once(path: Path) -> None:
    with Record(path) as record:
        desk = UnitDesk("rsj", record, set())
        assert desk.take(dispatch(1))
        assert desk.take(dispatch(1))
    (row,) = read(path)
    assert (row["dispatch_id"], row["source_id"], row["source_version"]) == ("d-1", "a-1", 2)


def test_what_was_written_down_in_an_earlier_life_is_known_in_this_one(path: Path) -> None:
    with Record(path) as record:
        UnitDesk("rsj", record, set()).take(dispatch(1))
    with Record(path) as record:
        seen = {row["dispatch_id"] for row in read(path)}
        assert UnitDesk("rsj", record, seen).take(dispatch(1))
    assert len(read(path)) == 1


def test_what_it_cannot_take_is_sent_back_every_time(path: Path) -> None:
    with Record(path) as record:
        desk = UnitDesk("rsj", record, set(), refuses=["a-1"])
        assert [desk.take(dispatch(1)), desk.take(dispatch(1)), desk.take(dispatch(2, "a-2"))] == [
            False,
            False,
            True,
        ]
    assert [row["refused"] for row in read(path)] == [True, False]


def test_a_planted_loss_is_one_message_and_no_more(path: Path) -> None:
    with Record(path) as record:
        desk = UnitDesk("rsj", record, set(), forgets=True)
        assert desk.take(dispatch(1))
        assert desk.take(dispatch(2, "a-2"))
    assert [row["dispatch_id"] for row in read(path)] == ["d-2"]


class Door:
    """The hub's door for one unit: hands the same tasks out until they are acknowledged."""

    def __init__(self, tasks: list[dict[str, Any]], deaf: int = 0) -> None:
        self.open = {task["dispatch_id"]: task for task in tasks}
        self.deaf = deaf
        self.said: list[str] = []
        self.done = threading.Event()

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer a token":
            return json_answer({}, 401)
        if asked.method == "GET":
            leased = [{"dispatch": task, "lease": "7"} for task in self.open.values()]
            return json_answer({"tasks": leased})
        _, _, _, dispatch_id, verb = asked.path.split("/")
        if self.deaf:
            self.deaf -= 1
            return Answer(b"", 503)
        self.open.pop(dispatch_id, None)
        self.said.append(f"{dispatch_id} {verb}")
        if not self.open:
            self.done.set()
        return Answer(b"", 204)


def work(door: Door, desk: UnitDesk) -> None:
    stop = threading.Event()
    with running(door) as url:
        thread = threading.Thread(target=HttpUnit(desk, url, "a token", stop).run)
        thread.start()
        assert door.done.wait(20)
        stop.set()
        thread.join()


def test_over_http_a_unit_acknowledges_what_it_takes_and_rejects_what_it_does_not(path: Path) -> None:
    door = Door([dispatch(1, "a-1"), dispatch(2, "a-2")])
    with Record(path) as record:
        work(door, UnitDesk("rsj", record, set(), refuses=["a-2"]))
    assert sorted(door.said) == ["d-1 ack", "d-2 reject"]


def test_an_acknowledgement_that_is_not_heard_is_said_again_and_nothing_is_written_twice(path: Path) -> None:
    door = Door([dispatch(1)], deaf=2)
    with Record(path) as record:
        work(door, UnitDesk("rsj", record, set()))
    assert door.said == ["d-1 ack"]
    assert len(read(path)) == 1


def test_a_line_that_a_kill_cut_off_does_not_count(path: Path) -> None:
    path.write_text(json.dumps({"dispatch_id": "d-1"}) + "\n" + '{"dispatch_id": "d-', "utf-8")
    assert [row["dispatch_id"] for row in read(path)] == ["d-1"]
