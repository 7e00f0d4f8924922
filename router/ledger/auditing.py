"""The audit: who decided what, and why. Written in the transaction of the decision itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from router.flows.records import Actor
from router.ledger import schema as t


def note(connection: Connection, at: datetime, actor: Actor, action: str, target: str) -> None:
    """One line of the audit. `action` is `thing.verb`, `target` the id it was done to."""
    connection.execute(insert(t.audit), audit_row(at, actor, action, target))


def audit_row(at: datetime, actor: Actor, action: str, target: str) -> dict[str, Any]:
    """The same line as a row, for those who write many, or add a `detail`."""
    return {"at": at, "actor": actor.name, "action": action, "target": target, "reason": actor.reason}
