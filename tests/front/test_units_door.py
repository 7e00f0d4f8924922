"""The units' door: leased, acknowledged, rejected, and nobody reads what is not theirs."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.access import UnitAccess, Units
from router.errors import ConfigError
from router.events import RequestRefused
from router.message import Dispatch
from router.reasons import Refusal
from tests.front.fakes import dispatch, new_id
from tests.front.rig import KEY, OTHER_TOKEN, SECRETS, TOKEN, Rig, settings, sign

RSJ = {"authorization": f"Bearer {TOKEN}"}
GAJ = {"authorization": f"Bearer {OTHER_TOKEN}"}


def lease(rig: Rig, headers: dict[str, str] = RSJ, **query: Any) -> list[dict[str, Any]]:
    answer = rig.client.get("/v1/tasks", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    tasks: list[dict[str, Any]] = answer.json()["tasks"]
    return tasks


def settle(rig: Rig, task: dict[str, Any], verb: str = "ack", **body: Any) -> httpx.Response:
    path = f"/v1/tasks/{task['dispatch']['dispatch_id']}/{verb}"
    return rig.client.post(path, json={"lease": task["lease"], **body}, headers=RSJ)


def test_a_unit_gets_its_own_tasks_as_dispatches(rig: Rig) -> None:
    mine, others = dispatch("rsj"), dispatch("gaj")
    rig.work_list.add(mine)
    rig.work_list.add(others)
    (task,) = lease(rig)
    assert Dispatch.model_validate_json(json.dumps(task["dispatch"])) == mine
    assert (task["attempt"], task["lease_until"]) == (1, "2026-03-02T01:05:00Z")
    assert lease(rig) == []


def test_a_task_that_is_acknowledged_never_comes_again(rig: Rig) -> None:
    rig.work_list.add(dispatch())
    (task,) = lease(rig)
    assert settle(rig, task).status_code == 204
    assert settle(rig, task).status_code == 204
    rig.clock.now += timedelta(hours=1)
    assert lease(rig) == []


def test_a_task_that_is_not_acknowledged_comes_again_under_its_id_and_a_new_lease(rig: Rig) -> None:
    rig.work_list.add(dispatch())
    (task,) = lease(rig, lease="60")
    rig.clock.now += timedelta(seconds=61)
    (again,) = lease(rig)
    assert again["dispatch"] == task["dispatch"]
    assert again["attempt"] == 2
    told = settle(rig, task)
    assert told.status_code == 409
    assert told.headers["content-type"] == "application/problem+json"
    assert "租约" in told.json()["detail"]


def test_a_rejection_carries_the_units_words(rig: Rig) -> None:
    rig.work_list.add(dispatch())
    (task,) = lease(rig)
    assert settle(rig, task, "reject", reason="不属于本单位职责").status_code == 204
    assert rig.work_list.rows[0].words == "不属于本单位职责"
    assert settle(rig, task).status_code == 409


def test_another_units_task_cannot_be_settled(rig: Rig) -> None:
    rig.work_list.add(dispatch("gaj"))
    (task,) = lease(rig, GAJ)
    assert settle(rig, task).status_code == 409
    assert rig.work_list.rows[0].state == "pending"


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"lease": "5"}, {"lease": "2h"}, {"lease": "soon"}],
)
def test_parameters_out_of_range_are_named_and_not_quoted(rig: Rig, query: dict[str, Any]) -> None:
    answer = rig.client.get("/v1/tasks", params=query, headers=RSJ)
    assert answer.status_code == 422
    assert f"query.{next(iter(query))}" in answer.json()["detail"]
    assert "soon" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"lease":""}',
        b'{"lease":1}',
        b'{"lease":"1","lease":"1"}',
        b'{"lease":"1","x":1}',
    ],
)
def test_a_body_that_breaks_the_contract_is_refused(rig: Rig, body: bytes) -> None:
    headers = {**RSJ, "content-type": "application/json"}
    answer = rig.client.post(f"/v1/tasks/{new_id()}/ack", content=body, headers=headers)
    assert answer.status_code == 422


def test_a_body_that_is_not_json_by_its_own_account_is_refused(rig: Rig) -> None:
    answer = rig.client.post(f"/v1/tasks/{new_id()}/ack", content=b'{"lease":"1"}', headers=RSJ)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"authorization": "Bearer wrong"}, id="another token"),
        pytest.param({"authorization": f"Basic {TOKEN}"}, id="another scheme"),
        pytest.param({"authorization": "Bearer "}, id="an empty token"),
        pytest.param({"authorization": f"Bearer {TOKEN} "}, id="a token and a blank"),
        pytest.param({"suqiu-unit": "rsj"}, id="a name alone"),
        pytest.param({"suqiu-unit": "wzq"}, id="a name without its signature"),
    ],
)
def test_who_does_not_prove_to_be_a_unit_is_refused(rig: Rig, headers: dict[str, str]) -> None:
    if headers.get("authorization", "").endswith(" "):
        headers = {"authorization": headers["authorization"] + "x"}  # trailing blanks fall off on the way
    answer = rig.client.get("/v1/tasks?limit=zero", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    (event,) = rig.events
    assert isinstance(event, RequestRefused)
    assert (event.source, event.reason) == ("units", Refusal.BAD_SIGNATURE)


def test_a_unit_may_sign_instead(rig: Rig) -> None:
    rig.work_list.add(dispatch("wzq"))
    path = "/v1/tasks?limit=5"
    headers = {**rig.headers(f"GET /in{path}".encode()), "suqiu-unit": "wzq"}
    (task,) = rig.client.get(path, headers=headers).json()["tasks"]
    path = f"/v1/tasks/{task['dispatch']['dispatch_id']}/ack"
    body = json.dumps({"lease": task["lease"]}).encode()
    headers = {**rig.headers(f"POST /in{path}\n".encode() + body), "suqiu-unit": "wzq"}
    assert rig.client.post(path, content=body, headers=headers).status_code == 204


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/tasks?limit=6", "/v1/tasks?limit=5&lease=1h"])
def test_a_units_signature_is_good_for_its_own_request_only(rig: Rig, path: str) -> None:
    headers = {**rig.headers(b"GET /in/v1/tasks?limit=5"), "suqiu-unit": "wzq"}
    assert rig.client.get(path, headers=headers).status_code == 401


def test_a_signature_does_not_turn_a_yes_into_a_no(rig: Rig) -> None:
    id_, body = new_id(), b'{"lease":"1"}'
    headers = {**rig.headers(f"POST /in/v1/tasks/{id_}/ack\n".encode() + body), "suqiu-unit": "wzq"}
    assert rig.client.post(f"/v1/tasks/{id_}/ack", content=body, headers=headers).status_code == 409
    assert rig.client.post(f"/v1/tasks/{id_}/reject", content=body, headers=headers).status_code == 401


def test_a_unit_whose_tasks_come_by_amqp_is_told_so(rig: Rig) -> None:
    signed = {"suqiu-unit": "amqp-only", "x-signature": hmac_hex("GET /in/v1/tasks")}
    assert rig.client.get("/v1/tasks", headers=signed).status_code == 403


def test_an_attachment_is_given_to_the_units_whose_appeals_carry_it(rig: Rig) -> None:
    sha256 = rig.store.put(b"%PDF")
    rig.work_list.readable.add(("rsj", sha256))
    answer = rig.client.get(f"/v1/attachments/{sha256}", headers=RSJ)
    assert (answer.status_code, answer.content) == (200, b"%PDF")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert rig.client.get(f"/v1/attachments/{sha256}", headers=GAJ).status_code == 403


def test_an_attachment_that_is_gone_is_not_found(rig: Rig) -> None:
    sha256 = hashlib.sha256(b"gone").hexdigest()
    rig.work_list.readable.add(("rsj", sha256))
    assert rig.client.get(f"/v1/attachments/{sha256}", headers=RSJ).status_code == 404
    assert rig.client.get("/v1/attachments/..%2f..%2fetc", headers=RSJ).status_code == 404
    assert rig.client.get("/v1/attachments/zz", headers=RSJ).status_code == 422


def test_a_unit_that_asks_too_often_is_slowed_down() -> None:
    access = {
        "rsj": UnitAccess.model_validate({"token": {"env": "TOKEN"}, "rate": {"per_minute": 6, "burst": 2}})
    }
    with Rig().serving(settings(), access=access) as rig:
        answers = [rig.client.get("/v1/tasks", headers=RSJ) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].headers["retry-after"] == "10"
        assert rig.events.refusals == [Refusal.TOO_MANY]


def test_a_ledger_that_is_away_is_a_503(rig: Rig) -> None:
    rig.work_list.fail = True
    answer = rig.client.get("/v1/tasks", headers=RSJ)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def test_during_a_change_of_tokens_both_are_good() -> None:
    access = {
        "rsj": UnitAccess.model_validate({"token": {"env": "TOKEN"}, "old_token": {"env": "OTHER_TOKEN"}})
    }
    with Rig().serving(settings(), access=access) as rig:
        assert lease(rig, RSJ) == lease(rig, GAJ) == []


def test_two_units_cannot_share_a_token() -> None:
    access = {unit: UnitAccess.model_validate({"token": {"env": "TOKEN"}}) for unit in ("rsj", "gaj")}
    with pytest.raises(ConfigError, match="as well as"):
        Units(access, SECRETS, pulling=())


def hmac_hex(text: str) -> str:
    import base64

    return base64.b64decode(sign(text.encode(), KEY)).hex()


def test_a_look_at_the_head_alone_leases_nothing(rig: Rig) -> None:
    rig.work_list.add(dispatch())
    token = {"authorization": f"Bearer {TOKEN}"}
    assert rig.client.head("/v1/tasks", headers=token).status_code == 405
    assert len(rig.client.get("/v1/tasks", headers=token).json()["tasks"]) == 1
