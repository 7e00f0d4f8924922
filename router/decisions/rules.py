"""
The rule set: an ordered table, first match wins, the last rule is an explicit catch-all to the desk.

A rule whose target names nobody (an empty field, a place without a platform, only units that gave it
back) does not match, and the explanation says so. Compiled once from routes.yaml, immutable and
thread-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router.decisions.facts import CaseHistory, Deriver, Facts
from router.decisions.fields import Subject
from router.decisions.matchers import Condition
from router.decisions.targets import Target
from router.errors import Unroutable
from router.message import Appeal, Decision, Match, PassedOver


@dataclass(frozen=True, slots=True)
class Rule:
    """One route."""

    name: str
    conditions: tuple[Condition, ...]
    target: Target
    assisting: Target | None = None

    def matches(self, subject: Subject) -> bool:
        return all(condition.test(subject) for condition in self.conditions)

    def units(self, subject: Subject) -> tuple[str, ...]:
        """The lead first, nobody twice."""
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
    """Decides. What it decided on is in the decision; `explain` adds why no earlier rule did."""

    def __init__(self, rules: Sequence[Rule], deriver: Deriver) -> None:
        self.rules = tuple(rules)
        self._deriver = deriver

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(rule.name for rule in self.rules)

    def route(self, appeal: Appeal, history: CaseHistory, *, explain: bool = False) -> Decision:
        """Derive, then decide. Without `explain`, `passed_over` stays empty: it can be had later."""
        reading = self._deriver.read(appeal)
        facts = self._deriver.derive(appeal, history, reading)
        return self._decide(Subject(appeal, facts, reading.words()), explain=explain)

    def decide(self, appeal: Appeal, facts: Facts, *, explain: bool = False) -> Decision:
        """On facts that were derived before."""
        return self._decide(Subject(appeal, facts, self._deriver.read(appeal).words()), explain=explain)

    def _decide(self, subject: Subject, *, explain: bool) -> Decision:
        for place, rule in enumerate(self.rules):
            if rule.matches(subject):
                units = rule.units(subject)
                if units:
                    over = self.rules[:place] if explain else ()
                    return _decision(rule, units, subject, over)
        raise Unroutable("no rule took it, and there is no catch-all; add one to the desk at the end")


def _decision(rule: Rule, units: tuple[str, ...], subject: Subject, over: Sequence[Rule]) -> Decision:
    return Decision(
        rule=rule.name,
        lead=units[0],
        assisting=units[1:21],
        matched=tuple(condition.match(subject) for condition in rule.conditions),
        passed_over=tuple(PassedOver(rule=r.name, failed=r.failed(subject)) for r in over),
        facts=subject.facts.model_dump(exclude_defaults=True),
    )
