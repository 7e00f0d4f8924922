"""
What the flows need from outside, as promises. Wiring hands in whoever keeps them.

Only what more than one room speaks of stands here; a port that one flow alone uses stands
beside that flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from router.letters import Letter
from router.message import Acceptance, Appeal, Batch, Cursor, Dispatch, Envelope, Receipt

Clock = Callable[[], datetime]
"""Now, aware UTC."""
NewId = Callable[[], str]
"""A fresh UUIDv7."""
Accept = Callable[[Batch], Acceptance]
"""Record a batch. Returns after COMMIT; raises LedgerUnavailable when nothing was promised."""


class Source(Protocol):
    """
    One outside system, seen as a stream of batches.

    The intake opens a source, walks `fetch`, and calls `acknowledge` once a batch is safe in
    the ledger. A crash in between means the batch is fetched again; the ledger recognises it.
    """

    name: str
    goes_ahead: bool
    """Whether `fetch` may go on before its last batch is acknowledged."""

    def open(self) -> AbstractContextManager[None]:
        """Hold the connection for one polling round."""

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        """Yield what arrived after the cursor, oldest first; then stop.

        A batch carries the cursor that follows it. Raises TransientError when the source is away
        (what was yielded before counts), SourceRefused when it refuses us.
        """

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        """Tell the source we have it, and what became of it. Must be safe to call twice."""


class Destination(Protocol):
    """One receiver that the hub itself hands messages to (http, table, mail)."""

    name: str

    def deliver(self, dispatch: Dispatch, attempt: int) -> Receipt:
        """Hand it over once; no retrying inside.

        Carries the dispatch id as idempotency key, so that a second attempt after an unknown
        outcome has no second effect. Raises DestinationUnavailable or Throttled (try again),
        RejectedByReceiver (do not).
        """


class Identity(NamedTuple):
    """Who an appeal is, known to the intake and not to the mapping."""

    appeal_id: str
    revision: int


class Translation(Protocol):
    """What a mapping made of one envelope."""

    digest: str
    """SHA-256 over the fields that make a revision."""
    source_time: datetime | None
    """The source's change time by the mapping, else the envelope's."""
    is_echo: bool
    """This change at the source is our own write-back."""
    unknown_codes: tuple[tuple[str, str], ...]
    """(field, code table) for each code that no table knows."""

    def appeal(self, identity: Identity) -> Appeal:
        """The canonical appeal. Raises MappingFailed naming file, line, field and masked value."""


class Translator(Protocol):
    """One source's mapping, ready to work. Pure and thread-safe."""

    def translate(self, envelope: Envelope) -> Translation:
        """Raises MalformedEnvelope or MappingFailed."""


class Projector(Protocol):
    """A destination's own form of a dispatch."""

    def project(self, dispatch: Dispatch) -> bytes:
        """The body to send, JSON in UTF-8. Raises MappingFailed."""


class AttachmentStore(Protocol):
    """Claim checks: bytes in, hash out. Content-addressed and encrypted."""

    def put(self, content: bytes) -> str:
        """Keep the bytes, durable on return; their SHA-256. Putting the same twice is one."""

    def get(self, sha256: str) -> bytes | None:
        """The bytes, or None when the store has never seen them."""


Verdict = Literal["confirmed", "returned", "refused", "unknown"]


class Outgoing(NamedTuple):
    """One message to publish. `generation` is the lease's fence and comes back with the outcome."""

    delivery_id: str
    generation: int
    destination: str
    appeal_id: str
    sequence: int
    attempt: int
    type: str
    body: bytes
    config_hash: str
    created_at: datetime


class Published(NamedTuple):
    """What the broker said of one message: P5 hangs on this being about *that very* message.

    `confirmed`: its own ack, and no return. `returned`: no queue is bound. `refused`: nacked.
    `unknown`: no answer, or the connection went away; it may or may not be in the queue.
    """

    delivery_id: str
    generation: int
    destination: str
    verdict: Verdict
    detail: str
    took: timedelta
    sent: bool = True
    """False, and then the verdict is `unknown`: it never left this process, so it is certainly in no
    queue; that was no attempt."""


class Publisher(Protocol):
    """The road to the broker. All methods are for one calling thread and never block on the network."""

    def room(self, destination: str) -> int:
        """How many more messages it would take for this destination now; 0 while it is backed off."""

    def publish(self, *messages: Outgoing) -> None:
        """Take the messages. Exactly one Published for each comes out of `outcomes` later, come what may."""

    def outcomes(self, wait: timedelta) -> list[Published]:
        """What has been decided since the last call; waits up to `wait` for the first."""

    @property
    def is_connected(self) -> bool:
        """False while there is no open channel, or the broker has blocked us (alarm)."""

    def close(self, wait: timedelta) -> list[Published]:
        """Stop taking, wait for outstanding confirms, give the rest back as `unknown`."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One message that came back from the broker, as it lay in the queue; nothing of it is trusted."""

    queue: str
    """Where we found it: `suqiu.dead`, `suqiu.unrouted`, later `suqiu.feedback`."""
    body: bytes
    message_id: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only those that router/broker/headers.py knows."""
    reason: str | None = None
    """Why it died first (`rejected`, `delivery_limit`, `expired`, `maxlen`); None when it did not die."""
    origin_queue: str | None = None
    """The queue it died in."""
    user_id: str | None = None
    """The broker user that sent it; the broker refuses a forged one."""
    exchange: str = ""
    routing_key: str = ""
    attempt: int = 0
    """Which attempt this copy was, by our own header; 0 when it does not say."""


class Returns(Protocol):
    """What a consumer hands each batch to."""

    def record(self, batch: Sequence[Returned]) -> None:
        """Commit all of it. Only after this returned is the broker told to forget; when it raises
        (LedgerUnavailable), nothing is acknowledged and the broker hands all of it over again."""


@dataclass(frozen=True, slots=True)
class LeasedTask:
    """One task as a unit gets it over HTTP."""

    dispatch: Dispatch
    lease: str
    """Opaque; acknowledge with it. A lease that ran out acknowledges nothing."""
    lease_until: datetime
    attempt: int


class WorkList(Protocol):
    """The pull work lists (kind `pull`) behind the units' HTTP door."""

    def lease(self, destination: str, limit: int, lease_for: timedelta) -> list[LeasedTask]:
        """The oldest due tasks in order, leased; an unacknowledged one comes again when its lease ends."""

    def acknowledge(self, destination: str, dispatch_id: str, lease: str) -> bool:
        """Accepted by the unit. True also for a repeat; False when the lease is not (or no longer) theirs."""

    def reject(self, destination: str, dispatch_id: str, lease: str, reason: str) -> bool:
        """The unit cannot take it: dead letter with its words. True also for a repeat."""

    def may_read(self, destination: str, sha256: str) -> bool:
        """Whether an appeal dispatched to this destination carries this attachment."""


class Letters(Protocol):
    """The hub's own mails on their way out."""

    def post(self, letter: Letter) -> None:
        """Keep it to be sent; durable on return. One letter_id is one letter, posted twice or not."""


class Postman(Protocol):
    """Hands mails to a mail server."""

    def send(self, letter: Letter) -> None:
        """Once; no retrying inside. Raises DestinationUnavailable (try again) or RejectedByReceiver."""


class AppealStatus(Protocol):
    """What a source may learn about its own appeal."""

    def status(self, source: str, appeal_id: str) -> dict[str, object] | None:
        """State, revision, tasks by state and times; no personal data. None when it is not this source's."""
