"""
Approvals of annex 2: which unit may report directly, through which L1 users (R7).

One row per unit and user: whoever registers another number is another user. A form brought in twice
is one row. What the form says is sealed; look-ups go through keyed hashes, lists through masked columns.

`pending` waits for a decision; `approved` holds from its first day to its last, both inclusive in Shanghai;
`revoked` holds at no time, also for reports made before it was revoked. To end one on a day, approve it
to that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, model_validator
from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from router.directory import Directory, fold
from router.flows.records import Actor
from router.ledger import schema as t
from router.ledger.admission import Admission, Asked
from router.ledger.auditing import audit_row
from router.ledger.database import Database
from router.ledger.identities import Identities, is_mobile, number
from router.ledger.sealing import Sealer
from router.ledger.views import MAX_ROWS, Filter, Row
from router.limits import Frozen, Line, Name, Word, limits
from router.masking import mask_name, mask_phone
from router.ports import Clock, NewId

Decided = Literal["decided", "unchanged", "unknown"]
"""`unchanged`: it was so already; `unknown`: no approval has this id."""
Brought = Literal["new", "updated", "unchanged"]
"""`updated`: known, but the form says something else than before."""


_LONGEST_KEY = 200


def _a_mobile(text: str) -> str:
    if not is_mobile(text):
        raise ValueError("no mobile number")
    return text


def _a_name(text: str) -> str:
    if not 0 < len(fold(text)) <= _LONGEST_KEY:  # folding takes what cannot be seen away, and can lengthen
        raise ValueError("no name")
    return text


class Application(Frozen):
    """One form of annex 2: 单位名称, 联系人, 联系电话, L1 用户姓名, 职务, 手机号码, 备注."""

    unit: Annotated[str, limits(120, least=1), AfterValidator(_a_name)]
    """As written on the form."""
    user: Annotated[str, limits(60, least=1), AfterValidator(_a_name)]
    phone: Annotated[str, limits(30, least=1), AfterValidator(_a_mobile)]
    post: Name = ""
    contact: Name = ""
    contact_phone: Word = ""
    remark: Line = ""
    valid_from: date | None = None
    """What is asked for; whoever approves may decide otherwise."""
    valid_to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _require_order(self.valid_from, self.valid_to)
        return self


class Imported(NamedTuple):
    """What became of one form."""

    approval_id: str
    outcome: Brought
    unit: str
    """The unit's id, or its name where the directory does not know it."""
    is_known_unit: bool


