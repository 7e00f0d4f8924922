"""Models made the quick way are those that pydantic would make; texts are cleaned wherever they stand."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.comments import CommentedMap

from router.decisions.facts import Facts
from router.ledger.documents import kept_appeal
from router.message import (
    Accepted,
    Appeal,
    Attachment,
    Closure,
    Decision,
    Dispatch,
    Enterprise,
    Envelope,
    Match,
)

AT = datetime(2026, 11, 20, 8, 30, 0, 5, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "appeal_id": "01890a5d-ac96-774b-8bcc-b302099a8057",
    "source": "sst",
    "source_id": "SST-1",
    "revision": 1,
    "channel": "苏商通自报",
    "content": "电费补贴没有到账",
    "received_at": AT,
}
TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\x00\ud800"), max_size=8)
VALUES = TEXTS | st.integers() | st.booleans() | st.none()


@pytest.mark.parametrize(
    ("model", "given"),
    [
        pytest.param(Match, {"condition": "region = 320505", "saw": "320505"}, id="match"),
        pytest.param(Decision, {"rule": "wages", "lead": "rsj", "facts": {"text_length": 3}}, id="decision"),
        pytest.param(Facts, {"unit": "rsj", "candidates": {"rsj": 5.0}, "named": ("rsj",)}, id="facts"),
        pytest.param(
            Accepted,
            {"source_id": "1", "appeal_id": GIVEN["appeal_id"], "revision": 1, "outcome": "new"},
            id="accepted",
        ),
    ],
)
def test_what_is_made_unchecked_is_what_the_checked_way_makes(model: Any, given: dict[str, Any]) -> None:
    made, checked = model.made(**given), model(**given)
    assert made == checked
    assert made.model_fields_set == checked.model_fields_set
    assert made.model_dump_json() == checked.model_dump_json()
    assert repr(made) == repr(checked)
    assert made.model_copy(update={}) == checked


@given(TEXTS, TEXTS, TEXTS, VALUES)
def test_an_appeal_holds_nothing_that_no_database_stores(
    title: str, name: str, key: str, value: object
) -> None:
    appeal = Appeal.model_validate(
        GIVEN
        | {
            "title": title,
            "enterprise": Enterprise.model_construct(name=name),
            "contact": {"name": name},
            "category": (title,),
            "extensions": {key: value},
        }
    )
    told = (appeal.title, appeal.enterprise.name, appeal.contact.name, *appeal.category, *appeal.extensions)
    for text in (*told, *(v for v in appeal.extensions.values() if isinstance(v, str))):
        assert "\x00" not in text
        text.encode()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"category": frozenset({"人\x00社"})}, id="in a set"),
        pytest.param({"contact": MappingProxyType({"name": "王\ud800"})}, id="in a mapping that is no dict"),
        pytest.param({"extensions": CommentedMap({"k\x00": "v"})}, id="in a key of a dict of another kind"),
        pytest.param({"category": deque(["人\ud800社"])}, id="in a deque"),
    ],
)
@pytest.mark.parametrize("kind", [dict, CommentedMap, MappingProxyType])
def test_wherever_a_text_stands_it_is_cleaned(kind: Any, odd: dict[str, Any]) -> None:
    text = Appeal.model_validate(kind(GIVEN | odd)).model_dump_json()
    assert "\ufffd" in text
    assert "\\u0000" not in text


def test_texts_of_an_envelope_and_its_attachments_are_cleaned() -> None:
    attachment = Attachment(name="清单.xlsx", size=3, sha256="0" * 64)
    odd = attachment.model_copy(update={"name": "清\x00单\ud800"})
    envelope = Envelope(
        source="sst", source_id="a\x00b", body=b"\x00", received_at=AT, attachments=(odd,), notes=("\ud800",)
    )
    assert envelope.source_id == "a\ufffdb"
    assert envelope.body == b"\x00"
    assert envelope.attachments[0].name == "清\ufffd单\ufffd"
    assert envelope.notes == ("\ufffd",)


def test_a_part_that_is_cleaned_stays_what_it_was() -> None:
    inner = Appeal.model_validate(GIVEN | {"category": ("人社", "社会保险"), "extensions": {"no": 10**23}})
    task = {"task_id": GIVEN["appeal_id"], "unit": "rsj", "role": "lead", "sequence": 1, "created_at": AT}
    dispatch = Dispatch(
        dispatch_id=GIVEN["appeal_id"], type="task.created", destination="rsj", task=task, appeal=inner
    )
    assert dispatch.appeal == inner


def test_six_characters_that_look_like_a_nul_are_left_alone() -> None:
    assert Match(condition="\\u0000").condition == "\\u0000"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="as little as there can be"),
        pytest.param({"extensions": {"no": 10**23, "n": 1, "yes": True, "none": None}}, id="a long number"),
        pytest.param({"title": '引"号\\ \n\t\u2028\x7f😀'}, id="what JSON escapes"),
        pytest.param(
            {"submitted_at": datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))}, id="a zone"
        ),
        pytest.param(
            {
                "closure": Closure(result="已办结", satisfaction=5, closed_at=AT),
                "attachments": ({"name": "a", "size": 1, "sha256": "0" * 64},),
                "contact": {"name": "王先生", "phones": ["+8613800000012"], "withheld": True},
                "extensions": {"contact": "x"},
            },
            id="everything",
        ),
    ],
)
def test_an_appeal_is_kept_as_pydantic_writes_it(more: dict[str, Any]) -> None:
    appeal = Appeal.model_validate(GIVEN | more)
    kept = kept_appeal(appeal)
    assert kept.contact.decode() == appeal.contact.model_dump_json()
    assert kept.rest.decode() == appeal.model_dump_json(exclude={"contact"})
