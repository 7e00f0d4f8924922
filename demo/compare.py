"""
Counts what was lost, from the files that the simulators wrote. Standard library only; run it on its own:

    python compare.py DIR

DIR holds `handed-out-*.jsonl` (what the sources handed out), `got-*.jsonl` (what each unit got) and
`fates.jsonl` (the hub's export: every appeal with its deliveries). What the hub says is believed
only where it takes something upon itself: work for its own people, and dead letters. That a unit
has something is believed of the unit alone.

Handed out = delivered ∪ internal ∪ dead ∪ rejected. A repeat needs no place of its own: its id is
counted already. Lost is what is missing on the left, or has not all of it arrived: a unit that the
hub sent to and that never got it, or did not get the last version that was handed out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]
DEAD = {"dead", "rejected"}
TABLES = "mailbox"
"""The source of the units' quarterly tables: its items are their rows, and whole mails that nobody trusts."""


def rows(folder: Path, pattern: str) -> Iterator[Row]:
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def compare(folder: Path, internal: Iterable[str] = ("desk", "supervision", "archive")) -> Row:
    """The day's result."""
    handed = _by_id(rows(folder, "handed-out-*.jsonl"), "id")
    got = _by_id(rows(folder, "got-*.jsonl"), "source_id")
    fates = _by_id(rows(folder, "fates.jsonl"), "source_id")
    offices = frozenset(internal)
    sent = {key: told for key, told in handed.items() if not _is_rejected(told)}
    cases = [(key, Case(told, got.get(key, []), fates.get(key, []), offices)) for key, told in sent.items()]
    lost = sorted(key for key, case in cases if case.is_lost())
    strangers = (got.keys() | fates.keys()) - sent.keys()
    return {
        "received": len(handed),
        "duplicates": len(_versions(handed, "duplicate")),
        "revisions": len({mark for mark in _versions(handed) if mark[2] > 1}),
        "rejected": len(handed) - len(sent),
        "dead": sum(case.is_dead for _, case in cases),
        "unapproved": sum(case.is_unapproved for _, case in cases),
        "archived": sum(case.is_archived for _, case in cases),
        "rows_refused": sum(case.is_unregistered for key, case in cases if _is_row(key)),
        "internal": sum(case.is_internal for _, case in cases),
        "by_channel": _by_channel(handed),
        "delivered": _delivered(got),
        "lost": len(lost),
        "lost_ids": [f"{source}/{source_id}" for source, source_id in lost[:20]],
        "unexpected": len(strangers) + sum(case.is_misread for _, case in cases),
        "out_of_order": sum(_out_of_order(received) for received in got.values()),
        "twice": _twice(got),
    }


@dataclass(frozen=True)
class Case:
    """One appeal: what its source told, what units got, what the hub says became of it."""

    told: list[Row]
    got: list[Row]
    fates: list[Row]
    internal: frozenset[str]

    @property
    def is_unregistered(self) -> bool:
        """Nobody could read it; it is a dead letter, and work for the desk."""
        return bool(self.fates) and self.fates[0]["state"] == "unregistered"

    @property
    def is_unapproved(self) -> bool:
        """A direct report by somebody who may not: recorded with the reason, and given to nobody."""
        return bool(self.fates) and self.fates[0]["state"] == "unapproved"

    @property
    def is_archived(self) -> bool:
        """Closed before it came: counted, and given to nobody."""
        return any(row["destination"] == "archive" for row in self.fates)

    @property
    def is_dead(self) -> bool:
        return self.is_unregistered or any(row["delivery_state"] in DEAD for row in self.fates)

    @property
    def is_internal(self) -> bool:
        return not self.is_dead and any(row["destination"] in self.internal for row in self.fates)

    @property
    def is_misread(self) -> bool:
        """Readable and given up all the same, or unreadable and passed on."""
        was_meant = all(row["expect"] == "dead" for row in self.told)
        is_refused = all(row["expect"] == "unapproved" for row in self.told)
        return bool(self.fates) and (self.is_unregistered, self.is_unapproved) != (was_meant, is_refused)

    def is_lost(self) -> bool:
        if not self.fates:
            return True  # the hub has never heard of it
        if self.is_unregistered or self.is_unapproved:
            return False
        outside = [row for row in self.fates if row["destination"] and self._is_outside(row)]
        if not outside:
            return not (self.is_internal or self.is_dead)
        return any(self._misses(unit, outside) for unit in {row["destination"] for row in outside})

    def _is_outside(self, row: Row) -> bool:
        """Something that a unit must have got."""
        return row["destination"] not in self.internal and row["delivery_state"] != "cancelled"

    def _misses(self, unit: str, outside: list[Row]) -> bool:
        """Whether the unit lacks a message that was for it, or the last version that was handed out."""
        wanted = [row for row in outside if row["destination"] == unit]
        arrived = [row for row in self.got if row["unit"] == unit]
        if any(row["delivery_state"] in DEAD for row in wanted):
            return False
        if any(row["refused"] for row in arrived):
            return True  # sent back, and nobody has it
        last = max(row["revision"] for row in self.told)
        return {row["sequence"] for row in wanted} != {row["sequence"] for row in arrived} or last != max(
            row["source_version"] for row in arrived
        )


def _is_row(key: Key) -> bool:
    return key[0] == TABLES and not key[1].startswith("mail/")


def _by_channel(handed: dict[Key, list[Row]]) -> dict[str, int]:
    """Door → appeals that it handed out, in the words of the city."""
    return dict(sorted(Counter(told[0]["channel"] for told in handed.values()).items()))


def _by_id(told: Iterable[Row], name: str) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in told:
        found[(row["source"], row[name])].append(row)
    return found


def _is_rejected(told: list[Row]) -> bool:
    """Refused at the door for good: only ever signed wrongly, only ever answered no."""
    return all(row["expect"] == "rejected" and row["answer"] != "yes" for row in told)


def _versions(handed: dict[Key, list[Row]], expect: str | None = None) -> set[tuple[str, str, int]]:
    return {
        (*key, row["revision"])
        for key, told in handed.items()
        for row in told
        if expect is None or row["expect"] == expect
    }


def _delivered(got: dict[Key, list[Row]]) -> dict[str, int]:
    """Unit → appeals that it has taken, each counted once."""
    found: dict[str, set[Key]] = defaultdict(set)
    for key, received in got.items():
        for row in received:
            if not row["refused"]:
                found[row["unit"]].add(key)
    return {unit: len(keys) for unit, keys in sorted(found.items())}


def _out_of_order(received: list[Row]) -> bool:
    """Whether a unit got a later message about the appeal before an earlier one (P3)."""
    lines: dict[str, list[int]] = defaultdict(list)
    for row in received:
        lines[row["unit"]].append(row["sequence"])
    return any(line != sorted(line) for line in lines.values())


def _twice(got: dict[Key, list[Row]]) -> int:
    """Messages written down twice under the same id (P2)."""
    ids = [row["dispatch_id"] for received in got.values() for row in received]
    return len(ids) - len(set(ids))


def is_clean(result: Row) -> bool:
    return not any(result[name] for name in ("lost", "unexpected", "out_of_order", "twice"))


if __name__ == "__main__":
    outcome = compare(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print(json.dumps(outcome, ensure_ascii=False, indent=2))
    sys.exit(0 if is_clean(outcome) else 1)
