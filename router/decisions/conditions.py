"""The `when` of a route, compiled: which matchers a field can take, and whether they make sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from router.decisions import fields, matchers
from router.decisions.compiling import Compiler, near
from router.decisions.fields import Field, Kind
from router.decisions.matchers import WORD_FIELDS, Condition, WordList
from router.documents import Loc

WORD_KEYS = ("any_of", "none_of", "min_score", "not_after", "not_before")
FIELD_KEYS = ("equals", "in", "prefix", "present", "absent", "count", "min", "max", "between")
GROUPS = ("all", "any", "not")
MAX_WORDS = 2000
MAX_NESTING = 5
MAX_SCORE = 1000

_BOTH = ("present", "absent")
FITTING: Mapping[Kind, tuple[str, ...]] = {
    "text": ("equals", "in", "prefix", "count", *_BOTH),
    "choice": ("equals", "in", *_BOTH),
    "number": ("equals", "in", "min", "max", "between", *_BOTH),
    "flag": ("equals", "in", *_BOTH),
    "time": _BOTH,
    "texts": ("equals", "in", "prefix", "count", *_BOTH),
    "table": ("count", *_BOTH),
    "list": ("count", *_BOTH),
    "block": _BOTH,
    "any": FIELD_KEYS,
}
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "text": (str,),
    "choice": (str,),
    "texts": (str,),
    "number": (int, float),
    "flag": (bool,),
    "any": (str, int, bool),
}


def conditions(compiler: Compiler, loc: Loc, said: Any, depth: int = 0) -> list[Condition]:
    """The conditions of a block; all of them must hold."""
    if depth > MAX_NESTING:
        compiler.wrong(loc, f"conditions nested deeper than {MAX_NESTING}")
        return []
    if not isinstance(said, Mapping):
        compiler.wrong(loc, "conditions are written as FIELD: MATCHER", "e.g. when: {kind: complaint}")
        return []
    made = (_condition(compiler, (*loc, key), value, depth) for key, value in said.items())
    return [condition for condition in made if condition]


def _condition(compiler: Compiler, loc: Loc, said: Any, depth: int) -> Condition | None:
    key = loc[-1]
    if key in GROUPS:
        return _group(compiler, loc, said, depth)
    has_words = isinstance(said, Mapping) and not said.keys().isdisjoint(WORD_KEYS)
    if key == "text" or (key in WORD_FIELDS and has_words):
        return _words(compiler, loc, said)
    found = fields.find(str(key))
    if found is None:
        known = [*fields.known(), *WORD_FIELDS, *GROUPS]
        compiler.wrong(loc, f"there is no field {key}", near(key, known) or near(f"facts.{key}", known))
        return None
    return _on_field(compiler, loc, found, said)


def _group(compiler: Compiler, loc: Loc, said: Any, depth: int) -> Condition | None:
    """`all`, `any` and `not` hold lists of blocks; a single block may stand without its list."""
    if isinstance(said, Mapping):
        blocks = [matchers.every(conditions(compiler, loc, said, depth + 1))]
    elif isinstance(said, list) and said:
        blocks = [
            matchers.every(conditions(compiler, (*loc, place), block, depth + 1))
            for place, block in enumerate(said)
        ]
    else:
        compiler.wrong(loc, f"{loc[-1]} needs a list with at least one block of conditions")
        return None
    make = {"all": matchers.every, "any": matchers.some, "not": matchers.none}
    return make[str(loc[-1])](blocks)


def _words(compiler: Compiler, loc: Loc, said: Any) -> Condition | None:
    if not isinstance(said, Mapping) or said.keys().isdisjoint(("any_of", "none_of")):
        compiler.wrong(loc, f"{loc[-1]} needs any_of or none_of", "e.g. text: {any_of: [欠薪, 讨薪]}")
        return None
    compiler.only(loc, said, WORD_KEYS, "matcher")
    lists = {
        key: _word_list(compiler, (*loc, key), said[key])
        for key in WORD_KEYS
        if key in said and key != "min_score"
    }
    any_of, none_of = lists.get("any_of", ()), lists.get("none_of", ())
    for word in any_of:
        if word in none_of:
            compiler.wrong(
                (*loc, "none_of"), f"{word} stands in any_of and in none_of", "drop one of the two"
            )
    least = _min_score(compiler, (*loc, "min_score"), said, any_of)
    compiler.words.update((*any_of, *none_of))
    return matchers.worded(WordList(where=str(loc[-1]), min_score=least, **lists))


def _min_score(compiler: Compiler, loc: Loc, said: Mapping[Any, Any], any_of: tuple[str, ...]) -> float:
    if "min_score" not in said:
        return 1
    least = compiler.number(loc, said["min_score"])
    if least is None or not 0 < least <= MAX_SCORE:
        compiler.wrong(loc, f"min_score must be a number above 0, {MAX_SCORE} at most")
        return 1
    if "any_of" not in said:
        compiler.wrong(loc, "min_score counts the words of any_of, and there is none")
    elif any_of and least > (most := len(set(any_of)) * matchers.TITLE_WORD):
        compiler.wrong(loc, f"min_score {least} is never reached", f"these words make {most:g} at most")
    return least


def _word_list(compiler: Compiler, loc: Loc, said: Any) -> tuple[str, ...]:
    words = said if isinstance(said, list) else [said]
    if not words or len(words) > MAX_WORDS:
        compiler.wrong(loc, f"a list of 1 to {MAX_WORDS} words is expected")
        return ()
    good = []
    for place, word in enumerate(words):
        if isinstance(word, str) and word.strip():
            good.append(word.strip())
        else:
            at = (*loc, place) if isinstance(said, list) else loc
            compiler.wrong(at, f"a word is expected, not {word}", "put numbers in quotes")
    return tuple(dict.fromkeys(good))


def _on_field(compiler: Compiler, loc: Loc, on: Field, said: Any) -> Condition | None:
    if not isinstance(said, Mapping):
        said = {"in" if isinstance(said, list) else "equals": said}
        at = dict.fromkeys(said, loc)
    else:
        compiler.only(loc, said, FIELD_KEYS, "matcher")
        at = {key: (*loc, key) for key in said}
    made = [
        _matcher(compiler, at[key], on, key, value)
        for key, value in said.items()
        if key in FIELD_KEYS and _fits(compiler, at[key], on, key)
    ]
    if not said:
        compiler.wrong(loc, "no matcher", f"one of: {', '.join(FITTING[on.kind])}")
    if {"min", "max"} <= said.keys() and not _in_order(compiler, loc, said["min"], said["max"]):
        return None
    kept = [condition for condition in made if condition]
    return matchers.every(kept) if kept else None


def _fits(compiler: Compiler, loc: Loc, on: Field, key: str) -> bool:
    fitting = FITTING[on.kind]
    if key not in fitting:
        compiler.wrong(loc, f"{on.path} cannot be asked for {key}", f"one of: {', '.join(fitting)}")
    return key in fitting


def _matcher(compiler: Compiler, loc: Loc, on: Field, key: str, said: Any) -> Condition | None:
    if key in ("present", "absent"):
        if not isinstance(said, bool):
            compiler.wrong(loc, f"{key} is true or false, not {said}")
        return matchers.present(on, wanted=(key == "present") == (said is not False))
    if key in ("min", "max", "between", "count"):
        return _range(compiler, loc, on, key, said)
    if key == "prefix":
        prefixes = _word_list(compiler, loc, said)
        return matchers.prefixed(on, prefixes) if prefixes else None
    if key == "in" and not (isinstance(said, list) and said):
        compiler.wrong(loc, "in needs a list with at least one value")
        return None
    values = said if key == "in" else [said]
    # Not a generator: every value is to be told about.
    good = [_value(compiler, (*loc, place) if key == "in" else loc, on, v) for place, v in enumerate(values)]
    return matchers.one_of(on, values) if all(good) else None


def _value(compiler: Compiler, loc: Loc, on: Field, value: Any) -> bool:
    """Whether the field can ever hold this."""
    if on.choices and value not in on.choices:
        known = near(value, on.choices) or f"one of: {', '.join(choice for choice in on.choices if choice)}"
        compiler.wrong(loc, f"{on.path} is never {value}", known)
        return False
    wants_flag = on.kind in ("flag", "any")
    if not isinstance(value, _TYPES[on.kind]) or (isinstance(value, bool) and not wants_flag):
        compiler.wrong(loc, f"{on.path} is never {value}", _instead(on, value))
        return False
    if on.path in fields.PLACE_FIELDS and not re.fullmatch(r"(\d{6})?", str(value), re.ASCII):
        code = compiler.directory.region(str(value))
        compiler.wrong(
            loc, f"{on.path} is never {value}", f'write its code: "{code}"' if code else "six digits"
        )
        return False
    if on.path in fields.UNIT_IDS and value and value not in compiler.directory.units:
        compiler.wrong(loc, f"unknown unit {value}", near(value, compiler.directory.units))
        return False
    return True


def _instead(on: Field, value: Any) -> str:
    """What to write for a value of the wrong kind."""
    if value is None:
        return "{absent: true} asks for nothing"
    if isinstance(value, (list, Mapping)):
        return "a single value is expected"
    return {"number": "a number", "flag": "true or false"}.get(on.kind, f'put it in quotes: "{value}"')


def _range(compiler: Compiler, loc: Loc, on: Field, key: str, said: Any) -> Condition | None:
    ends: tuple[Any, Any]
    if key == "between" and not (isinstance(said, list) and len(said) == 2):
        compiler.wrong(loc, "between needs two numbers", "e.g. between: [3, 10]")
        return None
    if key == "count" and isinstance(said, Mapping):
        compiler.only(loc, said, ("min", "max"))
        ends = said.get("min"), said.get("max")
    elif key == "between":
        ends = said[0], said[1]
    else:
        ends = (None if key == "max" else said), (None if key == "min" else said)
    least, most = (compiler.number(loc, end) for end in ends)
    if least is None and most is None:
        if ends == (None, None):
            compiler.wrong(loc, f"{key} needs a number", "e.g. {min: 1, max: 3}")
        return None
    if not _in_order(compiler, loc, least, most):
        return None
    return (matchers.counted if key == "count" else matchers.between)(on, least, most)


def _in_order(compiler: Compiler, loc: Loc, least: Any, most: Any) -> bool:
    is_wrong = isinstance(least, (int, float)) and isinstance(most, (int, float)) and least > most
    if is_wrong:
        compiler.wrong(loc, f"min {least} is above max {most}", "it can never match")
    return not is_wrong
