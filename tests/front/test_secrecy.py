"""P8 at the front: what a body says shows up in no answer, no event, no log line and no error."""

from __future__ import annotations

import gzip
import json
import logging

import pytest

from router.message import Batch
from tests.front.fakes import dispatch
from tests.front.rig import KEY, PATH, TOKEN, Rig, settings

NAME, PHONE, TEXT = "欧阳测试名", "13900007777", "厂区夜间停电三次"
CANARIES = (NAME, PHONE, TEXT, "\\u6b27\\u9633")
APPEAL = {"id": "SST-1", "linkman": {"name": NAME, "mobile": PHONE}, "content": TEXT}
BODY = json.dumps(APPEAL, ensure_ascii=False).encode()
UNIT = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


def fail_while_quoting(rig: Rig) -> None:
    """As a library might: an error whose text and whose cause hold the body."""

    def fail() -> None:
        try:
            Batch.model_validate({"source": "app", "envelopes": [APPEAL]})
        except ValueError as error:
            raise RuntimeError(f"cannot store {APPEAL}") from error

    rig.ledger.before_commit = fail


def test_p8_a_body_shows_up_nowhere(
    rig: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    rig.work_list.add(dispatch())
    task_id = rig.work_list.rows[0].dispatch.dispatch_id
    url = f"/push/{PATH}"
    broken = [
        BODY[:-1],
        BODY + BODY,
        BODY.replace(b'"id"', b'"content"'),
        BODY.replace(b'"SST-1"', b"NaN"),
        BODY.replace(b'"SST-1"', f'["{NAME}"]'.encode()),
        json.dumps([TEXT, {"id": None, "name": NAME}], ensure_ascii=False).encode(),
        TEXT.encode("gb18030"),
    ]
    answers = [rig.push(body) for body in (BODY, *broken)]
    assert {answer.status_code for answer in answers} == {200}
    refused = [
        rig.push(BODY, key=b"k" * 32),
        rig.push(BODY, age=900),
        rig.client.put(url, content=BODY),
        rig.client.post(url, content=BODY, headers={"content-type": "text/plain"}),
        rig.client.post(
            url, content=BODY, headers={"content-encoding": "gzip", "content-type": "application/json"}
        ),
        rig.client.post(url, content=gzip.compress(BODY * 20_000), headers={"content-encoding": "gzip"}),
        rig.client.post(f"/push/{PHONE}", content=BODY),
        rig.client.get(f"{url}/appeals/{PHONE}", headers=rig.headers(BODY)),
        rig.client.get("/v1/tasks", params={"limit": PHONE, "lease": NAME}, headers=UNIT),
        rig.client.post(f"/v1/tasks/{PHONE}/ack", content=BODY, headers=UNIT),
        rig.client.post(f"/v1/tasks/{task_id}/reject", content=BODY, headers=UNIT),
        rig.client.post(
            f"/v1/tasks/{task_id}/reject", json={"lease": "1", "reason": f"{NAME}{PHONE}"}, headers=UNIT
        ),
        rig.client.get(f"/{TEXT}"),
    ]
    fail_while_quoting(rig)
    refused.append(rig.push(BODY))
    assert {answer.status_code for answer in refused} <= {400, 401, 404, 405, 409, 413, 415, 422, 503}
    rig.server.stop()

    seen = [answer.text + str(answer.headers) for answer in (*answers, *refused)]
    seen += [repr(event) for event in rig.events]
    seen += [record.getMessage() + str(record.exc_text) for record in caplog.records if is_ours(record)]
    seen += capfd.readouterr()
    seen += [envelope.problem or "" for envelope in rig.ledger.envelopes]
    found = [(canary, text) for text in seen for canary in CANARIES if canary in text]
    assert found == []
    assert (
        sum(
            canary in str(envelope.body.decode("utf-8", "replace"))
            for envelope in rig.ledger.envelopes
            for canary in (NAME,)
        )
        > 1
    )  # they were really there


def is_ours(record: logging.LogRecord) -> bool:
    """The test's own client logs the URLs that the test made up."""
    return not record.name.startswith(("httpx", "httpcore"))


def test_p8_a_name_used_as_a_field_is_not_quoted_back(rig: Rig) -> None:
    task_id = dispatch().dispatch_id
    answer = rig.client.post(f"/v1/tasks/{task_id}/ack", json={NAME: 1, "lease": "1"}, headers=UNIT)
    assert answer.status_code == 422
    assert NAME not in answer.text


def test_p8_a_secret_shows_up_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    by_token = settings(scheme={"kind": "token", "secrets": [{"env": "KEY"}]})
    with Rig().serving(by_token) as rig:
        for sent in (KEY.decode(), KEY.decode() + "x"):
            answer = rig.client.post(
                f"/push/{PATH}", json=APPEAL, headers={"authorization": f"Bearer {sent}"}
            )
            assert KEY.decode() not in answer.text + repr(rig.events)
        assert KEY.decode() not in " ".join(r.getMessage() for r in caplog.records if is_ours(r))
