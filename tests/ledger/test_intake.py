"""What intake records, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from router.errors import LedgerUnavailable
from router.flows.intake import Commit
from router.flows.outbox import Claimed
from router.flows.records import BatchRecord
from router.ledger import schema as t
from router.message import Attachment
from tests.hub import Hub, PlainTranslator, ProposedRouter


def rows(hub: Hub, table: object) -> int:
    with hub.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar() or 0


def test_an_appeal_costs_one_row_in_each_table_of_the_row_budget(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    counted = {
        table.name: rows(hub, table)
        for table in (t.envelopes, t.appeals, t.revisions, t.tasks, t.deliveries, t.history)
    }
    assert set(counted.values()) == {1}, counted
    assert rows(hub, t.attempts) == rows(hub, t.dead_letters) == rows(hub, t.audit) == 0


def test_p2_the_same_item_again_is_a_duplicate_and_leaves_no_row(hub: Hub) -> None:
    first = hub.item("a")
    assert hub.outcomes(first) == ["new"]
    assert hub.outcomes(first) == ["duplicate"]
    assert rows(hub, t.envelopes) == 1


def test_p2_an_item_that_stands_twice_in_a_page_is_one_appeal(hub: Hub) -> None:
    assert hub.outcomes(hub.item("a"), hub.item("a"), hub.item("a", "补充材料")) == [
        "new",
        "duplicate",
        "revision",
    ]
    sequences = [row["sequence"] for row in hub.deliveries("a")]
    assert sequences == [1, 2]


def test_a_to_b_to_a_is_two_revisions(hub: Hub) -> None:
    texts = ["甲", "乙", "甲"]
    assert [hub.outcomes(hub.item("a", text))[0] for text in texts] == ["new", "revision", "revision"]


def test_a_change_that_is_no_revision_updates_nothing_downstream(hub: Hub) -> None:
    hub.accept(hub.item("a", clicks=1))
    assert hub.outcomes(hub.item("a", clicks=2)) == ["unchanged"]
    assert rows(hub, t.deliveries) == 1
    assert rows(hub, t.envelopes) == 2, "the source got a yes for it, so the original is kept"


def test_an_older_source_time_never_supersedes_a_newer(hub: Hub) -> None:
    now = hub.clock()
    hub.accept(hub.item("a", "新", at=now))
    assert hub.outcomes(hub.item("a", "旧", at=now - timedelta(hours=1))) == ["stale"]
    assert hub.outcomes(hub.item("a", "新", at=now)) == ["unchanged"]


def test_an_echo_of_our_own_write_back_is_dropped(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    assert hub.outcomes(hub.item("a", "状态已回写", echo=True)) == ["echo"]
    assert rows(hub, t.deliveries) == 1


def test_editing_a_mapping_makes_no_storm_of_revisions(hub: Hub) -> None:
    hub.accept(hub.item("a", clicks=1))
    hub.config_hash = "d" * 64
    hub.translator = PlainTranslator(prefix="【苏商通】")
    assert hub.outcomes(hub.item("a", clicks=2)) == ["unchanged"]
    assert hub.outcomes(hub.item("a", "真的补充", clicks=3)) == ["revision"]


@pytest.mark.parametrize(("standing", "outcome"), [("withdrawn", "withdrawal"), ("closed", "closure")])
def test_a_withdrawal_or_a_close_at_the_source_cancels_open_tasks(
    hub: Hub, standing: str, outcome: str
) -> None:
    hub.accept(hub.item("a", to=["rsj", "gaj"]))
    assert hub.outcomes(hub.item("a", standing=standing)) == [outcome]
    types = [(row["destination"], row["type"]) for row in hub.deliveries("a")]
    assert types == [
        ("gaj", "task.created"),
        ("gaj", "task.cancelled"),
        ("rsj", "task.created"),
        ("rsj", "task.cancelled"),
    ]
    with hub.database.read() as connection:
        assert set(connection.execute(select(t.tasks.c.state)).scalars()) == {"cancelled"}


def test_what_cannot_be_translated_is_an_appeal_with_a_task_for_the_desk_and_a_dead_letter(hub: Hub) -> None:
    broken = hub.item("a").model_copy(update={"body": b'{"wrong": 1}'})
    accepted = hub.accept(broken).items[0]
    assert (accepted.outcome, accepted.revision) == ("failed", 0)
    assert [row["role"] for row in hub.tasks("a")] == ["register"]
    assert [row["stage"] for row in hub.dead("a")] == ["map"]
    assert hub.outcomes(broken) == ["duplicate"], "a repeat makes no second letter"


def test_one_bad_item_takes_no_neighbour_along(hub: Hub) -> None:
    bad = hub.item("b").model_copy(update={"body": b"not json at all"})
    assert hub.outcomes(hub.item("a"), bad, hub.item("c")) == ["new", "failed", "new"]


def test_understood_after_all_settles_the_letter_and_the_desks_task(hub: Hub) -> None:
    hub.accept(hub.item("a").model_copy(update={"body": b"{}"}))
    assert hub.outcomes(hub.item("a", to=["desk"])) == ["new"]
    assert {row["state"] for row in hub.dead("a", state="settled")} == {"settled"}
    work = [(row["sequence"], row["type"], row["state"]) for row in hub.deliveries("a")]
    assert work == [(1, "task.created", "cancelled"), (2, "task.created", "pending")]


def test_the_cursor_moves_with_its_batch(hub: Hub) -> None:
    assert hub.store.cursor("app") is None
    hub.accept(hub.item("a"), cursor={"at": "1"})
    hub.accept(cursor={"at": "2"})
    assert hub.store.cursor("app") == {"at": "2"}


def test_push_and_pull_meeting_on_one_appeal_make_one_appeal(hub: Hub) -> None:
    """P2 under a race: many writers, the same items, each told something true."""
    page = [hub.item(f"x{n}") for n in range(20)]
    told: list[str] = []

    def write() -> None:
        told.extend(item.outcome for item in hub.accept(*page).items)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["duplicate"] * 60 + ["new"] * 20
    assert rows(hub, t.appeals) == rows(hub, t.deliveries) == 20


def test_data_that_the_database_refuses_is_kept_for_a_person_and_takes_no_neighbour_along(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL only: SQLite refuses no length."""
    hub = Hub(database_url, tmp_path)
    title = "无" * 600
    monkeypatch.setattr("tests.hub.PlainTranslation.digest", property(lambda self: title))
    outcomes = hub.outcomes(hub.item("a"), hub.item("b"))
    assert outcomes == ["failed", "failed"]
    assert {row["reason"] for row in hub.dead("a")} == {"refused_by_ledger"}
    hub.close()


