"""
What a change at the source means for the tasks that are open.

| outcome | the units' tasks | the desk's task to register it by hand |
|---|---|---|
| `new`, `registered` | (there are none yet) | done: it is understood now |
| `revision` | told: `task.updated` | done |
| `withdrawal`, `closure` | told `task.cancelled`, and cancelled | done |
| anything else | untouched | untouched |

A change never routes an appeal afresh, unless routes.yaml names the changed field in `reroute_on`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from router.decisions.facts import Facts
from router.decisions.fields import Subject
from router.decisions.rules import RuleSet
from router.decisions.words import Reading
from router.message import Appeal, DispatchType, Outcome, Role


class OpenTask(Protocol):
    """A task not yet closed, as whoever asks keeps it."""

    @property
    def role(self) -> Role: ...


Task = TypeVar("Task", bound=OpenTask)


@dataclass(frozen=True, slots=True)
class Consequence(Generic[Task]):
    """What follows for one task."""

    task: Task
    message: DispatchType | None = None
    """What its unit is sent."""
    ends: Literal["cancelled", "done"] | None = None
    """How it ends, if it does."""


def consequences(outcome: Outcome, open_tasks: Iterable[Task]) -> list[Consequence[Task]]:
    """One for each task that something follows for, in their order."""
    made = (_consequence(outcome, task) for task in open_tasks)
    return [consequence for consequence in made if consequence]


def _consequence(outcome: Outcome, task: Task) -> Consequence[Task] | None:
    if task.role == "register":
        understood = outcome in ("new", "registered", "revision", "withdrawal", "closure")
        return Consequence(task, None, "done") if understood else None
    if outcome == "revision":
        return Consequence(task, "task.updated")
    if outcome in ("withdrawal", "closure"):
        return Consequence(task, "task.cancelled", "cancelled")
    return None


def reroutes(rules: RuleSet, outcome: Outcome, before: Appeal, after: Appeal) -> bool:
    """Whether this revision is to be routed afresh. What was withdrawn or closed never is."""
    if outcome != "revision":
        return False
    old, new = (Subject(appeal, Facts(), Reading("", ())) for appeal in (before, after))
    return any(field.get(old) != field.get(new) for field in rules.reroute_on)
