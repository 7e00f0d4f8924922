"""Outside systems inside the test's own process, and a way to talk to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from demo.plan import Item, plan
from demo.record import Record
from demo.sources.__main__ import DAY
from demo.sources.crm import LIST, Crm, signature
from demo.sources.serving import Answer, Asked, serve
from demo.sources.shelf import Shelf, ticking
from demo.sources.sst import Sst

CLIENT = ("suqiu", "a secret of the client")
APP, SECRET = "app", "a secret of the app"


@contextmanager
def running(respond: Callable[[Asked], Answer]) -> Iterator[str]:
    """The address of a server that answers so."""
    server = serve(0, respond)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def shelf(source: str, items: Sequence[Item], record: Record, wave: int = 1000) -> Shelf:
    return Shelf(source, items, record, wave=wave, moment=ticking(DAY, 2000))


def items_of(source: str, seed: int = 7, count: int = 400) -> list[Item]:
    return [item for item in plan(seed, count) if item.source == source and item.way != "push"]


@contextmanager
def sst(folder: Path, items: Sequence[Item]) -> Iterator[str]:
    with Record(folder / "handed-out-sst.jsonl") as record:
        shelves = {"appeals": shelf("sst", items, record), "reports": shelf("sst_direct", [], record)}
        with running(Sst(shelves, CLIENT)) as url:
            yield url


@contextmanager
def crm(folder: Path, items: Sequence[Item], wave: int = 1000) -> Iterator[str]:
    with (
        Record(folder / "handed-out-crm.jsonl") as record,
        running(Crm(shelf("crm", items, record, wave), APP, SECRET)) as url,
    ):
        yield url


def token(http: httpx.Client, url: str) -> str:
    form = {"client_id": CLIENT[0], "client_secret": CLIENT[1]}
    return str(http.post(f"{url}/oauth/token", data=form).json()["access_token"])


def ask_crm(http: httpx.Client, url: str, **params: str) -> httpx.Response:
    """A signed question, as often as it takes until the CRM is neither broken nor busy."""
    form = {"appid": APP, "timestamp": "1757989800000", **params}
    form["sign"] = signature(form, SECRET)
    answer = http.post(f"{url}{LIST}", data=form)
    return answer if answer.status_code == 200 else ask_crm(http, url, **params)


def crm_rows(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.content)["res"]["list"]
    return found
