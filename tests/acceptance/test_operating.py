"""The hub as ops and admins work it: by its commands, on a real broker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx

from tests.acceptance.rig import SUQIU, HubRig, Sink, item, wait_until


def break_mapping(hub: HubRig) -> None:
    hub.edit("mappings/example.yaml", lambda m: m["fields"]["content"].update({"from": "wrong_name"}))


def mend_mapping(hub: HubRig) -> None:
    hub.edit("mappings/example.yaml", lambda m: m["fields"]["content"].update({"from": "text"}))


def test_a_mapping_broken_and_mended_delivers_all_once_each(hub: HubRig, promtool: Path) -> None:
    break_mapping(hub)
    hub.start()
    assert all(hub.push(number) for number in range(6)), "recorded, though not understood: a yes"
    dead = hub.json("dead", "list")
    assert [(row["stage"], row["reason"]) for row in dead] == [("map", "mapping_failed")] * 6
    assert 'suqiu_dead_letters_unresolved{reason="mapping_failed",stage="map"} 6.0' in hub.metrics()
    checked = subprocess.run(
        [str(promtool), "check", "metrics"], input=hub.metrics(), text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    hub.stop()

    mend_mapping(hub)
    hub.start()
    told = hub.json("dead", "replay", "--stage", "map", "--reason", "the field has a new name")
    assert told["counts"] == {"replayed": 6}
    assert hub.json("dead", "list") == []
    sink = Sink(hub.amqp_url)

    def all_there() -> bool:
        sink.drain("rsj", "gxj")
        return sink.received() == {item(number)["orderNo"] for number in range(6)}

    wait_until(all_there, 20, "all six to be delivered")
    assert len(sink.copies) == 6, "once each"
    audit = hub.json("ledger", "audit")
    assert {row["reason"] for row in audit} == {"the field has a new name"}
    assert len(audit) == 6


def test_what_a_unit_rejects_is_a_dead_letter_and_goes_again(hub: HubRig) -> None:
    hub.start()
    hub.push(1)
    sink = Sink(hub.amqp_url)

    def rejected() -> bool:
        sink.drain("rsj", reject=lambda _: True)
        return bool(hub.json("dead", "list"))

    wait_until(rejected, 30, "the rejection to come back")
    (letter,) = hub.json("dead", "list")
    assert (letter["stage"], letter["reason"], letter["destination"]) == ("unit", "rejected", "rsj")
    hub.suqiu("dead", "replay", letter["dead_id"], "--reason", "the unit has mended its system")

    def there() -> bool:
        sink.drain("rsj")
        return len(sink.effects) == 1

    wait_until(there, 20, "the second try")
    assert set(sink.effects) == {letter["delivery_id"]}, "under the same id"


def test_an_unroutable_delivery_is_parked_and_released(hub: HubRig) -> None:
    queue = {"destination": "suqiu.dest.rsj"}
    vhost = hub.amqp_url.rsplit("/", 1)[1]
    hub.start()
    _manage(hub, "DELETE", f"/api/queues/{vhost}/{queue['destination']}")
    hub.push(1)
    wait_until(lambda: hub.states() == {"parked": 1}, 20, "the delivery to be parked")
    drift = hub.json("topology", "check", expect=1)
    assert any("suqiu.dest.rsj" in row["what"] for row in drift)
    hub.suqiu("topology", "apply")
    assert hub.json("deliveries", "release", "rsj", "--reason", "bound again") == {
        "destination": "rsj",
        "released": 1,
    }
    sink = Sink(hub.amqp_url)

    def there() -> bool:
        sink.drain("rsj")
        return bool(sink.effects)

    wait_until(there, 20, "the parked one to arrive")


def _manage(hub: HubRig, method: str, path: str) -> None:
    httpx.request(method, hub.management_url + path, timeout=10).raise_for_status()


def test_every_list_and_story_can_be_read(embedded: HubRig) -> None:
    """Each command answers, as a table and as JSON, and shows nobody's phone."""
    hub = embedded
    hub.start()
    hub.push(1)
    hub.push(2, text="")
    appeals = hub.json("appeals", "list")
    assert {row["state"] for row in appeals} == {"open", "unregistered"}
    known = next(row["appeal_id"] for row in appeals if row["state"] == "open")
    task = hub.json("tasks", "list", "--unit", "rsj")[0]["task_id"]
    letter = hub.json("dead", "list")[0]["dead_id"]
    shown = ""
    for words in (
        ["appeals", "list"], ["appeals", "show", known], ["appeals", "explain", known],
        ["appeals", "explain", known, "--today"], ["tasks", "list"], ["tasks", "show", task],
        ["deliveries", "list"], ["dead", "list"], ["dead", "show", letter], ["ledger", "status"],
        ["ledger", "audit"], ["keys", "status"],
    ):  # fmt: skip
        shown += hub.suqiu(*words) + str(hub.json(*words))
    assert "13800001234" not in shown
    assert "王先生" not in shown
    full = hub.json("appeals", "show", known, "--reveal", "--reason", "the firm calls back")
    assert full["appeal"]["contact"]["name"] == "王先生"
    assert [row["action"] for row in hub.json("ledger", "audit")] == ["appeal.reveal"]


