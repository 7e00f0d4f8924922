"""The OpenAPI document is exported, current, and what the front really does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.specs.openapi.checks import negative_data_rejection

from connectors.access import UnitAccess
from connectors.front import contract
from tests.front import rig as rigs
from tests.front.fakes import dispatch
from tests.front.rig import PATH, TOKEN, Rig

EXPORTED = Path(__file__).parents[2] / "docs" / "contracts" / "openapi.json"


def test_the_exported_document_is_current() -> None:
    assert json.loads(EXPORTED.read_text("utf-8")) == contract(), (
        "run: suqiu schema --contracts docs/contracts"
    )


def test_every_address_says_how_a_caller_proves_who_it_is_and_what_a_refusal_looks_like() -> None:
    document = contract()
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["security"], path
            assert {"401", "408", "413", "422", "429", "503"} <= set(operation["responses"]), path
    assert set(document["components"]["securitySchemes"]) == {"token", "signature", "source"}


BY_SOURCE = [negative_data_rejection]
"""What a push says is no reason to refuse it, and which header signs it is the source's matter."""

PAST_THE_GUARD = {
    "POST /push/{path}": {200},
    "GET /push/{path}/appeals/{appeal_id}": {404},
    "GET /v1/tasks": {200},
    "POST /v1/tasks/{dispatch_id}/ack": {409},
    "POST /v1/tasks/{dispatch_id}/reject": {409},
    "GET /v1/attachments/{sha256}": {403},
}

GENEROUS = {"per_minute": 600_000, "burst": 10_000}
ACCESS = {"rsj": UnitAccess.model_validate({"token": {"env": "TOKEN"}, "rate": GENEROUS})}


@pytest.fixture(scope="module")
def api() -> Iterator[schemathesis.BaseSchema]:
    """A running front with tasks to lease and an attachment, as schemathesis sees it."""
    rig = Rig()
    for _ in range(40):
        rig.work_list.add(dispatch())
    by_token = {"kind": "token", "secrets": [{"env": "TOKEN"}]}
    token_door = rigs.settings(rate=GENEROUS, scheme=by_token, accepts=["json", "form", "multipart"])
    with rig.serving(token_door, access=ACCESS):
        yield schemathesis.openapi.from_url(f"{rig.url}/v1/openapi.json")


OPERATIONS = [f"{method.upper()} {path}" for path, item in contract()["paths"].items() for method in item]


def trying(api: schemathesis.BaseSchema, label: str, *, examples: int) -> Any:
    """A decorator: run a check on generated requests, right and wrong ones."""
    operation = next(one.ok() for one in api.get_all_operations() if one.ok().label == label)
    modes = list(schemathesis.GenerationMode)
    cases = strategies.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])
    limits = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    return lambda check: limits(given(case=cases)(check))()


@pytest.mark.parametrize("label", OPERATIONS)
def test_the_front_does_what_the_document_says(api: schemathesis.BaseSchema, label: str) -> None:
    statuses = set()

    @trying(api, label, examples=60)
    def check(case: schemathesis.Case[Any]) -> None:
        if "path" in case.path_parameters:
            case.path_parameters["path"] = PATH  # nobody guesses it
        answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        statuses.add(answer.status_code)
        case.validate_response(answer, excluded_checks=BY_SOURCE if "path" in case.path_parameters else [])

    assert statuses & PAST_THE_GUARD[label], f"no request got past the guard: {statuses}"


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_stranger_gets_a_documented_no(api: schemathesis.BaseSchema, label: str) -> None:
    @trying(api, label, examples=20)
    def check(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers={"Authorization": "Bearer stranger"})
        assert answer.status_code in (401, 404, 405, 413, 415), answer.text
        case.validate_response(answer)
