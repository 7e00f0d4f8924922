"""
The canonical vocabulary: what comes in, what an appeal is, what goes on the wire.

Frozen pydantic models with limits on every text and list (`limits.py`); what had to be replaced in a
text stands in the appeal's `flags`. Their JSON Schemas are the contract with every receiver
(docs/contracts/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from router.limits import (
    Body,
    Frozen,
    Identifier,
    Key,
    Line,
    Moment,
    Name,
    Part,
    Sha256,
    SourceId,
    Word,
    limits,
)

SCHEMA_VERSION: Literal["1"] = "1"

Cursor = Mapping[str, str]
"""Where a source was read up to. Opaque to everyone but its connector."""

Mode = Literal["self_report", "direct_report", "quarterly"]
"""自报, 直报, 汇总"""
Kind = Literal["consultation", "help", "complaint", "suggestion", "report", "praise", "other"]
"""咨询, 求助, 投诉, 建议, 举报, 表扬, 其他"""
Urgency = Literal["normal", "urgent"]
Standing = Literal["open", "closed", "withdrawn"]
"""How the appeal stands at its source: open, closed there (办结), or taken back (撤单)."""
Role = Literal["lead", "assisting", "register"]
"""主办, 协办; `register` is the desk's task to register by hand what could not be translated."""
DispatchType = Literal[
    "task.created",
    "task.updated",
    "task.cancelled",
    "task.reminder",
    "feedback.refused",
    "status.changed",
]


class Attachment(Part):
    """A claim check: the bytes lie encrypted in the attachment store under their hash."""

    name: Name
    media_type: Annotated[str, limits(127)] = "application/octet-stream"
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Envelope(Frozen):
    """One item as it was received. The untouched original of everything that follows from it."""

    source: Identifier
    source_id: SourceId
    body: Annotated[bytes, Field(max_length=16 * 1024 * 1024)]
    content_type: Word = "application/json"
    updated_at: Moment | None = None
    """The source's own change time; None when it has none."""
    received_at: Moment
    delivery_id: Annotated[str, Field(max_length=200)] | None = None
    """The sender's id of this very delivery (webhook-id), where it has one."""
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=50)] = ()
    notes: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=20)] = ()
    """What the connector could not bring along, an attachment for instance; the item itself is whole."""
    problem: Annotated[str, Field(max_length=500)] | None = None
    """Why the connector could not read it. Such an envelope is recorded and dead-lettered, not translated."""


class ItemSet(Frozen):
    """A table that is sent as a whole: it replaces what came before under the same unit and period (R8).

    The ids of its items begin with its name and a slash.
    """

    unit: Identifier
    """The id of the unit that sent it."""
    period: Word
    """What it is about, e.g. `2026Q3`."""
    sent_at: Moment
    """An older table never replaces a newer one."""
    original: Sha256 | None = None
    """The file as it came, in the attachment store."""

    @property
    def name(self) -> str:
        return f"{self.unit}/{self.period}"


class Batch(Frozen):
    """What a source can be told about at once: a page, a push, a mail, a range of rows."""

    source: Identifier
    envelopes: Annotated[tuple[Envelope, ...], Field(max_length=10_000)]
    cursor: Mapping[str, str] | None = None
    """Where to go on from once this batch is committed; None leaves the cursor where it is."""
    replaces: ItemSet | None = None
    """The envelopes are all that this set has now, perhaps none (a nil report); what it had before and
    has no more is withdrawn."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if any(envelope.source != self.source for envelope in self.envelopes):
            raise ValueError("a batch holds envelopes of its own source only")
        return self

    @model_validator(mode="after")
    def _one_set(self) -> Self:
        name = f"{self.replaces.name}/" if self.replaces else ""
        if not all(envelope.source_id.startswith(name) for envelope in self.envelopes):
            raise ValueError(f"the ids of a set's items begin with its name: {name}")
        return self


Outcome = Literal[
    "new",
    "duplicate",
    "revision",
    "unchanged",
    "stale",
    "withdrawal",
    "closure",
    "echo",
    "failed",
    "unapproved",
    "registered",
]
"""What an envelope was: of the appeal, against what the ledger knew. `unapproved` is a direct report by
somebody who may not (R7); `registered` is a person's work."""


class Accepted(Frozen):
    """What became of one envelope. `failed` and `unapproved` are recorded too, with a dead letter."""

    source_id: SourceId
    appeal_id: Key
    revision: Annotated[int, Field(ge=0)]
    outcome: Outcome
    reason: Line = ""
    """Why not, for whoever sent it; without personal data."""