def test_a_ledger_that_is_away_promises_nothing(hub: Hub) -> None:
    hub.database.close()
    hub.database = type(hub.database)("postgresql+psycopg://nobody@127.0.0.1:1/none")
    hub.store._db = hub.database
    with pytest.raises(LedgerUnavailable):
        hub.accept(hub.item("a"))


def test_an_attachment_may_be_read_by_the_units_that_got_the_appeal_and_nobody_else(hub: Hub) -> None:
    sha = hub.attachments.put(b"%PDF-1.7 ...")
    claim = Attachment(name="合同.pdf", media_type="application/pdf", size=12, sha256=sha)
    hub.accept(hub.item("a", to=["rsj"]).model_copy(update={"attachments": (claim,)}))
    assert hub.work_list.may_read("rsj", sha)
    assert not hub.work_list.may_read("gaj", sha)
    assert hub.attachments.get(sha) == b"%PDF-1.7 ..."
    assert hub.attachments.get("0" * 64) is None
    assert hub.attachments.get("../../etc/passwd") is None


def test_a_change_that_the_rules_name_routes_afresh(hub: Hub) -> None:
    hub.router = ProposedRouter(may_reroute=True)
    hub.accept(hub.item("a", to=["rsj"]))
    assert hub.outcomes(hub.item("a", "改由公安处理", to=["gaj"])) == ["revision"]
    work = [(row["destination"], row["sequence"], row["type"]) for row in hub.deliveries("a")]
    assert work == [("gaj", 1, "task.created"), ("rsj", 1, "task.created"), ("rsj", 2, "task.cancelled")]
    assert {(task["unit"], task["state"]) for task in hub.tasks("a")} == {
        ("rsj", "cancelled"),
        ("gaj", "open"),
    }


def test_a_supplement_stays_with_its_units_whatever_the_rules_would_say_now(hub: Hub) -> None:
    hub.accept(hub.item("a", to=["rsj"]))
    hub.accept(hub.item("a", "补充", to=["gaj"]))
    assert [(row["destination"], row["type"]) for row in hub.deliveries("a")] == [
        ("rsj", "task.created"),
        ("rsj", "task.updated"),
    ]


def test_a_page_is_one_transaction_on_both_databases(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falling back to single items is for refused data only: it once hid a wrong statement."""
    committed: list[int] = []
    prepared = hub.store.prepared

    def counted(batch: BatchRecord) -> Commit:
        commit = prepared(batch)

        def commit_and_count() -> list[Claimed]:
            claimed = commit()
            committed.append(len(batch.recordings))
            return claimed

        return commit_and_count

    monkeypatch.setattr(hub.store, "prepared", counted)
    hub.accept(*hub.items(50), hub.item("odd").model_copy(update={"body": b"{}"}))
    assert committed == [51]


def test_a_fault_of_the_databases_is_nobodys_data(hub: Hub) -> None:
    """A missing table must stop the batch, not turn every item of it into a dead letter."""
    with hub.database.write() as connection:
        connection.execute(text("DROP TABLE history"))
    with pytest.raises((DBAPIError, LedgerUnavailable)):
        hub.accept(hub.item("a"), hub.item("b"))
    assert rows(hub, t.appeals) == rows(hub, t.dead_letters) == 0
