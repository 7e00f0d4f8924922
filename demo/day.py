"""
`suqiu demo`: a whole city on this machine, and the count of what was lost, made outside the hub.

Sources, hub and units are processes of their own that know each other over the network only. The hub
may be killed at any moment; it is started again, and the result is the same.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.city import City
from demo.compare import compare, is_clean
from demo.keeping import explain, export_fates
from demo.processes import ChildFailed
from demo.screen import Screen
from demo.town import Town

LOOK_EVERY = 0.3
SETTLES_WITHIN = 10.0
"""Once everything is handed out and taken and nothing moves any more for so long, what is missing is lost."""
STUCK_AFTER = 200.0
"""Nothing at all moved for so long: the day is ended, and counted as it stands."""
LIVE_ITEMS = 50_000
LIVE_RATE = 2.0


@dataclass(frozen=True)
class Options:
    """What `suqiu demo` was asked for."""

    once: bool = False
    as_json: bool = False
    seed: int = 1
    items: int = 500
    keep: Path | None = None
    lose_one: bool = False
    amqp: str | None = None
    management: str | None = None
    database: str | None = None
    kill_hub_at: float | None = None


def main(options: Options) -> int:
    """The exit code: 0 when nothing was lost, 1 when something was, 2 when the day could not be held."""
    # Told to end, it ends its children first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _folder(options) as folder:
            city = City(folder, options.amqp, options.management, options.database)
            city.write()
            return _once(city, options) if options.once else _live(city, options)
    except ChildFailed as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


@contextmanager
def _folder(options: Options) -> Iterator[Path]:
    """A new folder for the day. What is kept must be empty: two days in one file would count wrongly."""
    if options.keep is None:
        with tempfile.TemporaryDirectory(prefix="suqiu-demo-") as temporary:
            yield Path(temporary)
        return
    folder = options.keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ChildFailed(f"{options.keep} 不是空目录，请另选一个 (--keep needs a new or empty folder)")
    yield folder


def _once(city: City, options: Options) -> int:
    began = time.monotonic()
    town = Town(city, seed=options.seed, items=options.items, loses_one=options.lose_one)
    with town.open():
        _say(f"城市已开张：{options.items} 件诉求，种子 {options.seed} (the city is open)")
        _until_settled(town, options)
        _say("收工，核对中 (closing, counting)")
    export_fates(town.installation, city.folder)
    result = _result(compare(city.folder), options, time.monotonic() - began)
    town.close_ledger()
    if options.keep:
        explain(city, result)
    _show(result, as_json=options.as_json)
    return 0 if is_clean(result) else 1


def _until_settled(town: Town, options: Options) -> None:
    """Until every unit has everything, or nothing moves any more."""
    last, moved, is_killed = town.movement(), time.monotonic(), options.kill_hub_at is None
    while True:
        time.sleep(LOOK_EVERY)
        if not is_killed and town.share_handed_out() >= (options.kill_hub_at or 0.0):
            is_killed = town.kill_hub()
            _say("枢纽已被 kill -9，随即重启 (the hub was killed)")
        town.watch()
        movement = town.movement()
        if movement != last:
            last, moved = movement, time.monotonic()
            _say(town.sentence())
        still = time.monotonic() - moved
        if town.is_exhausted() and is_killed and (town.is_complete() or _has_come_to_rest(town, still)):
            return
        if still > STUCK_AFTER:
            _say("很久没有动静，就此结束 (nothing moves any more)")
            return


def _has_come_to_rest(town: Town, still: float) -> bool:
    """
    Quiet alone is not the end: a task that a unit had taken when the hub was killed lies on lease longer
    than that, and what follows it waits behind it.
    """
    return still > SETTLES_WITHIN and town.waiting()[0] == 0


def _live(city: City, options: Options) -> int:
    items = max(options.items, LIVE_ITEMS)
    town = Town(city, seed=options.seed, items=items, loses_one=options.lose_one, rate=LIVE_RATE)
    try:
        with town.open(), Screen(city, town) as screen:
            while True:
                time.sleep(1.0)
                town.watch()
                screen.refresh()
    except KeyboardInterrupt:
        _say("已收工 (the city is closed)")
    finally:
        town.close_ledger()
    return 0


def _result(counted: dict[str, Any], options: Options, seconds: float) -> dict[str, Any]:
    return {**counted, "seconds": round(seconds, 1), "seed": options.seed, "items": options.items}


def _show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    labels = {
        "received": "收到 received", "duplicates": "重复 duplicates", "revisions": "变更 revisions",
        "rejected": "验签拒收 rejected", "unapproved": "未获授权 unapproved", "archived": "归档 archived",
        "rows_refused": "汇总表未收行 rows refused", "dead": "死信 dead", "internal": "内部岗位 internal",
        "lost": "丢失 lost", "seconds": "用时 seconds",
    }  # fmt: skip
    for name, label in labels.items():
        print(f"{label:<24}{result[name]}")
    for channel, count in result["by_channel"].items():
        print(f"  来自 {channel:<17}{count}")
    for unit, count in result["delivered"].items():
        print(f"  送达 {unit:<19}{count}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
