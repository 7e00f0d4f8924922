"""A mailbox, the polling flow and a real ledger together: nothing lost (P1), nothing twice (P2)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mappings.loading import load
from router.events import BatchRecorded, RoundFailed
from router.flows.polling import Polling, PollingTools
from router.ledger.views import Filter
from router.message import Acceptance, Batch, Decision
from tests.connectors.mail.postbox import OCTOBER, Postbox
from tests.connectors.mail.writing import Attached, mail, nil_report, row, table
from tests.hub import Hub
from tests.mappings.city import DIRECTORY

SUZHOU = Path(__file__).parents[3] / "mappings" / "suzhou"
ROWS = [row(1), row(2, firm="苏州纸船软件有限公司"), row(3, firm="苏州风筝物流有限公司")]
BAD = row(4, day="上周")


class EverybodysLease:
    def take(self, name: str, now: object, hold: object) -> bool:
        return True

    def give_back(self, name: str, now: object) -> None: ...


class Desk:
    """Polls one mailbox into one hub."""

    def __init__(self, postbox: Postbox, hub: Hub) -> None:
        self.postbox = postbox
        self.hub = hub
        self.dies_after = 0
        """Batches committed before the process is killed; 0: it lives."""
        documents = {
            f"mappings/{path.relative_to(SUZHOU)}": path.read_text("utf-8") for path in SUZHOU.rglob("*.yaml")
        }
        hub.translator = load(documents, DIRECTORY).translators["quarterly"]  # type: ignore[assignment]  # a port
        hub.router = ToDesk()  # type: ignore[assignment]  # likewise

    def send(self, *files: Attached, number: int, after: timedelta = timedelta(0)) -> None:
        self.postbox.deliver(mail(*files, more=[f"Message-ID: <{number}@x>"]), at=OCTOBER + after)

    def accept(self, batch: Batch) -> Acceptance:
        acceptance = self.hub.intake.accept(batch)
        if self.dies_after:
            self.dies_after -= 1
            if self.dies_after == 0:
                raise RuntimeError("killed")
        return acceptance

    def round(self) -> dict[str, int]:
        """Outcomes and how many, of this round."""
        self.hub.events.clear()
        self.postbox.drawer = self.hub.letters  # type: ignore[assignment]  # the real one
        source = self.postbox.source()
        tools = PollingTools(
            lambda batch: lambda: self.accept(batch),
            self.hub.store.cursor,
            EverybodysLease(),
            self.hub.clock,
            self.hub.events.append,
        )
        polling = Polling(source, timedelta(seconds=1), tools)
        if self.dies_after:
            with pytest.raises(RuntimeError):
                polling.round(threading.Event())
        else:
            polling.round(threading.Event())
        assert not [event for event in self.hub.events if isinstance(event, RoundFailed)]
        batches = (event for event in self.hub.events if isinstance(event, BatchRecorded))
        return Counter(item.outcome for batch in batches for item in batch.items)

    def states(self) -> dict[str, int]:
        return Counter(str(found["state"]) for found in self.hub.views.appeals(Filter(limit=1000)))

    def answers(self) -> list[str]:
        due = self.hub.letters.due(self.hub.clock() + timedelta(days=1), 100)
        return [one.letter.text for one in due]


class ToDesk:
    """Quarterly rows go to the archive in a real city; here one place is enough."""

    may_reroute = False

    def route(self, appeal: object) -> Decision:
        return Decision(rule="all", lead="desk")


@pytest.fixture
def desk(postbox: Postbox, tmp_path: Path) -> Iterator[Desk]:
    hub = Hub(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    yield Desk(postbox, hub)
    hub.close()


def test_a_corrected_table_revises_one_row_withdraws_another_and_adds_a_third(desk: Desk) -> None:
    desk.send(table(ROWS), number=1)
    assert desk.round() == {"new": 3}
    mended = [row(1, firm="苏州新来玩具有限公司"), [*ROWS[0][:7], "已解决，并回访", *ROWS[0][8:]], ROWS[1]]
    desk.send(table(mended), number=2, after=timedelta(days=1))
    assert desk.round() == {"new": 1, "closure": 1, "duplicate": 1, "withdrawal": 1}
    assert desk.states() == {"closed": 3, "withdrawn": 1}
    first, second = desk.answers()
    assert "共 3 行，已收 3 行" in first
    assert "共 3 行，已收 3 行" in second


def test_a_bad_row_that_is_corrected_is_no_longer_waiting(desk: Desk) -> None:
    desk.send(table([*ROWS, BAD]), number=1)
    assert desk.round() == {"new": 3, "failed": 1}
    desk.send(table([*ROWS, BAD]), number=2, after=timedelta(hours=1))
    assert desk.round() == {"duplicate": 4}
    desk.send(table([*ROWS, row(4, day="2026-08-20")]), number=3, after=timedelta(days=1))
    assert desk.round() == {"duplicate": 3, "new": 1, "withdrawal": 1}
    said = desk.answers()
    assert "未收：诉求时间看不懂" in said[0]
    assert "上次已收到，尚待人工登记：诉求时间看不懂" in said[1]
    assert "未收 0 行" in said[2]


def test_a_death_between_two_batches_of_a_mail_loses_nothing_and_answers_once(desk: Desk) -> None:
    spring = table([row(1, day="2026-05-06")], name="二季度.xlsx", title="2026年第二季度")
    desk.send(table(ROWS), spring, number=1)
    desk.dies_after = 1
    desk.round()
    assert desk.postbox.flags() == [""]
    assert desk.answers() == []
    assert desk.round() == {"duplicate": 3, "new": 1}
    assert desk.postbox.flags() == ["seen"]
    assert len(desk.answers()) == 1
    assert desk.states() == {"closed": 4}


def test_a_death_between_commit_and_answer_is_made_good(desk: Desk) -> None:
    desk.send(table(ROWS), number=1)
    desk.dies_after = 1
    desk.round()
    assert desk.answers() == []
    assert desk.round() == {"duplicate": 3}
    (answer,) = desk.answers()
    assert "已收 3 行" in answer
    assert desk.postbox.flags() == ["seen"]


def test_a_mailbox_that_is_numbered_anew_changes_nothing(desk: Desk) -> None:
    desk.send(table(ROWS), number=1)
    desk.send(table(ROWS[:2]), number=2, after=timedelta(days=1))
    desk.round()
    before = desk.states()
    assert before == {"closed": 2, "withdrawn": 1}
    desk.postbox.number_anew()
    desk.round()
    assert desk.states() == before
    assert len(desk.answers()) == 2


def test_a_nil_report_withdraws_what_was_reported(desk: Desk) -> None:
    desk.send(table(ROWS), number=1)
    desk.round()
    desk.send(Attached("零报告.xlsx", nil_report()), number=2, after=timedelta(days=1))
    desk.round()
    assert desk.states() == {"withdrawn": 3}
    assert "零报告，已登记" in desk.answers()[1]


def test_an_unreadable_file_beside_the_table_withdraws_nothing(desk: Desk) -> None:
    desk.send(table(ROWS), number=1)
    desk.round()
    broken = Attached("二处.xlsx", b"PK\x03\x04 broken")
    desk.send(table(ROWS[:1]), broken, number=2, after=timedelta(days=1))
    assert desk.round() == {"duplicate": 1, "failed": 1}
    assert desk.states() == {"closed": 3, "unregistered": 1}
    assert "未被替换" in desk.answers()[1]
    assert "二处.xlsx" in desk.answers()[1]
