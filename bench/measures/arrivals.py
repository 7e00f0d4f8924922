"""
A consumer of all sixty queues in a process of its own: `python -m bench.measures.arrivals AMQP_URL`.

Prints one line once it listens. When its input ends, it prints when each order number arrived first.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import pika

from bench.watching import ORDER_NO
from bench.work import UNITS, queue


def main() -> None:
    """Listen until told to end."""
    found: dict[str, float] = {}
    connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
    channel = connection.channel()

    def take(_channel: object, _method: object, _properties: object, body: bytes) -> None:
        number = ORDER_NO.search(body)
        if number:
            found.setdefault(number[1].decode(), time.time())

    for unit in UNITS:
        channel.basic_consume(queue(unit), take, auto_ack=True)
    print("listening", flush=True)
    ended = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    while not ended.is_set():
        connection.process_data_events(0.05)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
