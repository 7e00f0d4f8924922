"""kombu by hand: a producer with confirms."""

from __future__ import annotations

import httpx
from kombu import Connection, Exchange

from bench.contenders.appeal import arguments, convert, items_of
from bench.work import EXCHANGE


def main() -> None:
    """Publish every item, and end once the last confirm is in."""
    asked = arguments()
    exchange = Exchange(EXCHANGE, "direct", durable=True, no_declare=True)
    options = {"confirm_publish": True}
    with Connection(asked.amqp, transport_options=options) as connection, httpx.Client() as client:
        producer = connection.Producer(exchange=exchange, auto_declare=False)
        for page in range(1, asked.pages + 1):
            answer = client.get(asked.source, params={"page": page})
            for unit, appeal in map(convert, items_of(answer.json())):
                producer.publish(
                    appeal.model_dump_json().encode(), routing_key=unit, delivery_mode=2, mandatory=True,
                    content_type="application/json", content_encoding="utf-8", message_id=appeal.appeal_id,
                )  # fmt: skip


if __name__ == "__main__":
    main()
