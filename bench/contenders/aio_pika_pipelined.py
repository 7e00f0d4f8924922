"""aio-pika by hand, pipelined: a page's messages are published together and their confirms awaited."""

from __future__ import annotations

import asyncio

import aio_pika
import httpx

from bench.contenders.appeal import Appeal, arguments, convert, items_of
from bench.work import EXCHANGE


def message(appeal: Appeal) -> aio_pika.Message:
    return aio_pika.Message(
        appeal.model_dump_json().encode(),
        content_type="application/json",
        message_id=appeal.appeal_id,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


async def main() -> None:
    asked = arguments()
    connection = await aio_pika.connect_robust(asked.amqp)
    async with connection, httpx.AsyncClient() as client:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        under_way: set[asyncio.Future[list[object]]] = set()
        for page in range(1, asked.pages + 1):
            answer = await client.get(asked.source, params={"page": page})
            ready = [convert(item) for item in items_of(answer.json())]
            sending = asyncio.gather(
                *(exchange.publish(message(a), unit, mandatory=True) for unit, a in ready)
            )
            under_way.add(sending)
            # Two pages of confirms are awaited while the third is fetched.
            if len(under_way) > 2:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*under_way)


if __name__ == "__main__":
    asyncio.run(main())
