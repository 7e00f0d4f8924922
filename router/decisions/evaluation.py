"""
How often the rules are right, on labelled cases: `{"appeal": {…some fields…}, "expect": ["rsj", …]}`.

A case is right when its lead is among the expected ones. Coverage is the share that did not fall to
the desk; accuracy is taken over all cases, precision over those that were dispatched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from router.decisions.facts import CaseHistory
from router.decisions.rules import RuleSet
from router.directory import Directory, Part
from router.errors import MappingFailed
from router.limits import Frozen
from router.message import Appeal

_OFFICES: tuple[Part, ...] = ("desk", "supervision", "archive")
_GIVEN = {
    "appeal_id": "00000000-0000-7000-8000-000000000000",
    "source": "case",
    "source_id": "case",
    "revision": 1,
    "channel": "case",
    "received_at": datetime(2026, 1, 1, tzinfo=UTC),
}


class Confusion(Frozen):
    expected: str
    actual: str
    count: int


class Miss(Frozen):
    """One case that went wrong, by its number from 1."""

    case: int
    expected: str
    actual: str
    rule: str


class UnitScore(Frozen):
    """One unit: how many cases expected it, how many it got, how many of those rightly."""

    unit: str
    expected: int
    got: int
    right: int
    precision: float
    """Right among those it got."""
    recall: float
    """Right among those that expected it."""


class Evaluation(Frozen):
    """Shares are of all cases, between 0 and 1."""

    cases: int
    accuracy: float
    coverage: float
    precision: float
    """Right among those that were not left to the desk."""
    desk: float
    supervision: float
    units: tuple[UnitScore, ...]
    confusions: tuple[Confusion, ...]
    """Most frequent first."""
    wrong: tuple[Miss, ...]
    rules: Mapping[str, int]
    """Rule → how many cases it took."""
    unknown: tuple[str, ...] = ()
    """Expected units that units.yaml does not have: no rule can ever be right about them."""


def appeal_from(fields: Mapping[str, Any]) -> Appeal:
    """An appeal from some of its fields; what is missing is filled in. Raises MappingFailed."""
    if not isinstance(fields, Mapping):
        raise MappingFailed("an appeal is an object of fields")
    content = fields.get("content") or fields.get("title") or "-"
    try:
        return Appeal.model_validate({**_GIVEN, **fields, "content": content})
    except ValidationError as error:
        raise MappingFailed(f"these fields do not make an appeal: {_say(error)}") from None


def _say(error: ValidationError) -> str:
    """What is wrong, without the values: they may be personal."""
    wrong = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in wrong)


FirstLook = Callable[[Appeal], CaseHistory]
"""What is known of an appeal from its source alone."""


def evaluate(
    rules: RuleSet,
    cases: Iterable[Mapping[str, Any]],
    directory: Directory,
    first_look: FirstLook = lambda _: CaseHistory(),
) -> Evaluation:
    """Route every case and count. A case may bring a `history`, which goes before what its source
    says. Raises MappingFailed for a case that is none, naming it by its number from 1."""
    tally = _Tally(directory)
    for number, case in enumerate(cases, start=1):
        try:
            expected, appeal, history = _read(case, directory, first_look)
        except MappingFailed as error:
            raise MappingFailed(f"case {number}: {error}") from error
        decision = rules.route(appeal, history)
        tally.add(number, expected, decision.lead, decision.rule)
    return tally.result()


def shortfalls(
    result: Evaluation, least: Mapping[str, float | None], most: Mapping[str, float | None]
) -> list[str]:
    """A sentence for every share that is below its least or above its most; None demands nothing."""
    found = []
    for name, demanded in least.items():
        share = getattr(result, name)
        if demanded is not None and share < demanded:
            found.append(f"{name} is {share:.1%}, at least {demanded:.1%} is demanded")
    for name, allowed in most.items():
        share = getattr(result, name)
        if allowed is not None and share > allowed:
            found.append(f"{name} is {share:.1%}, at most {allowed:.1%} is allowed")
    return found


def _read(case: Any, directory: Directory, first_look: FirstLook) -> tuple[list[str], Appeal, CaseHistory]:
    if not isinstance(case, Mapping) or "appeal" not in case:
        raise MappingFailed('a case is {"appeal": {…}, "expect": ["UNIT", …]}')
    expected = _expected(case.get("expect"), directory)
    appeal = appeal_from(case["appeal"])
    return expected, appeal, _history(case.get("history"), first_look(appeal))


def _expected(said: Any, directory: Directory) -> list[str]:
    """Ids of the acceptable units; an office may be called by its part."""
    names = [said] if isinstance(said, str) else said
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise MappingFailed("expect needs at least one unit")
    offices = {part: directory.office(part) for part in _OFFICES}
    return [offices.get(name) or name for name in names]


def _history(said: Any, known: CaseHistory) -> CaseHistory:
    if not said:
        return known
    try:
        told = CaseHistory.model_validate(said)
        return known.model_copy(update=told.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise MappingFailed(f"history: {_say(error)}") from None


class _Tally:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._rules: Counter[str] = Counter()
        self._wrong: Counter[tuple[str, str]] = Counter()
        self._expected: Counter[str] = Counter()
        self._got: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._misses: list[Miss] = []

    def add(self, number: int, expected: list[str], lead: str, rule: str) -> None:
        self._rules[rule] += 1
        self._got[lead] += 1
        wanted = lead if lead in expected else expected[0]
        self._expected[wanted] += 1
        if lead in expected:
            self._right[lead] += 1
        else:
            self._wrong["/".join(expected), lead] += 1
            self._misses.append(Miss(case=number, expected="/".join(expected), actual=lead, rule=rule))

    def result(self) -> Evaluation:
        """What was counted, as shares."""
        total = self._got.total()
        desk, supervision = (
            self._got[self._directory.office(part) or ""] for part in ("desk", "supervision")
        )
        right, right_desk = self._right.total(), self._right[self._directory.office("desk") or ""]
        units = sorted(self._expected.keys() | self._got.keys())
        return Evaluation(
            cases=total,
            accuracy=_share(right, total),
            coverage=1 - _share(desk, total),
            precision=_share(right - right_desk, total - desk),
            desk=_share(desk, total),
            supervision=_share(supervision, total),
            units=tuple(self._score(unit) for unit in units),
            confusions=tuple(
                Confusion(expected=e, actual=a, count=n) for (e, a), n in self._wrong.most_common()
            ),
            wrong=tuple(self._misses),
            rules=dict(self._rules.most_common()),
            unknown=tuple(sorted(self._expected.keys() - self._directory.units.keys())),
        )

    def _score(self, unit: str) -> UnitScore:
        expected, got, right = self._expected[unit], self._got[unit], self._right[unit]
        precision, recall = _share(right, got), _share(right, expected)
        return UnitScore(
            unit=unit, expected=expected, got=got, right=right, precision=precision, recall=recall
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
