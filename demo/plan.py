"""
What happens on the simulated day: which source has which appeal, and everything that goes wrong with it.

Made from the seed alone, so every process of the demonstration makes the same plan by itself and
nothing has to be passed around. What goes wrong is what really does: things come twice, change, are
taken back, cannot be read, or are signed with the wrong key.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Literal

from demo.corpus import Text, texts
from demo.corpus.filling import Filled, fill

Source = Literal["sst", "sst_direct", "crm", "exchange"]
Way = Literal["pull", "push", "both"]
Fate = Literal["ok", "dead", "rejected", "unapproved"]
Change = Literal["supplement", "withdrawal"]

SHARES: dict[tuple[Source, Way], float] = {
    ("sst", "push"): 0.30,
    ("sst", "pull"): 0.15,
    ("sst", "both"): 0.05,
    ("sst_direct", "pull"): 0.14,
    ("crm", "pull"): 0.28,
    ("exchange", "pull"): 0.08,
}
ODDITIES: dict[str, float] = {
    "dead": 0.010,
    "rejected": 0.008,
    "unapproved": 0.015,
    "refuse": 0.008,
    "supplement": 0.040,
    "withdrawal": 0.012,
    "twice": 0.025,
    "touched": 0.015,
}
"""How many of all appeals; each at least once, if there are appeals enough."""
CHANGES: tuple[Change, ...] = ("supplement", "withdrawal")


@dataclass(frozen=True)
class Item:
    """One appeal of the day."""

    seed: int
    number: int
    source: Source
    way: Way
    text: Text
    fate: Fate = "ok"
    changes: tuple[Change, ...] = ()
    """What happens to it afterwards, one version each."""
    twice: bool = False
    """The source hands the very same thing out again, unasked."""
    touched: bool = False
    """It changes where nobody cares (a view counter), and is handed out again."""
    refuse: bool = False
    """The unit will say that it cannot take it."""

    @property
    def id(self) -> str:
        """As the source calls it. 苏商通 counts in 23 digits, more than any float can hold."""
        if self.source == "exchange":
            return str(4_700_000 + self.number)
        if self.source == "crm":
            return f"250916{self.number % 86400:06d}{self.number:06d}"
        return f"20250916{1 if self.source == 'sst' else 2}{self.number:014d}"

    @property
    def versions(self) -> int:
        return 1 + len(self.changes)

    @cached_property
    def chance(self) -> int:
        """A number of its own, for small choices."""
        return Random(f"{self.seed}/{self.number}/chance").randrange(1 << 30)

    @cached_property
    def filled(self) -> Filled:
        """The wording of this very appeal."""
        return fill(self.text, Random(f"{self.seed}/{self.number}"))


def plan(seed: int, count: int) -> list[Item]:
    """The day's appeals in the order in which they turn up."""
    chance = Random(seed)
    reported, written = _split(texts())
    odd = _odd(chance, count)
    ways = chance.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    turns = {True: _turns(chance, reported), False: _turns(chance, written)}
    items = []
    for number, (source, way) in enumerate(ways):
        if number in odd["rejected"]:
            source, way = "sst", "push"
        elif number in odd["unapproved"]:
            source, way = "sst_direct", "pull"
        kinds: set[str] = {name for name, numbers in odd.items() if number in numbers}
        is_report = source == "sst_direct" and chance.random() < 0.7
        items.append(_with_oddities(Item(seed, number, source, way, next(turns[is_report])), kinds))
    return items


def _with_oddities(item: Item, odd: set[str]) -> Item:
    """At most one oddity decides about the whole appeal; the others come only where they fit."""
    if "rejected" in odd:
        return replace(item, fate="rejected")
    if "unapproved" in odd:
        return replace(item, fate="unapproved")
    if "dead" in odd:
        return replace(item, fate="dead")
    is_open = not item.text.result and item.way != "both" and "refuse" not in odd
    changes: tuple[Change, ...] = tuple(c for c in CHANGES if c in odd) if is_open else ()
    return replace(
        item,
        refuse="refuse" in odd,
        changes=changes,
        twice="twice" in odd,
        touched="touched" in odd and item.source == "crm",
    )


def _split(all_texts: Sequence[Text]) -> tuple[list[Text], list[Text]]:
    """What units report, and what firms write themselves."""
    return [t for t in all_texts if t.way], [t for t in all_texts if not t.way]


def _turns(chance: Random, choice: list[Text]) -> itertools.cycle[Text]:
    """Every text once before any comes again."""
    shuffled = list(choice)
    chance.shuffle(shuffled)
    return itertools.cycle(shuffled)


def _odd(chance: Random, count: int) -> dict[str, set[int]]:
    """Oddity → numbers of the appeals that have it."""
    return {
        name: set(chance.sample(range(count), min(count, max(2, round(share * count)))))
        for name, share in ODDITIES.items()
    }
