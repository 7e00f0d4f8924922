"""What can be proved wrong about the order of routes, and about conditions that shut each other out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from router.decisions.compiling import Compiler
from router.decisions.meanings import Meaning, excludes, implies
from router.decisions.rules import Rule


def order_problems(compiler: Compiler, rules: Mapping[int, Rule]) -> None:
    """Check routes by their place in the file. One with a mistake in it takes no part: what it
    lets through is not known."""
    for place, rule in rules.items():
        clash = next((pair for pair in combinations(_meanings(rule), 2) if excludes(*pair)), None)
        if clash:
            what = f"route {rule.name} can never match: its conditions on {clash[0].path} shut each other out"
            compiler.wrong(("routes", place, "when"), what)
        taker = next((e for e in rules if e < place and takes_all_of(rules[e], rule)), None)
        if taker is not None:
            where = compiler.document.where(("routes", taker))
            what = f"route {rule.name} is never reached: {rules[taker].name} takes all of it"
            compiler.wrong(("routes", place), what, f"move it before {where}, or remove it")


def check_last(compiler: Compiler, place: int, rule: Rule) -> None:
    """A catch-all to the desk, with nothing that could keep it from taking what is left."""
    desk = compiler.directory.office("desk")
    goes_to_desk = rule.target.is_certain and desk is not None and rule.target.said == desk
    if rule.conditions or not goes_to_desk:
        hint = "end with: {name: everything-else, to: desk}"
        compiler.wrong(("routes", place), "the last route must be a catch-all to the desk", hint)


def takes_all_of(earlier: Rule, later: Rule) -> bool:
    """Proved, not guessed: the earlier one always names someone, and each of its conditions holds
    whenever all of the later one's do."""
    if not earlier.target.is_certain:
        return False
    known = _meanings(later)
    said = {condition.said for condition in later.conditions}
    return all(
        wide.said in said
        or (bool(wide.meanings) and all(any(implies(n, w) for n in known) for w in wide.meanings))
        for wide in earlier.conditions
    )


def _meanings(rule: Rule) -> list[Meaning]:
    return [meaning for condition in rule.conditions for meaning in condition.meanings]
