"""
The fair peer: a hand-written inbox and outbox on SQLAlchemy and PostgreSQL, aio-pika publishing.

As the books describe the transactional outbox: one transaction per page writes what came in and what
must go out; a relay claims rows that nobody else holds, publishes them together, and marks them sent.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.contenders.appeal import Appeal, arguments
from bench.contenders.connecting import exchange, message, pages

BATCH = 500
metadata = MetaData()
inbox = Table(
    "inbox",
    metadata,
    Column("source", String, primary_key=True),
    Column("source_id", String, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("message_id", String, nullable=False),
    Column("routing_key", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
)


class Relay:
    """Publishes what is unsent until told that nothing more will come."""

    def __init__(self, engine: AsyncEngine, exchange: Any) -> None:
        self._engine, self._exchange = engine, exchange
        self.woken = asyncio.Event()
        self.is_last = False

    async def run(self) -> None:
        while True:
            self.woken.clear()
            is_last = self.is_last
            while await self._some():
                pass
            if is_last:
                return
            await self.woken.wait()

    async def _some(self) -> int:
        unsent = select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(BATCH)
        async with self._engine.begin() as connection:
            rows = (await connection.execute(unsent.with_for_update(skip_locked=True))).all()
            if not rows:
                return 0
            await asyncio.gather(*(self._publish(row) for row in rows))
            sent = update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
            await connection.execute(sent.values(sent_at=datetime.now(UTC)))
        return len(rows)

    async def _publish(self, row: Any) -> None:
        await self._exchange.publish(message(row.body, row.message_id), row.routing_key, mandatory=True)


async def record(engine: AsyncEngine, ready: list[tuple[str, Appeal]]) -> None:
    """What is new goes into the inbox and the outbox, in one transaction."""
    now = datetime.now(UTC)
    seen = [{"source": a.source, "source_id": a.source_id, "received_at": now} for _, a in ready]
    async with engine.begin() as connection:
        fresh = insert(inbox).values(seen).on_conflict_do_nothing().returning(inbox.c.source_id)
        new = set((await connection.execute(fresh)).scalars())
        rows = [
            {"message_id": a.appeal_id, "routing_key": unit, "body": a.model_dump_json().encode()}
            for unit, a in ready
            if a.source_id in new
        ]
        if rows:
            await connection.execute(outbox.insert(), rows)


async def main() -> None:
    """Record every page and relay what was recorded; end once the last row is marked sent."""
    asked = arguments()
    engine = create_async_engine(asked.database)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    async with exchange(asked.amqp) as out:
        relay = Relay(engine, out)
        relaying = asyncio.create_task(relay.run())
        async for page in pages(asked.source, asked.pages):
            await record(engine, page)
            relay.woken.set()
        relay.is_last = True
        relay.woken.set()
        await relaying
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