def test_an_explanation_names_every_field_and_every_rule_passed_over(embedded: HubRig) -> None:
    hub = embedded
    hub.start()
    hub.push(1)
    known = hub.json("appeals", "list")[0]["appeal_id"]
    explained = hub.json("appeals", "explain", known)
    assert explained["decision"]["rule"] == "proposed"
    assert [over["rule"] for over in explained["decision"]["passed_over"]] == ["closed-to-archive"]
    by_field = {row["field"]: row for row in explained["fields"]}
    assert "department" in by_field["proposed_units"]["raw"]
    break_mapping(hub)
    then = hub.json("appeals", "explain", known)
    assert then["decision"]["rule"] == "proposed", "explained under the configuration of its time"
    today = hub.json("appeals", "explain", known, "--today")
    assert "content" in today["problem"]


def test_what_cannot_be_translated_is_registered_by_hand(embedded: HubRig, tmp_path: Path) -> None:
    hub = embedded
    hub.start()
    hub.push(1, text="")
    known = hub.json("appeals", "list")[0]["appeal_id"]
    fields = tmp_path / "fields.json"
    fields.write_text(
        '{"channel": "电话", "content": "手工登记：社保缴费", "proposed_units": ["rsj"]}', "utf-8"
    )
    hub.suqiu("appeals", "register", known, str(fields), "--reason", "read from the original")
    story = hub.json("appeals", "show", known)
    assert (story["state"], story["revision"]) == ("open", 1)
    assert {d["destination"]: d["state"] for d in story["deliveries"]} == {
        "desk": "cancelled",
        "rsj": "pending",
    }


def test_the_mapping_commands_answer(embedded: HubRig) -> None:
    hub = embedded
    given = next((hub.folder / "mappings/example.cases").glob("*.input.json"))
    assert "0 例不符" in hub.suqiu("mapping", "test")
    rows = hub.json("mapping", "explain", "example", str(given))
    assert any(row["field"] == "title" for row in rows)
    appeal = hub.suqiu("mapping", "try", "example", "-", input=given.read_text("utf-8"))
    assert '"channel": "示例系统"' in appeal
    case = hub.folder / "case.json"
    case.write_text('{"title": "拖欠工资", "content": "公司拖欠工资三个月"}', "utf-8")
    assert hub.json("route", "explain", str(case))["lead"] == "rsj"
    cases = hub.folder / "cases.jsonl"
    cases.write_text(
        '{"appeal": {"content": "公司拖欠工资"}, "expect": ["rsj"]}\n'
        '{"appeal": {"content": "天气怎么样"}, "expect": ["gxj"]}\n',
        "utf-8",
    )
    result = hub.json("route", "evaluate", str(cases))
    assert (result["cases"], result["accuracy"]) == (2, 0.5)
    assert "gxj" in hub.suqiu("route", "evaluate", str(cases))


def test_an_old_schema_is_refused(tmp_path: Path) -> None:
    hub = HubRig(tmp_path / "hub", "sqlite")
    (hub.folder / "var/suqiu.db").unlink()
    assert "suqiu ledger upgrade" in _fails(hub, "run")


def _fails(hub: HubRig, *arguments: str) -> str:
    command = [*SUQIU, *arguments, "--config", str(hub.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


def test_p8_nothing_personal_is_in_the_log_or_the_metrics(embedded: HubRig) -> None:
    hub = embedded
    hub.start()
    name, phone = "欧阳金丝雀", "13955556666"
    canaries = {"caller": {"name": name, "mobile": phone}, "text": f"{name}的电话{phone}"}
    hub.push(1, **canaries)
    hub.push(2, **{**canaries, "text": "", "subject": f"{name}{phone}"})
    hub.push(3, **{**canaries, "created": phone})
    public = hub.metrics() + hub.suqiu("dead", "list") + hub.suqiu("appeals", "list")
    hub.stop()
    public += hub.log()
    assert phone not in public
    assert name not in public