class Approvals:
    """Keeps the approvals and answers the intake. Decisions leave an audit row in the same transaction."""

    def __init__(
        self, database: Database, sealer: Sealer, directory: Directory, clock: Clock, new_id: NewId
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._clock = clock
        self._new_id = new_id
        self._identities = Identities(sealer, directory)
        self._admission = Admission(database, self._identities)

    def import_(self, applications: Iterable[Application], actor: Actor) -> list[Imported]:
        """Take forms in as `pending`, each in a transaction of its own: stopped half-way, do it again.

        A form that is known is kept up to date and stays in its state; once it has been decided, the
        days it asks for change nothing any more.
        """
        return [self._import(application, actor) for application in applications]

    def _import(self, application: Application, actor: Actor) -> Imported:
        try:
            with self._db.write() as connection:
                return self._take(connection, application, actor)
        except IntegrityError:  # another process brought the same form in: now it is known
            with self._db.write() as connection:
                return self._take(connection, application, actor)

    def _take(self, connection: Connection, application: Application, actor: Actor) -> Imported:
        who = self._identified(application)
        outcome: Brought = "new"
        row = connection.execute(self._kept(application, who).with_for_update()).first()
        if row is None:
            approval_id = self._add(connection, application, who)
        else:
            approval_id = row.approval_id
            outcome = "updated" if self._amend(connection, row, application, who) else "unchanged"
        if outcome != "unchanged":
            line = audit_row(self._clock(), actor, "approval.import", approval_id)
            connection.execute(insert(t.audit), {**line, "detail": {"outcome": outcome}})
        return Imported(approval_id, outcome, who["unit"], self._identities.knows(who["unit"]))

    def _identified(self, application: Application) -> Row:
        unit, key = self._identities.unit(application.unit)
        user, phone = self._identities.user(application.user), self._identities.phone(application.phone)
        return {"unit": unit, "unit_key": key, "user_hash": user, "phone_hash": phone}

    def _kept(self, application: Application, who: Row) -> Select[Any]:
        """The row of this unit and user. One under today's key goes before one under the unit's old name."""
        c = t.approvals.c
        keys = self._identities.unit_keys(application.unit)
        same = (c.user_hash == who["user_hash"], c.phone_hash == who["phone_hash"])
        chosen = select(t.approvals).where(c.unit_key.in_(keys), *same)
        return chosen.order_by(c.unit_key != who["unit_key"]).limit(1)

    def _add(self, connection: Connection, application: Application, who: Row) -> str:
        approval_id = self._new_id()
        row = {
            "approval_id": approval_id,
            "state": "pending",
            "valid_from": application.valid_from,
            "valid_to": application.valid_to,
            "requested_at": self._clock(),
        }
        connection.execute(insert(t.approvals), {**row, **who, **self._sealed(approval_id, application)})
        return approval_id

    def _amend(self, connection: Connection, row: Any, application: Application, who: Row) -> bool:
        """Whether the form says something else than the ledger; then the ledger says it too."""
        said = dict(who)
        if row.state == "pending":
            said |= {"valid_from": application.valid_from, "valid_to": application.valid_to}
        is_same = all(row._mapping[name] == value for name, value in said.items())
        if is_same and self._open(row) == _form(application):
            return False
        change = update(t.approvals).where(t.approvals.c.approval_id == row.approval_id)
        connection.execute(change.values({**said, **self._sealed(row.approval_id, application)}))
        return True

    def _sealed(self, approval_id: str, application: Application) -> Row:
        plain = application.model_dump_json(exclude={"valid_from", "valid_to"}).encode()
        return {
            "user_masked": mask_name(application.user),
            "phone_masked": mask_phone(number(application.phone)),
            "key_id": self._sealer.current,
            "document": self._sealer.seal(approval_id, plain),
        }

    def _open(self, row: Any) -> Row:
        plain = self._sealer.open(row.key_id, row.approval_id, row.document)
        return _form(Application.model_validate_json(plain))

    def entries(self, wanted: Filter) -> list[Row]:
        """Approvals, newest first, masked. `state`, `unit` (id or any name), `before`, `limit` filter."""
        with self._db.read() as connection:
            return [_listed(row) for row in connection.execute(self._chosen(wanted))]

    def reveal(self, wanted: Filter, actor: Actor) -> list[Row]:
        """The same with the whole form, for a person who has the right; an audit row for each first."""
        now = self._clock()
        with self._db.write() as connection:
            rows = connection.execute(self._chosen(wanted)).all()
            lines = [audit_row(now, actor, "approval.reveal", row.approval_id) for row in rows]
            if lines:
                connection.execute(insert(t.audit), lines)
        return [{**_listed(row), **self._open(row), "unit": row.unit} for row in rows]

    def _chosen(self, wanted: Filter) -> Select[Any]:
        c = t.approvals.c
        chosen = select(t.approvals).order_by(c.approval_id.desc()).limit(min(wanted.limit, MAX_ROWS))
        if wanted.state is not None:
            chosen = chosen.where(c.state == wanted.state)
        if wanted.unit is not None:
            chosen = chosen.where(c.unit_key.in_(self._identities.unit_keys(wanted.unit)))
        return chosen if wanted.before is None else chosen.where(c.approval_id < wanted.before)

    def approve(
        self, approval_id: str, actor: Actor, valid_from: date | None = None, valid_to: date | None = None
    ) -> Decided:
        """Let the user report for the unit on these days, or set other days for one that is approved.

        Without either day the days that stand in the ledger hold; with one, the other end is open.
        Raises ValueError when the last day lies before the first.
        """
        _require_order(valid_from, valid_to)
        days = (valid_from, valid_to) if valid_from or valid_to else None
        return self._decide(approval_id, actor, "approved", days)

    def revoke(self, approval_id: str, actor: Actor) -> Decided:
        """Take it back, or refuse one that is pending."""
        return self._decide(approval_id, actor, "revoked", None)

    def _decide(
        self, approval_id: str, actor: Actor, state: str, days: tuple[date | None, date | None] | None
    ) -> Decided:
        c = t.approvals.c
        now = self._clock()
        with self._db.write() as connection:
            kept = select(c.state, c.valid_from, c.valid_to).where(c.approval_id == approval_id)
            row = connection.execute(kept.with_for_update()).first()
            if row is None:
                return "unknown"
            valid_from, valid_to = days or (row.valid_from, row.valid_to)
            if (row.state, row.valid_from, row.valid_to) == (state, valid_from, valid_to):
                return "unchanged"
            decided = {"state": state, "valid_from": valid_from, "valid_to": valid_to}
            by = {"decided_at": now, "decided_by": actor.name[:100]}
            change = update(t.approvals).where(c.approval_id == approval_id)
            connection.execute(change.values({**decided, **by}))
            line = audit_row(now, actor, f"approval.{_VERBS[state]}", approval_id)
            detail = {"before": row.state, "from": _iso(valid_from), "to": _iso(valid_to)}
            connection.execute(insert(t.audit), {**line, "detail": detail})
        return "decided"

    def objection(self, unit: str, user: str, phones: Sequence[str], at: datetime) -> str | None:
        """Why this unit's user may not report directly at this time; None when an approval covers both."""
        return self.objections([Asked(unit, user, phones, at)])[0]

    def objections(self, asked: Sequence[Asked]) -> list[str | None]:
        """The same for a whole page, in one or two statements."""
        return self._admission.objections(asked)


_VERBS = {"approved": "approve", "revoked": "revoke"}
_NOT_LISTED = ("unit_key", "user_hash", "phone_hash", "key_id", "document")


def _require_order(valid_from: date | None, valid_to: date | None) -> None:
    if valid_from and valid_to and valid_from > valid_to:
        raise ValueError(f"the last day {valid_to} lies before the first {valid_from}")


def _listed(row: Any) -> Row:
    return {name: value for name, value in row._mapping.items() if name not in _NOT_LISTED}


def _form(application: Application) -> Row:
    return application.model_dump(exclude={"valid_from", "valid_to"})


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
