"""Tables that replace one another as a whole (R8), on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from router.flows.intake import Commit, DataRefused
from router.flows.outbox import Claimed
from router.flows.records import BatchRecord
from router.ledger.quarters import QuarterStore
from router.message import Acceptance, Batch, Envelope, ItemSet
from tests.hub import SOURCE, Hub

MONDAY = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
NAME = "rsj/2026Q3"


def send(hub: Hub, *rows: Envelope, on: datetime = MONDAY, period: str = "2026Q3") -> Acceptance:
    """A table with these rows, sent on that day."""
    item_set = ItemSet(unit="rsj", period=period, sent_at=on)
    return hub.intake.accept(Batch(source=SOURCE, envelopes=rows, replaces=item_set))


def row(
    hub: Hub, number: int, text: str = "办结事项", on: datetime = MONDAY, period: str = "2026Q3"
) -> Envelope:
    return hub.item(f"rsj/{period}/{number}", f"{number}：{text}", standing="closed", at=on)


def states(hub: Hub) -> dict[str, tuple[str, int]]:
    from router.ledger.views import Filter

    return {r["source_id"][11:]: (r["state"], r["revision"]) for r in hub.views.appeals(Filter(limit=1000))}


def test_the_same_table_twice_doubles_nothing(hub: Hub) -> None:
    rows = [row(hub, n) for n in range(3)]
    send(hub, *rows)
    again = send(hub, *rows, on=MONDAY + timedelta(days=1))
    assert [item.outcome for item in again.items] == ["duplicate"] * 3
    assert states(hub) == {str(n): ("closed", 1) for n in range(3)}


def test_a_corrected_cell_is_a_revision_and_a_missing_row_is_withdrawn(hub: Hub) -> None:
    later = MONDAY + timedelta(days=2)
    send(hub, row(hub, 0), row(hub, 1), row(hub, 2))
    corrected = send(hub, row(hub, 0), row(hub, 1, "写错的已改", later), row(hub, 3, on=later), on=later)
    assert [item.outcome for item in corrected.items] == ["duplicate", "closure", "new"]
    assert states(hub) == {
        "0": ("closed", 1),
        "1": ("closed", 2),
        "2": ("withdrawn", 2),
        "3": ("closed", 1),
    }


def test_a_row_may_come_back(hub: Hub) -> None:
    send(hub, row(hub, 0), row(hub, 1))
    send(hub, row(hub, 0), on=MONDAY + timedelta(days=1))
    assert states(hub)["1"] == ("withdrawn", 2)
    back = MONDAY + timedelta(days=2)
    send(hub, row(hub, 0), row(hub, 1, on=back), on=back)
    assert states(hub)["1"] == ("closed", 3)


def test_an_older_table_read_again_changes_nothing(hub: Hub) -> None:
    older = [row(hub, 0), row(hub, 1)]
    send(hub, *older)
    later = MONDAY + timedelta(days=1)
    send(hub, row(hub, 0), on=later)
    before = states(hub)
    assert [item.outcome for item in send(hub, *older).items] == ["duplicate", "stale"]
    assert states(hub) == before
    assert hub.store.set_sent_at(SOURCE, NAME) == later


def test_what_stands_only_in_a_table_that_came_too_late_does_not_count(hub: Hub) -> None:
    later = MONDAY + timedelta(days=1)
    send(hub, row(hub, 0, on=later), on=later)
    send(hub, row(hub, 0), row(hub, 7))
    assert states(hub) == {"0": ("closed", 1), "7": ("withdrawn", 2)}


def test_an_empty_table_counts_and_empties_the_set(hub: Hub) -> None:
    send(hub, row(hub, 0))
    send(hub, on=MONDAY + timedelta(days=1))
    assert states(hub) == {"0": ("withdrawn", 2)}
    send(hub, period="2026Q4")
    assert hub.store.set_sent_at(SOURCE, "rsj/2026Q4") == MONDAY


def test_another_quarter_is_another_set(hub: Hub) -> None:
    send(hub, row(hub, 0))
    send(hub, row(hub, 0, period="2026Q4"), period="2026Q4")
    assert set(hub.store.members(SOURCE, NAME)) == {"rsj/2026Q3/0"}


def test_a_bad_row_that_was_mended_leaves_neither_letter_nor_task(hub: Hub) -> None:
    bad = row(hub, 0).model_copy(update={"source_id": f"{NAME}/bad-1", "problem": "第3行: 没有诉求时间"})
    first = send(hub, bad, row(hub, 1))
    assert [(item.outcome, item.reason) for item in first.items] == [
        ("failed", "第3行: 没有诉求时间"),
        ("new", ""),
    ]
    assert hub.dead(f"{NAME}/bad-1")
    later = MONDAY + timedelta(days=1)
    send(hub, row(hub, 0, on=later), row(hub, 1), on=later)
    assert states(hub)["bad-1"] == ("withdrawn", 0)
    assert not hub.dead(f"{NAME}/bad-1")
    assert [task["state"] for task in hub.tasks(f"{NAME}/bad-1")] == ["done"]


def test_a_row_that_the_database_refuses_takes_no_neighbour_along(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(hub, row(hub, 0), row(hub, 1), row(hub, 2))
    prepared = hub.store.prepared

    def refusing(batch: BatchRecord) -> Commit:
        if any(r.envelope.problem is None and "毒" in r.envelope.body.decode() for r in batch.recordings):
            return refuse
        return prepared(batch)

    def refuse() -> list[Claimed]:
        raise DataRefused("DataError")

    monkeypatch.setattr(hub.store, "prepared", refusing)
    later = MONDAY + timedelta(days=1)
    told = send(hub, row(hub, 0), row(hub, 1, "毒", later), on=later)
    assert [item.outcome for item in told.items] == ["duplicate", "failed"]
    assert states(hub) == {"0": ("closed", 1), "1": ("closed", 1), "2": ("withdrawn", 2)}


def test_ids_outside_the_set_are_refused(hub: Hub) -> None:
    with pytest.raises(ValidationError, match="begin with its name"):
        send(hub, row(hub, 0, period="2026Q4"))


def test_an_item_changed_twice_in_one_page_is_told_about_both(hub: Hub) -> None:
    """The first, an unchanged repeat, and a change: the task of the first must be known to the last."""
    at = [MONDAY + timedelta(minutes=n) for n in range(3)]
    first = hub.item("x", "供电不稳", at=at[0])
    repeat = hub.item("x", "供电不稳", at=at[1], seen=1)
    changed = hub.item("x", "供电不稳，已停产", at=at[2])
    assert hub.outcomes(first, repeat, changed) == ["new", "unchanged", "revision"]
    assert [d["type"] for d in hub.deliveries("x")] == ["task.created", "task.updated"]


def test_what_came_of_a_quarter_is_counted(hub: Hub) -> None:
    bad = row(hub, 9).model_copy(update={"source_id": f"{NAME}/bad-1", "problem": "没有诉求时间"})
    send(hub, row(hub, 0), row(hub, 1), bad)
    later = MONDAY + timedelta(days=1)
    send(hub, row(hub, 0), bad, on=later)
    send(hub, period="2026Q4")
    (q3,), (q4,) = (QuarterStore(hub.database).received(p) for p in ("2026Q3", "2026Q4"))
    assert q3 == ("rsj", SOURCE, MONDAY, later, 2, 1, 1)
    assert (q4.rows, q4.refused, q4.times) == (0, 0, 1)
