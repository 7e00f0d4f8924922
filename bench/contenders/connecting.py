"""The asyncio contenders' ways to the broker and the source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import httpx
from aio_pika.abc import AbstractExchange

from bench.contenders.appeal import Appeal, convert, items_of
from bench.work import EXCHANGE


@asynccontextmanager
async def exchange(amqp: str) -> AsyncIterator[AbstractExchange]:
    """The destinations' exchange, on a channel with publisher confirms."""
    async with await aio_pika.connect_robust(amqp) as connection:
        channel = await connection.channel(publisher_confirms=True)
        yield await channel.get_exchange(EXCHANGE, ensure=False)


def message(body: bytes, message_id: str) -> aio_pika.Message:
    """Persistent, under an id that receivers can tell repeats by."""
    return aio_pika.Message(
        body,
        content_type="application/json",
        message_id=message_id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


async def pages(source: str, count: int) -> AsyncIterator[list[tuple[str, Appeal]]]:
    """The source's pages, each item as its unit and its message."""
    async with httpx.AsyncClient() as client:
        for page in range(1, count + 1):
            answer = await client.get(source, params={"page": page})
            yield [convert(item) for item in items_of(answer.json())]
