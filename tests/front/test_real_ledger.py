"""The front on a real ledger: what a source pushed is what a unit fetches, on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.front import FrontPorts
from router.ledger.views import Filter
from tests.front.rig import KEY, PATH, TOKEN, Rig, settings
from tests.hub import Hub

UNIT = {"authorization": f"Bearer {TOKEN}"}


class RealRig(Rig):
    """The same front with the hub's own stores behind it."""

    hub: Hub

    @property
    def ports(self) -> FrontPorts:
        return FrontPorts(
            accept=self.hub.intake.accept,
            work_list=self.hub.work_list,
            status=self.hub.views,
            store=self.hub.attachments,
            announce=self.events,
            clock=self.clock,
        )


@pytest.fixture
def real(ledger_url: str, tmp_path: Path) -> Iterator[RealRig]:
    rig = RealRig()
    rig.hub = Hub(ledger_url, tmp_path)
    by_token = {"kind": "token", "secrets": [{"env": "KEY"}]}
    forms = settings(path="forms-0123456789", accepts=["multipart"], scheme=by_token)
    with rig.serving(settings(), forms):
        yield rig
    rig.hub.database.close()


def lease(rig: RealRig) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = rig.client.get("/v1/tasks?lease=1h", headers=UNIT).json()["tasks"]
    return tasks


def test_p1_what_was_answered_yes_is_what_the_unit_gets_and_then_is_done(real: RealRig) -> None:
    item = real.push({"id": "SST-1", "text": "用工登记一直无法提交", "to": ["rsj"]}).json()["items"][0]
    (task,) = lease(real)
    assert task["dispatch"]["appeal"]["appeal_id"] == item["appeal_id"]
    assert lease(real) == []
    path = f"/v1/tasks/{task['dispatch']['dispatch_id']}"
    assert real.client.post(f"{path}/ack", json={"lease": "999"}, headers=UNIT).status_code == 409
    for _ in range(2):
        answer = real.client.post(f"{path}/ack", json={"lease": task["lease"]}, headers=UNIT)
        assert answer.status_code == 204, answer.text

    url = f"/push/{PATH}/appeals/{item['appeal_id']}"
    status = real.client.get(url, headers=real.headers(f"GET /in{url}".encode()))
    assert status.status_code == 200
    assert [told["unit"] for told in status.json()["tasks"]] == ["rsj"]


def test_p2_a_push_that_is_repeated_makes_one_task(real: RealRig) -> None:
    told = [real.push({"id": "SST-1", "text": "同一件", "to": ["rsj"]}).json()["items"][0] for _ in range(3)]
    assert [item["outcome"] for item in told] == ["new", "duplicate", "duplicate"]
    assert len({item["appeal_id"] for item in told}) == 1
    assert len(lease(real)) == 1


def test_p4_what_cannot_be_read_is_work_for_the_desk_and_takes_no_neighbour_along(real: RealRig) -> None:
    good = {"id": "1", "text": "好的", "to": ["rsj"]}
    answer = real.push([{"id": "2"}, {"text": "没有编号"}, 7, good])
    assert [item["outcome"] for item in answer.json()["items"]] == ["failed", "failed", "failed", "new"]
    assert real.push(b"{").json()["items"][0]["outcome"] == "failed"
    assert len(lease(real)) == 1
    reasons = [letter["reason"] for letter in real.hub.views.dead(Filter())]
    assert reasons == ["mapping_failed", "no_id", "no_id", "malformed"]


def test_a_file_of_a_form_is_read_by_the_unit_that_works_on_it(real: RealRig) -> None:
    content = b"%PDF-1.7 \x00\xff"
    answer = real.client.post(
        "/push/forms-0123456789",
        data={"id": "QR-1", "text": "附件见后"},
        files={"f": ("说明.pdf", content, "application/pdf")},
        headers={"authorization": f"Bearer {KEY.decode()}"},
    )
    assert answer.status_code == 200
    (task,) = lease(real)
    (attachment,) = task["dispatch"]["appeal"]["attachments"]
    assert attachment["sha256"] == hashlib.sha256(content).hexdigest()
    got = real.client.get(f"/v1/attachments/{attachment['sha256']}", headers=UNIT)
    assert got.content == content
