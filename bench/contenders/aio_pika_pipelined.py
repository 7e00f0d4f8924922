"""aio-pika by hand, pipelined: a page's messages are published together and their confirms awaited."""

from __future__ import annotations

import asyncio

from bench.contenders.appeal import arguments
from bench.contenders.connecting import exchange, message, pages

AT_ONCE = 2
"""Pages whose confirms are awaited while the next is fetched."""


async def main() -> None:
    """Publish every page, and end once the last confirm is in."""
    asked = arguments()
    under_way: set[asyncio.Future[list[object]]] = set()
    async with exchange(asked.amqp) as out:
        async for page in pages(asked.source, asked.pages):
            bodies = [(appeal.model_dump_json().encode(), appeal.appeal_id, unit) for unit, appeal in page]
            sent = (out.publish(message(body, id_), unit, mandatory=True) for body, id_, unit in bodies)
            under_way.add(asyncio.gather(*sent))
            if len(under_way) > AT_ONCE:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*under_way)


if __name__ == "__main__":
    asyncio.run(main())
