"""The file routes.yaml: read whole, every problem told, compiled into a rule set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from router.decisions import targets
from router.decisions.checks import check_last, order_problems
from router.decisions.compiling import Compiler
from router.decisions.conditions import conditions
from router.decisions.facts import Deriver
from router.decisions.fields import Field
from router.decisions.route_schema import json_schema
from router.decisions.rules import Rule, RuleSet
from router.directory import Directory
from router.documents import Document, Loc
from router.errors import Problem

__all__ = ["json_schema", "load_rules"]

ROUTE_KEYS = ("name", "note", "when", "to", "assisting", "except", "asks")
FILE_KEYS = ("routes", "reroute_on")
MAX_ROUTES = 2000
MOST_ASKED = 100
_NAME = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}", re.ASCII)


def load_rules(document: Document, directory: Directory) -> tuple[RuleSet | None, list[Problem]]:
    """The rules, and everything wrong with them; no rules when anything is."""
    compiler = Compiler(document, directory)
    routes = _routes(compiler)
    _check_names(compiler, routes)
    rules = _sound_rules(compiler, routes)
    if len(routes) - 1 in rules:
        check_last(compiler, len(routes) - 1, rules[len(routes) - 1])
    order_problems(compiler, rules)
    reroute_on = _reroute_on(compiler)
    if compiler.problems:
        return None, compiler.problems
    return RuleSet(list(rules.values()), Deriver(directory, compiler.words), reroute_on), []


def _sound_rules(compiler: Compiler, routes: list[Any]) -> dict[int, Rule]:
    """Those without a mistake, by their place."""
    rules: dict[int, Rule] = {}
    for place, route in enumerate(routes):
        before = len(compiler.problems)
        rule = _rule(compiler, place, route)
        if rule is not None and len(compiler.problems) == before:
            rules[place] = rule
    return rules


def _routes(compiler: Compiler) -> list[Any]:
    data = compiler.document.data
    routes = data.get("routes") if isinstance(data, Mapping) else None
    if isinstance(data, Mapping):
        compiler.only((), data, FILE_KEYS)
    if not isinstance(routes, list) or not routes:
        compiler.wrong(
            ("routes",), "routes: a list of routes is expected", "the last one a catch-all: to: desk"
        )
        return []
    if len(routes) > MAX_ROUTES:
        compiler.wrong(("routes",), f"more than {MAX_ROUTES} routes")
        return []
    return routes


def _rule(compiler: Compiler, place: int, route: Any) -> Rule | None:
    """One route; None when its target is unusable. A wrong condition is told and left out."""
    loc: Loc = ("routes", place)
    if not isinstance(route, Mapping):
        compiler.wrong(loc, "a route is written as name, when, to")
        return None
    compiler.only(loc, route, ROUTE_KEYS)
    when = conditions(compiler, (*loc, "when"), route["when"]) if "when" in route else []
    if "to" not in route:
        compiler.wrong(loc, "this route goes nowhere", "add to: UNIT")
        return None
    target = targets.compiled(compiler, (*loc, "to"), route["to"])
    assisting = (
        targets.compiled(compiler, (*loc, "assisting"), route["assisting"]) if "assisting" in route else None
    )
    out = targets.excepted(compiler, (*loc, "except"), route["except"]) if "except" in route else []
    if target and out:
        target = targets.except_for(target, out, compiler.directory)
        assisting = targets.except_for(assisting, out, compiler.directory) if assisting else None
    asks = _asks(compiler, (*loc, "asks"), route.get("asks", ""))
    return Rule(str(route.get("name", "")), tuple(when), target, assisting, asks) if target else None


def _asks(compiler: Compiler, loc: Loc, said: Any) -> str:
    if not isinstance(said, str) or len(said) > MOST_ASKED:
        compiler.wrong(loc, f"asks is a text of {MOST_ASKED} characters at most", "e.g. asks: 不予受理审核")
        return ""
    return said


def _check_names(compiler: Compiler, routes: list[Any]) -> None:
    taken: dict[str, int] = {}
    for place, route in enumerate(routes):
        name = route.get("name") if isinstance(route, Mapping) else None
        if isinstance(name, str) and _NAME.fullmatch(name):
            first = compiler.document.where(("routes", taken.setdefault(name, place)))
            if taken[name] != place:
                compiler.wrong(
                    ("routes", place, "name"), f"two routes are called {name}", f"the other: {first}"
                )
        elif isinstance(route, Mapping):
            what = "a route needs a name of letters, digits, dots, - and _, 64 at most"
            compiler.wrong(("routes", place, "name"), what, "it labels metrics and decisions")


def _reroute_on(compiler: Compiler) -> list[Field]:
    """Top-level and optional: the fields whose change at the source routes an open appeal afresh."""
    said = compiler.document.data.get("reroute_on", []) if isinstance(compiler.document.data, Mapping) else []
    if not isinstance(said, list):
        compiler.wrong(("reroute_on",), "reroute_on is a list of fields", "e.g. reroute_on: [kind, region]")
        return []
    found = []
    for place, path in enumerate(said):
        if isinstance(path, str) and path.split(".")[0] == "facts":
            what = f"{path} is a fact, and only fields of the appeal can change at the source"
            compiler.wrong(("reroute_on", place), what)
        else:
            found.append(compiler.field(("reroute_on", place), path))
    return [field for field in found if field]
