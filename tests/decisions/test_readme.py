"""Every example in the README does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from router.decisions import fields
from router.decisions.conditions import FIELD_KEYS, GROUPS, WORD_KEYS
from router.decisions.facts import CaseHistory, Facts
from router.decisions.routes import json_schema, load_rules
from router.decisions.rules import RuleSet
from router.documents import Document
from tests.decisions.city import DIRECTORY, appeal, load, told

README = (Path(fields.__file__).parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", README, re.M | re.S)
EXAMPLES: list[dict[str, Any]] = [
    YAML(typ="safe").load(part) for block in BLOCKS if "when:" in block[:5] for part in block.split("---\n")
]


def rule_for(when: Any) -> RuleSet:
    routes = [{"name": "example", "when": when, "to": "rsj"}, {"name": "rest", "to": "desk"}]
    made, problems = load_rules(Document("README.md", {"routes": routes}, None), DIRECTORY)
    assert made is not None, problems
    return made


def takes(made: RuleSet, case: dict[str, Any]) -> bool:
    given = dict(case)
    said = Facts(**given.pop("facts", {}))
    derived = made.derive(appeal(**given), CaseHistory())
    facts = derived.model_copy(update=said.model_dump(exclude_defaults=True))
    return made.decide(appeal(**given), facts).rule == "example"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["when"]))
def test_an_example_takes_and_leaves_what_it_says(example: dict[str, Any]) -> None:
    made = rule_for(example["when"])
    assert [case for case in example["takes"] if not takes(made, case)] == []
    assert [case for case in example["leaves"] if takes(made, case)] == []
    assert example["takes"]
    assert example["leaves"]


def test_the_whole_file_is_a_good_one_for_the_loader_and_for_editors() -> None:
    (text,) = [block for block in BLOCKS if block.startswith("routes:")]
    assert told(text) == []
    made, _ = load(text)
    assert made is not None
    assert [field.path for field in made.reroute_on] == ["region"]
    jsonschema.Draft202012Validator(json_schema()).validate(YAML(typ="safe").load(text))


@pytest.mark.parametrize("key", [*FIELD_KEYS, *WORD_KEYS, *GROUPS])
def test_every_matcher_has_an_example(key: str) -> None:
    shown = re.sub(r"#.*", "", "\n".join(BLOCKS))
    assert re.search(rf"\b{key}:|\{{{key}:", shown), key


@pytest.mark.parametrize("name", Facts.model_fields)
def test_every_fact_is_listed(name: str) -> None:
    assert f"`facts.{name}`" in README


@pytest.mark.parametrize(
    ("wrong", "when"),
    [
        ("an unknown field", {"mood": "x"}),
        ("a matcher that the field has not", {"kind": {"prefix": "c"}}),
        ("a value that the field never has", {"kind": "complain"}),
        ("a code without quotes", {"region": 320583}),
        ("an empty any_of", {"text": {"any_of": []}}),
        ("an empty matcher", {"region": {}}),
    ],
)
def test_editors_refuse_what_the_loader_refuses(wrong: str, when: Any) -> None:
    routes = {"routes": [{"name": "a", "when": when, "to": "rsj"}, {"name": "rest", "to": "desk"}]}
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(routes), wrong
    assert load_rules(Document("r", routes, None), DIRECTORY)[0] is None


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["when"]))
def test_editors_take_every_example(example: dict[str, Any]) -> None:
    routes = {"routes": [{"name": "a", "when": example["when"], "to": "rsj"}]}
    jsonschema.Draft202012Validator(json_schema()).validate(routes)
