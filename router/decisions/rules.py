"""
The rule set: an ordered table, first match wins, the last rule is an explicit catch-all to the desk.

A rule whose target names nobody (an empty field, a place without a platform, only units that gave it
back) does not match, and the explanation says so. Compiled once from routes.yaml, immutable and
thread-safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.decisions.facts import CaseHistory, Deriver, Facts
from router.decisions.fields import Field, Subject
from router.decisions.matchers import Condition
from router.decisions.meanings import Wordy
from router.decisions.targets import Target
from router.errors import Unroutable
from router.message import Appeal, Decision, Match, PassedOver

MOST_ASSISTING = 20
"""As many as a decision holds; more are left out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One route."""

    name: str
    conditions: tuple[Condition, ...]
    target: Target
    assisting: Target | None = None
    asks: str = ""
    """What it asks of the lead beyond dealing with the matter."""

    def units(self, subject: Subject) -> tuple[str, ...]:
        """The lead first, nobody twice; nobody at all when the lead cannot be found."""
        lead = self.target.resolve(subject)
        if not lead or self.assisting is None:
            return lead
        return tuple(dict.fromkeys((*lead, *self.assisting.resolve(subject))))

    def failed(self, subject: Subject) -> Match:
        """The first condition that does not hold; the target, when all do."""
        for condition in self.conditions:
            if not condition.test(subject):
                return condition.match(subject)
        return Match(condition=f"to {self.target.said}", saw="names nobody")


class RuleSet:
    """
    Decides. A decision always says what it was decided on; why each earlier rule did not take the
    appeal (`passed_over`) is worked out only with `explain`, which the intake leaves out: with the
    kept appeal and the kept facts it can be had later, and is the same then.
    """

    def __init__(self, rules: Sequence[Rule], deriver: Deriver, reroute_on: Sequence[Field] = ()) -> None:
        self.rules = tuple(rules)
        self.reroute_on = tuple(reroute_on)
        """Fields whose change routes an appeal afresh; none, unless routes.yaml names some."""
        self._deriver = deriver
        self._plans = tuple((tuple(c.test for c in rule.conditions), rule) for rule in self.rules)
        self._always = [place for place, rule in enumerate(self.rules) if not _listens_for(rule)]
        self._waiting = _by_word(self.rules)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(rule.name for rule in self.rules)

    def route(self, appeal: Appeal, history: CaseHistory, *, explain: bool = False) -> Decision:
        """Derive, then decide. Raises Unroutable only without a catch-all, which the loader refuses."""
        reading = self._deriver.read(appeal)
        facts = self._deriver.derive(appeal, history, reading)
        return self._decide(Subject(appeal, facts, reading), explain)

    def derive(self, appeal: Appeal, history: CaseHistory) -> Facts:
        """The facts alone."""
        return self._deriver.derive(appeal, history)

    def decide(self, appeal: Appeal, facts: Facts | Mapping[str, Any], *, explain: bool = False) -> Decision:
        """On facts that were derived before, e.g. those kept in an earlier decision."""
        known = facts if isinstance(facts, Facts) else Facts.model_validate(facts)
        return self._decide(Subject(appeal, known, self._deriver.read(appeal)), explain)

    def _decide(self, subject: Subject, explain: bool) -> Decision:
        for place in self._possible(subject):
            tests, rule = self._plans[place]
            for test in tests:
                if not test(subject):
                    break
            else:
                if units := rule.units(subject):
                    return _decision(rule, units, subject, self.rules[:place] if explain else ())
        raise Unroutable("no rule took it, and there is no catch-all; add one to the desk at the end")

    def _possible(self, subject: Subject) -> list[int]:
        """In order, the rules that need no word, and those of which one was found: a thousand
        rules that wait for words cost nothing where none is said."""
        waiting = self._waiting
        woken = {place for word in subject.reading.words if word in waiting for place in waiting[word]}
        return sorted(woken.union(self._always)) if woken else self._always


def _by_word(rules: Sequence[Rule]) -> dict[str, tuple[int, ...]]:
    """Word → the places of the rules that wait for it."""
    waiting: dict[str, tuple[int, ...]] = {}
    for place, rule in enumerate(rules):
        for word in _listens_for(rule):
            waiting[word] = (*waiting.get(word, ()), place)
    return waiting


def _listens_for(rule: Rule) -> frozenset[str]:
    """Words of which one must be there for the rule to match; empty when it can match without."""
    needed = (m.any_of for c in rule.conditions for m in c.meanings if isinstance(m, Wordy) and m.any_of)
    return next(needed, frozenset())


def _decision(rule: Rule, units: tuple[str, ...], subject: Subject, over: Sequence[Rule]) -> Decision:
    return Decision.made(
        rule=rule.name,
        lead=units[0],
        assisting=units[1 : MOST_ASSISTING + 1],
        asks=rule.asks,
        matched=tuple(condition.match(subject) for condition in rule.conditions),
        passed_over=tuple(PassedOver(rule=r.name, failed=r.failed(subject)) for r in over),
        facts=subject.facts.said,
    )
