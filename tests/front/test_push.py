"""Signed push: a yes means that the ledger has it, and only what is theirs gets in."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import httpx
import pytest

from router.errors import LedgerUnavailable
from router.events import Trouble
from router.message import Acceptance, Batch
from router.reasons import Refusal
from tests.front.rig import NEW_KEY, PATH, Rig, settings, sign

APPEAL = {"id": "SST-1", "title": "用工登记", "content": "用工登记一直无法提交"}


def test_a_signed_push_is_recorded_and_answered_with_its_appeal_id_and_status_url(rig: Rig) -> None:
    answer = rig.push(APPEAL)
    assert answer.status_code == 200
    (item,) = answer.json()["items"]
    assert item["outcome"] == "new"
    assert item["status_url"] == f"http://hub.example/in/push/{PATH}/appeals/{item['appeal_id']}"
    (envelope,) = rig.ledger.envelopes
    assert (envelope.source, envelope.source_id, envelope.delivery_id) == ("app", "SST-1", "msg_1")


def test_the_envelope_keeps_the_bytes_as_they_came(rig: Rig) -> None:
    body = b'\n{ "id" : 12345678901234567890123 , "n": 1.10 }  '
    assert rig.push(body).status_code == 200
    (envelope,) = rig.ledger.envelopes
    assert envelope.body == body
    assert envelope.source_id == "12345678901234567890123"


def test_p1_no_yes_before_the_commit(rig: Rig) -> None:
    may_commit, is_waiting = threading.Event(), threading.Event()

    def hold() -> None:
        is_waiting.set()
        assert may_commit.wait(10)

    rig.ledger.before_commit = hold
    answers: list[httpx.Response] = []
    pushing = threading.Thread(target=lambda: answers.append(rig.push(APPEAL)))
    pushing.start()
    assert is_waiting.wait(10)
    pushing.join(0.3)
    assert not answers
    may_commit.set()
    pushing.join(10)
    assert answers[0].status_code == 200


def test_p1_no_yes_when_the_ledger_is_away(rig: Rig) -> None:
    rig.ledger.fail_with = LedgerUnavailable("the database is away", retry_after=timedelta(seconds=7))
    answer = rig.push(APPEAL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert rig.events.refusals == [Refusal.LEDGER_AWAY]


def test_p1_no_yes_after_an_error_that_nobody_foresaw(rig: Rig) -> None:
    rig.ledger.fail_with = RuntimeError("王先生 13800001234")
    answer = rig.push(APPEAL)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert [event.error for event in rig.events if isinstance(event, Trouble)] == ["RuntimeError"]
    assert "王先生" not in answer.text


def test_a_repeated_delivery_gets_a_yes_and_has_no_second_effect(rig: Rig) -> None:
    first = rig.push(APPEAL)
    again = rig.push(APPEAL)
    assert again.status_code == 200
    assert again.json()["items"][0]["outcome"] == "duplicate"
    assert again.json()["items"][0]["appeal_id"] == first.json()["items"][0]["appeal_id"]
    assert len(rig.ledger.envelopes) == 1


def test_the_second_secret_is_as_good_as_the_first(rig: Rig) -> None:
    assert rig.push(APPEAL, key=NEW_KEY).status_code == 200


def test_of_several_signatures_one_good_one_is_enough(rig: Rig) -> None:
    body = json.dumps(APPEAL).encode()
    headers = rig.headers(body)
    headers["webhook-signature"] = f"v1a,AAAA v1,{sign(b'other')} {headers['webhook-signature']} v9"
    assert rig.client.post(f"/push/{PATH}", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("age", "status", "refusals"),
    [
        pytest.param(299, 200, [], id="just young enough"),
        pytest.param(301, 401, [Refusal.OUTSIDE_TOLERANCE], id="too old"),
        pytest.param(-299, 200, [], id="a clock that is a little fast"),
        pytest.param(-301, 401, [Refusal.OUTSIDE_TOLERANCE], id="from the future"),
    ],
)
def test_the_senders_clock_may_be_five_minutes_off(
    rig: Rig, age: float, status: int, refusals: list[Refusal]
) -> None:
    assert rig.push(APPEAL, age=age).status_code == status
    assert rig.events.refusals == refusals
    assert len(rig.ledger.envelopes) == (status == 200)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"webhook-signature": ""}, id="no signature"),
        pytest.param({"webhook-signature": "v1"}, id="half a signature"),
        pytest.param({"webhook-signature": "v1,!!!"}, id="a signature that is no base64"),
        pytest.param({"webhook-signature": "v1,"}, id="an empty signature"),
        pytest.param({"webhook-id": "msg_2"}, id="another id"),
        pytest.param({"webhook-id": "msg.1"}, id="an id with a dot"),
        pytest.param({"webhook-id": ""}, id="no id"),
        pytest.param({"webhook-timestamp": "1772413201"}, id="another timestamp"),
        pytest.param({"webhook-timestamp": "-1"}, id="a negative timestamp"),
        pytest.param({"webhook-timestamp": "NaN"}, id="a timestamp that is no number"),
    ],
)
def test_what_is_not_signed_for_is_refused_and_not_kept(rig: Rig, change: dict[str, str]) -> None:
    body = json.dumps(APPEAL).encode()
    answer = rig.client.post(f"/push/{PATH}", content=body, headers={**rig.headers(body), **change})
    assert answer.status_code == 401
    assert rig.events.refusals == [Refusal.BAD_SIGNATURE]
    assert rig.ledger.envelopes == []


def test_a_signature_under_another_key_is_refused(rig: Rig) -> None:
    assert rig.push(APPEAL, key=b"x" * 32).status_code == 401


def test_a_body_altered_by_one_blank_is_refused(rig: Rig) -> None:
    body = json.dumps(APPEAL).encode()
    answer = rig.client.post(f"/push/{PATH}", content=body + b" ", headers=rig.headers(body))
    assert (answer.status_code, rig.ledger.envelopes) == (401, [])


def test_a_replay_after_the_tolerance_is_refused(rig: Rig) -> None:
    body = json.dumps(APPEAL).encode()
    headers = rig.headers(body)
    assert rig.client.post(f"/push/{PATH}", content=body, headers=headers).status_code == 200
    rig.clock.now += timedelta(minutes=6)
    assert rig.client.post(f"/push/{PATH}", content=body, headers=headers).status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_other_methods_are_refused_and_counted(rig: Rig, method: str) -> None:
    assert rig.client.request(method, f"/push/{PATH}").status_code == 405
    assert rig.events.refusals == [Refusal.WRONG_METHOD]


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", "", "multipart/form-data"])
def test_other_content_types_are_refused_and_counted(rig: Rig, content_type: str) -> None:
    headers = {**rig.headers(b"{}"), "content-type": content_type}
    assert rig.client.post(f"/push/{PATH}", content=b"{}", headers=headers).status_code == 415
    assert rig.events.refusals == [Refusal.WRONG_TYPE]


def test_an_address_that_is_no_door_is_not_found(rig: Rig) -> None:
    answer = rig.client.post("/push/app", content=b"{}", headers=rig.headers(b"{}"))
    assert answer.status_code == 404
    assert rig.events == []


def test_two_sources_cannot_share_an_address() -> None:
    with pytest.raises(Exception, match="push to the same path"), Rig().serving(settings(), settings()):
        pass


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(b"{", "not JSON", id="malformed JSON"),
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"\xff\xfe{}", "not UTF-8", id="not UTF-8"),
        pytest.param(b'{"id":"1","x":NaN}', "NaN", id="NaN"),
        pytest.param(b'{"id":"1","x":-Infinity}', "Infinity", id="Infinity"),
        pytest.param(b'{"id":"1","id":"2"}', "same key twice", id="a key that stands twice"),
        pytest.param(b'{"id":"1","x":' + b"[" * 900 + b"]" * 900 + b"}", "nested", id="900 deep"),
        pytest.param(b'{"id":"1","x":' + b"[" * 60_000 + b"]" * 60_000 + b"}", "nested", id="60,000 deep"),
        pytest.param(b'{"id":' + b"9" * 5000 + b"}", "not JSON", id="a number of 5,000 digits"),
        pytest.param(b"null", "no list of items", id="null"),
        pytest.param(b'"text"', "no list of items", id="a bare text"),
        pytest.param(b'["a"]', "not an object", id="a list of texts"),
        pytest.param(b"{}", "no id", id="no id"),
        pytest.param(b'{"id":""}', "no id", id="an empty id"),
        pytest.param(b'{"id":null}', "no id", id="a null id"),
        pytest.param(b'{"id":true}', "no id", id="true for an id"),
        pytest.param(b'{"id":["1"]}', "no id", id="a list for an id"),
        pytest.param(b'{"id":"' + b"x" * 201 + b'"}', "no id", id="an id longer than ids are"),
    ],
)
def test_what_is_signed_but_cannot_be_read_is_kept_and_answered_yes(
    rig: Rig, body: bytes, problem: str
) -> None:
    answer = rig.push(body)
    assert answer.status_code == 200
    (envelope,) = rig.ledger.envelopes
    assert problem in (envelope.problem or "")
    assert answer.json()["items"][0]["outcome"] == "failed"
    assert rig.push(body).json()["items"][0]["outcome"] == "duplicate"


def test_nul_and_lone_surrogates_pass_through_the_bytes_and_are_cleaned_in_the_id(rig: Rig) -> None:
    body = b'{"id":"a\\u0000\\ud800b","content":"x\\u0000y\\udfff"}'
    assert rig.push(body).status_code == 200
    (envelope,) = rig.ledger.envelopes
    assert envelope.body == body
    assert envelope.source_id == "a\ufffd\ufffdb"


def test_a_list_is_many_appeals_and_a_bad_one_takes_no_neighbour_along() -> None:
    push = settings(
        items="data.rows", id="orderNo", updated_at={"from": "t", "formats": ["%Y-%m-%d %H:%M:%S"]}
    )
    body = {
        "data": {
            "rows": [
                {"orderNo": 1, "t": "2026-03-01 09:30:00"},
                {"orderNo": None},
                "?",
                {"orderNo": 1, "t": "2026-03-01 09:30:00"},
                {"orderNo": "2", "t": "yesterday"},
            ]
        }
    }
    with Rig().serving(push) as rig:
        answer = rig.push(body)
        assert [item["outcome"] for item in answer.json()["items"]] == [
            "new",
            "failed",
            "failed",
            "duplicate",
            "new",
        ]
        first, *_, last = rig.ledger.envelopes
        assert first.updated_at is not None
        assert first.updated_at.isoformat() == "2026-03-01T01:30:00+00:00"
        assert last.updated_at is None


@pytest.mark.parametrize("body", [{"data": {"rows": {}}}, {"data": None}, {}, []])
def test_a_push_whose_list_is_not_where_it_should_be_is_kept_whole(body: object) -> None:
    with Rig().serving(settings(items="data.rows")) as rig:
        assert rig.push(body).status_code == 200
        (envelope,) = rig.ledger.envelopes
        assert "no list of items" in (envelope.problem or "")


def test_an_empty_list_is_a_yes_about_nothing(rig: Rig) -> None:
    assert rig.push([]).json() == {"accepted": 0, "items": []}


def test_more_items_than_allowed_are_kept_whole_for_people_to_look_at() -> None:
    with Rig().serving(settings(max_items=3)) as rig:
        assert rig.push([{"id": number} for number in range(4)]).json()["accepted"] == 1
        assert "more than 3 items" in (rig.ledger.envelopes[0].problem or "")


def test_the_answer_is_in_the_senders_words() -> None:
    answer = {"status": 201, "body": '{"code":0,"msg":"ok","data":{"id":"{appeal_id}","url":"{status_url}"}}'}
    with Rig().serving(settings(answer=answer)) as rig:
        told = rig.push(APPEAL)
        assert told.status_code == 201
        assert told.json()["code"] == 0
        assert told.json()["data"]["url"].endswith(told.json()["data"]["id"])


def test_a_sender_that_wants_200_for_a_refusal_gets_it_with_the_code_inside() -> None:
    refusal = {"status": 200, "body": '{"code":{status},"msg":"{message}"}'}
    with Rig().serving(settings(refusal=refusal)) as rig:
        told = rig.push(APPEAL, key=b"y" * 32)
        assert (told.status_code, told.json()["code"]) == (200, 401)
        assert rig.ledger.envelopes == []


def test_the_sender_reads_the_status_with_the_same_scheme(rig: Rig) -> None:
    appeal_id = rig.push(APPEAL).json()["items"][0]["appeal_id"]
    url = f"/push/{PATH}/appeals/{appeal_id}"
    told = rig.client.get(url, headers=rig.headers(f"GET /in{url}".encode()))
    assert told.status_code == 200
    assert told.json()["state"] == "open"


def test_a_status_question_must_be_signed_for_its_own_path(rig: Rig) -> None:
    one = rig.push(APPEAL).json()["items"][0]["appeal_id"]
    two = rig.push({**APPEAL, "id": "SST-2"}).json()["items"][0]["appeal_id"]
    headers = rig.headers(f"GET /in/push/{PATH}/appeals/{one}".encode())
    assert rig.client.get(f"/push/{PATH}/appeals/{two}", headers=headers).status_code == 401
    assert rig.client.get(f"/push/{PATH}/appeals/{one}", headers=rig.headers(b"")).status_code == 401


def test_another_sources_appeal_is_not_found() -> None:
    other = settings(path="other-door-0123")
    with Rig().serving(settings(), other) as rig:
        appeal_id = rig.push(APPEAL).json()["items"][0]["appeal_id"]
        url = f"/push/other-door-0123/appeals/{appeal_id}"
        told = rig.client.get(url, headers=rig.headers(f"GET /in{url}".encode()))
        assert told.status_code == 404


def test_p1_a_file_that_cannot_be_kept_is_no_yes() -> None:
    with Rig().serving(settings(accepts=["multipart"])) as rig:
        rig.store.fail_with = OSError("disk full")
        request = rig.client.build_request(
            "POST", f"/push/{PATH}", data={"id": "1"}, files={"f": ("a.png", b"png", "image/png")}
        )
        body = request.read()
        request.headers.update({**rig.headers(body), "content-type": request.headers["content-type"]})
        assert rig.client.send(request).status_code == 503
        assert rig.ledger.envelopes == []


def test_only_committed_batches_count_as_accepted(rig: Rig) -> None:
    """The fake itself: what it refuses leaves nothing."""
    rig.ledger.fail_with = LedgerUnavailable("away")
    with pytest.raises(LedgerUnavailable):
        rig.ledger.accept(Batch(source="app", envelopes=()))
    rig.ledger.fail_with = None
    assert rig.ledger.accept(Batch(source="app", envelopes=())) == Acceptance(items=())
