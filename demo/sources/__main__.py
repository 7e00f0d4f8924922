"""
Runs one outside system until it is told to stop.

    python -m demo.sources sst --port 9101 --seed 7 --items 500 --record DIR --push http://127.0.0.1:8800/push/sst
    python -m demo.sources crm --port 9102 --seed 7 --items 500 --record DIR
    python -m demo.sources exchange --port 9103 --seed 7 --items 500 --record DIR --file DIR/exchange.db
    python -m demo.sources mailbox --port 9104 --seed 7 --record DIR --file DIR/mailbox

Its secrets come on standard input, one `name=value` a line, so that no list of processes shows them:
client_id, client_secret and push_key (base64) for sst; app_id and secret for crm.
"""

from __future__ import annotations

import argparse
import base64
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from demo.leash import die_with_parent
from demo.plan import Item, Source, plan
from demo.record import Record
from demo.sources.crm import Crm
from demo.sources.exchange import Exchange
from demo.sources.office import Office
from demo.sources.pushing import Pushing
from demo.sources.serving import STATE, Answer, Asked, json_answer, serve
from demo.sources.shelf import Moment, Progress, Shelf, ticking
from demo.sources.sst import SHANGHAI, Sst
from demo.tables import mails

DAY = datetime(2025, 9, 16, 8, 30, tzinfo=SHANGHAI)
"""The simulated day begins here: always the same, so that the same seed is the same day."""
WAVES = 8


class Progressing(Protocol):
    def progress(self) -> Progress: ...


def main() -> None:
    die_with_parent()
    wanted = _arguments()
    secrets = dict(line.strip().split("=", 1) for line in sys.stdin if "=" in line)
    items = plan(wanted.seed, wanted.items)
    RUN[wanted.system](wanted, secrets, items)


def _run_sst(wanted: argparse.Namespace, secrets: dict[str, str], items: list[Item]) -> None:
    moment = _moment(wanted)
    with (
        Record(wanted.record / "handed-out-sst.jsonl") as own,
        Record(wanted.record / "handed-out-sst-direct.jsonl") as direct,
    ):
        shelves = {
            "appeals": _shelf(wanted, "sst", items, own, moment),
            "reports": _shelf(wanted, "sst_direct", items, direct, moment),
        }
        pushing = Pushing(wanted.push, base64.b64decode(secrets["push_key"]), own, moment, wanted.rate / 3)
        pushing.start([item for item in items if item.source == "sst" and item.way != "pull"])
        client = secrets["client_id"], secrets["client_secret"]
        _serve(wanted, Sst(shelves, client), list(shelves.values()), lambda: (pushing.planned, pushing.left))
        pushing.stop()


def _run_crm(wanted: argparse.Namespace, secrets: dict[str, str], items: list[Item]) -> None:
    with Record(wanted.record / "handed-out-crm.jsonl") as record:
        shelf = _shelf(wanted, "crm", items, record, _moment(wanted))
        _serve(wanted, Crm(shelf, secrets["app_id"], secrets["secret"]), [shelf], lambda: (0, 0))


def _run_exchange(wanted: argparse.Namespace, secrets: dict[str, str], items: list[Item]) -> None:
    own = [item for item in items if item.source == "exchange"]
    wave = 1 if wanted.rate else max(5, -(-len(own) // WAVES))
    with Record(wanted.record / "handed-out-exchange.jsonl") as record:
        table = Exchange(wanted.file, own, record, wave=wave, moment=_moment(wanted))
        _serve(wanted, _no_address, [table], lambda: (0, 0), table.run)


def _run_mailbox(wanted: argparse.Namespace, secrets: dict[str, str], items: list[Item]) -> None:
    with Record(wanted.record / "handed-out-mailbox.jsonl") as record:
        office = Office(wanted.file, mails(wanted.seed), record)
        _serve(wanted, _no_address, [office], lambda: (0, 0), office.run)


def _no_address(asked: Asked) -> Answer:
    return json_answer({"message": "接口不存在"}, 404)


def _moment(wanted: argparse.Namespace) -> Moment:
    return (lambda: datetime.now(SHANGHAI)) if wanted.rate else ticking(DAY, wanted.items * 2)


def _shelf(
    wanted: argparse.Namespace, source: Source, items: list[Item], record: Record, moment: Moment
) -> Shelf:
    own = [item for item in items if item.source == source and item.way != "push"]
    # Live, the hub asks every second, and a third of the rate falls to each list.
    wave = 1 if wanted.rate else max(10, -(-len(own) // WAVES))
    return Shelf(source, own, record, wave=wave, moment=moment)


def _serve(
    wanted: argparse.Namespace,
    system: Callable[[Asked], Answer],
    shelves: Sequence[Progressing],
    pushes: Callable[[], tuple[int, int]],
    work: Callable[[threading.Event], None] | None = None,
) -> None:
    """Until told to stop; `work` goes on in a thread beside it."""

    def respond(asked: Asked) -> Answer:
        if asked.path == STATE:
            return json_answer(_state(shelves, *pushes()))
        return system(asked)

    server = serve(wanted.port, respond)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if work is not None:
        threading.Thread(target=work, args=(stop,), daemon=True).start()
    print(f"listening on {server.server_port}", flush=True)
    stop.wait()
    server.shutdown()


def _state(shelves: Sequence[Progressing], pushes: int, pushes_left: int) -> dict[str, object]:
    progress = [shelf.progress() for shelf in shelves]
    return {
        "planned": sum(one.planned for one in progress),
        "handed_out": sum(one.handed_out for one in progress),
        "pushes": pushes,
        "pushes_left": pushes_left,
        "exhausted": pushes_left == 0 and all(one.is_exhausted for one in progress),
        "listings_since": min(one.listings_since for one in progress),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("system", choices=sorted(RUN))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--record", type=Path, required=True, help="folder for the JSONL files")
    parser.add_argument("--file", type=Path, help="the exchange table's SQLite file, the Maildir")
    parser.add_argument("--push", default="", help="the hub's push address (sst)")
    parser.add_argument("--rate", type=float, default=0.0, help="appeals a second; 0: as fast as can be")
    return parser.parse_args()


RUN = {"sst": _run_sst, "crm": _run_crm, "exchange": _run_exchange, "mailbox": _run_mailbox}


if __name__ == "__main__":
    main()
