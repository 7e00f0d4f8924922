"""aio-pika by hand, as its tutorial has it: each publish awaited before the next."""

from __future__ import annotations

import asyncio

import aio_pika
import httpx

from bench.contenders.aio_pika_pipelined import message
from bench.contenders.appeal import arguments, convert, items_of
from bench.work import EXCHANGE


async def main() -> None:
    asked = arguments()
    connection = await aio_pika.connect_robust(asked.amqp)
    async with connection, httpx.AsyncClient() as client:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        for page in range(1, asked.pages + 1):
            answer = await client.get(asked.source, params={"page": page})
            for unit, appeal in map(convert, items_of(answer.json())):
                await exchange.publish(message(appeal), unit, mandatory=True)


if __name__ == "__main__":
    asyncio.run(main())
