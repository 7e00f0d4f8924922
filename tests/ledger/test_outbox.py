"""Claims, settlements and the order of what leaves, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from router.flows.outbox import Claimed, Settled, Want
from router.flows.records import Actor
from router.ledger.due import DUE, DUE_OF_MANY
from router.ledger.intake import HEADS
from router.ledger.measures import DEAD_QUERY, LIVE_QUERY, STUCK_QUERY, numbers
from router.ledger.outbox import FINISH, LEASE
from router.reasons import Reason, Stage
from tests.hub import UNITS, Hub

LEASED_FOR = timedelta(minutes=3)


def claim(hub: Hub, destination: str = "rsj", limit: int = 100) -> list[Claimed]:
    now = hub.clock()
    return hub.outbox.claim([Want(destination, limit, hub.finish)], now, now + LEASED_FOR)


def settle(hub: Hub, claimed: Claimed, state: str, **more: object) -> None:
    hub.outbox.settle([Settled(claimed.delivery_id, claimed.generation, state, **more)], hub.clock())


def states(hub: Hub, source_id: str) -> list[str]:
    return [row["state"] for row in hub.deliveries(source_id)]


def test_what_is_claimed_is_not_claimed_again_until_its_lease_ends(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    first = claim(hub)
    assert [c.sequence for c in first] == [1]
    assert claim(hub) == []
    hub.clock.move(LEASED_FOR + timedelta(seconds=1))
    again = claim(hub)
    assert [(c.delivery_id, c.generation) for c in again] == [(first[0].delivery_id, 2)]


def test_p5_a_late_claimer_changes_nothing(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    late = claim(hub)[0]
    hub.clock.move(LEASED_FOR * 2)
    present = claim(hub)[0]
    settle(hub, late, "published")
    assert states(hub, "a") == ["pending"]
    settle(hub, present, "published")
    settle(hub, late, "dead", reason=Reason.GAVE_UP)
    assert states(hub, "a") == ["published"]


def test_p5_a_receipt_before_its_confirm_stands(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    claimed = claim(hub)[0]
    settle(hub, claimed, "accepted")
    settle(hub, claimed, "published")
    assert states(hub, "a") == ["accepted"]


def test_p3_a_later_message_waits_until_the_earlier_one_is_finished(hub: Hub) -> None:
    hub.accept(hub.item("a", "甲"))
    hub.accept(hub.item("a", "乙"))
    first = claim(hub)
    assert [c.sequence for c in first] == [1]
    assert claim(hub) == [], "the second must not overtake"
    settle(hub, first[0], "published")
    assert [c.sequence for c in claim(hub)] == [2]


def test_p3_a_dead_one_holds_back_the_later_ones(hub: Hub) -> None:
    hub.accept(hub.item("a", "甲"))
    hub.accept(hub.item("a", "乙"))
    settle(hub, claim(hub)[0], "dead", reason=Reason.GAVE_UP, detail="gave up")
    assert claim(hub) == []
    assert [row["reason"] for row in hub.dead("a")] == ["gave_up"]


def test_p3_where_finished_means_accepted_a_published_one_holds_back_the_later_ones(hub: Hub) -> None:
    hub.finish = "accepted"
    hub.accept(hub.item("a", "甲"))
    hub.accept(hub.item("a", "乙"))
    settle(hub, claim(hub)[0], "published")
    assert claim(hub) == []


def test_p4_one_appeals_trouble_does_not_hold_back_another(hub: Hub) -> None:
    hub.accept(hub.item("a"), hub.item("b"))
    settle(hub, claim(hub, limit=1)[0], "parked", reason=Reason.NO_BINDING)
    assert len(claim(hub)) == 1


def test_a_failed_attempt_is_due_again_at_its_time_and_leaves_an_attempt_row(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    again = hub.clock() + timedelta(seconds=30)
    settle(
        hub, claim(hub)[0], "retry_wait", reason=Reason.QUEUE_REFUSED, detail="full", next_attempt_at=again
    )
    assert claim(hub) == []
    hub.clock.move(timedelta(seconds=31))
    assert [c.attempts for c in claim(hub)] == [1]
    story = hub.views.appeal(hub.deliveries("a")[0]["appeal_id"])
    assert story is not None
    assert [(row["number"], row["reason"]) for row in story["attempts"]] == [(1, "queue_refused")]


def test_what_is_released_is_due_at_once_and_fences_its_former_holder(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    held = claim(hub)[0]
    hub.outbox.release([(held.delivery_id, held.generation)], hub.clock())
    assert [c.generation for c in claim(hub)] == [held.generation + 2]
    settle(hub, held, "published")
    assert states(hub, "a") == ["pending"]


def test_parked_deliveries_go_again_when_released(hub: Hub) -> None:
    hub.accept(hub.item("a"), hub.item("b"))
    for claimed in claim(hub):
        settle(hub, claimed, "parked", reason=Reason.NO_BINDING)
    released = hub.desk.release_parked("rsj", Actor("ops", "queue is bound again"), hub.clock())
    assert (released, len(claim(hub))) == (2, 2)
    assert [row["action"] for row in hub.views.audit()] == ["deliveries.release"]


def test_two_claimers_never_get_the_same_delivery(hub: Hub) -> None:
    hub.accept(*hub.items(200, to=("rsj",)))
    got: list[str] = []

    def work() -> None:
        while some := claim(hub, limit=7):
            got.extend(c.delivery_id for c in some)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 200


def test_a_claim_for_many_destinations_is_one_look_and_one_lease(hub: Hub) -> None:
    """Each statement costs more than its rows do."""
    hub.accept(*hub.items(9, to=UNITS))
    seen: list[str] = []
    event.listen(hub.database.engine, "before_cursor_execute", lambda *said: seen.append(said[2]))
    if hub.database.is_sqlite:
        reader = hub.database._reader
        event.listen(reader, "before_cursor_execute", lambda *said: seen.append(said[2]))
    now = hub.clock()
    wants = [Want("rsj", 2), Want("gaj", 1), Want("desk", 5, "accepted"), Want("nobody", 5)]
    claimed = hub.outbox.claim(wants, now, now + timedelta(minutes=1))
    assert Counter(c.destination for c in claimed) == {"rsj": 2, "gaj": 1, "desk": 3}
    said = [sql for sql in seen if not sql.startswith(("BEGIN", "PRAGMA", "SELECT 1", "COMMIT"))]
    looks = 1 if hub.database.is_sqlite else 2  # one for each meaning of "finished"
    assert len(said) == looks + 1, said


def test_the_numbers_tell_what_is_under_way_and_what_waits_for_a_person(hub: Hub) -> None:
    hub.accept(*hub.items(4))
    settle(hub, claim(hub)[0], "rejected", reason=Reason.REJECTED, stage=Stage.UNIT)
    found = numbers(hub.database)
    assert found.deliveries == {("gaj", "pending"): 2, ("rsj", "pending"): 1, ("rsj", "rejected"): 1}
    assert found.dead == {("unit", "rejected"): 1}
    assert set(found.oldest) == {"gaj", "rsj"}
    assert found.live == 3


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(DUE["published"], "ix_deliveries_due", id="claim, finished when published"),
        pytest.param(DUE["accepted"], "ix_deliveries_due", id="claim, finished when accepted"),
        pytest.param(DUE_OF_MANY["published"], "ix_deliveries_due", id="claim for many destinations"),
        pytest.param(LIVE_QUERY, "ix_deliveries_due", id="gauge of live deliveries"),
        pytest.param(STUCK_QUERY, "ix_deliveries_stuck", id="gauge of stuck deliveries"),
        pytest.param(DEAD_QUERY, "ix_dead_letters_open", id="gauge of open dead letters"),
    ],
)
def test_hot_statements_use_their_partial_indexes(hub: Hub, statement: Any, index: str) -> None:
    """A state as a bound parameter would silently turn these into scans of everything ever delivered."""
    if hub.database.is_sqlite and statement is DUE_OF_MANY["published"]:
        statement = DUE["published"]  # SQLite puts as many of these together
    hub.accept(*hub.items(300))
    with hub.database.write() as connection:
        for to in UNITS:  # most deliveries are long finished, as in life
            connection.execute(
                text("UPDATE deliveries SET state = 'published' WHERE destination = :to"),
                {"to": to},
            )
        connection.execute(text("ANALYZE"))
    compiled = statement.compile(dialect=hub.database.engine.dialect)
    values = {**compiled.params, "destination": "rsj", "now": 1, "limit": 1}
    values |= {"destinations": ["rsj", "gaj"], "limits": [1, 2]}
    params = tuple(values[name] for name in compiled.positiontup or ()) or values
    explain = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
    with hub.database.write() as connection:
        if not hub.database.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + str(compiled), params))
    assert index in plan, plan
    assert "SCAN deliveries\n" not in plan


@pytest.mark.parametrize(
    ("statements", "table", "key"),
    [
        pytest.param(LEASE, "deliveries", "delivery_id", id="lease"),
        pytest.param(FINISH, "deliveries", "delivery_id", id="finish"),
        pytest.param(HEADS, "appeals", "source_id", id="heads"),
    ],
)
def test_statements_about_many_rows_find_each_by_its_id(
    hub: Hub, statements: Any, table: str, key: str
) -> None:
    hub.accept(*hub.items(300))
    dialect = hub.database.engine.dialect
    compiled = statements[dialect.name].compile(dialect=dialect)
    many = "[]" if hub.database.is_sqlite else ["x"]
    values = {**compiled.params, "deliveries": many, "ids": many, "source": "app", "to": "published"}
    values |= {name: 1 for name in ("at", "until", "gen") if name in values}
    params = tuple(values[name] for name in compiled.positiontup or ()) or values
    explain = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
    with hub.database.write() as connection:
        connection.execute(text("ANALYZE"))
        if not hub.database.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + str(compiled), params))
    assert (f"{key}=?)" if hub.database.is_sqlite else f"(({key})::text = ANY") in plan, plan
    assert hub.database.is_sqlite or "Index Cond: (" in plan, plan
    assert f"SCAN {table}" not in plan


def test_many_are_settled_together_and_each_only_under_its_own_generation(hub: Hub) -> None:
    hub.accept(*hub.items(1200, to=("rsj",)))
    first = claim(hub, limit=2000)
    hub.clock.move(LEASED_FOR * 2)
    again = claim(hub, limit=300)
    taken = {c.delivery_id for c in again}
    hub.outbox.settle([Settled(c.delivery_id, c.generation, "published") for c in first], hub.clock())
    found = Counter(row["state"] for n in range(1200) for row in hub.deliveries(f"i{n}"))
    assert found == {"published": 900, "pending": 300}
    hub.outbox.settle([Settled(c.delivery_id, c.generation, "published") for c in again], hub.clock())
    assert len(taken) == 300
    assert {row["state"] for n in range(1200) for row in hub.deliveries(f"i{n}")} == {"published"}
