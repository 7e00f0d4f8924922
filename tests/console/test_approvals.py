"""suqiu approvals, typed as an admin types it (R7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import config.wiring
from config.roles import Crew, make_intake
from console.cli.main import app
from router.events import nobody
from router.ledger import migrate
from router.message import Batch, Envelope
from tests.config.folders import starter, swap

TABLE = """\
单位名称,联系人,联系电话,L1用户姓名,L1用户职务,L1用户手机号码,备注,有效期止
市人社局,李联络,65220000,欧阳测试名,科员,13900007777,,
市人社局,李联络,65220000,第二人,科员,不详,,
某区经济发展局,,,第三人,,+86 139-0000-8888,,2026-12-31
"""
PERSONAL = ("欧阳测试名", "13900007777", "李联络", "第二人")


class Desk:
    """A configured hub that is not running, and somebody who types commands for it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = starter(folder)
        self.opened: list[config.wiring.Installation] = []
        if not database_url.startswith("sqlite"):
            swap(folder, "hub.yaml", "url: sqlite:///suqiu.db", f"url: {database_url}")
        installation = config.wiring.Installation(folder)
        migrate.upgrade(installation.database)
        installation.database.close()

    def typed(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        done = CliRunner().invoke(app, [*arguments, "--config", str(self.folder)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        while self.opened:
            self.opened.pop().database.close()
        return done.exit_code, done.stdout, done.stderr

    def json(self, *arguments: str, expect: int = 0) -> Any:
        code, out, err = self.typed(*arguments, "--json")
        assert code == expect, err
        return json.loads(out)


def desk(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(folder, database_url)

    class Watched(config.wiring.Installation):
        """Says that it was opened, so that its database can be closed behind each command."""

        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            made.opened.append(self)

    monkeypatch.setattr(config.wiring, "Installation", Watched)
    return made


@pytest.fixture
def rig(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Once on SQLite and once on PostgreSQL."""
    return desk(tmp_path / "hub", ledger_url, monkeypatch)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk(tmp_path / "hub", "sqlite", monkeypatch)


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "附件2.csv"
    path.write_text(TABLE, "gb18030")
    return str(path)


def test_from_the_form_to_the_decision_and_back(rig: Desk, table: str) -> None:
    told = rig.json("approvals", "import", table, expect=1)
    assert told["counts"] == {"new": 2}
    assert [(item["line"], item["unit"]) for item in told["items"]] == [(2, "rsj"), (4, "某区经济发展局")]
    assert [problem["line"] for problem in told["problems"]] == [3]
    assert rig.json("approvals", "import", table, expect=1)["counts"] == {"unchanged": 2}

    ids = [item["approval_id"] for item in told["items"]]
    because = ("--reason", "盖章原件已核对")
    approved = rig.json("approvals", "approve", *ids, "--from", "2026-01-01", "--to", "2026-12-31", *because)
    assert approved["counts"] == {"decided": 2}
    assert rig.json("approvals", "revoke", ids[0], "--reason", "已调离")["counts"] == {"decided": 1}
    (kept,) = rig.json("approvals", "list", "--state", "approved")
    assert (kept["approval_id"], kept["valid_from"], kept["valid_to"]) == (ids[1], "2026-01-01", "2026-12-31")
    (taken,) = rig.json("approvals", "list", "--unit", "市人社局")
    assert (taken["state"], taken["user_masked"]) == ("revoked", "欧***名")

    audit = [(row["action"], row["target"], row["reason"]) for row in rig.json("ledger", "audit")]
    assert audit[::-1] == [
        ("approval.import", ids[0], "导入 附件2.csv"),
        ("approval.import", ids[1], "导入 附件2.csv"),
        ("approval.approve", ids[0], "盖章原件已核对"),
        ("approval.approve", ids[1], "盖章原件已核对"),
        ("approval.revoke", ids[0], "已调离"),
    ]


def test_an_import_tells_what_it_took_and_shows_nobody(hub: Desk, table: str) -> None:
    code, out, err = hub.typed("approvals", "import", table)
    assert (code, err) == (1, "")
    assert "第 3 行：L1用户手机号码应为一个手机号码" in out
    assert "第 4 行：名录中没有“某区经济发展局”" in out
    assert "新增 2，更新 0，未变 0，未收 1" in out
    assert not [said for said in PERSONAL if said in out]


def test_the_whole_form_needs_a_reason_and_leaves_an_audit_row(hub: Desk, table: str) -> None:
    hub.typed("approvals", "import", table)
    masked = hub.typed("approvals", "list")[1] + hub.typed("approvals", "list", "--json")[1]
    assert not [said for said in PERSONAL if said in masked]
    code, out, err = hub.typed("approvals", "list", "--reveal", "--json")
    assert (code, out) == (2, "")
    assert "--reason" in err
    rows = hub.json("approvals", "list", "--reveal", "--reason", "核对电话", "--unit", "rsj")
    assert [(row["user"], row["phone"], row["contact"]) for row in rows] == [
        ("欧阳测试名", "13900007777", "李联络")
    ]
    assert hub.json("ledger", "audit")[0]["action"] == "approval.reveal"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["approve", "x"], 2, "--reason"),
        (["revoke", "x"], 2, "--reason"),
        (["approve", "x", "--reason", "r"], 1, "没有编号为 x 的授权"),
        (["approve", "x", "--reason", "r", "--from", "2026-02-02", "--to", "2026-02-01"], 2, "有效期止早于"),
        (["approve", "x", "--reason", "r", "--to", "明年"], 2, "--to"),
        (["list", "--state", "open"], 2, "没有状态 open"),
        (["import", "nowhere.csv"], 1, "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_said(hub: Desk, arguments: list[str], code: int, said: str) -> None:
    found, out, err = hub.typed("approvals", *arguments)
    assert found == code
    assert said in out + err
    assert hub.json("ledger", "audit") == []


def test_a_table_that_is_none_brings_nothing_in(hub: Desk, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(TABLE.partition("\n")[2], "utf-8")
    code, out, err = hub.typed("approvals", "import", str(path))
    assert (code, out) == (1, "")
    assert "不认识" in err
    assert not [said for said in PERSONAL if said in err]
    assert hub.json("approvals", "list") == []


def test_a_report_that_was_not_admitted_goes_its_way_once_its_unit_is_approved(rig: Desk, table: str) -> None:
    """R7, from the source's door to the dead letters and back."""
    swap(
        rig.folder,
        "mappings/example.yaml",
        "  channel: {value: 示例系统}",
        "  channel: {value: 示例系统}\n  mode: {value: direct_report}\n"
        "  reporter.unit: {from: by.unit, apply: [{unit: {keep_unknown: true}}]}\n  reporter.user: by.user",
    )
    installation = config.wiring.Installation(rig.folder)
    body = {
        "orderNo": "EX-1",
        "text": "窗口收到：企业三个月没领到稳岗补贴。",
        "area": "320506",
        "by": {"unit": "人社局", "user": "欧阳测试名"},
    }
    received = datetime(2026, 3, 2, tzinfo=UTC)
    envelope = Envelope(
        source="example", source_id="EX-1", body=json.dumps(body).encode(), received_at=received
    )
    intake = make_intake(Crew(installation, nobody))
    (answer,) = intake.accept(Batch(source="example", envelopes=(envelope,))).items
    installation.database.close()
    assert answer.outcome == "unapproved"
    assert answer.reason.startswith("单位未获直报授权")

    told = rig.json("approvals", "import", table, expect=1)
    ids = [item["approval_id"] for item in told["items"]]
    rig.json("approvals", "approve", *ids, "--reason", "盖章原件已核对")
    rig.json("dead", "replay", "--code", "unapproved", "--all", "--reason", "已获授权")
    assert rig.json("dead", "list") == []
    (appeal,) = rig.json("appeals", "list")
    assert appeal["state"] == "open"
    assert len(rig.json("tasks", "list")) == 1
