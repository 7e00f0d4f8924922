"""A mapping at work: what it makes of a payload, what it keeps, what it refuses and how it says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from router.errors import MappingFailed
from router.message import Attachment
from tests.mappings.city import IDENTITY, ORDER, RECEIVED, appeal, envelope, fields, translator

MAPPING = translator(name="sst")
FILE = Attachment(name="b.jpg", size=9, sha256="b" * 64)
OTHER = Attachment(name="a.jpg", size=8, sha256="a" * 64)


def changed(**values: Any) -> dict[str, Any]:
    return {**ORDER, **values}


def digest(body: Any, *attachments: Attachment) -> str:
    return MAPPING.translate(envelope(body, attachments=attachments)).digest


def test_a_whole_order_becomes_a_canonical_appeal() -> None:
    made = appeal(MAPPING, ORDER)
    assert made.channel == "苏商通自报"
    assert made.title == "关于欠薪"
    assert made.content == "员工反映工资未按时发放"
    assert made.contact.name == "王先生"
    assert made.contact.phones == ("+8651265220000",)
    assert made.kind == "complaint"
    assert made.submitted_at == datetime(2023, 4, 3, 1, 30, tzinfo=UTC)
    assert made.region == "320506"
    assert made.proposed_units == ("rsj", "zgh")
    assert made.enterprise.name == "某某机械有限公司"
    assert made.enterprise.key_enterprise is True
    assert made.category == ("劳动", "工资")
    assert made.standing == "open"
    assert made.extensions == {"order_no": "12345678901234567890123", "first_file": "b.jpg"}
    assert made.flags == ()
    assert (made.source, made.source_id, made.received_at) == ("sst", "A-1", RECEIVED)


def test_what_is_not_there_stays_at_the_models_defaults() -> None:
    made = appeal(MAPPING, {"appealContent": "内容"})
    assert (made.kind, made.mode, made.standing, made.region, made.reporter) == (
        "other", "self_report", "open", "", None,
    )  # fmt: skip


def test_the_sources_own_time_is_found_and_falls_back_to_the_envelopes() -> None:
    assert MAPPING.translate(envelope(ORDER)).source_time == datetime(2023, 4, 4, 1, 30, tzinfo=UTC)
    assert MAPPING.translate(envelope(changed(gmtModified=None))).source_time is None
    seen = envelope(changed(gmtModified="?")).model_copy(update={"updated_at": RECEIVED})
    assert MAPPING.translate(seen).source_time == RECEIVED


def test_our_own_write_back_is_an_echo() -> None:
    assert not MAPPING.translate(envelope(ORDER)).is_echo
    assert MAPPING.translate(envelope(changed(updatedBy="suqiu"))).is_echo


def test_an_unknown_code_takes_the_default_and_is_kept_flagged_and_reported() -> None:
    translation = MAPPING.translate(envelope(changed(appealType=99)))
    made = translation.appeal(IDENTITY)
    assert made.kind == "other"
    assert made.extensions["kind_raw"] == "99"
    assert made.flags == ("unknown_code:kind",)
    assert translation.unknown_codes == (("kind", "kinds"),)


def test_an_unknown_unit_is_dropped_kept_flagged_and_reported() -> None:
    translation = MAPPING.translate(envelope(changed(deptName="市人社局、某某所、另一所")))
    made = translation.appeal(IDENTITY)
    assert made.proposed_units == ("rsj",)
    assert made.extensions["proposed_units_raw"] == "某某所、另一所"
    assert translation.unknown_codes == (("proposed_units", "units"),)


def test_an_optional_value_that_cannot_be_read_is_kept_and_flagged_and_stops_nothing() -> None:
    made = appeal(MAPPING, changed(createTime="昨天下午", appealTitle={"a": ["b"]}, score="很好"))
    assert made.submitted_at is None
    assert made.extensions["submitted_at_raw"] == "昨天下午"
    assert made.extensions["title_raw"] == '{"a":["b"]}'
    assert made.flags == ("unreadable:title", "unreadable:submitted_at", "unreadable:closure.satisfaction")


def test_first_of_goes_on_until_a_path_gives_a_value_after_all_functions() -> None:
    made = appeal(MAPPING, changed(areaCode="999999"))
    assert made.region == "320506"
    assert made.flags == ("unknown_code:region",)


def test_phones_that_cannot_be_read_stay_where_a_person_finds_them() -> None:
    made = appeal(MAPPING, changed(linkman={"mobile": "138****0001"}))
    assert made.contact.phones == ("138****0001",)
    assert made.flags == ("phone_unreadable",)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("1.10", "1.10", id="a Decimal keeps its spelling"),
        pytest.param("12345678901234567890123", "12345678901234567890123", id="23 digits"),
        pytest.param("0.1000000000000000055", "0.1000000000000000055", id="more digits than a float has"),
        pytest.param("1E400", "1E+400", id="beyond a float's range"),
        pytest.param("true", "true", id="a boolean"),
    ],
)
def test_numbers_become_text_without_loss(sent: str, kept: str) -> None:
    mapping = fields("  title: n\n  extensions.n: n")
    made = appeal(mapping, b'{"n": ' + sent.encode() + b"}")
    assert made.title == kept
    assert str(made.extensions["n"]).lower() == kept.lower()


def test_a_small_number_stays_a_number_in_extensions() -> None:
    assert appeal(fields("  extensions.n: n"), {"n": 7}).extensions == {"n": 7}


def test_a_spreadsheets_number_is_a_phone_and_an_id() -> None:
    mapping = fields("  contact.phones: {from: p, apply: [phones]}\n  title: {from: p, apply: [digits]}")
    made = appeal(mapping, b'{"p": 13800000001.0}')
    assert (made.contact.phones, made.title) == (("+8613800000001",), "13800000001")


def test_no_float_comes_out_of_jmespath() -> None:
    mapping = fields("  title: to_number(n)\n  address: 'to_string(n)'\n  extensions.m: avg(l)")
    made = appeal(mapping, b'{"n": 1.10, "l": [1, 2]}')
    assert (made.title, made.address, made.extensions["m"]) == ("1.10", "1.10", "1.5")


def test_nul_and_lone_surrogates_are_replaced_and_flagged() -> None:
    made = appeal(MAPPING, b'{"appealContent": "a\\u0000b\\ud800c\\ud83d\\ude00"}')
    assert made.content == "a\ufffdb\ufffdc\U0001f600"
    assert made.flags == ("replaced_characters",)


def test_an_emoji_alone_is_no_replaced_character() -> None:
    assert appeal(MAPPING, b'{"appealContent": "\\ud83d\\ude00"}').flags == ()


def test_attachments_come_from_the_envelope() -> None:
    translation = MAPPING.translate(envelope(ORDER, attachments=(FILE,)))
    assert translation.appeal(IDENTITY).attachments == (FILE,)


def test_the_digest_does_not_see_what_makes_no_revision() -> None:
    turned = dict(reversed(ORDER.items()))
    assert digest(ORDER) == digest(turned)
    assert digest(ORDER) == digest(
        changed(appealTitle="关于欠薪", gmtModified="2024-01-01 00:00:00", state="1")
    )
    assert digest(ORDER, FILE, OTHER) == digest(ORDER, OTHER, FILE)


@pytest.mark.parametrize(
    "change",
    [{"appealTitle": "x"}, {"appealContent": "x"}, {"linkman": {"name": "李女士"}}, {"state": "90"}],
)
def test_the_digest_sees_what_makes_a_revision(change: dict[str, Any]) -> None:
    assert digest(ORDER) != digest(changed(**change))
    assert digest(ORDER, FILE) != digest(ORDER)


def test_a_missing_required_field_is_said_with_its_line_and_path() -> None:
    with pytest.raises(MappingFailed) as error:
        MAPPING.translate(envelope({"appealTitle": "只有标题"}))
    said = str(error.value)
    assert said == "mappings/sst.yaml:7: content is required, and nothing stands at appealContent"


def test_every_missing_field_is_said_at_once() -> None:
    mapping = translator("fields:\n  channel: a\n  content: b\n  title: {from: c, required: true}\n")
    with pytest.raises(MappingFailed) as error:
        mapping.translate(envelope({}))
    assert [f"mappings/m.yaml:{line}" in str(error.value) for line in (2, 3, 4)] == [True] * 3


def test_what_the_model_refuses_is_said_with_line_field_and_outline() -> None:
    mapping = fields("  title: t\n  enterprise.name: n")
    with pytest.raises(MappingFailed) as error:
        appeal(mapping, {"t": "长" * 501, "n": "短" * 201})
    said = str(error.value)
    assert "mappings/m.yaml:4: title: at most 500 long" in said
    assert "text of 501 characters" in said
    assert "mappings/m.yaml:5: enterprise.name" in said


def test_many_threads_can_share_one_translator() -> None:
    bodies = [changed(appealTitle=str(n), appealType=n) for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda body: appeal(MAPPING, body), bodies))
    assert [a.title for a in made] == [str(n) for n in range(200)]
    assert sum(a.flags == () for a in made) == 2


def test_extensions_never_grow_past_what_the_model_holds() -> None:
    lines = "".join(f"  extensions.e{n}: {{from: e, apply: [trim]}}\n" for n in range(50))
    made = appeal(fields(lines + "  title: t"), {"e": "x", "t": {"a": 1}})
    assert len(made.extensions) == 50
    assert made.flags == ("unreadable:title",)


def test_flags_never_grow_past_what_the_model_holds() -> None:
    lines = "".join(
        f"  extensions.{'e' * 38}{n:02}: {{from: e, apply: [{{code: kinds}}]}}\n" for n in range(40)
    )
    made = appeal(fields(lines), {"e": "?"})
    assert len(made.flags) == 20


def test_the_fields_of_a_mapping_can_be_listed() -> None:
    assert MAPPING.fields[:3] == ("channel", "title", "content")
