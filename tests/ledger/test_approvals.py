"""Annex 2 in the ledger: sealed, decided once, and asked by the page (R7); on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import event, select, text

from router.directory import Directory, Renaming, Unit
from router.errors import ConfigError
from router.flows.records import Actor
from router.ledger import schema as t
from router.ledger.admission import PAGE, Asked
from router.ledger.approvals import Application, Approvals
from router.ledger.rotation import rotate, sealed_under
from router.ledger.sealing import Sealer
from router.ledger.views import Filter
from tests.hub import CANARY_NAME, CANARY_PHONE, HASHING, Hub, new_id

WHO = Actor("admin", "annex 2 is in order")
UNITS = (
    Unit("gaj", "市公安局", aliases=("公安局",), renamed=(Renaming("市公安总局", date(2030, 1, 1)),)),
    Unit("rsj", "市人力资源和社会保障局"),
)
NOON = datetime(2026, 3, 31, 4, tzinfo=UTC)
NOT_ITS_USER = "该用户不是该单位登记的L1级用户"


def store(hub: Hub, *units: Unit) -> Approvals:
    return Approvals(hub.database, hub.sealer, Directory(units or UNITS), hub.clock, new_id)


@pytest.fixture
def approvals(hub: Hub) -> Approvals:
    return store(hub)


def form(
    unit: str = "市公安局", user: str = CANARY_NAME, phone: str = CANARY_PHONE, **more: Any
) -> Application:
    said = {"contact": "李联络", "contact_phone": "13811112222", "post": "科员", "remark": "首次申请"}
    return Application(unit=unit, user=user, phone=phone, **{**said, **more})


def granted(approvals: Approvals, *forms: Application) -> list[str]:
    ids = [one.approval_id for one in approvals.import_(forms or [form()], WHO)]
    assert [approvals.approve(id_, WHO) for id_ in ids] == ["decided"] * len(ids)
    return ids


def objection(approvals: Approvals, user: str = CANARY_NAME, *phones: str, **more: Any) -> str | None:
    return approvals.objection(more.get("unit", "gaj"), user, phones, more.get("at", NOON))


def audit(hub: Hub) -> list[tuple[str, str, str, Any]]:
    rows = reversed(hub.views.audit())
    return [(row["action"], row["actor"], row["target"], row["detail"]) for row in rows]


def test_an_approved_user_may_report_from_then_on(approvals: Approvals) -> None:
    assert str(objection(approvals)).startswith("单位未获直报授权")
    (known,) = approvals.import_([form()], WHO)
    assert (known.outcome, known.unit, known.is_known_unit) == ("new", "gaj", True)
    assert str(objection(approvals)).startswith("授权尚待批准")
    assert approvals.approve(known.approval_id, WHO) == "decided"
    assert objection(approvals) is None


def test_what_is_revoked_holds_at_no_time_and_can_be_approved_again(approvals: Approvals) -> None:
    (id_,) = granted(approvals)
    assert approvals.revoke(id_, WHO) == "decided"
    assert str(objection(approvals)).startswith("授权已撤销")
    assert approvals.import_([form()], WHO)[0].outcome == "unchanged", "the old table brings nothing back"
    assert str(objection(approvals)).startswith("授权已撤销")
    assert approvals.approve(id_, WHO) == "decided"
    assert objection(approvals) is None


@pytest.mark.parametrize(
    ("at", "said"),
    [
        pytest.param(
            datetime(2026, 2, 28, 15, 59, 59, 999999, tzinfo=UTC), "授权自2026年3月1日", id="too early"
        ),
        pytest.param(datetime(2026, 2, 28, 16, tzinfo=UTC), None, id="the first day's first moment"),
        pytest.param(datetime(2026, 3, 31, 15, 59, 59, 999999, tzinfo=UTC), None, id="the last day's last"),
        pytest.param(datetime(2026, 3, 31, 16, tzinfo=UTC), "授权已于2026年3月31日", id="a moment later"),
    ],
)
def test_both_days_are_shanghais_and_inclusive(approvals: Approvals, at: datetime, said: str | None) -> None:
    granted(approvals, form(valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31)))
    told = objection(approvals, at=at)
    assert told is None if said is None else str(told).startswith(said)
    stranger = objection(approvals, "别人", at=at)
    assert str(stranger).startswith(said or NOT_ITS_USER), "a stranger's unit counts the same days"


def test_whoever_approves_sets_the_days_and_can_change_them(approvals: Approvals) -> None:
    (id_,) = granted(approvals, form(valid_to=date(2026, 1, 31)))
    assert objection(approvals) is not None
    assert approvals.approve(id_, WHO) == "unchanged", "the days applied for hold already"
    assert approvals.approve(id_, WHO, date(2026, 1, 1)) == "decided"
    assert objection(approvals) is None, "with one day given, the other end is open"
    asked_again = form(valid_to=date(2026, 2, 1))
    assert approvals.import_([asked_again], WHO)[0].outcome == "unchanged"
    assert objection(approvals) is None, "a form does not change what was decided"
    with pytest.raises(ValueError, match="lies before"):
        approvals.approve(id_, WHO, date(2026, 2, 2), date(2026, 2, 1))


@pytest.mark.parametrize(
    ("user", "phones"),
    [
        pytest.param(CANARY_NAME, [], id="by name"),
        pytest.param(" 欧阳 测试名　", [], id="blanks in the name"),
        pytest.param("", [CANARY_PHONE], id="by phone"),
        pytest.param("", ["+86 139-0000-7777"], id="with the country and dashes"),
        pytest.param("", ["0086 13900007777"], id="as dialled from abroad"),
        pytest.param("", ["１３９ ００００ ７７７７"], id="full-width digits"),
        pytest.param("", ["65220000", CANARY_PHONE], id="one of several"),
        pytest.param("139 0000 7777", [], id="the phone where the name should be"),
        pytest.param("名字写法不同", [CANARY_PHONE], id="the phone decides, not the name"),
        pytest.param(CANARY_NAME, ["139****7777", "无"], id="no phone to be read: the name decides"),
    ],
)
def test_a_registered_user_is_known_by_name_or_phone(
    approvals: Approvals, user: str, phones: list[str]
) -> None:
    granted(approvals)
    assert objection(approvals, user, *phones) is None


@pytest.mark.parametrize(
    ("user", "phones", "said"),
    [
        ("别人", [], NOT_ITS_USER),
        ("", ["13900008888"], NOT_ITS_USER),
        pytest.param(CANARY_NAME, ["13900008888"], NOT_ITS_USER, id="a namesake with another phone"),
        ("", ["无"], "报送未注明L1级用户"),
    ],
)
def test_anybody_else_is_not(approvals: Approvals, user: str, phones: list[str], said: str) -> None:
    granted(approvals)
    told = objection(approvals, user, *phones)
    assert str(told).startswith(said)
    for personal in filter(None, [user, *phones]):
        assert personal not in str(told)


def test_an_approval_is_the_units_own(approvals: Approvals) -> None:
    granted(approvals)
    assert str(objection(approvals, unit="rsj")).startswith("单位未获直报授权")


@pytest.mark.parametrize("called", ["gaj", "市公安局", "公安局", "市公安总局", "市 公安局（指挥中心）"])
def test_a_unit_is_known_by_each_of_its_names(approvals: Approvals, called: str) -> None:
    granted(approvals, form("公安局"))
    assert objection(approvals, unit=called) is None
    assert len(approvals.entries(Filter(unit=called))) == 1


def test_a_unit_that_the_directory_does_not_know_goes_by_its_name(hub: Hub, approvals: Approvals) -> None:
    (known,) = approvals.import_([form("某区经济发展局（筹）")], WHO)
    assert (known.unit, known.is_known_unit) == ("某区经济发展局（筹）", False)
    approvals.approve(known.approval_id, WHO)
    assert objection(approvals, unit="某区 经济发展局(筹)") is None
    learnt = store(hub, *UNITS, Unit("jfj", "某区经济发展局(筹)"))
    assert objection(learnt, unit="jfj") is None, "found again once the directory has learnt it"
    (again,) = learnt.import_([form("某区经济发展局（筹）")], WHO)
    assert (again.approval_id, again.outcome, again.unit) == (known.approval_id, "updated", "jfj")
    assert objection(learnt, unit="jfj") is None


def test_importing_twice_doubles_nothing(hub: Hub, approvals: Approvals) -> None:
    forms = [form(), form(user="第二人", phone="13900008888"), form("rsj"), form()]
    first = approvals.import_(forms, WHO)
    assert [one.outcome for one in first] == ["new", "new", "new", "unchanged"]
    assert [one.outcome for one in approvals.import_(forms, WHO)] == ["unchanged"] * 4
    same = form("公安局", "欧阳 测试名", "+86 139 0000 7777")
    assert approvals.import_([same], WHO)[0].approval_id == first[0].approval_id
    assert len(approvals.entries(Filter())) == 3


def test_a_corrected_form_replaces_the_first_and_leaves_the_decision(approvals: Approvals) -> None:
    (id_,) = granted(approvals)
    (again,) = approvals.import_([form(post="副科长", contact="王联络")], WHO)
    assert (again.approval_id, again.outcome) == (id_, "updated")
    (row,) = approvals.reveal(Filter(), WHO)
    assert (row["state"], row["post"], row["contact"]) == ("approved", "副科长", "王联络")


def test_another_number_is_another_user(approvals: Approvals) -> None:
    granted(approvals)
    (other,) = approvals.import_([form(phone="13900008888")], WHO)
    assert other.outcome == "new"
    assert str(objection(approvals, "", "13900008888")).startswith("授权尚待批准")
    assert objection(approvals, "", CANARY_PHONE) is None


def test_p8_nothing_personal_lies_open(hub: Hub, approvals: Approvals) -> None:
    granted(approvals)
    approvals.reveal(Filter(), WHO)
    personal = (CANARY_NAME, CANARY_PHONE, "李联络", "13811112222", "科员", "首次申请")
    seen = ""
    with hub.database.read() as connection:
        for table in ("approvals", "audit"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                values = (bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode() for v in row)
                seen += b"|".join(values).decode("latin1")
    files = [path for path in hub.folder.glob("*.db*") if path.is_file()]
    seen += b"".join(path.read_bytes() for path in files).decode("latin1")
    assert "139****7777" in seen, "what is searched is what was written"
    for said in personal:
        assert said.encode().decode("latin1") not in seen


def test_lists_are_masked_and_the_whole_form_leaves_an_audit_row(hub: Hub, approvals: Approvals) -> None:
    approvals.import_([form(), form("rsj", valid_to=date(2026, 12, 31))], WHO)
    newest, oldest = approvals.entries(Filter())
    assert (newest["unit"], oldest["unit"]) == ("rsj", "gaj")
    assert (oldest["user_masked"], oldest["phone_masked"]) == ("欧***名", "139****7777")
    assert set(newest) == {
        "approval_id", "unit", "state", "valid_from", "valid_to", "requested_at", "decided_at", "decided_by",
        "user_masked", "phone_masked",
    }  # fmt: skip
    assert newest["valid_to"] == date(2026, 12, 31)
    assert approvals.entries(Filter(before=newest["approval_id"])) == [oldest]
    assert approvals.entries(Filter(state="approved")) == []
    (whole,) = approvals.reveal(Filter(unit="gaj"), Actor("auditor", "a complaint"))
    assert (whole["user"], whole["phone"], whole["contact_phone"]) == (
        CANARY_NAME,
        CANARY_PHONE,
        "13811112222",
    )
    assert audit(hub)[-1] == ("approval.reveal", "auditor", oldest["approval_id"], None)


def test_every_decision_says_who_and_why_and_for_which_days(hub: Hub, approvals: Approvals) -> None:
    (known,) = approvals.import_([form()], WHO)
    id_ = known.approval_id
    approvals.approve(id_, Actor("boss", "checked"), date(2026, 1, 1), date(2026, 12, 31))
    approvals.revoke(id_, Actor("boss", "left the unit"))
    assert approvals.revoke(id_, Actor("boss", "again")) == "unchanged"
    assert approvals.approve("0" * 36, WHO) == "unknown"
    days = {"from": "2026-01-01", "to": "2026-12-31"}
    assert audit(hub) == [
        ("approval.import", "admin", id_, {"outcome": "new"}),
        ("approval.approve", "boss", id_, {"before": "pending", **days}),
        ("approval.revoke", "boss", id_, {"before": "approved", **days}),
    ]
    assert [row["reason"] for row in reversed(hub.views.audit())] == [WHO.reason, "checked", "left the unit"]
    (row,) = approvals.entries(Filter())
    assert (row["state"], row["decided_by"]) == ("revoked", "boss")
    assert row["decided_at"] > row["requested_at"]


def at_once(hub: Hub, *works: Callable[[Approvals], object]) -> list[object]:
    """Each in a hub of its own on the same ledger, all let go at one moment."""
    url = hub.database.engine.url.render_as_string(hide_password=False)
    hubs = [Hub(url, hub.folder, hub.clock) for _ in works]
    gate, done = threading.Barrier(len(works)), [None] * len(works)

    def work(place: int) -> None:
        mine = store(hubs[place])
        gate.wait()
        done[place] = works[place](mine)  # type: ignore[call-overload]  # a list of what each returned

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for one in hubs:
        one.close()
    return list(done)


def test_two_hubs_that_approve_at_once_decide_once(hub: Hub, approvals: Approvals) -> None:
    ids = [approvals.import_([form(phone=f"139000080{n:02}")], WHO)[0].approval_id for n in range(10)]

    def approve_all(mine: Approvals) -> list[str]:
        return [mine.approve(id_, WHO) for id_ in ids]

    told = at_once(hub, approve_all, approve_all)
    for pair in zip(*told, strict=True):  # type: ignore[call-overload]  # two lists of outcomes
        assert sorted(pair) == ["decided", "unchanged"]
    assert Counter(row[0] for row in audit(hub)) == {"approval.import": 10, "approval.approve": 10}


def test_two_hubs_that_import_at_once_double_nothing(hub: Hub) -> None:
    forms = [form(phone=f"139000080{n:02}") for n in range(10)]
    told = at_once(hub, lambda mine: mine.import_(forms, WHO), lambda mine: mine.import_(forms[::-1], WHO))
    outcomes = Counter(one.outcome for part in told for one in part)  # type: ignore[attr-defined]  # Imported
    assert outcomes == {"new": 10, "unchanged": 10}
    assert Counter(row[0] for row in audit(hub)) == {"approval.import": 10}


def test_after_a_rotation_the_old_key_is_not_needed(hub: Hub, approvals: Approvals) -> None:
    (id_,) = granted(approvals)
    both = Sealer({"k1": b"1" * 32, "k2": b"2" * 32}, "k2", HASHING, "sm4-gcm")
    assert sealed_under(hub.database) == {("approvals", "k1"): 1}
    assert sum(rotate(hub.database, both)) == 1
    assert sealed_under(hub.database) == {("approvals", "k2"): 1}
    alone = Approvals(
        hub.database, Sealer({"k2": b"2" * 32}, "k2", HASHING), Directory(UNITS), hub.clock, new_id
    )
    assert alone.reveal(Filter(), WHO)[0]["user"] == CANARY_NAME
    assert objection(alone) is None
    assert alone.import_([form()], WHO)[0] == (id_, "unchanged", "gaj", True)
    with pytest.raises(ConfigError, match="not in the ring"):
        approvals.reveal(Filter(), WHO)


def test_a_form_moved_to_another_row_does_not_open(hub: Hub, approvals: Approvals) -> None:
    approvals.import_([form(), form("rsj")], WHO)
    with hub.database.write() as connection:
        documents = connection.execute(select(t.approvals.c.document)).scalars().all()
        connection.execute(t.approvals.update().values(document=documents[0]))
    with pytest.raises(ConfigError, match="does not open"):
        approvals.reveal(Filter(), WHO)


def statements(hub: Hub) -> list[str]:
    seen: list[str] = []
    for engine in {hub.database._reader, hub.database._writer}:
        event.listen(engine, "before_cursor_execute", lambda *said: seen.append(said[2]))
    return seen


def asked_of(seen: list[str]) -> list[str]:
    return [sql for sql in seen if not sql.startswith(("BEGIN", "SELECT 1"))]


def test_a_whole_page_is_answered_in_one_or_two_statements(hub: Hub, approvals: Approvals) -> None:
    people = [form(user=f"用户{n}", phone=f"139000{n:05}") for n in range(100)]
    granted(approvals, *people)
    asked = [Asked("gaj", f"用户{n}", [], NOON) for n in range(100)]
    approvals.objections(asked[:1])  # a new connection asks questions of its own
    seen = statements(hub)
    assert approvals.objections(asked) == [None] * 100
    assert len(asked_of(seen)) == 1
    seen.clear()
    mixed = [*asked[:50], *(Asked(f"unit{n}", "谁", ["13911110000"], NOON) for n in range(50))]
    told = approvals.objections(mixed)
    assert len(asked_of(seen)) == 2
    assert told[:50] == [None] * 50
    assert all(str(one).startswith("单位未获直报授权") for one in told[50:])


def test_answers_stand_in_the_order_of_the_questions_however_many(approvals: Approvals) -> None:
    granted(approvals)
    asked = [Asked("gaj", CANARY_NAME if n % 3 else "别人", [], NOON) for n in range(2 * PAGE + 7)]
    told = approvals.objections(asked)
    assert [one is None for one in told] == [bool(n % 3) for n in range(len(asked))]
    assert approvals.objections([]) == []


def test_the_question_uses_an_index_and_reads_no_document(hub: Hub, approvals: Approvals) -> None:
    granted(approvals)
    seen: list[tuple[str, Any]] = []
    for engine in {hub.database._reader, hub.database._writer}:
        event.listen(engine, "before_cursor_execute", lambda *said: seen.append((said[2], said[3])))
    objection(approvals, "别人", "13900008888")
    asked = [(sql, params) for sql, params in seen if "FROM approvals" in sql]
    assert len(asked) == 2
    explain = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
    with hub.database.write() as connection:
        if not hub.database.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        for sql, params in asked:
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, params))
            assert "approvals_user" in plan or "approvals_phone" in plan or "autoindex_approvals" in plan, (
                plan
            )
            assert "document" not in sql
