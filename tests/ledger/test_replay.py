"""Mending: replay, discard, register by hand, rotate keys; on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from router import jsontext
from router.errors import ConfigError, MappingFailed
from router.flows.broker_returns import BrokerReturns
from router.flows.outbox import Settled, Want
from router.flows.records import Actor
from router.flows.registering import register
from router.ledger.dead import ReturnsStore
from router.ledger.rotation import rotate, sealed_under
from router.ledger.sealing import Sealer
from router.message import Envelope
from router.ports import Returned
from router.reasons import Reason, Stage
from tests.hub import CANARY_PHONE, HASHING, Hub, PlainTranslator, ProposedRouter, new_id

WHO = Actor("admin", "the mapping is mended")


def broken(hub: Hub, source_id: str) -> Envelope:
    return hub.item(source_id).model_copy(update={"body": jsontext.dumps({"content": "换了字段名"})})


class Mended(PlainTranslator):
    """Today's mapping reads the field by its new name."""

    def translate(self, envelope: Envelope) -> object:
        data = jsontext.loads(envelope.body)
        body = jsontext.dumps({"text": data.get("content", data.get("text"))})
        return super().translate(envelope.model_copy(update={"body": body}))


def mend(hub: Hub) -> None:
    hub.translator = Mended()
    hub.config_hash = "e" * 64


def dead_ids(hub: Hub, *source_ids: str) -> list[str]:
    return [row["dead_id"] for source_id in source_ids for row in hub.dead(source_id)]


def kill(hub: Hub, state: str = "dead", destination: str = "rsj") -> None:
    now = hub.clock()
    for claimed in hub.outbox.claim([Want(destination, 100)], now, now + timedelta(minutes=1)):
        said = Settled(claimed.delivery_id, claimed.generation, state, Reason.GAVE_UP, stage=Stage.DELIVER)
        hub.outbox.settle([said], hub.clock())


def test_a_mapping_mended_replays_what_it_broke_once_each(hub: Hub) -> None:
    accepted = hub.accept(broken(hub, "a"), broken(hub, "b"), hub.item("c"))
    ids = dead_ids(hub, "a", "b")
    still = [m.outcome for m in hub.replay.replay(ids, WHO)]
    assert still == ["still_dead", "still_dead"], "nothing was mended yet"
    mend(hub)
    assert [m.outcome for m in hub.replay.replay(ids, WHO)] == ["replayed", "replayed"]
    assert [m.outcome for m in hub.replay.replay(ids, WHO)] == ["gone", "gone"]
    for item in accepted.items:
        story = hub.views.appeal(item.appeal_id)
        assert story is not None
        assert story["revision"] == 1
        pending = [d["destination"] for d in story["deliveries"] if d["state"] == "pending"]
        assert pending == ["rsj"]
    assert {row["action"] for row in hub.views.audit()} == {"dead.replay", "dead.replay_failed"}


