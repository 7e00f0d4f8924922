"""
The bench: the hub against what people would write instead, then the hub alone.

    make bench ARGS="--quick --json"

Exit code 1 when a floor (bar.py) is missed. --quick takes less than five minutes, on fewer items.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial

from bench import bar, report
from bench.contestants import HUBS, PEERS
from bench.measures.everything import Measured, measure
from bench.race import Run, Servers, cpu_us_per_item, items_per_s, race, ratio
from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ

ROUNDS = 3
ITEMS, QUICK_ITEMS = 20_000, 4_000
_NAMES = {"faststream_peer": "faststream", "celery_peer": "celery", "kombu_peer": "kombu"}


def main() -> int:
    """Measure, print, write RESULTS.md (not with --only: half a table would mislead)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument(
        "--only", nargs="+", default=[], help="these contestants, and nothing beside the race"
    )
    parser.add_argument("--items", type=int)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    items = options.items or (QUICK_ITEMS if options.quick else ITEMS)
    say = partial(print, file=sys.stderr if options.json else sys.stdout, flush=True)
    contestants = [c for c in (*HUBS, *PEERS) if not options.only or c.name in options.only]
    with RabbitMQ() as broker, PostgreSQL() as database:
        servers = Servers(broker.amqp_url, database.server)
        say(f"the race: {items} items, slow contestants fewer, {options.rounds} rounds")
        done = race(contestants, items, options.rounds, servers, say)
        if options.only:
            say("\n".join(report.table(done)))
            return 0
        measured = measure(broker.amqp_url, quick=options.quick, say=say)
        head = report.surroundings(servers)
    ratios, figures = _ratios(done), _figures(measured)
    missed = bar.below(ratios, figures)
    verdict = [f"- {line}" for line in missed] or ["Every floor is met."]
    compared = [f"- {name}: {value:.2f}" for name, value in ratios.items()]
    sections = {
        f"The race ({items} items, median of {options.rounds} rounds)": report.table(done),
        "Ratios": compared,
        "A running hub": measured.lines(),
        "Below the bar": verdict,
    }
    report.write(head, sections)
    for title, lines in sections.items():
        say(f"\n{title}\n" + "\n".join(lines))
    if options.json:
        print(json.dumps(_json(done, ratios, figures)))
    return 1 if missed else 0


def _ratios(done: Sequence[dict[str, Run]]) -> dict[str, float]:
    hubs = [hub.name for hub in HUBS]
    on_postgresql = [hub.name for hub in HUBS if hub.needs_postgresql]
    against = {_NAMES.get(peer.name, peer.name): ratio(done, hubs, peer.name) for peer in PEERS}
    return {
        **against,
        "limit_sqlite": ratio(done, ["suqiu_sqlite"], "limit"),
        "limit_postgresql": ratio(done, on_postgresql, "limit"),
        "aio_pika_limit": ratio(done, ["aio_pika_pipelined"], "limit"),
    }


def _figures(measured: Measured) -> dict[str, float]:
    return {
        "push_p99_ms": measured.push_p99_ms,
        "growth": measured.growth,
        "rss_mb": measured.memory.most,
        "rss_growth": measured.memory.growth,
        "first_poll_s": measured.first_poll_s,
        "show_ms": measured.looked.show,
        "list_ms": measured.looked.list,
        "slowest_list_ms": measured.looked.slowest,
        "stuck_queue": measured.stuck.ratio,
        "troubled_receivers": measured.handed.ratio,
    }


def _json(
    done: Sequence[dict[str, Run]], ratios: dict[str, float], figures: dict[str, float]
) -> dict[str, object]:
    return {
        "items_per_s": {name: round(value) for name, value in items_per_s(done).items()},
        "cpu_us_per_item": {name: round(value) for name, value in cpu_us_per_item(done).items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        **{name: round(value, 3) for name, value in figures.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
