"""FastStream's RabbitMQ broker: a publisher per program, a page's messages published together."""

from __future__ import annotations

import asyncio

import httpx
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange

from bench.contenders.appeal import Appeal, arguments, convert, items_of
from bench.work import EXCHANGE


async def main() -> None:
    asked = arguments()
    broker = RabbitBroker(asked.amqp, logger=None)
    exchange = RabbitExchange(EXCHANGE, type=ExchangeType.DIRECT, durable=True, declare=False)
    publisher = broker.publisher(exchange=exchange, persist=True, mandatory=True)

    async def publish(unit: str, appeal: Appeal) -> None:
        await publisher.publish(appeal, routing_key=unit, message_id=appeal.appeal_id)

    async with broker, httpx.AsyncClient() as client:
        await broker.start()
        under_way: set[asyncio.Future[list[None]]] = set()
        for page in range(1, asked.pages + 1):
            answer = await client.get(asked.source, params={"page": page})
            ready = [convert(item) for item in items_of(answer.json())]
            under_way.add(asyncio.gather(*(publish(unit, appeal) for unit, appeal in ready)))
            if len(under_way) > 2:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*under_way)


if __name__ == "__main__":
    asyncio.run(main())
