"""
Replay: a person sends dead letters again, under today's configuration, with the same ids.

What could not be understood is translated and routed anew, as if it came in now. What died on the
way out is mapped and routed anew too: when today's rules still name its destination, the very same
delivery becomes due again; when they name another, its task moves there. Each letter is claimed by
compare-and-set in the transaction that revives it, so a second click, a second person or an
overlapping filter finds nothing left to do. What fails again stays where it was, with today's reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from router.crashpoints import crashpoint
from router.errors import PermanentError
from router.flows.intake import Conflict
from router.flows.reading import Reading
from router.flows.records import Actor, BatchRecord, Case, Head, NewDelivery, NewTask
from router.flows.rulebook import Rulebook
from router.message import Appeal, Decision, Envelope
from router.ports import Clock, Identity

MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class DeadItem:
    """An open dead letter with what is needed to mend it."""

    dead_id: str
    source: str | None
    head: Head | None
    """None for a message the hub never sent."""
    case: Case
    envelope: Envelope | None
    """The original: of the letter itself, or of the revision that the dead delivery carries."""
    envelope_id: str | None
    delivery: DeadDelivery | None
    letter_id: str | None = None
    """A mail of the hub's own that no mail server took."""


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """The delivery that died."""

    delivery_id: str
    destination: str
    task_id: str
    type: str
    revision: int
    revision_outcome: str | None


@dataclass(frozen=True, slots=True)
class Revival:
    """What is to be committed for one delivery that is sent again."""

    dead_id: str
    delivery: DeadDelivery
    appeal: Appeal | None
    """Mapped anew, to take the revision's place; None to send what is kept."""
    decision: Decision | None
    digest: str | None
    """The appeal's digest under today's mapping, when this is its latest revision."""
    moved_to: tuple[NewTask, ...] = ()
    """When today's rules name others: their tasks; the dead one's task is cancelled."""
    deliveries: tuple[NewDelivery, ...] = ()


Outcome = Literal["replayed", "moved", "settled", "still_dead", "gone"]


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of one letter. `gone`: someone was faster; `settled`: newer facts overtook it."""

    dead_id: str
    outcome: Outcome
    sentence: str = ""


class ReplayLedger(Protocol):
    def dead_item(self, dead_id: str) -> DeadItem | None:
        """An open dead letter; None when there is none (any more) of that id."""

    def replay_envelope(self, dead_id: str, batch: BatchRecord, actor: Actor) -> bool:
        """Commit a letter's second reading. False when the letter is no longer open. May raise Conflict."""

    def revive(self, revival: Revival, config_hash: str, actor: Actor, now: datetime) -> bool:
        """Commit a delivery's second life. False when the letter is no longer open."""

    def post_again(self, dead_id: str, letter_id: str, actor: Actor, now: datetime) -> bool:
        """The hub's own mail is due again. False when the dead letter is no longer open."""

    def still_dead(self, dead_id: str, sentence: str, actor: Actor, now: datetime) -> None:
        """Replaying did not help: count it, keep today's reason."""

    def discard(self, dead_id: str, actor: Actor, now: datetime) -> bool:
        """End it: the letter is closed, its delivery cancelled, later ones of the appeal may go."""


