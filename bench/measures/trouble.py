"""What the healthy notice when somebody else is not: the same work twice, without and with the trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Trouble:
    """Things a second that reach the healthy ones; the medians of the rounds."""

    without: float
    with_: float
    ratio: float
    """With the trouble against without, made within each round."""


def compare(per_s: Callable[[bool], float], rounds: int) -> Trouble:
    """`per_s` lets the work through, with the trouble when told so."""
    pairs = [(per_s(False), per_s(True)) for _ in range(rounds)]
    return Trouble(
        median(without for without, _ in pairs),
        median(with_ for _, with_ in pairs),
        median(with_ / without for without, with_ in pairs),
    )
