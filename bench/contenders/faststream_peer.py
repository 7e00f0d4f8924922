"""FastStream's RabbitMQ broker: a publisher per program, a page's messages published together."""

from __future__ import annotations

import asyncio

from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange

from bench.contenders.aio_pika_pipelined import AT_ONCE
from bench.contenders.appeal import Appeal, arguments
from bench.contenders.connecting import pages
from bench.work import EXCHANGE


async def main() -> None:
    """Publish every page, and end once the last confirm is in."""
    asked = arguments()
    broker = RabbitBroker(asked.amqp, logger=None)
    exchange = RabbitExchange(EXCHANGE, type=ExchangeType.DIRECT, durable=True, declare=False)
    publisher = broker.publisher(exchange=exchange, persist=True, mandatory=True)

    async def publish(unit: str, appeal: Appeal) -> None:
        await publisher.publish(appeal, routing_key=unit, message_id=appeal.appeal_id)

    under_way: set[asyncio.Future[list[None]]] = set()
    async with broker:
        await broker.start()
        async for page in pages(asked.source, asked.pages):
            under_way.add(asyncio.gather(*(publish(unit, appeal) for unit, appeal in page)))
            if len(under_way) > AT_ONCE:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*under_way)


if __name__ == "__main__":
    asyncio.run(main())
