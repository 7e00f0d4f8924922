"""A small hub for tests of ledger and flows: a real ledger, a plain mapping, rules of one line."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uuid_utils

from router import jsontext
from router.errors import MappingFailed
from router.events import Event
from router.flows.dispatching import Dispatching, Plan
from router.flows.express import Express
from router.flows.intake import Intake, IntakeTools
from router.flows.outbox import Finish
from router.flows.reading import Reading
from router.flows.replay import Replay
from router.flows.rulebook import Admission, Rulebook
from router.ledger import migrate
from router.ledger.attachments import FolderStore
from router.ledger.database import Database
from router.ledger.desk import DeskStore
from router.ledger.intake import IntakeStore
from router.ledger.letters import LetterStore
from router.ledger.outbox import OutboxStore
from router.ledger.replay import ReplayStore
from router.ledger.sealing import Sealer
from router.ledger.twins import TwinStore
from router.ledger.views import Filter, Views
from router.ledger.worklist import WorkListStore
from router.message import Acceptance, Appeal, Batch, Cursor, Decision, Envelope
from router.ports import Identity

SOURCE = "app"
RING = {"k1": b"1" * 32}
HASHING = b"h" * 32
CANARY_NAME = "欧阳测试名"
CANARY_PHONE = "13900007777"


def new_id() -> str:
    return str(uuid_utils.uuid7())


class StepClock:
    """A clock that a test moves by hand; every look moves it a microsecond, so that order is plain."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self._now += timedelta(microseconds=1)
            return self._now

    def move(self, by: timedelta) -> None:
        with self._lock:
            self._now += by


@dataclass(frozen=True)
class PlainTranslation:
    """`{"text", "to", "standing", "at", "echo"}` as an appeal; `to` is carried as the proposed units."""

    envelope: Envelope
    data: Mapping[str, Any]
    prefix: str

    @property
    def digest(self) -> str:
        seen = f"{self.prefix}{self.data['text']}{self.standing}"
        return hashlib.sha256(seen.encode()).hexdigest()

    @property
    def standing(self) -> str:
        return "withdrawn" if self.data.get("absent") else self.data.get("standing", "open")

    @property
    def source_time(self) -> datetime | None:
        return self.envelope.updated_at

    @property
    def is_echo(self) -> bool:
        return bool(self.data.get("echo"))

    unknown_codes: tuple[tuple[str, str], ...] = ()

    def appeal(self, identity: Identity) -> Appeal:
        return Appeal(
            appeal_id=identity.appeal_id,
            revision=identity.revision,
            source=self.envelope.source,
            source_id=self.envelope.source_id,
            channel="苏商通自报",
            title=self.prefix + self.data["text"][:20],
            content=self.prefix + self.data["text"],
            contact={"name": CANARY_NAME, "phones": [self.data.get("phone", CANARY_PHONE)]},
            mode=self.data.get("mode", "self_report"),
            reporter=self.data.get("reporter"),
            enterprise={"name": self.data.get("firm", "苏州示例机械有限公司")},
            standing=self.standing,
            proposed_units=tuple(self.data.get("to", ("rsj",))),
            received_at=self.envelope.received_at,
            attachments=self.envelope.attachments,
        )


@dataclass
class PlainTranslator:
    prefix: str = ""
    required: str = "text"

    def translate(self, envelope: Envelope) -> PlainTranslation:
        data = jsontext.loads(envelope.body)
        if self.required not in data:
            raise MappingFailed(f"mappings/app.yaml:3 {self.required}: required, but nothing came")
        return PlainTranslation(envelope, data, self.prefix)


class ProposedRouter:
    """Sends an appeal where it proposes to go; with `may_reroute`, again when that changes."""

    def __init__(self, *, may_reroute: bool = False) -> None:
        self.may_reroute = may_reroute

    def reroutes(self, outcome: str, before: Appeal, after: Appeal) -> bool:
        return outcome == "revision" and before.proposed_units != after.proposed_units

    def route(self, appeal: Appeal) -> Decision:
        lead, *assisting = appeal.proposed_units
        return Decision(rule="proposed", lead=lead, assisting=tuple(assisting))


