"""docs/contracts is what the models say today, and its samples keep to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from config.samples import SAMPLES
from config.schemas import configuration_schemas, contract_files, export_contracts
from router.documents import read
from tests.config.folders import starter

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"
NAMES = sorted(type(sample).__name__.lower() for sample in SAMPLES)


def test_the_exported_contracts_are_current() -> None:
    there = {path.name: path.read_text("utf-8") for path in CONTRACTS.glob("*.json")}
    assert there == contract_files(), "run: suqiu schema --contracts docs/contracts"


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_keeps_to_its_schema_and_is_read_back(name: str) -> None:
    schema = json.loads((CONTRACTS / f"{name}.schema.json").read_text("utf-8"))
    text = (CONTRACTS / f"{name}.sample.json").read_text("utf-8")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    (sample,) = [sample for sample in SAMPLES if type(sample).__name__.lower() == name]
    assert type(sample).model_validate_json(text) == sample


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_refuses_what_the_model_refuses(name: str) -> None:
    schema = json.loads((CONTRACTS / f"{name}.schema.json").read_text("utf-8"))
    assert not jsonschema.Draft202012Validator(schema).is_valid({"unknown": 1})


def test_exporting_removes_what_no_message_has_any_more(tmp_path: Path) -> None:
    (tmp_path / "gone.schema.json").write_text("{}")
    (tmp_path / "README.md").write_text("stays")
    written = export_contracts(tmp_path)
    assert not (tmp_path / "gone.schema.json").exists()
    assert (tmp_path / "README.md").exists()
    assert {path.name for path in written} == set(contract_files())


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("hub.yaml", "hub"),
        ("units.yaml", "units"),
        ("regions.yaml", "regions"),
        ("routes.yaml", "routes"),
        ("mappings/example.yaml", "mapping"),
        ("mappings/codes/kinds.yaml", "codes"),
    ],
)
def test_the_starter_keeps_to_the_schemas_that_editors_use(tmp_path: Path, file: str, schema: str) -> None:
    folder = starter(tmp_path / "c")
    text = (folder / file).read_text("utf-8")
    named = (folder / file).parent / text.split("$schema=")[1].split()[0]
    assert json.loads(named.read_text("utf-8")) == configuration_schemas()[f"{schema}.schema.json"]
    validator = jsonschema.Draft202012Validator(configuration_schemas()[f"{schema}.schema.json"])
    validator.validate(read(file, text).data)
    assert not validator.is_valid({"no such key": 1})
