"""What the front is handed, kept in memory: small classes that keep the contracts of router/ports.py."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uuid_utils

from router.errors import LedgerUnavailable
from router.events import Event, RequestRefused
from router.message import Acceptance, Accepted, Appeal, Batch, Dispatch, Envelope, Outcome, Task
from router.ports import LeasedTask
from router.reasons import Refusal
from router.secrets import SecretRef

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def new_id() -> str:
    return str(uuid_utils.uuid7())


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Secrets:
    """A SecretReader over a dict."""

    def __init__(self, **known: str) -> None:
        self._known = known

    def __call__(self, ref: SecretRef) -> str:
        return self._known[str(ref.env)]


class Ledger:
    """Keeps `Accept` and `AppealStatus`: what it said yes to, it has. Recognises the very same bytes."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.fail_with: Exception | None = None
        self.before_commit: Callable[[], None] = lambda: None
        self._appeals: dict[tuple[str, str], str] = {}
        self._bytes: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def accept(self, batch: Batch) -> Acceptance:
        self.before_commit()
        if self.fail_with is not None:
            raise self.fail_with
        with self._lock:
            return Acceptance(items=tuple(self._record(envelope) for envelope in batch.envelopes))

    def _record(self, envelope: Envelope) -> Accepted:
        key = (envelope.source, envelope.source_id)
        is_known = key in self._appeals
        appeal_id = self._appeals.setdefault(key, new_id())
        outcome: Outcome = "failed" if envelope.problem else "revision" if is_known else "new"
        if self._bytes.get(appeal_id) == envelope.body:
            outcome = "duplicate"
        else:
            self._bytes[appeal_id] = envelope.body
            self.envelopes.append(envelope)
        return Accepted(source_id=envelope.source_id, appeal_id=appeal_id, revision=1, outcome=outcome)

    def status(self, source: str, appeal_id: str) -> dict[str, object] | None:
        for (owner, source_id), known in self._appeals.items():
            if owner == source and known == appeal_id:
                return {
                    "appeal_id": appeal_id,
                    "source_id": source_id,
                    "state": "open",
                    "revision": 1,
                    "updated_at": START,
                    "tasks": [{"unit": "rsj", "role": "lead", "state": "open"}],
                }
        return None


class Store:
    """Keeps `AttachmentStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.fail_with: Exception | None = None

    def put(self, content: bytes) -> str:
        if self.fail_with is not None:
            raise self.fail_with
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def get(self, sha256: str) -> bytes | None:
        return self.kept.get(sha256)


@dataclass
class _Row:
    dispatch: Dispatch
    state: str = "pending"
    lease: int = 0
    until: datetime = START - timedelta(days=1)
    words: str = ""


@dataclass
class WorkList:
    """Keeps `WorkList`: leases run out, and an old lease settles nothing."""

    clock: Clock
    rows: list[_Row] = field(default_factory=list)
    readable: set[tuple[str, str]] = field(default_factory=set)
    fail: bool = False

    def add(self, dispatch: Dispatch) -> None:
        self.rows.append(_Row(dispatch))

    def lease(self, destination: str, limit: int, lease_for: timedelta) -> list[LeasedTask]:
        if self.fail:
            raise LedgerUnavailable("the database is away")
        now = self.clock()
        due = [r for r in self.rows if r.dispatch.destination == destination and r.state == "pending"]
        free = [row for row in due if row.until <= now][:limit]
        for row in free:
            row.lease, row.until = row.lease + 1, now + lease_for
        return [LeasedTask(row.dispatch, str(row.lease), row.until, row.lease) for row in free]

    def acknowledge(self, destination: str, dispatch_id: str, lease: str) -> bool:
        return self._settle(destination, dispatch_id, lease, "accepted", "")

    def reject(self, destination: str, dispatch_id: str, lease: str, reason: str) -> bool:
        return self._settle(destination, dispatch_id, lease, "rejected", reason)

    def _settle(self, destination: str, dispatch_id: str, lease: str, state: str, words: str) -> bool:
        for row in self.rows:
            if (row.dispatch.destination, row.dispatch.dispatch_id) != (destination, dispatch_id):
                continue
            if str(row.lease) != lease or (row.state == "pending" and row.until <= self.clock()):
                return False
            if row.state == "pending":
                row.state, row.words = state, words
            return row.state == state
        return False

    def may_read(self, destination: str, sha256: str) -> bool:
        return (destination, sha256) in self.readable


class Events(list[Event]):
    """An observer that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def refusals(self) -> list[Refusal]:
        return [event.reason for event in self if isinstance(event, RequestRefused)]


def dispatch(destination: str = "rsj", content: str = "用工登记一直无法提交") -> Dispatch:
    appeal_id = new_id()
    return Dispatch(
        dispatch_id=new_id(),
        type="task.created",
        destination=destination,
        task=Task(task_id=new_id(), unit=destination, role="lead", sequence=1, created_at=START),
        appeal=Appeal(
            appeal_id=appeal_id,
            source="app",
            source_id="A-1",
            revision=1,
            channel="苏商通自报",
            content=content,
            received_at=START,
        ),
    )
