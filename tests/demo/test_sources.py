"""The outside systems behave as badly as they say, and write down what they handed out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from demo.plan import Item, plan
from demo.record import Record, read
from demo.sources.crm import LIST, signature
from demo.sources.pushing import Pushing, Step, _steps
from demo.sources.serving import Answer, Asked, json_answer
from demo.sources.sst import USES_OF_A_TOKEN
from tests.demo.systems import APP, SECRET, ask_crm, crm, crm_rows, items_of, running, shelf, sst, token

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def walk_sst(http: httpx.Client, url: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {token(http, url)}"}
    rows: list[dict[str, Any]] = []
    for page in range(1, 100):
        answer = http.get(f"{url}/api/v2/appeals", params={"pageNo": page, "pageSize": 20}, headers=headers)
        found = answer.json()["data"]["rows"]
        rows += found
        if len(found) < 20:
            return rows
    raise AssertionError("the list has no end")


class TestSst:
    def test_nobody_reads_without_a_token(self, http: httpx.Client, tmp_path: Path) -> None:
        with sst(tmp_path, items_of("sst")) as url:
            assert http.get(f"{url}/api/v2/appeals").status_code == 401
            wrong = {"client_id": "suqiu", "client_secret": "guessed"}
            assert http.post(f"{url}/oauth/token", data=wrong).status_code == 401
        assert read(tmp_path / "handed-out-sst.jsonl") == []

    def test_a_token_ends_after_some_requests(self, http: httpx.Client, tmp_path: Path) -> None:
        with sst(tmp_path, items_of("sst")) as url:
            headers = {"authorization": f"Bearer {token(http, url)}"}
            asked = [http.get(f"{url}/api/v2/appeals", headers=headers) for _ in range(USES_OF_A_TOKEN + 1)]
        assert [answer.status_code for answer in asked] == [200] * USES_OF_A_TOKEN + [401]

    def test_the_list_has_everything_and_some_of_it_twice(self, http: httpx.Client, tmp_path: Path) -> None:
        items = items_of("sst")
        with sst(tmp_path, items) as url:
            counted = Counter(str(row["appealId"]) for row in walk_sst(http, url))
        assert counted == {item.id: 1 + item.twice for item in items}
        repeats = [
            line["id"] for line in read(tmp_path / "handed-out-sst.jsonl") if line["expect"] == "duplicate"
        ]
        assert sorted(repeats) == sorted(item.id for item in items if item.twice)

    def test_ids_have_more_digits_than_a_float_can_hold(self, http: httpx.Client, tmp_path: Path) -> None:
        with sst(tmp_path, items_of("sst")) as url:
            shown = str(walk_sst(http, url)[0]["appealId"])
        assert len(shown) == 23
        assert int(float(shown)) != int(shown)

    def test_photographs_stand_behind_their_links(self, http: httpx.Client, tmp_path: Path) -> None:
        with sst(tmp_path, items_of("sst")) as url:
            links = [file["fileUrl"] for row in walk_sst(http, url) for file in row["files"]]
            headers = {"authorization": f"Bearer {token(http, url)}"}
            files = [http.get(link, headers=headers).content for link in links]
        assert files
        assert all(file.startswith(b"\x89PNG") for file in files)

    def test_every_version_is_handed_out_in_its_turn(self, http: httpx.Client, tmp_path: Path) -> None:
        items = [item for item in items_of("sst", count=4000) if item.changes]
        with sst(tmp_path, items) as url:
            for _ in range(4):
                walk_sst(http, url)
        told = {(line["id"], line["revision"]) for line in read(tmp_path / "handed-out-sst.jsonl")}
        assert told == {(item.id, version) for item in items for version in range(1, item.versions + 1)}


class TestCrm:
    def test_a_wrong_signature_is_refused_with_status_200(self, http: httpx.Client, tmp_path: Path) -> None:
        with crm(tmp_path, items_of("crm")) as url:
            answer = http.post(f"{url}{LIST}", data={"appid": "app", "page": "1", "sign": "F" * 32})
        assert answer.status_code == 200
        assert answer.json()["status"] == "error"
        assert read(tmp_path / "handed-out-crm.jsonl") == []

    def test_its_json_calls_itself_html(self, http: httpx.Client, tmp_path: Path) -> None:
        with crm(tmp_path, items_of("crm")) as url:
            answer = ask_crm(http, url, page="1", rows="5")
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.json()["status"] == "success"

    def test_the_last_row_of_a_page_stands_again_on_the_next(
        self, http: httpx.Client, tmp_path: Path
    ) -> None:
        with crm(tmp_path, items_of("crm")) as url:
            first = crm_rows(ask_crm(http, url, page="1", rows="10"))
            second = crm_rows(ask_crm(http, url, page="2", rows="10"))
        assert first[-1] == second[0]

    def test_pages_together_are_the_whole_list(self, http: httpx.Client, tmp_path: Path) -> None:
        items = items_of("crm")
        with crm(tmp_path, items) as url:
            seen = {
                row["record_number"]
                for page in range(1, 40)
                for row in crm_rows(ask_crm(http, url, page=str(page), rows="10"))
            }
        assert seen == {item.id for item in items}

    def test_it_breaks_down_and_asks_for_patience_now_and_then(
        self, http: httpx.Client, tmp_path: Path
    ) -> None:
        with crm(tmp_path, items_of("crm")) as url:
            statuses = {http.post(f"{url}{LIST}", data={"appid": "x"}).status_code for _ in range(10)}
            assert statuses == {200}, "only who is known learns of its troubles"
            form_statuses = Counter[int]()
            form = {"appid": APP, "page": "1", "rows": "2"}
            form["sign"] = signature(form, SECRET)
            for _ in range(50):
                form_statuses[http.post(f"{url}{LIST}", data=form).status_code] += 1
        assert form_statuses[500] == 2
        assert form_statuses[429] == 2

    def test_a_row_may_change_without_a_change(self, http: httpx.Client, tmp_path: Path) -> None:
        items = [item for item in items_of("crm", count=3000) if item.touched and not item.changes][:1]
        with crm(tmp_path, items) as url:
            before, *_, after = (crm_rows(ask_crm(http, url, page="1", rows="10"))[0] for _ in range(3))
        differing = {name for name in before if before[name] != after[name]}
        assert {"note16"} <= differing <= {"note16", "update_time", "note12"}
        assert read(tmp_path / "handed-out-crm.jsonl")[-1]["expect"] == "duplicate"

    def test_what_is_meant_to_be_unreadable_has_no_text(self, http: httpx.Client, tmp_path: Path) -> None:
        items = [item for item in items_of("crm", count=3000) if item.fate == "dead"]
        with crm(tmp_path, items) as url:
            rows = crm_rows(ask_crm(http, url, page="1", rows="100"))
        assert len(rows) == len(items)
        assert not any(isinstance(row["note2"], str) and row["note2"].strip(" 　") for row in rows)


class Receiver:
    """A hub's door for a test: says no a few times, then yes."""

    def __init__(self, noes: int) -> None:
        self.noes = noes
        self.taken: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        with self.lock:
            if self.noes:
                self.noes -= 1
                return json_answer({}, 503)
            self.taken.append(asked.headers["webhook-id"])
            return json_answer({"ok": True})


