"""`suqiu route evaluate` on the shipped city: what it demands, and how it says that something falls short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import config
from console.cli.route import app

CITY = str(Path(config.__file__).parent / "suzhou")
CASES = [
    {"appeal": {"content": "公积金封存不了", "source": "crm"}, "expect": ["gjj"]},
    {"appeal": {"content": "公积金怎么降比例", "source": "sst", "kind": "consultation"}, "expect": ["desk"]},
    {"appeal": {"content": "公积金封存不了", "source": "crm"}, "expect": ["rsj"]},
]


@pytest.fixture
def cases(tmp_path: Path) -> str:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(json.dumps(case, ensure_ascii=False) for case in CASES), "utf-8")
    return str(file)


def evaluate(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evaluate", "--config", CITY, *words])
    return done.exit_code, done.output


def test_what_is_good_enough_ends_well(cases: str) -> None:
    code, _ = evaluate(cases, "--min-accuracy", "0.6", "--max-desk", "0.34", "--max-supervision", "0")
    assert code == 0


@pytest.mark.parametrize(
    ("demand", "told"),
    [
        pytest.param(("--min-accuracy", "0.7"), "accuracy is 66.7%, at least 70.0%", id="too few right"),
        pytest.param(("--min-precision", "0.7"), "precision is 50.0%, at least 70.0%", id="wrongly sent"),
        pytest.param(("--min-coverage", "0.9"), "coverage is 66.7%, at least 90.0%", id="too few sent"),
        pytest.param(("--max-desk", "0.3"), "desk is 33.3%, at most 30.0%", id="too many at the desk"),
    ],
)
def test_what_falls_short_ends_with_one_and_a_sentence(
    cases: str, demand: tuple[str, str], told: str
) -> None:
    code, said = evaluate(cases, *demand)
    assert code == 1
    assert told in said


def test_the_cases_that_went_wrong_are_told_by_their_numbers(cases: str) -> None:
    code, said = evaluate(cases, "--wrong")
    assert code == 0
    assert ["3", "rsj", "gjj", "by-words"] in [line.split() for line in said.splitlines()]
