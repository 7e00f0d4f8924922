"""What a change at the source means for open tasks."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import pytest

from router.decisions.lifecycle import Consequence, consequences, reroutes
from router.decisions.rules import RuleSet
from router.message import Outcome, Role
from tests.decisions.city import appeal, rules


class Task(NamedTuple):
    unit: str
    role: Role


LEAD, HELP, HAND = Task("rsj", "lead"), Task("gaj", "assisting"), Task("desk", "register")


@pytest.mark.parametrize(
    ("outcome", "follows"),
    [
        pytest.param(
            "revision",
            [
                Consequence(LEAD, "task.updated"),
                Consequence(HELP, "task.updated"),
                Consequence(HAND, None, "done"),
            ],
            id="a supplement goes to all units; what was to be registered by hand is understood",
        ),
        pytest.param(
            "withdrawal",
            [
                Consequence(LEAD, "task.cancelled", "cancelled"),
                Consequence(HELP, "task.cancelled", "cancelled"),
                Consequence(HAND, None, "done"),
            ],
            id="a withdrawal cancels",
        ),
        pytest.param(
            "closure",
            [
                Consequence(LEAD, "task.cancelled", "cancelled"),
                Consequence(HELP, "task.cancelled", "cancelled"),
                Consequence(HAND, None, "done"),
            ],
            id="so does a close at the source",
        ),
        pytest.param("new", [Consequence(HAND, None, "done")], id="understood at last"),
        pytest.param("registered", [Consequence(HAND, None, "done")], id="registered by a person"),
        *(
            pytest.param(outcome, [], id=f"{outcome} changes nothing")
            for outcome in ("duplicate", "unchanged", "stale", "echo", "failed")
        ),
    ],
)
def test_consequences(outcome: Outcome, follows: list[Consequence[Task]]) -> None:
    assert consequences(outcome, [LEAD, HELP, HAND]) == follows


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_without_open_tasks_nothing_follows(outcome: Outcome) -> None:
    assert consequences(outcome, []) == []


PLAIN = rules("when: {kind: help}, to: rsj")
EAGER = rules("when: {kind: help}, to: rsj", tail="reroute_on: [kind, enterprise.name]\n")


@pytest.mark.parametrize(
    ("made", "outcome", "change", "is_rerouted"),
    [
        pytest.param(PLAIN, "revision", {"kind": "help"}, False, id="a revision never routes afresh"),
        pytest.param(EAGER, "revision", {"kind": "help"}, True, id="unless the rules name what changed"),
        pytest.param(EAGER, "revision", {"enterprise": {"name": "某厂"}}, True, id="also a part of a field"),
        pytest.param(EAGER, "revision", {"title": "新"}, False, id="another change does not"),
        pytest.param(EAGER, "withdrawal", {"kind": "help"}, False, id="what was withdrawn stays where it is"),
        pytest.param(EAGER, "closure", {"kind": "help"}, False, id="so does what was closed"),
    ],
)
def test_reroutes(made: RuleSet, outcome: Outcome, change: dict[str, Any], is_rerouted: bool) -> None:
    assert reroutes(made, outcome, appeal(), appeal(**change)) is is_rerouted
