"""
Runs one command beside a private RabbitMQ and PostgreSQL, and takes both away when it ends.

    python -m demo.servers COMMAND... with {amqp}, {management} and {database} where the URLs go
"""

from __future__ import annotations

import signal
import subprocess
import sys

from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ
from demo.servers.server import MissingPackage, ServerFailed


def main(command: list[str]) -> int:
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return _run_beside_servers(command)
    except (MissingPackage, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run_beside_servers(command: list[str]) -> int:
    print("starting a private RabbitMQ and PostgreSQL …", file=sys.stderr)
    with RabbitMQ() as rabbitmq, PostgreSQL() as postgres:
        places = {
            "{amqp}": rabbitmq.amqp_url,
            "{management}": rabbitmq.management_url,
            "{database}": postgres.server.create_database("suqiu"),
        }
        child = subprocess.Popen([places.get(word, word) for word in command])
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        return _outcome(child)


def _outcome(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches the command too; it decides how long it takes to end.
            continue
        return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
