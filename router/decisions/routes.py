"""The file routes.yaml: its shape, its rules compiled, and what can be proved wrong about their order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from router.decisions.compiling import Compiler, near
from router.decisions.facts import Deriver
from router.decisions.rules import Rule, RuleSet
from router.decisions.targets import Target, except_for
from router.directory import Directory
from router.documents import Document, Loc
from router.errors import Problem

ROUTE_KEYS = {"name", "note", "when", "to", "assisting", "except"}
MAX_ROUTES = 2000
_NAME = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z._-]{0,63}")


def load_rules(document: Document, directory: Directory) -> tuple[RuleSet | None, list[Problem]]:
    """The rules, and everything wrong with them; no rules when anything is."""
    compiler = Compiler(document, directory)
    routes = _routes(compiler)
    rules = [rule for place, route in enumerate(routes) if (rule := _rule(compiler, place, route))]
    _check_names(compiler, routes)
    if not compiler.problems:
        _check_order(compiler, routes, rules)
    if compiler.problems:
        return None, compiler.problems
    return RuleSet(rules, Deriver(directory, compiler.words)), []


def _routes(compiler: Compiler) -> list[Any]:
    data = compiler.document.data
    if not isinstance(data, Mapping) or not isinstance(data.get("routes"), list) or not data["routes"]:
        compiler.wrong((), "routes: a list of routes is expected", "the last one a catch-all: to: desk")
        return []
    for key in data.keys() - {"routes"}:
        compiler.wrong((key,), f"unknown key {key}", near(str(key), ["routes"]))
    if len(data["routes"]) > MAX_ROUTES:
        compiler.wrong(("routes",), f"more than {MAX_ROUTES} routes")
    return list(data["routes"])


def _rule(compiler: Compiler, place: int, route: Any) -> Rule | None:
    loc: Loc = ("routes", place)
    if not isinstance(route, Mapping):
        compiler.wrong(loc, "a route is written as name, when, to")
        return None
    for key in route.keys() - ROUTE_KEYS:
        compiler.wrong((*loc, key), f"unknown key {key}", near(str(key), sorted(ROUTE_KEYS)))
    conditions = compiler.when((*loc, "when"), route["when"]) if "when" in route else []
    if "to" not in route:
        compiler.wrong(loc, "this route goes nowhere", "add to: UNIT")
        return None
    target = compiler.target((*loc, "to"), route["to"])
    assisting = compiler.target((*loc, "assisting"), route["assisting"]) if "assisting" in route else None
    if "except" in route and target:
        target = _excepting(compiler, (*loc, "except"), target, route["except"])
    return Rule(str(route.get("name", "")), tuple(conditions), target, assisting) if target else None


def _excepting(compiler: Compiler, loc: Loc, target: Target, said: Any) -> Target:
    paths = said if isinstance(said, list) else [said]
    short = {"returned_by": "facts.returned_by"}
    found = [
        compiler.field((*loc, place), short.get(path, path) if isinstance(path, str) else path)
        for place, path in enumerate(paths)
    ]
    return except_for(target, [field for field in found if field], compiler.directory)


def _check_names(compiler: Compiler, routes: list[Any]) -> None:
    taken: dict[str, int] = {}
    for place, route in enumerate(routes):
        if not isinstance(route, Mapping):
            continue
        name = route.get("name")
        if (
            not isinstance(name, str)
            or not name.isascii()
            or not name.replace("-", "").replace("_", "").isalnum()
        ):
            compiler.wrong(
                ("routes", place), "a route needs a name of letters, digits, - and _", "it labels metrics"
            )
        elif name in taken:
            first = compiler.document.where(("routes", taken[name]))
            compiler.wrong(("routes", place, "name"), f"two routes are called {name}", f"the other: {first}")
        else:
            taken[name] = place


def _check_order(compiler: Compiler, routes: list[Any], rules: list[Rule]) -> None:
    """A catch-all at the end, and nothing that an earlier route always takes away."""
    desk = compiler.directory.office("desk")
    last = len(routes) - 1
    if rules[-1].conditions or routes[-1].get("to") not in ("desk", desk) or "except" in routes[-1]:
        hint = "end with: {name: everything-else, to: desk}"
        compiler.wrong(("routes", last), "the last route must be a catch-all to the desk", hint)
    for place in range(1, len(routes)):
        taker = next((e for e in range(place) if _takes_all_of(routes[e], routes[place])), None)
        if taker is not None:
            what = f"route {routes[place]['name']} is never reached: {routes[taker]['name']} takes all of it"
            where = compiler.document.where(("routes", taker))
            compiler.wrong(("routes", place), what, f"move it before {where}, or remove it")


def _takes_all_of(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """Proved only where it can be: the earlier one always names someone, and each of its conditions
    is a set of values that holds all of the later one's."""
    if isinstance(earlier["to"], Mapping) or "except" in earlier:
        return False
    wide, narrow = earlier.get("when") or {}, later.get("when") or {}
    return all(
        key in narrow and (said == narrow[key] or _is_subset(narrow[key], said)) for key, said in wide.items()
    )


def _is_subset(narrow: Any, wide: Any) -> bool:
    small, large = _values(narrow), _values(wide)
    return small is not None and large is not None and small <= large


def _values(said: Any) -> frozenset[Any] | None:
    """The values that an equals or in lets through; None for anything else."""
    if isinstance(said, Mapping):
        if len(said) != 1 or not said.keys() <= {"equals", "in"}:
            return None
        ((_, said),) = said.items()
    values = said if isinstance(said, list) else [said]
    return None if any(isinstance(v, (Mapping, list)) for v in values) else frozenset(values)


def json_schema() -> dict[str, Any]:
    """routes.yaml for editors: its keys and forms. What the loader checks goes further."""
    unit = {"type": "string", "description": "a unit's id, or desk, supervision, archive"}
    to = {
        "anyOf": [
            unit,
            {"type": "array", "items": unit, "minItems": 1},
            {"type": "object", "properties": {"field": {"type": "string"}}, "additionalProperties": False},
            {
                "type": "object",
                "properties": {"platform_of": {"type": "string"}},
                "additionalProperties": False,
            },
        ]
    }
    route = {
        "type": "object",
        "required": ["name", "to"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": f"^{_NAME.pattern}$"},
            "note": {"type": "string"},
            "when": {"type": "object", "description": "field: matcher; all of them must hold"},
            "to": to,
            "assisting": to,
            "except": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        },
    }
    return {
        "type": "object",
        "required": ["routes"],
        "additionalProperties": False,
        "properties": {"routes": {"type": "array", "minItems": 1, "maxItems": MAX_ROUTES, "items": route}},
    }
