"""
Reading one batch: what each envelope is, against what the ledger knew, and what follows from it.

Pure work between a look-up and a commit. Items are read in order and each sees what the ones
before it changed, so that an item which stands twice in a page is one appeal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from router.decisions.lifecycle import consequences
from router.errors import MalformedEnvelope, PermanentError, Unroutable
from router.flows.records import (
    UNREGISTERED,
    Case,
    ClosedTask,
    Head,
    NewDead,
    NewDelivery,
    NewTask,
    OpenTask,
    Recording,
)
from router.message import Accepted, Appeal, Decision, DispatchType, Envelope, Outcome
from router.ports import Identity, NewId, Translation, Translator
from router.reasons import Reason, Stage

REFUSED_DATA = "the database refused its data"


class Router(Protocol):
    """The rules, ready to decide."""

    def route(self, appeal: Appeal) -> Decision:
        """Where it goes and why. Raises Unroutable."""

    @property
    def may_reroute(self) -> bool:
        """Whether any change of an appeal could route it afresh."""

    def reroutes(self, outcome: Outcome, before: Appeal, after: Appeal) -> bool:
        """Whether this change does."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the configuration says about one source's items, under one configuration hash."""

    translator: Translator
    router: Router
    desk: str
    config_hash: str
    new_id: NewId
    kept: Callable[[str], Envelope | None]
    """Fetches an original from the ledger, to translate it anew after a configuration change."""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one envelope. A plain duplicate leaves nothing to record."""

    accepted: Accepted
    recording: Recording | None = None
    unknown_codes: tuple[tuple[str, str], ...] = ()


class Reading:
    """One batch against one look-up. Not thread-safe, thrown away afterwards."""

    def __init__(self, rulebook: Rulebook, heads: Mapping[str, Head], cases: Mapping[str, Case]) -> None:
        self._book = rulebook
        self._heads = dict(heads)
        self._cases = dict(cases)
        self._latest: dict[str, Recording] = {}
        """What this batch did to an appeal and its case does not show yet."""

    def read(self, envelope: Envelope, raw_hash: str) -> Read:
        """Say what this envelope is and what is to be written. Never raises for the envelope's sake."""
        head = self._heads.get(envelope.source_id)
        if head is not None and head.raw_hash == raw_hash:
            return Read(_accepted(envelope, head, "duplicate"))
        after = self._seen(raw_hash, head)
        return self._read(Recording(envelope, self._book.new_id(), "new", head, after))

    def reread(self, envelope: Envelope, envelope_id: str) -> Read:
        """The same for an envelope that is in the ledger already, under today's configuration."""
        head = self._heads[envelope.source_id]
        after = self._seen(head.raw_hash, head)
        return self._read(Recording(envelope, envelope_id, "new", head, after, is_kept=True))

    def register(self, base: Recording, appeal: Appeal) -> Recording:
        """An appeal that a person typed in: routed like any other; the desk's own task is settled."""
        return self._dispatch_new(base._replace(appeal=appeal), appeal)

    def _read(self, base: Recording) -> Read:
        codes: tuple[tuple[str, str], ...] = ()
        try:
            if base.envelope.problem is not None:
                raise MalformedEnvelope(base.envelope.problem)
            translation = self._book.translator.translate(base.envelope)
            codes = translation.unknown_codes
            recording = self._understand(base, translation)
        except PermanentError as error:
            recording = self._fail(base, error)
        self._heads[base.envelope.source_id] = recording.after
        self._latest[recording.after.appeal_id] = recording
        return Read(_accepted(base.envelope, recording.after, recording.outcome), recording, codes)

    def _understand(self, base: Recording, translation: Translation) -> Recording:
        outcome = self._outcome(translation, base.before)
        if outcome in ("echo", "unchanged", "stale"):
            return base._replace(outcome=outcome)
        return self._revise(base._replace(outcome=outcome), translation)

    def _outcome(self, translation: Translation, head: Head | None) -> Outcome:
        if head is None or head.revision == 0:
            return "new"
        if translation.is_echo:
            return "echo"
        if translation.digest == self._digest_today(head):
            return "unchanged"
        if translation.source_time and head.source_time and translation.source_time < head.source_time:
            return "stale"
        return "revision"

    def _digest_today(self, head: Head) -> str | None:
        """The latest revision's digest as today's mapping would make it.

        An edited mapping changes digests without any change at the source; comparing like with
        like keeps that from becoming a storm of revisions.
        """
        if head.config_hash == self._book.config_hash or head.envelope_id is None:
            return head.digest
        kept = self._book.kept(head.envelope_id)
        if kept is None:
            return head.digest
        try:
            return self._book.translator.translate(kept).digest
        except PermanentError:
            return head.digest

    def _seen(self, raw_hash: str, head: Head | None) -> Head:
        """The head after an envelope that changes nothing but what was last seen."""
        if head is not None:
            return head._replace(version=head.version + 1, raw_hash=raw_hash)
        return Head(
            self._book.new_id(), 0, 1, UNREGISTERED, None, raw_hash, None, self._book.config_hash, None
        )

    def _revise(self, base: Recording, translation: Translation) -> Recording:
        appeal = translation.appeal(Identity(base.after.appeal_id, base.after.revision + 1))
        outcome = base.outcome
        if outcome == "revision" and appeal.standing != "open":
            outcome = "withdrawal" if appeal.standing == "withdrawn" else "closure"
        after = base.after._replace(
            revision=appeal.revision,
            state=appeal.standing,
            digest=translation.digest,
            source_time=translation.source_time,
            config_hash=self._book.config_hash,
            envelope_id=base.envelope_id,
        )
        revised = base._replace(outcome=outcome, after=after, appeal=appeal)
        return self._dispatch_new(revised, appeal) if outcome == "new" else self._dispatch_change(revised)

    def _dispatch_new(self, base: Recording, appeal: Appeal) -> Recording:
        """First understood: route it. What the desk held to be registered by hand is settled."""
        case = self._case(appeal.appeal_id)
        settled = tuple(ClosedTask(task.task_id, "done") for task in case.tasks)
        try:
            decision = self._book.router.route(appeal)
        except Unroutable as error:
            return base._replace(closed_tasks=settled, dead=self._dead(Stage.ROUTE, error))
        tasks = tuple(
            NewTask(self._book.new_id(), unit, "lead" if place == 0 else "assisting")
            for place, unit in enumerate(decision.units)
        )
        deliveries = tuple(self._delivery(case, task, "task.created", appeal.revision) for task in tasks)
        return base._replace(
            rule=decision.rule,
            decision=decision,
            tasks=tasks,
            deliveries=deliveries,
            closed_tasks=settled,
            resolves_dead=True,
        )

    def _case(self, appeal_id: str) -> Case:
        """As the items before this one left it; worked out only for appeals that come again."""
        latest = self._latest.pop(appeal_id, None)
        if latest is not None:
            self._follow(latest)
        return self._cases.get(appeal_id, _NOTHING)

    def _dispatch_change(self, base: Recording) -> Recording:
        """Open tasks are told, or end; a change that the rules name routes the appeal afresh."""
        case = self._case(base.after.appeal_id)
        follows = consequences(base.outcome, case.tasks)
        changed = base._replace(
            deliveries=tuple(
                self._delivery(case, c.task, c.message, base.after.revision) for c in follows if c.message
            ),
            closed_tasks=tuple(ClosedTask(c.task.task_id, c.ends) for c in follows if c.ends),
            resolves_dead=True,
        )
        before = self._before(base) if self._book.router.may_reroute else None
        assert base.appeal is not None
        if before is None or not self._book.router.reroutes(base.outcome, before, base.appeal):
            return changed
        return self._reroute(changed, base.appeal, case)

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
            decision = self._book.router.route(appeal)
        except Unroutable as error:
            return changed._replace(dead=self._dead(Stage.ROUTE, error), resolves_dead=False)
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

    def _fail(self, base: Recording, error: PermanentError) -> Recording:
        """Recorded all the same: a dead letter for the admin, and a task for the desk to register it."""
        dead = self._dead(Stage.DECODE if base.envelope.problem else Stage.MAP, error, base.envelope)
        failed = base._replace(outcome="failed", dead=dead)
        case = self._case(base.after.appeal_id)
        if any(task.role == "register" for task in case.tasks):
            return failed
        task = NewTask(self._book.new_id(), self._book.desk, "register")
        delivery = self._delivery(case, task, "task.created", base.after.revision)
        return failed._replace(tasks=(task,), deliveries=(delivery,))

    def _dead(self, stage: Stage, error: PermanentError, envelope: Envelope | None = None) -> NewDead:
        reason = {Stage.ROUTE: Reason.UNROUTABLE, Stage.MAP: Reason.MAPPING_FAILED}.get(
            stage, Reason.MALFORMED
        )
        if isinstance(error, MalformedEnvelope) and stage is Stage.MAP:
            stage, reason = Stage.DECODE, Reason.MALFORMED
        if envelope is not None and envelope.problem is not None:
            if envelope.source_id.startswith("sha256:"):
                reason = Reason.NO_ID
            elif envelope.problem.startswith(REFUSED_DATA):
                reason = Reason.REFUSED_BY_LEDGER
        return NewDead(self._book.new_id(), stage, reason, str(error)[:2000])

    def _delivery(
        self, case: Case, task: NewTask | OpenTask, type_: DispatchType, revision: int
    ) -> NewDelivery:
        line = case.next_sequence(task.unit)
        return NewDelivery(self._book.new_id(), task.task_id, task.unit, line, revision, type_)

    def _follow(self, recording: Recording) -> None:
        """Bring the case up to what this recording did."""
        case = self._cases.get(recording.after.appeal_id, _NOTHING)
        closed = {task.task_id for task in recording.closed_tasks}
        kept = tuple(task for task in case.tasks if task.task_id not in closed)
        new = tuple(OpenTask(task.task_id, task.unit, task.role) for task in recording.tasks)
        sent = {delivery.destination: delivery.sequence for delivery in recording.deliveries}
        self._cases[recording.after.appeal_id] = Case(kept + new, {**case.last_sequence, **sent})


_NOTHING = Case()


def _accepted(envelope: Envelope, head: Head, outcome: Outcome) -> Accepted:
    return Accepted(
        source_id=envelope.source_id, appeal_id=head.appeal_id, revision=head.revision, outcome=outcome
    )
