"""Direct reports: admitted or recorded with the reason (R7); closed ones find their open twin (R5)."""

from __future__ import annotations

from typing import Any

import pytest

from router.flows.records import Actor
from router.ledger.views import Filter
from router.message import Appeal, Batch, Envelope
from tests.hub import Hub

NO = "单位未获直报授权"


class Admitting:
    """Objects to everybody but those let in."""

    def __init__(self) -> None:
        self.let_in: set[str] = set()
        self.asked: list[str] = []

    def objection(self, appeal: Appeal) -> str | None:
        unit = appeal.reporter.unit if appeal.reporter else ""
        self.asked.append(unit)
        return None if unit in self.let_in else NO


@pytest.fixture
def admitting(hub: Hub) -> Admitting:
    hub.admission = Admitting()
    return hub.admission


def report(hub: Hub, source_id: str, text: str = "希望尽快通气", **more: Any) -> Envelope:
    return hub.item(source_id, text, mode="direct_report", reporter={"unit": "gaj", "user": "x"}, **more)


def test_an_unapproved_report_is_recorded_and_answered_with_the_reason(
    hub: Hub, admitting: Admitting
) -> None:
    (told,) = hub.accept(report(hub, "r")).items
    assert (told.outcome, told.reason, told.revision) == ("unapproved", NO, 0)
    (appeal,) = hub.views.appeals(Filter())
    assert appeal["state"] == "unapproved"
    assert hub.deliveries("r") == []
    asked = hub.views.status("app", told.appeal_id)
    assert asked is not None
    assert (asked["state"], asked["reason"]) == ("unapproved", NO)
    assert [(d["stage"], d["reason"], d["sentence"]) for d in hub.dead("r")] == [("admit", "unapproved", NO)]


def test_once_approved_it_is_replayed_and_goes_its_way(hub: Hub, admitting: Admitting) -> None:
    hub.accept(report(hub, "r"))
    (dead,) = hub.dead("r")
    assert [m.outcome for m in hub.replay.replay([dead["dead_id"]], Actor("a", "b"))] == ["still_dead"]
    admitting.let_in.add("gaj")
    assert [m.outcome for m in hub.replay.replay([dead["dead_id"]], Actor("a", "b"))] == ["replayed"]
    assert [d["destination"] for d in hub.deliveries("r")] == ["rsj"]
    assert not hub.dead("r")


def test_others_are_not_asked(hub: Hub, admitting: Admitting) -> None:
    assert hub.outcomes(hub.item("self")) == ["new"]
    assert admitting.asked == []


def test_an_approval_that_ends_later_does_not_stop_supplements(hub: Hub, admitting: Admitting) -> None:
    admitting.let_in.add("gaj")
    hub.accept(report(hub, "r"))
    admitting.let_in.clear()
    assert hub.outcomes(report(hub, "r", "希望尽快通气，已停产")) == ["revision"]


def from_door(hub: Hub, door: str, *envelopes: Envelope) -> None:
    moved = tuple(envelope.model_copy(update={"source": door}) for envelope in envelopes)
    hub.intake.accept(Batch(source=door, envelopes=moved))


def twin_of(hub: Hub, source_id: str) -> str | None:
    (found,) = hub.views.appeals(Filter(source_id=source_id))
    story = hub.views.appeal(found["appeal_id"])
    assert story is not None
    twin: str | None = story["twin"]
    return twin


TEXT = "我司注塑车间近一个月每天下午跳闸两次，机器重启损失大，请供电部门尽快检修线路"


@pytest.mark.parametrize(
    ("told", "is_twin"),
    [
        ("我司注塑车间近一个月每天下午跳闸两次、机器重启损失大，请供电部门尽快检修线路！", True),
        ("注塑车间近一个月每天下午跳闸两次，机器重启损失大", True),
        ("员工社保转移手续办不下来，窗口让我们等通知，希望给个准信", False),
    ],
)
def test_a_closed_report_is_linked_to_the_open_appeal_about_the_same(
    hub: Hub, told: str, is_twin: bool
) -> None:
    from_door(hub, "crm", hub.item("open", TEXT))
    (first,) = hub.views.appeals(Filter(source_id="open"))
    hub.accept(report(hub, "closed", told, standing="closed"))
    assert twin_of(hub, "closed") == (first["appeal_id"] if is_twin else None)


def test_another_firms_same_words_are_another_matter(hub: Hub) -> None:
    from_door(hub, "crm", hub.item("open", TEXT, firm="苏州别家纺织有限公司", phone="13800000001"))
    hub.accept(report(hub, "closed", TEXT, standing="closed", phone="13800000002"))
    assert twin_of(hub, "closed") is None


def test_what_is_closed_already_or_from_the_same_door_is_no_twin(hub: Hub) -> None:
    from_door(hub, "crm", hub.item("done", TEXT, standing="closed"))
    hub.accept(hub.item("same door", TEXT))
    hub.accept(report(hub, "closed", TEXT, standing="closed"))
    assert twin_of(hub, "closed") is None


def test_open_reports_look_for_no_twin(hub: Hub) -> None:
    from_door(hub, "crm", hub.item("open", TEXT))
    hub.accept(report(hub, "r", TEXT))
    assert twin_of(hub, "r") is None
