"""The count of what was lost: every way to lose something, planted, must show."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo import compare as script
from demo.compare import compare, is_clean
from demo.record import handed_out

Row = dict[str, Any]
Day = dict[str, list[Row]]


def told(
    source_id: str, revision: int = 1, expect: str = "ok", answer: str | None = None, source: str = "crm"
) -> Row:
    how = "push" if answer else "pull"
    return handed_out(source, source_id, revision, expect) | {"how": how, "answer": answer}


def got(source_id: str, unit: str = "rsj", sequence: int = 1, version: int = 1, **more: Any) -> Row:
    row = {"source": "crm", "source_id": source_id, "unit": unit, "sequence": sequence}
    row |= {"source_version": version, "dispatch_id": f"{source_id}/{unit}/{sequence}", "refused": False}
    return {**row, **more}


def fate(source_id: str, destination: str | None = "rsj", sequence: int | None = 1, **more: Any) -> Row:
    row = {"source": "crm", "source_id": source_id, "state": "open", "destination": destination}
    return {**row, "sequence": sequence, "delivery_state": "accepted", **more}


def good_day() -> Day:
    """One of each kind, and all of them where they belong."""
    return {
        "handed-out-crm.jsonl": [
            told("plain"),
            told("plain"),
            told("twice"),
            told("twice", expect="duplicate"),
            told("changed"),
            told("changed", 2),
            told("two-units"),
            told("inside"),
            told("unreadable", expect="dead"),
            told("refused"),
            told("forged", expect="rejected", answer="no"),
            told("nobody-may", expect="unapproved"),
            told("done-already"),
        ],
        "handed-out-mailbox.jsonl": [
            told("row-1", source="mailbox"),
            told("row-2", expect="dead", source="mailbox"),
            told("mail/stranger", expect="dead", source="mailbox"),
        ],
        "got-rsj.jsonl": [
            got("plain"),
            got("twice"),
            got("changed"),
            got("changed", sequence=2, version=2),
            got("two-units"),
            got("refused", refused=True),
        ],
        "got-gaj.jsonl": [got("two-units", "gaj")],
        "fates.jsonl": [
            fate("plain"),
            fate("twice"),
            fate("changed"),
            fate("changed", sequence=2),
            fate("two-units"),
            fate("two-units", "gaj"),
            fate("inside", "desk", delivery_state="pending"),
            fate("unreadable", "desk", state="unregistered", delivery_state="pending"),
            fate("refused", delivery_state="rejected"),
            fate("nobody-may", None, None, state="unapproved", delivery_state=None),
            fate("done-already", "archive", state="closed", delivery_state="pending"),
            fate("row-1", "archive", state="closed", delivery_state="pending", source="mailbox"),
            fate("row-2", "desk", state="unregistered", delivery_state="pending", source="mailbox"),
            fate("mail/stranger", "desk", state="unregistered", delivery_state="pending", source="mailbox"),
        ],
    }


def write(folder: Path, day: Day) -> Path:
    for name, lines in day.items():
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return folder


def test_a_good_day_adds_up(tmp_path: Path) -> None:
    result = compare(write(tmp_path, good_day()))
    assert result == {
        "received": 13,
        "duplicates": 1,
        "revisions": 1,
        "rejected": 1,
        "dead": 4,
        "unapproved": 1,
        "archived": 2,
        "rows_refused": 1,
        "internal": 3,
        "by_channel": {"12345热线": 10, "邮箱汇总": 3},
        "delivered": {"gaj": 1, "rsj": 4},
        "lost": 0,
        "lost_ids": [],
        "unexpected": 0,
        "out_of_order": 0,
        "twice": 0,
    }


def drop(file: str, wanted: Callable[[Row], bool]) -> Callable[[Day], None]:
    def planted(day: Day) -> None:
        kept = [row for row in day[file] if not wanted(row)]
        assert len(kept) < len(day[file])
        day[file] = kept

    return planted


def change(file: str, source_id: str, **fields: Any) -> Callable[[Day], None]:
    def planted(day: Day) -> None:
        for row in day[file]:
            if row.get("source_id", row.get("id")) == source_id:
                row |= fields

    return planted


def add(file: str, row: Row) -> Callable[[Day], None]:
    return lambda day: day[file].append(row)


LOSSES = [
    pytest.param(
        drop("got-rsj.jsonl", lambda row: row["source_id"] == "plain"),
        id="a unit that says yes and has nothing",
    ),
    pytest.param(
        drop("fates.jsonl", lambda row: row["source_id"] == "plain"), id="an appeal the hub never heard of"
    ),
    pytest.param(
        drop("got-gaj.jsonl", lambda row: True), id="an assisting unit that got nothing, while the lead did"
    ),
    pytest.param(
        drop("got-rsj.jsonl", lambda row: row["source_id"] == "changed" and row["sequence"] == 2),
        id="a change that did not arrive",
    ),
    pytest.param(
        lambda day: [
            drop("got-rsj.jsonl", lambda row: row["source_id"] == "changed" and row["sequence"] == 2)(day),
            drop("fates.jsonl", lambda row: row["source_id"] == "changed" and row["sequence"] == 2)(day),
        ],
        id="a change that the hub itself has forgotten",
    ),
    pytest.param(
        change("fates.jsonl", "inside", destination=None, delivery_state=None),
        id="an appeal with nobody to act",
    ),
    pytest.param(
        change("fates.jsonl", "refused", delivery_state="published"), id="sent back by the unit, and nowhere"
    ),
    pytest.param(
        drop("got-rsj.jsonl", lambda row: row["source_id"] == "twice"),
        id="a repeat is no excuse for its first",
    ),
]


@pytest.mark.parametrize("plant", LOSSES)
def test_a_planted_loss_is_found(tmp_path: Path, plant: Callable[[Day], None]) -> None:
    day = good_day()
    plant(day)
    result = compare(write(tmp_path, day))
    assert result["lost"] == 1
    assert not is_clean(result)


WRONGS = [
    pytest.param("unexpected", add("got-rsj.jsonl", got("forged")), id="a forged push that was delivered"),
    pytest.param("unexpected", add("fates.jsonl", fate("forged")), id="a forged push that was recorded"),
    pytest.param("unexpected", add("got-rsj.jsonl", got("never-sent")), id="something nobody handed out"),
    pytest.param(
        "unexpected",
        change("fates.jsonl", "inside", state="unregistered"),
        id="a readable appeal given up as unreadable",
    ),
    pytest.param(
        "unexpected",
        change("fates.jsonl", "nobody-may", state="open", destination="desk"),
        id="a report that nobody may make, taken all the same",
    ),
    pytest.param(
        "unexpected",
        change("fates.jsonl", "plain", state="unapproved"),
        id="a report not admitted that may be",
    ),
    pytest.param("twice", add("got-rsj.jsonl", got("plain")), id="the same message written down twice"),
    pytest.param(
        "out_of_order",
        lambda day: day["got-rsj.jsonl"].reverse(),
        id="a change before what it changes",
    ),
]


@pytest.mark.parametrize(("name", "plant"), WRONGS)
def test_what_is_no_loss_but_wrong_is_found(tmp_path: Path, name: str, plant: Callable[[Day], None]) -> None:
    day = good_day()
    plant(day)
    result = compare(write(tmp_path, day))
    assert result[name] == 1
    assert not is_clean(result)


def test_a_push_that_was_taken_after_all_is_not_rejected(tmp_path: Path) -> None:
    day = good_day()
    change("handed-out-crm.jsonl", "forged", answer="yes")(day)
    assert compare(write(tmp_path, day))["lost"] == 1


@pytest.mark.parametrize(("is_good", "code"), [(True, 0), (False, 1)])
def test_it_runs_on_its_own_without_anything_of_ours(tmp_path: Path, is_good: bool, code: int) -> None:
    day = good_day()
    if not is_good:
        day["got-gaj.jsonl"] = []
    write(tmp_path, day)
    command = [sys.executable, "-I", "-S", script.__file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["lost"] == code
