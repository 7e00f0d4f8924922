"""
Reading one batch: what each envelope is, against what the ledger knew, and what follows from it.

Pure work between a look-up and a commit. Items are read in order and each sees what the ones
before it changed, so that an item which stands twice in a page is one appeal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from router.errors import MalformedEnvelope, PermanentError
from router.flows.ahead import Ahead
from router.flows.following import Following, dead_letter
from router.flows.records import UNREGISTERED, Case, Head, NewDead, Recording
from router.flows.rulebook import Rulebook
from router.message import Accepted, Appeal, Envelope, Outcome
from router.ports import Identity, Translation
from router.reasons import Reason, Stage

REFUSED_DATA = "the database refused its data"


class Read(NamedTuple):
    """What became of one envelope. A plain duplicate leaves nothing to record."""

    accepted: Accepted
    recording: Recording | None = None
    unknown_codes: tuple[tuple[str, str], ...] = ()


class Reading:
    """One batch against one look-up. Not thread-safe, thrown away afterwards."""

    def __init__(self, rulebook: Rulebook, heads: Mapping[str, Head], cases: Mapping[str, Case]) -> None:
        self._book = rulebook
        self._heads = dict(heads)
        self._ahead = Ahead(rulebook)
        self._following = Following(rulebook, cases, self._ahead.route)

    def page(self, received: Sequence[tuple[Envelope, str]]) -> list[Read]:
        """Read envelopes with their raw hashes, in order."""
        self._ahead.work(received, self._heads)
        return [self.read(envelope, raw_hash) for envelope, raw_hash in received]

    def read(self, envelope: Envelope, raw_hash: str) -> Read:
        """Say what this envelope is and what is to be written. Never raises for the envelope's sake."""
        head = self._heads.get(envelope.source_id)
        if head is not None and head.raw_hash == raw_hash:
            return Read(_accepted(envelope, head, "duplicate"))
        after = self._seen(raw_hash, head) if head else self._first_seen(raw_hash, envelope.source_id)
        return self._read(Recording(envelope, self._book.new_id(), "new", head, after))

    def reread(self, envelope: Envelope, envelope_id: str) -> Read:
        """The same for an envelope that is in the ledger already, under today's configuration."""
        head = self._heads[envelope.source_id]
        after = self._seen(head.raw_hash, head)
        return self._read(Recording(envelope, envelope_id, "new", head, after, is_kept=True))

    def register(self, base: Recording, appeal: Appeal) -> Recording:
        """An appeal that a person typed in: routed like any other; the desk's own task is settled."""
        return self._following.new(base._replace(appeal=appeal), appeal)

    def strike(self, envelope: Envelope, raw_hash: str) -> Read:
        """An item that its set no longer has: withdrawn, also when it was never understood.

        `envelope` says that it is absent, in the words of the source's mapping.
        """
        head = self._heads[envelope.source_id]
        after = self._seen(raw_hash, head)
        base = Recording(envelope, self._book.new_id(), "withdrawal", head, after)
        if head.revision:
            return self._read(base._replace(outcome="new"))
        return self._done(self._following.end(base._replace(after=after._replace(state="withdrawn"))))

    def _read(self, base: Recording) -> Read:
        codes: tuple[tuple[str, str], ...] = ()
        try:
            if base.envelope.problem is not None:
                raise MalformedEnvelope(base.envelope.problem)
            translation = self._ahead.translation(base.envelope)
            codes = translation.unknown_codes
            recording = self._understand(base, translation)
        except PermanentError as error:
            recording = self._fail(base, error)
        return self._done(recording, codes)

    def _done(self, recording: Recording, codes: tuple[tuple[str, str], ...] = ()) -> Read:
        self._heads[recording.envelope.source_id] = recording.after
        self._following.remember(recording)
        accepted = _accepted(recording.envelope, recording.after, recording.outcome, recording.dead)
        return Read(accepted, recording, codes)

    def _understand(self, base: Recording, translation: Translation) -> Recording:
        outcome = self._outcome(translation, base.before)
        if outcome in ("echo", "unchanged", "stale"):
            return base._replace(outcome=outcome)
        return self._revise(base if outcome == base.outcome else base._replace(outcome=outcome), translation)

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

    def _seen(self, raw_hash: str, head: Head) -> Head:
        """The head after an envelope that changes nothing but what was last seen."""
        return head._replace(version=head.version + 1, raw_hash=raw_hash)

    def _first_seen(self, raw_hash: str, source_id: str) -> Head:
        """The head of an appeal that nobody has understood yet."""
        appeal_id = self._ahead.appeal_id(source_id)
        return Head(appeal_id, 0, 1, UNREGISTERED, None, raw_hash, None, self._book.config_hash, None)

    def _revise(self, base: Recording, translation: Translation) -> Recording:
        identity = Identity(base.after.appeal_id, base.after.revision + 1)
        appeal = self._ahead.appeal(translation, identity)
        objection = self._objection(appeal) if base.outcome == "new" else None
        if objection is not None:
            return self._refuse(base, objection)
        outcome = base.outcome
        if outcome == "revision" and appeal.standing != "open":
            outcome = "withdrawal" if appeal.standing == "withdrawn" else "closure"
        seen = base.after
        after = Head(
            seen.appeal_id,
            appeal.revision,
            seen.version,
            appeal.standing,
            translation.digest,
            seen.raw_hash,
            translation.source_time,
            self._book.config_hash,
            base.envelope_id,
        )
        if outcome != "new":
            return self._following.change(base._replace(outcome=outcome, after=after, appeal=appeal))
        return self._following.new(base._replace(after=after, appeal=appeal, twin=self._twin(appeal)), appeal)

    def _objection(self, appeal: Appeal) -> str | None:
        """R7: only an approved unit's registered user reports directly."""
        if self._book.admission is None or appeal.mode != "direct_report":
            return None
        return self._book.admission.objection(appeal)

    def _twin(self, appeal: Appeal) -> str | None:
        """R5: what a unit reports as closed may be open here from another door."""
        if self._book.twins is None or appeal.standing != "closed" or appeal.mode == "self_report":
            return None
        return self._book.twins.open_twin(appeal)

    def _refuse(self, base: Recording, objection: str) -> Recording:
        """Recorded with the reason and given to nobody; replaying takes it up once there is an approval."""
        dead = NewDead(self._book.new_id(), Stage.ADMIT, Reason.UNAPPROVED, objection)
        after = base.after._replace(state="unapproved")
        return base._replace(outcome="unapproved", after=after, dead=dead)

    def _fail(self, base: Recording, error: PermanentError) -> Recording:
        """Recorded all the same: a dead letter for the admin, and a task for the desk to register it."""
        stage = Stage.DECODE if base.envelope.problem else Stage.MAP
        failed = base._replace(outcome="failed", dead=self._dead(stage, error, base.envelope))
        return self._following.by_hand(failed)

    def _dead(self, stage: Stage, error: PermanentError, envelope: Envelope) -> NewDead:
        reason = Reason.MAPPING_FAILED if stage is Stage.MAP else Reason.MALFORMED
        if isinstance(error, MalformedEnvelope) and stage is Stage.MAP:
            stage, reason = Stage.DECODE, Reason.MALFORMED
        if envelope.problem is not None:
            if envelope.source_id.startswith("sha256:"):
                reason = Reason.NO_ID
            elif envelope.problem.startswith(REFUSED_DATA):
                reason = Reason.REFUSED_BY_LEDGER
        return dead_letter(self._book.new_id, stage, reason, error)


def _accepted(envelope: Envelope, head: Head, outcome: Outcome, dead: NewDead | None = None) -> Accepted:
    if dead is None:
        return Accepted.made(
            source_id=envelope.source_id, appeal_id=head.appeal_id, revision=head.revision, outcome=outcome
        )
    return Accepted(
        source_id=envelope.source_id,
        appeal_id=head.appeal_id,
        revision=head.revision,
        outcome=outcome,
        reason=dead.sentence[:500],
    )