def test_two_people_replaying_the_same_letters_revive_each_once(hub: Hub) -> None:
    hub.accept(*(broken(hub, f"x{n}") for n in range(20)))
    ids = dead_ids(hub, *(f"x{n}" for n in range(20)))
    mend(hub)
    outcomes: list[str] = []

    def click() -> None:
        outcomes.extend(m.outcome for m in hub.replay.replay(ids, WHO))

    people = [threading.Thread(target=click) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["gone"] * 20 + ["replayed"] * 20


def test_a_dead_delivery_goes_again_under_the_same_id_and_in_order(hub: Hub) -> None:
    hub.accept(hub.item("a", "甲"))
    hub.accept(hub.item("a", "乙"))
    kill(hub)
    before = hub.deliveries("a")
    assert [m.outcome for m in hub.replay.replay(dead_ids(hub, "a"), WHO)] == ["replayed"]
    now = hub.clock()
    claimed = hub.outbox.claim([Want("rsj", 10)], now, now + timedelta(minutes=1))
    assert [(c.delivery_id, c.sequence) for c in claimed] == [(before[0]["delivery_id"], 1)]
    hub.outbox.settle([Settled(claimed[0].delivery_id, claimed[0].generation, "published")], hub.clock())
    claimed = hub.outbox.claim([Want("rsj", 10)], hub.clock(), hub.clock() + timedelta(minutes=1))
    assert [c.sequence for c in claimed] == [2]


def test_a_dead_delivery_is_mapped_anew(hub: Hub) -> None:
    hub.accept(hub.item("a", "原文"))
    kill(hub, "rejected")
    hub.translator = PlainTranslator(prefix="【改】")
    hub.config_hash = "e" * 64
    list(hub.replay.replay(dead_ids(hub, "a"), WHO))
    now = hub.clock()
    claimed = hub.outbox.claim([Want("rsj", 10)], now, now + timedelta(minutes=1))
    assert claimed[0].appeal is not None
    assert hub.dispatching.dispatch(claimed[0]).appeal.content == "【改】原文"
    assert hub.outcomes(hub.item("a", "原文", clicks=2)) == ["unchanged"]


def test_a_dead_delivery_moves_when_todays_rules_name_another_unit(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    kill(hub)

    class ToPolice(ProposedRouter):
        def route(self, appeal: object) -> object:
            from router.message import Decision

            return Decision(rule="police", lead="gaj")

    hub.router = ToPolice()
    assert [m.outcome for m in hub.replay.replay(dead_ids(hub, "a"), WHO)] == ["moved"]
    states = [(d["destination"], d["state"]) for d in hub.deliveries("a")]
    assert states == [("gaj", "pending"), ("rsj", "cancelled")]
    assert {(k["unit"], k["state"]) for k in hub.tasks("a")} == {("rsj", "cancelled"), ("gaj", "open")}


def test_what_is_discarded_lets_the_later_messages_go(hub: Hub) -> None:
    hub.accept(hub.item("a", "甲"))
    hub.accept(hub.item("a", "乙"))
    kill(hub)
    assert [m.outcome for m in hub.replay.discard(dead_ids(hub, "a"), WHO)] == ["settled"]
    now = hub.clock()
    claimed = hub.outbox.claim([Want("rsj", 10)], now, now + timedelta(minutes=1))
    assert [c.sequence for c in claimed] == [2]


def returned(hub: Hub, message_id: str | None, attempt: int = 1, reason: str = "rejected") -> Returned:
    return Returned(
        "suqiu.dead", b"{}", message_id, None, None, {}, reason, "suqiu.dest.rsj", attempt=attempt
    )


def returns(hub: Hub) -> BrokerReturns:
    store = ReturnsStore(hub.database, hub.sealer, new_id, hub.config_hash)
    return BrokerReturns(store, clock=hub.clock, announce=hub.events.append)


def test_what_a_unit_rejects_comes_back_as_a_dead_letter_with_its_task(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    kill(hub, "published")
    id_ = hub.deliveries("a")[0]["delivery_id"]
    returns(hub).record([returned(hub, id_), returned(hub, id_)])
    assert [(row["stage"], row["reason"]) for row in hub.dead("a")] == [("unit", "rejected")]
    assert [m.outcome for m in hub.replay.replay(dead_ids(hub, "a"), WHO)] == ["replayed"]
    returns(hub).record([returned(hub, id_)])
    assert hub.dead("a") == [], "a copy from before the replay decides nothing"


def test_p5_a_rejection_that_comes_before_its_confirm_is_not_lost(hub: Hub) -> None:
    hub.accept(hub.item("a"))
    now = hub.clock()
    claimed = hub.outbox.claim([Want("rsj", 1)], now, now + timedelta(minutes=1))[0]
    returns(hub).record([returned(hub, claimed.delivery_id)])
    hub.outbox.settle([Settled(claimed.delivery_id, claimed.generation, "published")], hub.clock())
    assert [d["state"] for d in hub.deliveries("a")] == ["dead"]


def test_a_message_the_hub_never_sent_is_kept_for_a_person(hub: Hub) -> None:
    strange = Returned("suqiu.unrouted", b"\xff\x00 hello")
    returns(hub).record([strange])
    from router.ledger.views import Filter

    found = hub.views.dead(Filter())
    assert [row["reason"] for row in found] == ["unknown_message"]
    assert [m.outcome for m in hub.replay.replay([found[0]["dead_id"]], WHO)] == ["still_dead"]
    assert [m.outcome for m in hub.replay.discard([found[0]["dead_id"]], WHO)] == ["settled"]


def test_what_no_mapping_understood_is_registered_by_hand(hub: Hub) -> None:
    item = hub.accept(broken(hub, "a")).items[0]
    fields = {"channel": "苏商通自报", "content": "手工录入的内容", "proposed_units": ["rsj"]}
    appeal = register(hub.desk, hub.book, item.appeal_id, fields, actor=WHO, clock=hub.clock)
    assert (appeal.appeal_id, appeal.revision) == (item.appeal_id, 1)
    assert hub.dead("a") == []
    work = [(d["destination"], d["state"]) for d in hub.deliveries("a")]
    assert work == [("desk", "cancelled"), ("rsj", "pending")]
    assert [row["action"] for row in hub.views.audit()] == ["appeal.register"]
    with pytest.raises(MappingFailed, match="with its units"):
        register(hub.desk, hub.book, item.appeal_id, fields, actor=WHO, clock=hub.clock)


def test_registering_names_what_does_not_fit_without_quoting_it(hub: Hub) -> None:
    item = hub.accept(broken(hub, "a")).items[0]
    fields = {"channel": "电话", "content": "", "region": CANARY_PHONE}
    with pytest.raises(MappingFailed) as caught:
        register(hub.desk, hub.book, item.appeal_id, fields, actor=WHO, clock=hub.clock)
    assert "content" in str(caught.value)
    assert "region" in str(caught.value)
    assert CANARY_PHONE not in str(caught.value)


def test_after_a_rotation_the_old_key_is_not_needed(hub: Hub) -> None:
    item = hub.accept(hub.item("a"), hub.item("b")).items[0]
    sha = hub.attachments.put(b"attached")
    both = Sealer({"k1": b"1" * 32, "k2": b"2" * 32}, "k2", HASHING, "sm4-gcm")
    assert sum(rotate(hub.database, both)) == 4
    assert {key for _, key in sealed_under(hub.database)} == {"k2"}
    hub.attachments._sealer = both
    assert hub.attachments.reseal() == 1
    alone = Hub(
        hub.database.engine.url.render_as_string(hide_password=False),
        hub.folder,
        hub.clock,
        ring={"k2": b"2" * 32},
        current="k2",
    )
    found = alone.views.document(item.appeal_id, 1)
    assert found is not None
    assert found["appeal"]["contact"]["phones"] == [CANARY_PHONE]
    assert alone.attachments.get(sha) == b"attached"
    with pytest.raises(ConfigError, match="not in the ring"):
        hub.views.document(item.appeal_id, 1)
    alone.close()


def test_p8_nothing_personal_lies_open_in_the_database(hub: Hub) -> None:
    """Every text of every table is read back raw and searched for what was planted."""
    from sqlalchemy import text

    from router.ledger.schema import metadata
    from tests.hub import CANARY_NAME

    hub.accept(hub.item("a", f"我司{CANARY_NAME}电话{CANARY_PHONE}"), broken(hub, "b"))
    with hub.database.read() as connection:
        for table in metadata.tables:
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                raw = "|".join(
                    bytes(v).decode("latin1") if isinstance(v, (bytes, memoryview)) else str(v) for v in row
                )
                for canary in (CANARY_PHONE, CANARY_NAME, CANARY_NAME.encode().decode("latin1")):
                    assert canary not in raw, table
