"""
The race: every contestant in turn, on the same work, in the same run; the median of several rounds.

The watch runs from the first page asked of the source to the last message in its queue. A round's
ratios are made within the round, so that a machine that slows down slows all of them. The raw limit is taken
before the first contestant, in the middle and after the last; the round's is the median.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pika

from bench import limit
from bench.contestants import Contestant, Ground, Start
from bench.watching import ORDER_NO, PATIENCE, cpu_seconds, wait_for_arrival, wait_until_ready
from bench.work import PAGE, UNITS, queue, source
from demo.servers.postgres import DatabaseServer

LIMIT = "limit"


@dataclass(frozen=True)
class Servers:
    """Where the race takes place."""

    amqp: str
    postgresql: DatabaseServer


@dataclass(frozen=True)
class Run:
    """What one contestant did in one round."""

    name: str
    items: int
    seconds: float
    cpu_seconds: float

    @property
    def items_per_s(self) -> float:
        return self.items / self.seconds

    @property
    def cpu_us_per_item(self) -> float:
        return self.cpu_seconds / self.items * 1e6


class Failed(Exception):
    """A contestant did not do the work."""


def race(
    contestants: Sequence[Contestant], items: int, rounds: int, servers: Servers, say: Callable[[str], None]
) -> list[dict[str, Run]]:
    """Name → run, round by round; the raw limit is one of them."""
    done = []
    body_size = 2000
    for number in range(1, rounds + 1):
        runs: dict[str, Run] = {}
        limits: list[Run] = []
        for place, contestant in enumerate(contestants):
            if place in (0, len(contestants) // 2):
                limits.append(_limit(items, body_size, servers))
            some = max(PAGE, int(items * contestant.share) // PAGE * PAGE)
            run = runs[contestant.name] = _run(contestant, some, servers)
            say(
                f"{number}: {run.name:22}{run.items_per_s:8.0f} items/s{run.cpu_us_per_item:8.0f} CPU µs/item"
            )
            sizes = _drain(servers.amqp, some)
            body_size = sizes if contestant.way == "hub" else body_size
        limits.append(_limit(items, body_size, servers))
        runs[LIMIT] = sorted(limits, key=lambda run: run.seconds)[len(limits) // 2]
        said = ", ".join(f"{run.items_per_s:.0f}" for run in limits)
        say(f"{number}: {LIMIT:22}{runs[LIMIT].items_per_s:8.0f} items/s of {said}; {body_size} bytes each")
        done.append(runs)
    return done


def ratio(done: Sequence[dict[str, Run]], ours: Sequence[str], other: str) -> float:
    """The best of ours against another, within each round; the median of the rounds."""
    return median(max(runs[name].items_per_s for name in ours) / runs[other].items_per_s for runs in done)


def items_per_s(done: Sequence[dict[str, Run]]) -> dict[str, float]:
    return {name: median(runs[name].items_per_s for runs in done) for name in done[0]}


def cpu_us_per_item(done: Sequence[dict[str, Run]]) -> dict[str, float]:
    return {name: median(runs[name].cpu_us_per_item for runs in done) for name in done[0] if name != LIMIT}


def _limit(items: int, body_size: int, servers: Servers) -> Run:
    """Half a second of work, and everything is divided by it: hence three times in a round."""
    limit.declare(servers.amqp, UNITS)
    seconds = limit.RawPublisher(servers.amqp, UNITS, b"x" * body_size, items).run()
    limit.declare(servers.amqp, UNITS)
    return Run(LIMIT, items, seconds, 0.0)


def _run(contestant: Contestant, items: int, servers: Servers) -> Run:
    limit.declare(servers.amqp, UNITS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = ""
        if contestant.needs_postgresql:
            name = f"bench_{contestant.name}"
            database = servers.postgresql.create_database(name)
            stack.callback(servers.postgresql.drop_database, name)
        at = stack.enter_context(source(items))
        starts = contestant.starts(Ground(folder, at, servers.amqp, database))
        log = stack.enter_context((folder / "log").open("w+"))
        try:
            processes = _started(stack, starts, log.fileno())
            began = at.began()
            used = _cpu(processes)
            ended = wait_for_arrival(servers.amqp, items, may_go_on=lambda: _none_failed(processes))
            used = _cpu(processes) - used
        except TimeoutError as failed:
            log.seek(0)
            raise Failed(f"{contestant.name}: {failed}; its last words:\n{log.read()[-2000:]}") from failed
        return Run(contestant.name, items, ended - began, used)


def _started(stack: ExitStack, starts: Sequence[Start], log: int) -> list[subprocess.Popen[bytes]]:
    """One after the other: the next is started when the one before it is ready."""
    processes = []
    for start, is_last in zip(starts, [*([False] * (len(starts) - 1)), True], strict=True):
        process = stack.enter_context(subprocess.Popen(start.command, stdout=log, stderr=log))
        # Entered later, so it is called first: nobody waits for a process that was not told to end.
        stack.callback(process.terminate)
        processes.append(process)
        if not is_last:
            wait_until_ready(start.ready)
    return processes


def _cpu(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    return sum(cpu_seconds(process.pid) for process in processes)


def _none_failed(processes: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Whoever is through has ended with 0; a hub never ends."""
    return not any(process.poll() for process in processes)


def _drain(amqp: str, items: int) -> int:
    """Take all messages, each item's exactly once; the usual size of their bodies."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    channel = connection.channel()
    found: Counter[bytes] = Counter()
    size = 0

    def take(_channel: object, _method: object, _properties: object, body: bytes) -> None:
        nonlocal size
        number = ORDER_NO.search(body)
        found[number[1] if number else b"?"] += 1
        size = len(body)

    for unit in UNITS:
        channel.basic_consume(queue(unit), take, auto_ack=True)
    end = time.time() + PATIENCE
    while found.total() < items and time.time() < end:
        connection.process_data_events(0.1)
    connection.process_data_events(0.1)
    connection.close()
    if len(found) != items or found.total() != items:
        raise Failed(f"{found.total()} messages about {len(found)} items, instead of {items}, once each")
    return size
