"""The intake's question about direct reports, answered for a whole page in one or two statements (R7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from router.decisions.admission import Grant, Standing, is_covered, local_day, objection
from router.ledger import schema as t
from router.ledger.database import Database
from router.ledger.identities import Identities

PAGE = 200
"""Reports answered together; a longer list is answered in parts."""
MOST = 10_000
"""Approvals looked at for one page, the approved ones first: the cut costs a reason its exactness at most."""

_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Asked:
    """One direct report: `at` is when it was reported (submitted, else received)."""

    unit: str
    """Its id, or what it is called."""
    user: str
    """The L1 user's name; a phone number will do."""
    phones: Sequence[str]
    """The L1 user's own numbers, never the enterprise's. Where one can be read, it decides, not the name."""
    at: datetime


@dataclass(frozen=True, slots=True)
class _Question:
    keys: Sequence[str]
    name: str | None
    phones: frozenset[str]
    day: date
    grants: list[Grant] = field(default_factory=list)

    def is_about(self, row: Any) -> bool:
        if row.unit_key not in self.keys:
            return False
        return row.phone_hash in self.phones if self.phones else row.user_hash == self.name


class Admission:
    """Reads only; never waits for a writer."""

    def __init__(self, database: Database, identities: Identities) -> None:
        self._db = database
        self._identities = identities

    def objections(self, asked: Sequence[Asked]) -> list[str | None]:
        """For each: None where an approval covers unit and user at that time; else why not."""
        parts = (asked[at : at + PAGE] for at in range(0, len(asked), PAGE))
        return [answer for part in parts for answer in self._answers(part)]

    def _answers(self, asked: Sequence[Asked]) -> list[str | None]:
        units = {one.unit: self._identities.unit_keys(one.unit) for one in asked}
        questions = [self._question(one, units[one.unit]) for one in asked]
        by_unit: Mapping[str, list[Grant]] = {}
        with self._db.read() as connection:
            _collect(connection, questions)
            open_keys = {key for q in questions if not is_covered(q.grants, q.day) for key in q.keys}
            if open_keys:
                by_unit = _of_units(connection, open_keys)
        return [objection(_standing(question, by_unit), question.day) for question in questions]

    def _question(self, one: Asked, keys: Sequence[str]) -> _Question:
        numbers = filter(None, map(self._identities.phone, [*one.phones, one.user]))
        return _Question(keys, self._identities.user(one.user), frozenset(numbers), local_day(one.at))


def _collect(connection: Connection, questions: Iterable[_Question]) -> None:
    """Give each question the approvals in its user's name."""
    c = t.approvals.c
    by_key: dict[str, list[_Question]] = defaultdict(list)
    for question in questions:
        for key in question.keys:
            by_key[key].append(question)
    names = {question.name for question in questions if question.name and not question.phones}
    phones = {phone for question in questions for phone in question.phones}
    wanted = [
        column.in_(values) for column, values in ((c.user_hash, names), (c.phone_hash, phones)) if values
    ]
    if not wanted:
        return
    chosen = (
        select(c.unit_key, c.user_hash, c.phone_hash, c.state, c.valid_from, c.valid_to)
        .where(c.unit_key.in_(by_key), or_(*wanted))
        .order_by(c.state)
        .limit(MOST)
    )
    for row in connection.execute(chosen):
        for question in by_key[row.unit_key]:
            if question.is_about(row):
                question.grants.append(Grant(row.state, row.valid_from, row.valid_to))


def _of_units(connection: Connection, keys: Iterable[str]) -> Mapping[str, list[Grant]]:
    """What each unit's approvals of one state amount to: the first day of all and the last."""
    c = t.approvals.c
    first = func.min(func.coalesce(c.valid_from, _FIRST))
    last = func.max(func.coalesce(c.valid_to, _LAST))
    chosen = select(c.unit_key, c.state, first, last).where(c.unit_key.in_(keys))
    found: dict[str, list[Grant]] = defaultdict(list)
    for key, state, valid_from, valid_to in connection.execute(chosen.group_by(c.unit_key, c.state)):
        found[key].append(Grant(state, valid_from, valid_to))
    return found


def _standing(question: _Question, by_unit: Mapping[str, list[Grant]]) -> Standing:
    unit = [grant for key in question.keys for grant in by_unit.get(key, ())]
    return Standing(question.grants, unit, bool(question.name or question.phones))