class Replay:
    """Mends dead letters one by one; `books` gives a source's rules under today's configuration."""

    def __init__(
        self,
        ledger: ReplayLedger,
        books: Callable[[str], Rulebook | None],
        *,
        clock: Clock,
        config_hash: str,
    ) -> None:
        self._ledger = ledger
        self._books = books
        self._clock = clock
        self._config_hash = config_hash

    def replay(self, dead_ids: Sequence[str], actor: Actor) -> Iterator[Mended]:
        """Oldest first, each in a transaction of its own; stop whenever you like."""
        for dead_id in dead_ids:
            yield self._one(dead_id, actor)

    def discard(self, dead_ids: Sequence[str], actor: Actor) -> Iterator[Mended]:
        for dead_id in dead_ids:
            done = self._ledger.discard(dead_id, actor, self._clock())
            yield Mended(dead_id, "settled" if done else "gone")

    def _one(self, dead_id: str, actor: Actor) -> Mended:
        for _ in range(MAX_TRIES):
            item = self._ledger.dead_item(dead_id)
            if item is None:
                return Mended(dead_id, "gone", "nothing open under this id")
            try:
                return self._mend(item, actor)
            except Conflict:
                continue
            except PermanentError as error:
                return self._still_dead(dead_id, f"{error}", actor)
        return Mended(dead_id, "still_dead", "the appeal kept changing meanwhile; try again")

    def _mend(self, item: DeadItem, actor: Actor) -> Mended:
        if item.letter_id is not None:
            done = self._ledger.post_again(item.dead_id, item.letter_id, actor, self._clock())
            return Mended(item.dead_id, "replayed" if done else "gone")
        book = self._books(item.source) if item.source else None
        if item.head is None or book is None:
            return self._still_dead(item.dead_id, "not a message of a configured source; discard it", actor)
        crashpoint("replay.before_commit")
        mended = self._revive(item, item.head, item.delivery, book, actor) if item.delivery else None
        mended = mended or self._read_again(item, item.head, book, actor)
        crashpoint("replay.after_commit")
        return mended

    def _read_again(self, item: DeadItem, head: Head, book: Rulebook, actor: Actor) -> Mended:
        if item.envelope is None or item.envelope_id is None:
            return self._still_dead(item.dead_id, "its original is gone; discard it", actor)
        reading = Reading(book, {item.envelope.source_id: head}, {head.appeal_id: item.case})
        recording = reading.reread(item.envelope, item.envelope_id).recording
        assert recording is not None
        if recording.dead is not None:
            return self._still_dead(item.dead_id, recording.dead.sentence, actor)
        batch = BatchRecord(item.envelope.source, self._clock(), self._config_hash, (recording,))
        if not self._ledger.replay_envelope(item.dead_id, batch, actor):
            return Mended(item.dead_id, "gone", "someone was faster")
        overtaken = recording.outcome in ("echo", "unchanged", "stale")
        return Mended(item.dead_id, "settled" if overtaken else "replayed", recording.outcome)

    def _revive(
        self, item: DeadItem, head: Head, delivery: DeadDelivery, book: Rulebook, actor: Actor
    ) -> Mended:
        revival = self._plan(item, head, delivery, book)
        if not self._ledger.revive(revival, self._config_hash, actor, self._clock()):
            return Mended(item.dead_id, "gone", "someone was faster")
        if revival.moved_to:
            return Mended(item.dead_id, "moved", ", ".join(task.unit for task in revival.moved_to))
        return Mended(item.dead_id, "replayed", delivery.destination)

    def _plan(self, item: DeadItem, head: Head, delivery: DeadDelivery, book: Rulebook) -> Revival:
        """Map and route anew, except what a person typed in by hand: that has no mapping."""
        if item.envelope is None or delivery.revision_outcome in (None, "registered"):
            return Revival(item.dead_id, delivery, None, None, None)
        translation = book.translator.translate(item.envelope)
        appeal = translation.appeal(Identity(head.appeal_id, delivery.revision))
        decision = book.router.route(appeal)
        digest = translation.digest if delivery.revision == head.revision else None
        kept = Revival(item.dead_id, delivery, appeal, decision, digest)
        if delivery.type != "task.created" or delivery.destination in decision.units:
            return kept
        return self._move(kept, item.case, decision, book)

    def _move(self, kept: Revival, case: Case, decision: Decision, book: Rulebook) -> Revival:
        have = {task.unit for task in case.tasks}
        tasks = tuple(
            NewTask(book.new_id(), unit, "lead" if unit == decision.lead else "assisting")
            for unit in decision.units
            if unit not in have
        )
        deliveries = tuple(
            NewDelivery(
                book.new_id(), task.task_id, task.unit, case.next_sequence(task.unit),
                kept.delivery.revision, "task.created",
            )
            for task in tasks
        )  # fmt: skip
        return Revival(kept.dead_id, kept.delivery, kept.appeal, decision, kept.digest, tasks, deliveries)

    def _still_dead(self, dead_id: str, sentence: str, actor: Actor) -> Mended:
        self._ledger.still_dead(dead_id, sentence, actor, self._clock())
        return Mended(dead_id, "still_dead", sentence)
