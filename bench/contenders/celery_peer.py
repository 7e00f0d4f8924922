"""Celery: a task per message, sent with confirms to the queue of its unit."""

from __future__ import annotations

import httpx
from celery import Celery
from kombu import Exchange, Queue

from bench.contenders.appeal import arguments, convert, items_of
from bench.work import EXCHANGE, UNITS, queue


def main() -> None:
    """Publish every item, and end once the last confirm is in."""
    asked = arguments()
    exchange = Exchange(EXCHANGE, "direct", durable=True, no_declare=True)
    app = Celery("bench", broker=asked.amqp)
    app.conf.update(
        broker_transport_options={"confirm_publish": True},
        task_ignore_result=True,
        task_create_missing_queues=False,
        task_queues=[Queue(queue(unit), exchange, routing_key=unit, no_declare=True) for unit in UNITS],
    )
    with httpx.Client() as client, app.producer_pool.acquire(block=True) as producer:
        for page in range(1, asked.pages + 1):
            answer = client.get(asked.source, params={"page": page})
            for unit, appeal in map(convert, items_of(answer.json())):
                app.send_task(
                    "take", (appeal.model_dump(mode="json"),), queue=queue(unit), producer=producer,
                    task_id=appeal.appeal_id, delivery_mode=2,
                )  # fmt: skip


if __name__ == "__main__":
    main()