class Acceptance(Frozen):
    """What we tell a source, after COMMIT: everything in the batch is ours now."""

    items: tuple[Accepted, ...]


class Reporter(Part):
    """Who reports for the enterprise in a 直报 (R4, R7)."""

    unit: Name = ""
    """The unit's id where the mapping knows it, its name otherwise."""
    user: Name = ""
    """The L1 user who typed it."""
    way: Literal["", "走访调研", "挂钩联系点", "涉企服务窗口", "其他"] = ""


class Enterprise(Part):
    name: Name = ""
    uscc: Annotated[str, limits(32)] = ""
    """统一社会信用代码. A wrong check digit is flagged, never refused."""
    key_enterprise: bool = False
    key_project: bool = False


class Contact(Part):
    name: Name = ""
    phones: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    withheld: bool = False
    """The caller asked that units do not learn who called."""


class Closure(Part):
    """How an appeal ended that was closed before or outside the hub (R5)."""

    result: Body = ""
    unit: Name = ""
    handler: Name = ""
    handler_phone: Word = ""
    satisfaction_raw: Word = ""
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = None
    closed_at: Moment | None = None


Scalar = str | int | bool | None


class Appeal(Frozen):
    """One 诉求 in its present revision: the canonical message everything is converted to."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    appeal_id: Key
    source: Identifier
    source_id: SourceId
    revision: Annotated[int, Field(ge=1)]
    channel: Word
    """The door it came through in the city's words: 苏商通自报, 12345热线, 助企敢干 …"""
    mode: Mode = "self_report"
    kind: Kind = "other"
    urgency: Urgency = "normal"
    standing: Standing = "open"
    title: Line = ""
    content: Annotated[str, limits(50_000, least=1)]
    category: Annotated[tuple[Word, ...], Field(max_length=6)] = ()
    """From the widest class to the narrowest."""
    reporter: Reporter | None = None
    enterprise: Enterprise = Enterprise()
    contact: Contact = Contact()
    region: Annotated[str, StringConstraints(pattern=r"^(\d{6})?$")] = ""
    """The six-digit code of the county-level place, or empty. Never from the credit code alone."""
    address: Line = ""
    submitted_at: Moment | None = None
    received_at: Moment
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=50)] = ()
    proposed_units: Annotated[tuple[Identifier, ...], Field(max_length=10)] = ()
    """Unit ids that the source itself names as the ones to act."""
    closure: Closure | None = None
    extensions: Annotated[dict[Word, Scalar], Field(max_length=50)] = {}  # noqa: RUF012 (pydantic)
    flags: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    """What the hub noticed: `replaced_characters`, `incomplete`, `unknown_code:<field>` …"""


class Task(Frozen):
    """One unit's part of an appeal."""

    task_id: Key
    unit: Identifier
    role: Role
    sequence: Annotated[int, Field(ge=1)]
    """Position among all messages about this appeal to this destination; apply in this order."""
    created_at: Moment
    due_at: Moment | None = None
    returns: Annotated[int, Field(ge=0)] = 0


class Dispatch(Frozen):
    """What goes on the wire to a destination. `dispatch_id` is the message id, constant over attempts."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    dispatch_id: Key
    type: DispatchType
    destination: Identifier
    task: Task
    appeal: Appeal


class Match(Frozen):
    """One condition of a rule and what it saw."""

    condition: Line
    """As the rule file says it, e.g. `region in 320505, 320506`."""
    saw: Line = ""
    """Masked where it comes from the appeal's text."""


class PassedOver(Frozen):
    """Why an earlier rule did not take the appeal: its first condition that failed."""

    rule: Identifier
    failed: Match


class Decision(Frozen):
    """Where an appeal goes and why. `lead` may be the desk, supervision or archive."""

    rule: Identifier
    lead: Identifier
    assisting: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    asks: Line = ""
    """What the rule asks of the lead, where that is not simply to deal with it: 不予受理审核."""
    matched: tuple[Match, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    facts: Mapping[str, Any] = {}
    """The derived facts it was decided on, without personal data; enough to decide again."""

    @property
    def units(self) -> tuple[str, ...]:
        return (self.lead, *self.assisting)


class Receipt(Frozen):
    """What a receiver told us: it has the dispatch now."""

    dispatch_id: Key
    foreign_id: Annotated[str, Field(max_length=200)] | None = None
    at: Moment
