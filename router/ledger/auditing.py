"""The audit: who decided what, and why. Written in the transaction of the decision itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from router.flows.records import Actor
from router.ledger import schema as t


def note(connection: Connection, at: datetime, actor: Actor, action: str, target: str) -> None:
    """One line of the audit. `action` is `thing.verb`, `target` the id it was done to."""
    row = {"at": at, "actor": actor.name, "action": action, "target": target, "reason": actor.reason}
    connection.execute(insert(t.audit), row)