UNITS = ("rsj", "gaj", "desk")


@dataclass
class Hub:
    """Everything of one hub that does not need a network."""

    url: str
    folder: Path
    clock: Callable[[], datetime] = field(default_factory=StepClock)
    config_hash: str = "c" * 64
    ring: Mapping[str, bytes] = field(default_factory=lambda: RING)
    current: str = "k1"
    finish: Finish = "published"

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        migrate.upgrade(self.database)
        self.sealer = Sealer(dict(self.ring), self.current, HASHING)
        self.store = IntakeStore(self.database, self.sealer)
        self.outbox = OutboxStore(self.database, self.sealer, new_id)
        self.dispatching = Dispatching({unit: Plan(unit, "amqp", self.finish) for unit in UNITS})
        self.work_list = WorkListStore(self.database, self.outbox, self.dispatching, self.clock)
        self.views = Views(self.database, self.sealer)
        self.attachments = FolderStore(self.folder / "attachments", self.sealer)
        self.translator = PlainTranslator()
        self.router = ProposedRouter()
        self.admission: Admission | None = None
        self.twins = TwinStore(self.database, self.sealer)
        self.letters = LetterStore(self.database, self.sealer, self.clock, self.config_hash)
        self.events: list[Event] = []
        self.express: Express | None = None

    @property
    def book(self) -> Rulebook:
        return Rulebook(
            self.translator,
            self.router,
            "desk",
            self.config_hash,
            new_id,
            self.store.kept_envelope,
            self.admission,
            self.twins,
        )

    @property
    def intake(self) -> Intake:
        book = self.book
        tools = IntakeTools(
            self.store,
            lambda _source, heads, cases: Reading(book, heads, cases),
            self.clock,
            self.config_hash,
            self.events.append,
            self.express,
        )
        return Intake(tools)

    @property
    def replay(self) -> Replay:
        store = ReplayStore(self.database, self.sealer, self.store)
        return Replay(store, lambda _source: self.book, clock=self.clock, config_hash=self.config_hash)

    @property
    def desk(self) -> DeskStore:
        return DeskStore(self.database, self.sealer, self.store)

    def accept(self, *envelopes: Envelope, cursor: Cursor | None = None) -> Acceptance:
        return self.intake.accept(Batch(source=SOURCE, envelopes=envelopes, cursor=cursor))

    def outcomes(self, *envelopes: Envelope) -> list[str]:
        return [item.outcome for item in self.accept(*envelopes).items]

    def item(self, source_id: str, text: str = "社保缴费基数如何调整", **more: Any) -> Envelope:
        at = more.pop("at", None)
        body = jsontext.dumps({"text": text, **more})
        return Envelope(
            source=SOURCE, source_id=source_id, body=body, received_at=self.clock(), updated_at=at
        )

    def items(self, count: int, to: tuple[str, ...] = UNITS[:2]) -> list[Envelope]:
        turns = itertools.cycle(to)
        return [self.item(f"i{n}", f"第{n}件：用工备案问题", to=[next(turns)]) for n in range(count)]

    def deliveries(self, source_id: str) -> list[dict[str, Any]]:
        found = self.views.deliveries(Filter(source_id=source_id, limit=1000))
        return sorted(found, key=lambda row: (row["destination"], row["sequence"]))

    def tasks(self, source_id: str) -> list[dict[str, Any]]:
        return self.views.tasks(Filter(source_id=source_id, limit=1000))

    def dead(self, source_id: str, state: str = "open") -> list[dict[str, Any]]:
        return self.views.dead(Filter(source_id=source_id, state=state, limit=1000))

    def close(self) -> None:
        self.database.close()
