"""aio-pika by hand, as its tutorial has it: each publish awaited before the next."""

from __future__ import annotations

import asyncio

from bench.contenders.appeal import arguments
from bench.contenders.connecting import exchange, message, pages


async def main() -> None:
    """Publish every item, and end once the last confirm is in."""
    asked = arguments()
    async with exchange(asked.amqp) as out:
        async for page in pages(asked.source, asked.pages):
            for unit, appeal in page:
                made = message(appeal.model_dump_json().encode(), appeal.appeal_id)
                await out.publish(made, unit, mandatory=True)


if __name__ == "__main__":
    asyncio.run(main())
