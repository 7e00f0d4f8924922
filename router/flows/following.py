"""
What follows from an appeal that was understood: tasks and messages, new, changed or ended.

Keeps the cases of one batch up to date while it goes through it. Pure work; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from router.decisions.lifecycle import consequences
from router.errors import PermanentError, Unroutable
from router.flows.records import (
    Case,
    ClosedTask,
    NewDead,
    NewDelivery,
    NewTask,
    OpenTask,
    Recording,
)
from router.flows.rulebook import Rulebook
from router.message import Appeal, Decision, DispatchType
from router.ports import Identity
from router.reasons import Reason, Stage


class Following:
    """One batch's cases. Not thread-safe, thrown away afterwards."""

    def __init__(
        self, rulebook: Rulebook, cases: Mapping[str, Case], route: Callable[[Appeal], Decision]
    ) -> None:
        self._book = rulebook
        self._route = route
        self._cases = dict(cases)
        self._latest: dict[str, Recording] = {}
        """What this batch did to an appeal and its case does not show yet."""

    def remember(self, recording: Recording) -> None:
        """Later items of the batch see what this one did."""
        earlier = self._latest.get(recording.after.appeal_id)
        if earlier is not None:
            self._follow(earlier)
        self._latest[recording.after.appeal_id] = recording

    def new(self, base: Recording, appeal: Appeal) -> Recording:
        """First understood: route it. What the desk held to be registered by hand is settled."""
        case = self._case(appeal.appeal_id)
        settled = tuple(ClosedTask(task.task_id, "done") for task in case.tasks)
        try:
            decision = self._route(appeal)
        except Unroutable as error:
            return base._replace(closed_tasks=settled, dead=self._unroutable(error))
        new_id, lead = self._book.new_id, decision.lead
        tasks = [NewTask(new_id(), unit, "lead" if unit == lead else "assisting") for unit in decision.units]
        deliveries = [self._delivery(case, task, "task.created", appeal.revision) for task in tasks]
        # All of it by place: `_replace` would take three times as long, and every new appeal comes by here.
        return Recording(
            base.envelope,
            base.envelope_id,
            base.outcome,
            base.before,
            base.after,
            decision.rule,
            base.appeal,
            decision,
            tuple(tasks),
            tuple(deliveries),
            settled,
            True,
            base.dead,
            base.twin,
            base.is_kept,
        )

    def change(self, base: Recording) -> Recording:
        """Open tasks are told, or end; a change that the rules name routes the appeal afresh."""
        case = self._case(base.after.appeal_id)
        changed = self._tell(base, case)
        before = self._before(base) if self._book.router.may_reroute else None
        assert base.appeal is not None
        if before is None or not self._book.router.reroutes(base.outcome, before, base.appeal):
            return changed
        return self._reroute(changed, base.appeal, case)

    def end(self, base: Recording) -> Recording:
        """It is no more, and was never understood: what the desk held of it is settled."""
        return self._tell(base, self._case(base.after.appeal_id))

    def by_hand(self, base: Recording) -> Recording:
        """The desk gets a task to register it by hand, unless it has one."""
        case = self._case(base.after.appeal_id)
        if any(task.role == "register" for task in case.tasks):
            return base
        task = NewTask(self._book.new_id(), self._book.desk, "register")
        delivery = self._delivery(case, task, "task.created", base.after.revision)
        return base._replace(tasks=(task,), deliveries=(delivery,))

    def _tell(self, base: Recording, case: Case) -> Recording:
        follows = consequences(base.outcome, case.tasks)
        return base._replace(
            deliveries=tuple(
                self._delivery(case, c.task, c.message, base.after.revision) for c in follows if c.message
            ),
            closed_tasks=tuple(ClosedTask(c.task.task_id, c.ends) for c in follows if c.ends),
            resolves_dead=True,
        )

    def _before(self, base: Recording) -> Appeal | None:
        """The revision before this one as today's mapping reads it; None when it cannot."""
        head = base.before
        kept = self._book.kept(head.envelope_id) if head and head.envelope_id else None
        if head is None or kept is None:
            return None
        try:
            return self._book.translator.translate(kept).appeal(Identity(head.appeal_id, head.revision))
        except PermanentError:
            return None

    def _reroute(self, changed: Recording, appeal: Appeal, case: Case) -> Recording:
        """Units no longer named are told that it is cancelled, new ones get a task of their own."""
        try:
            decision = self._route(appeal)
        except Unroutable as error:
            return changed._replace(dead=self._unroutable(error), resolves_dead=False)
        open_tasks = [task for task in case.tasks if task.role != "register"]
        gone = [task for task in open_tasks if task.unit not in decision.units]
        have = {task.unit for task in open_tasks}
        tasks = tuple(
            NewTask(self._book.new_id(), unit, "lead" if unit == decision.lead else "assisting")
            for unit in decision.units
            if unit not in have
        )
        leaving = {task.task_id for task in gone}
        told = tuple(
            d._replace(type="task.cancelled") if d.task_id in leaving else d for d in changed.deliveries
        )
        new = tuple(self._delivery(case, task, "task.created", appeal.revision) for task in tasks)
        return changed._replace(
            rule=decision.rule,
            decision=decision,
            tasks=tasks,
            deliveries=told + new,
            closed_tasks=(*changed.closed_tasks, *(ClosedTask(t.task_id, "cancelled") for t in gone)),
        )

    def _unroutable(self, error: Unroutable) -> NewDead:
        return dead_letter(self._book.new_id, Stage.ROUTE, Reason.UNROUTABLE, error)

    def _delivery(
        self, case: Case, task: NewTask | OpenTask, type_: DispatchType, revision: int
    ) -> NewDelivery:
        line = case.next_sequence(task.unit)
        return NewDelivery(self._book.new_id(), task.task_id, task.unit, line, revision, type_)

    def _case(self, appeal_id: str) -> Case:
        """As the items before this one left it; worked out only for appeals that come again."""
        latest = self._latest.pop(appeal_id, None)
        if latest is not None:
            self._follow(latest)
        return self._cases.get(appeal_id, _NOTHING)

    def _follow(self, recording: Recording) -> None:
        """Bring the case up to what this recording did."""
        case = self._cases.get(recording.after.appeal_id, _NOTHING)
        closed = {task.task_id for task in recording.closed_tasks}
        kept = tuple(task for task in case.tasks if task.task_id not in closed)
        new = tuple(OpenTask(task.task_id, task.unit, task.role) for task in recording.tasks)
        sent = {delivery.destination: delivery.sequence for delivery in recording.deliveries}
        self._cases[recording.after.appeal_id] = Case(kept + new, {**case.last_sequence, **sent})


def dead_letter(new_id: Callable[[], str], stage: Stage, reason: Reason, error: Exception) -> NewDead:
    """A dead letter about an envelope, with the error's own words."""
    return NewDead(new_id(), stage, reason, str(error)[:2000])


_NOTHING = Case()
