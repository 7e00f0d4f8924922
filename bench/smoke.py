"""
The speed smoke: intake and relay as a ratio to the raw publisher, in one run.

    python -m bench.smoke [--items N] [--postgresql] [--json]

N items of 1.2 KB of Chinese JSON are mapped, decided, recorded with encryption in one transaction
per page of 200, and published to 60 quorum queues, persistent and confirmed; then the raw publisher
sends bodies of the same size to the same queues. A ratio below 0.2 is a defect of the design.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uuid_utils

import mappings.loading
from bench import limit
from config.process import calm_collector
from demo.servers.postgres import PostgreSQL
from demo.servers.rabbitmq import RabbitMQ
from router import jsontext
from router.broker.publisher import PikaPublisher
from router.broker.settings import BrokerSettings
from router.directory import Directory, Region, Unit
from router.events import DeliveryPublished, Event, nobody
from router.flows.dispatching import Dispatching, Plan
from router.flows.intake import Intake
from router.flows.reading import Reading
from router.flows.relay import Relay, RelayTools
from router.flows.rulebook import Rulebook
from router.ledger import migrate
from router.ledger.database import Database
from router.ledger.intake import IntakeStore
from router.ledger.outbox import OutboxStore
from router.ledger.sealing import Sealer
from router.message import Appeal, Batch, Decision, Envelope


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid_utils.uuid7())


UNITS = tuple(f"unit{n:02}" for n in range(60))
PAGE = 200
ROUNDS = 3
PATIENCE = 300.0
"""Seconds after which a round that is not through has failed."""
FLOOR = 0.2
Result = dict[str, float]
CONFIG_HASH = "0" * 64
MAPPING = """
fields:
  channel: {value: 12345热线}
  title: data.title
  content: {from: data.content, apply: [trim], required: true}
  kind: {from: data.kind, apply: [{code: kinds}], default: other}
  urgency: {from: data.urgent, default: normal}
  category: {all_of: [data.class1, data.class2]}
  enterprise.name: data.firm.name
  enterprise.uscc: data.firm.code
  contact.name: {from: data.link.name, apply: [trim]}
  contact.phones: {first_of: [data.link.mobile, data.link.tel], apply: [phones]}
  region: {first_of: [data.area, data.address], apply: [region]}
  address: data.address
  submitted_at: {from: data.time, apply: [{to_time: ["%Y-%m-%d %H:%M:%S"]}]}
  proposed_units: {from: data.unit, apply: [unit]}
  extensions.order_no: data.no
"""
CODES = 'codes: {"10": consultation, "20": complaint, "30": help}'
TEXT = "我公司主要生产精密零部件，近期因用工备案系统升级，新招员工的社保无法按时缴纳，已影响就医报销。"


def directory() -> Directory:
    units = [Unit(unit, f"第{unit}局") for unit in UNITS]
    return Directory([*units, Unit("desk", "服务台", "desk")], [Region("320505", "虎丘区")])


def page(first: int) -> Batch:
    """One page of items as a hotline hands them out."""
    envelopes = []
    for n in range(first, first + PAGE):
        data = {
            "no": f"GD2026{n:012}", "title": f"关于第{n}件社保缴纳问题的求助", "content": TEXT * 6,
            "kind": "30", "urgent": "normal", "class1": "人社", "class2": "社会保险", "area": "320505",
            "address": "虎丘区科技城示例路88号", "time": "2026-03-02 09:24:15", "unit": UNITS[n % 60],
            "firm": {"name": "苏州示例精密机械有限公司", "code": "9132059455117770X5"},
            "link": {"name": "王先生", "mobile": "13800001234", "tel": ""},
        }  # fmt: skip
        body = jsontext.dumps({"data": data})
        at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=n)
        envelopes.append(
            Envelope(source="crm", source_id=str(n), body=body, received_at=now(), updated_at=at)
        )
    return Batch(source="crm", envelopes=tuple(envelopes), cursor={"at": str(first)})


class Proposed:
    """The shortest of rules; the real ones are measured with the full bench."""

    may_reroute = False

    def reroutes(self, outcome: str, before: Appeal, after: Appeal) -> bool:
        return False

    def route(self, appeal: Appeal) -> Decision:
        return Decision(rule="proposed", lead=appeal.proposed_units[0])


class Arrivals:
    """Counts what is marked published. Asking the ledger instead would be measured with it."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.all_in = threading.Event()

    def __call__(self, event: Event) -> None:
        if isinstance(event, DeliveryPublished):
            self._left -= 1
            if self._left == 0:
                self.all_in.set()