def push_all(items: list[Item], url: str, record: Record) -> Pushing:
    pushing = Pushing(url, KEY, record, lambda: datetime(2025, 9, 16, tzinfo=UTC))
    pushing.start(items)
    for thread in pushing._threads:
        thread.join()
    return pushing


class TestPushing:
    def pushed(self, **wanted: object) -> list[Item]:
        items = [item for item in plan(7, 3000) if item.way == "push"]
        return [item for item in items if all(getattr(item, name) == value for name, value in wanted.items())]

    def test_it_comes_again_until_it_gets_a_yes(self, tmp_path: Path) -> None:
        receiver = Receiver(noes=3)
        items = self.pushed(fate="ok", twice=False, changes=())[:1]
        with Record(tmp_path / "p.jsonl") as record, running(receiver) as url:
            assert push_all(items, url + "/push/sst", record).left == 0
        assert [line["answer"] for line in read(tmp_path / "p.jsonl")] == ["no", "no", "no", "yes"]
        assert receiver.taken == [f"msg_{items[0].id}_1"]

    def test_nobody_there_is_no_answer_at_all(self, tmp_path: Path) -> None:
        items = self.pushed(fate="ok")[:1]
        with Record(tmp_path / "p.jsonl") as record:
            pushing = Pushing("http://127.0.0.1:9/push/sst", KEY, record, lambda: datetime.now(UTC))
            pushing.start(items)
            pushing.stop()
        assert {line["answer"] for line in read(tmp_path / "p.jsonl")} == {None}
        assert pushing.left == pushing.planned

    def test_what_is_signed_wrongly_is_answered_no_and_never_comes_again(self, tmp_path: Path) -> None:
        items = self.pushed(fate="rejected")[:2]
        with (
            Record(tmp_path / "p.jsonl") as record,
            running(lambda _: json_answer({"code": 401}, 401)) as url,
        ):
            assert push_all(items, url + "/push/sst", record).left == 0
        told = read(tmp_path / "p.jsonl")
        assert [(line["expect"], line["answer"]) for line in told] == [("rejected", "no")] * 2

    def test_signatures_are_what_standard_webhooks_asks_for(self, tmp_path: Path) -> None:
        item = self.pushed(fate="ok")[0]
        with Record(tmp_path / "p.jsonl") as record:
            body, headers = Pushing("http://x/", KEY, record, lambda: datetime.now(UTC))._signed(
                Step(item, 1), datetime.now(UTC)
            )
        Webhook(KEY).verify(body.decode(), headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(KEY[::-1]).verify(body.decode(), headers)

    def test_a_change_never_comes_before_what_it_changes(self) -> None:
        items = self.pushed()
        place = {(step.item.id, step.version): number for number, step in enumerate(_steps(items))}
        changed = [item for item in items if item.changes]
        assert changed
        assert all(place[item.id, 1] < place[item.id, 2] for item in changed)


def test_a_shelf_is_exhausted_only_when_the_last_version_has_left(tmp_path: Path) -> None:
    items = [item for item in items_of("crm", count=4000) if item.changes][:3]
    with Record(tmp_path / "h.jsonl") as record:
        full = shelf("crm", items, record)
        full.refresh()
        full.handed_out(full.listing())
        assert not full.progress().is_exhausted
        for _ in range(3):
            full.refresh()
            full.handed_out(full.listing())
        assert full.progress().is_exhausted


def test_a_version_stays_for_one_more_listing_after_it_was_handed_out(tmp_path: Path) -> None:
    """Else a hub that was killed while it read would never learn of it, and treat the appeal differently."""
    items = [item for item in items_of("crm", count=4000) if item.changes][:1]
    seen = []
    with Record(tmp_path / "h.jsonl") as record:
        full = shelf("crm", items, record)
        for _ in range(3):
            full.refresh()
            (row,) = full.listing()
            full.handed_out([row])
            seen.append(row.version)
    assert seen == [1, 1, 2]
