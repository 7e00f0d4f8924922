"""What the configuration says about one source's items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from router.message import Appeal, Decision, Envelope, Outcome
from router.ports import NewId, Translator


class Router(Protocol):
    """The rules, ready to decide."""

    def route(self, appeal: Appeal) -> Decision:
        """Where it goes and why. Raises Unroutable."""

    @property
    def may_reroute(self) -> bool:
        """Whether any change of an appeal could route it afresh."""

    def reroutes(self, outcome: Outcome, before: Appeal, after: Appeal) -> bool:
        """Whether this change does."""


class Admission(Protocol):
    """Who may report directly (annex 2)."""

    def objection(self, appeal: Appeal) -> str | None:
        """Why this direct report may not be taken, in words for whoever reported; None when it may."""


class Twins(Protocol):
    """The same matter, told at another door."""

    def open_twin(self, appeal: Appeal) -> str | None:
        """The id of an open appeal from another source that this closed one is about; None when none is."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the configuration says about one source's items, under one configuration hash."""

    translator: Translator
    router: Router
    desk: str
    config_hash: str
    new_id: NewId
    kept: Callable[[str], Envelope | None]
    """Fetches an original from the ledger, to translate it anew after a configuration change."""
    admission: Admission | None = None
    """Asked for every direct report; None where anybody may report."""
    twins: Twins | None = None
    """Asked for every closed report, so that one matter is not counted twice."""