def suqiu(url: str, amqp_url: str, items: int) -> float:
    """Seconds from the first page to the last delivery marked published."""
    database = Database(url)
    migrate.upgrade(database)
    sealer = Sealer({"k": b"k" * 32}, "k", b"h" * 32)
    arrivals = Arrivals(items)
    intake = _intake(IntakeStore(database, sealer))
    publisher = PikaPublisher(BrokerSettings(url=amqp_url), None, report=_say, random=random.random)
    plans = {unit: Plan(unit, "amqp", "published") for unit in UNITS}
    outbox = OutboxStore(database, sealer, new_id)
    tools = RelayTools(outbox, publisher, Dispatching(plans), now, arrivals)
    relay = Relay(tools, dict.fromkeys(UNITS, "published"), room=200, lease=timedelta(minutes=3))
    stop = threading.Event()
    turning = threading.Thread(target=relay.run, args=(stop,))
    pages = [page(first) for first in range(0, items, PAGE)]
    publisher.start()
    while not publisher.is_connected:
        time.sleep(0.01)
    calm_collector()
    began = time.perf_counter()
    turning.start()
    for batch in pages:
        intake.accept(batch)
        relay.wake()
    assert arrivals.all_in.wait(PATIENCE), "not everything was published"
    seconds = time.perf_counter() - began
    stop.set()
    turning.join()
    database.close()
    return seconds


def _intake(store: IntakeStore) -> Intake:
    found = mappings.loading.load({"crm.yaml": MAPPING, "codes/kinds.yaml": CODES}, directory())
    assert not found.problems, found.problems
    book = Rulebook(found.translators["crm"], Proposed(), "desk", CONFIG_HASH, new_id, store.kept_envelope)
    return Intake(
        store,
        lambda _source, heads, cases: Reading(book, heads, cases),
        clock=now,
        config_hash=CONFIG_HASH,
        announce=nobody,
    )


def _say(said: str) -> None:
    print(said, file=sys.stderr)


def run(items: int, ledger: Callable[[int], str], amqp_url: str, say: Callable[[str], None]) -> Result:
    """Three rounds, the hub and the limit by turns; the median of the ratios."""
    rounds = []
    for number in range(ROUNDS):
        limit.declare(amqp_url, UNITS)
        hub = items / suqiu(ledger(number), amqp_url, items)
        arrived = limit.count(amqp_url, UNITS)
        assert arrived == items, f"{arrived} of {items} arrived"
        limit.declare(amqp_url, UNITS)
        raw = items / limit.RawPublisher(amqp_url, UNITS, b"x" * 2000, items).run()
        say(f"round {number + 1}: suqiu {hub:6.0f} items/s, raw publisher {raw:6.0f}, ratio {hub / raw:.3f}")
        rounds.append((hub / raw, hub, raw))
    ratio, hub, raw = sorted(rounds)[ROUNDS // 2]
    return {"items_per_s": round(hub), "limit_per_s": round(raw), "ratio": round(ratio, 3)}


def main() -> int:
    """Exit code 1 below the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    items = options.items // PAGE * PAGE
    with tempfile.TemporaryDirectory() as folder, RabbitMQ() as broker:
        say = (lambda _: None) if options.json else print
        if options.postgresql:
            with PostgreSQL() as server:
                result = run(
                    items, lambda n: server.server.create_database(f"bench{n}"), broker.amqp_url, say
                )
        else:
            result = run(items, lambda n: f"sqlite:///{Path(folder) / f'{n}.db'}", broker.amqp_url, say)
    print(json.dumps(result) if options.json else f"median ratio {result['ratio']} (floor {FLOOR})")
    return 0 if result["ratio"] >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
