"""Forms: fields and files as web pages send them, and what is wrong with the rest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.forms import read_multipart, read_urlencoded
from router.errors import MalformedEnvelope
from router.reasons import Refusal
from tests.front.rig import KEY, PATH, Rig, settings

PAYLOADS = Path(__file__).parents[1] / "payloads" / "push"
BY_TOKEN = {"kind": "token", "secrets": [{"env": "KEY"}]}
TOKEN = {"authorization": f"Bearer {KEY.decode()}"}
QR_FORM = {
    "accepts": ["form", "multipart"],
    "scheme": BY_TOKEN,
    "id": "bh",
    "files": {"max_bytes": 1000, "most": 2},
}
BOUNDARY = "multipart/form-data; boundary=B"
PNG = b"\x89PNG\r\n\x1a\n\x00--boundary\r\n"


def test_a_form_becomes_the_json_of_its_fields() -> None:
    body = (PAYLOADS / "qr_form.urlencoded").read_bytes().strip()
    with Rig().serving(settings(**QR_FORM)) as rig:
        headers = {**TOKEN, "content-type": "application/x-www-form-urlencoded"}
        assert rig.client.post(f"/push/{PATH}", content=body, headers=headers).status_code == 200
        (envelope,) = rig.ledger.envelopes
        assert (envelope.source_id, envelope.content_type) == ("QR-20260302-7", "application/json")
        assert json.loads(envelope.body) == json.loads(
            (PAYLOADS / "qr_form.expected.json").read_text("utf-8")
        )


def test_files_go_into_the_store_before_the_appeal_is_accepted() -> None:
    with Rig().serving(settings(**QR_FORM)) as rig:

        def kept() -> None:
            assert list(rig.store.kept.values()) == [PNG]

        rig.ledger.before_commit = kept
        answer = rig.client.post(
            f"/push/{PATH}",
            data={"bh": "1", "nr": "厂门口道路积水", "lx": ["a", "b"]},
            files={"tp": ("C:\\照片\\现场 1.png", PNG, "image/png")},
            headers=TOKEN,
        )
        assert answer.status_code == 200
        (envelope,) = rig.ledger.envelopes
        assert json.loads(envelope.body) == {"bh": "1", "nr": "厂门口道路积水", "lx": ["a", "b"]}
        (attachment,) = envelope.attachments
        assert attachment.name == "现场 1.png"
        assert (attachment.media_type, attachment.size) == ("image/png", len(PNG))
        assert attachment.sha256 == hashlib.sha256(PNG).hexdigest()


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        pytest.param([("f", ("a.png", b"x" * 1001, "image/png"))], "larger than 1000", id="a file too large"),
        pytest.param([("f", ("a.png", b"x", "image/png"))] * 3, "more than 2 files", id="too many files"),
        pytest.param([("f", ("a.exe", b"MZ", "application/x-msdownload"))], "not taken", id="another type"),
    ],
)
def test_a_form_whose_files_break_the_limits_is_kept_whole_with_its_files(
    files: list[Any], problem: str
) -> None:
    with Rig().serving(settings(**QR_FORM)) as rig:
        request = rig.client.build_request(
            "POST", f"/push/{PATH}", data={"bh": "1"}, files=files, headers=TOKEN
        )
        body = request.read()
        assert rig.client.send(request).status_code == 200
        (envelope,) = rig.ledger.envelopes
        assert problem in (envelope.problem or "")
        assert (envelope.body, envelope.content_type) == (body, "multipart/form-data")
        assert rig.store.kept == {}


def test_a_form_without_an_id_keeps_its_files() -> None:
    with Rig().serving(settings(**QR_FORM)) as rig:
        answer = rig.client.post(
            f"/push/{PATH}", data={"nr": "x"}, files={"f": ("a.png", PNG)}, headers=TOKEN
        )
        assert answer.status_code == 200
        (envelope,) = rig.ledger.envelopes
        assert envelope.source_id.startswith("sha256:")
        assert [attachment.name for attachment in envelope.attachments] == ["a.png"]


def test_a_source_whose_forms_have_no_id_takes_the_content_for_it() -> None:
    with Rig().serving(settings(**{**QR_FORM, "id": None})) as rig:
        told = [
            rig.client.post(f"/push/{PATH}", data={"nr": text}, headers=TOKEN).json()["items"][0]["outcome"]
            for text in ("one", "two", "one")
        ]
        assert told == ["new", "new", "duplicate"]
        assert {envelope.problem for envelope in rig.ledger.envelopes} == {None}


def test_a_source_that_sends_forms_is_refused_json() -> None:
    with Rig().serving(settings(**QR_FORM)) as rig:
        answer = rig.client.post(f"/push/{PATH}", json={"bh": 1}, headers=TOKEN)
        assert answer.status_code == 415
        assert rig.events.refusals == [Refusal.WRONG_TYPE]


def part(name: str = "a", content: bytes = b"1", head: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{head}\r\n\r\n'.encode() + content + b"\r\n"


END = b"--B--\r\n"


def test_a_file_field_left_empty_is_no_file() -> None:
    fields, files = read_multipart(part(head='; filename=""', content=b"") + END, BOUNDARY)
    assert (fields, files) == ({}, [])


def test_as_many_parts_as_allowed_are_read() -> None:
    fields, _ = read_multipart(part() * 200 + END, BOUNDARY)
    assert fields == {"a": ["1"] * 200}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"text", id="no form at all"),
        pytest.param(part(), id="without its end"),
        pytest.param(part()[:-10] + END, id="cut off in a head"),
        pytest.param(b"words before" + part() + END, id="words before the first part"),
        pytest.param(part() + END + b"words after", id="words after the end"),
        pytest.param(b"--B\r\nContent-Type: text/plain\r\n\r\n1\r\n" + END, id="a part without a name"),
        pytest.param(b"--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n" + END, id="a nameless part"),
        pytest.param(
            b'--B\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n' + END, id="not form-data"
        ),
        pytest.param(part(head='\r\nContent-Disposition: form-data; name="b"') + END, id="two names"),
        pytest.param(part(head="\r\nno colon") + END, id="a head that is none"),
        pytest.param(part(head="\r\nx: " + "y" * 5000) + END, id="an endless head"),
        pytest.param(part(content=b"\xff") + END, id="not UTF-8"),
        pytest.param(part() * 201 + END, id="201 parts"),
    ],
)
def test_a_form_that_could_be_read_in_two_ways_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        read_multipart(body, BOUNDARY)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="' + "b" * 71 + '"',
    ],
)
def test_a_form_without_a_usable_boundary_is_malformed(content_type: str) -> None:
    with pytest.raises(MalformedEnvelope, match="boundary"):
        read_multipart(part() + END, content_type)


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%ff", b"&".join([b"a=1"] * 201)])
def test_a_urlencoded_form_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        read_urlencoded(body)


LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"\\')
NAMES = st.text(LETTERS, min_size=1, max_size=20)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))


@given(
    fields=st.dictionaries(NAMES, TEXTS, max_size=5),
    contents=st.lists(st.binary(max_size=200), max_size=3),
)
def test_what_a_client_puts_into_a_form_comes_out_again(
    fields: dict[str, str], contents: list[bytes]
) -> None:
    files = [("file", (f"{number}.bin", content)) for number, content in enumerate(contents)]
    files = files or [("file", ("0.bin", b""))]
    request = httpx.Request("POST", "http://hub/", data=fields, files=files)
    found, kept = read_multipart(request.read(), request.headers["content-type"])
    assert found == {name.strip(): value for name, value in fields.items()} or found == fields
    assert [file.content for file in kept] == [content for _, (_, content) in files]


@given(st.binary(max_size=300))
def test_no_body_makes_the_reader_fail_in_another_way(body: bytes) -> None:
    for read in (read_urlencoded, lambda raw: read_multipart(raw, "multipart/form-data; boundary=B")):
        try:
            read(b"--B\r\n" + body)
        except MalformedEnvelope:
            continue
