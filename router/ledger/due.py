"""What is due: the statements that a claim reads it with, whose query plans a test reads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    column,
    exists,
    func,
    or_,
    select,
    text,
    true,
)

from router.flows.outbox import Finish
from router.ledger import schema as t

_d = t.deliveries
_earlier = t.deliveries.alias("earlier")


def _due(unfinished: str, destination: ColumnElement[Any], limit: ColumnElement[Any]) -> Select[Any]:
    """The due deliveries of one destination, oldest first; the state lists are literal for the indexes."""
    held_back = exists().where(
        _earlier.c.appeal_id == _d.c.appeal_id,
        _earlier.c.destination == _d.c.destination,
        _earlier.c.sequence < _d.c.sequence,
        text(f"earlier.state IN {unfinished}"),
    )
    return (
        select(
            _d.c.delivery_id, _d.c.generation, _d.c.destination, _d.c.appeal_id, _d.c.revision,
            _d.c.sequence, _d.c.attempts, _d.c.type, _d.c.created_at, _d.c.config_hash, _d.c.task_id,
            t.tasks.c.unit, t.tasks.c.role, t.tasks.c.returns, t.tasks.c.due_at,
            t.revisions.c.key_id, t.revisions.c.document,
        )
        .join(t.tasks, t.tasks.c.task_id == _d.c.task_id)
        .outerjoin(
            t.revisions,
            and_(t.revisions.c.appeal_id == _d.c.appeal_id, t.revisions.c.revision == _d.c.revision),
        )
        .where(
            _d.c.destination == destination,
            text(f"deliveries.state IN {t.LIVE}"),
            _d.c.next_attempt_at <= bindparam("now"),
            or_(_d.c.lease_until.is_(None), _d.c.lease_until <= bindparam("now")),
            or_(_d.c.sequence == 1, ~held_back),
        )
        .order_by(_d.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=_d)
    )  # fmt: skip


def _due_of_many(unfinished: str) -> Select[Any]:
    """The same for several destinations, each with its own limit."""
    wanted = (
        func.unnest(bindparam("destinations", type_=ARRAY(String)), bindparam("limits", type_=ARRAY(Integer)))
        .table_valued(column("destination", String), column("most", Integer), name="wanted")
        .render_derived()
    )
    due = _due(unfinished, wanted.c.destination, wanted.c.most).lateral("due")
    return select(*due.c).select_from(wanted.join(due, true()))


_UNFINISHED: dict[Finish, str] = {
    "published": "('pending', 'retry_wait', 'dead', 'rejected', 'parked')",
    "accepted": "('pending', 'retry_wait', 'dead', 'rejected', 'parked', 'published')",
}
"""By what counts as finished."""
DUE = {
    finish: _due(states, bindparam("destination"), bindparam("limit"))
    for finish, states in _UNFINISHED.items()
}
DUE_OF_MANY = {finish: _due_of_many(states) for finish, states in _UNFINISHED.items()}
"""For PostgreSQL."""
