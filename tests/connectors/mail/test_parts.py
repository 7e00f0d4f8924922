"""A mail is taken apart whatever its maker did, within limits."""

from __future__ import annotations

import base64
import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.mail.parts import DEEPEST, MOST_FILES, MOST_PARTS, read_contents
from tests.connectors.mail.writing import Attached, mail, mixed, nested

CONTENT = b"\x00\x01table\xff"


def part(head: str, body: bytes = base64.b64encode(CONTENT)) -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


ENCODED = "Content-Transfer-Encoding: base64"
SHAPES = [
    pytest.param(part(f'Content-Type: application/x; name="a.xlsx"\n{ENCODED}'), id="a name in the type"),
    pytest.param(part(f'Content-Disposition: attachment; filename="a.xlsx"\n{ENCODED}'), id="no type"),
    pytest.param(part(f'Content-Type: text/plain; name="a.xlsx"\n{ENCODED}'), id="called text"),
    pytest.param(part(f"Content-Disposition: inline; filename=a.xlsx\n{ENCODED}"), id="inline"),
    pytest.param(part(f'CONTENT-TYPE: Application/X; NAME="a.xlsx"\n{ENCODED.upper()}'), id="capitals"),
    pytest.param(
        part('Content-Type: application/x; name="a.xlsx"\nContent-Transfer-Encoding: binary', CONTENT),
        id="binary",
    ),
    pytest.param(
        part(f'Content-Type: application/x; name="a.xlsx"\n{ENCODED}', b"AAF0!!YWJsZf8"),
        id="base64 without padding, with dirt",
    ),
    pytest.param(
        part(
            'Content-Type: application/x; name="a.xlsx"\nContent-Transfer-Encoding: quoted-printable',
            b"=00=01ta=\r\nble=FF",
        ),
        id="quoted-printable",
    ),
]


@pytest.mark.parametrize("piece", SHAPES)
def test_an_attachment_is_found(piece: bytes) -> None:
    (file,) = read_contents(
        b"From: a@b.cn\r\n" + mixed([part("Content-Type: text/plain", b"hello"), piece])
    ).files
    assert (file.name, file.content) == ("a.xlsx", CONTENT)


def test_what_the_standard_library_writes_is_read_back() -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content("正文\n")
    message.add_alternative("<p>正文</p>", subtype="html")
    names = ["三季度企业诉求办理情况汇总表（人力资源和社会保障局）最终版.xlsx", "b.csv"]
    for name in names:
        message.add_attachment(CONTENT, maintype="application", subtype="x", filename=name)
    assert [(file.name, file.content) for file in read_contents(message.as_bytes()).files] == [
        (name, CONTENT) for name in names
    ]


def test_text_and_receipts_are_no_files_and_a_picture_of_the_signature_is_marked() -> None:
    pieces = [
        part("Content-Type: text/html", b"<p>"),
        part("Content-Type: message/delivery-status", b"Status: 5.0.0"),
        part(f"Content-Type: image/png\nContent-ID: <1>\n{ENCODED}"),
    ]
    (picture,) = read_contents(mixed(pieces)).files
    assert picture.is_inline


def test_files_in_mails_in_mails_are_found() -> None:
    inner = mail(Attached("内.xlsx", CONTENT))
    contents = read_contents(nested(inner, 4))
    assert [file.name for file in contents.files] == ["内.xlsx"]
    assert contents.problem == ""
    encoded = mixed([part(f"Content-Type: message/rfc822\n{ENCODED}", base64.encodebytes(inner))])
    assert [file.name for file in read_contents(encoded).files] == ["内.xlsx"]


@pytest.mark.parametrize("depth", [50, 5000])
def test_mails_in_mails_beyond_reason_are_refused_and_nothing_breaks(depth: int) -> None:
    contents = read_contents(nested(mail(Attached("内.xlsx", CONTENT)), depth))
    assert contents.problem == f"邮件嵌套超过 {DEEPEST} 层"
    assert contents.files == ()


def test_too_many_parts_or_files_are_refused() -> None:
    text = part("Content-Type: text/plain", b"x")
    assert "部分" in read_contents(mixed([text] * (MOST_PARTS + 1))).problem
    files = [Attached(f"{n}.xlsx", b"x").part() for n in range(MOST_FILES + 1)]
    assert "附件" in read_contents(mixed(files)).problem


def test_two_files_of_one_name_are_told_apart() -> None:
    files = [Attached(name, b"x").part() for name in ("表.xlsx", "表.xlsx", "无", "无")]
    names = [file.name for file in read_contents(mixed(files)).files]
    assert names == ["表.xlsx", "表(2).xlsx", "无", "无(2)"]


def test_a_mail_that_ends_too_early_is_read_as_far_as_it_goes() -> None:
    whole = mail(Attached("a.xlsx", CONTENT * 100))
    for at in (whole.index(b"AAF0") + 40, len(whole) - 10):
        (file,) = read_contents(whole[:at]).files
        assert (CONTENT * 100).startswith(file.content)
        assert file.content


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nbody\r\n--x--", id="no boundary"),
        pytest.param(
            b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nbody', id="a boundary that never comes"
        ),
        pytest.param(
            b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\na\r\n----', id="an empty one"
        ),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="an empty line"),
    ],
)
def test_a_mail_without_parts_has_no_files(raw: bytes) -> None:
    assert read_contents(raw).files == ()


def test_a_mail_made_to_keep_us_busy_does_not() -> None:
    """The standard library's parser would look at each of seven million lines once per level."""
    began = time.monotonic()
    lines = b"x\n" * 7_000_000
    assert read_contents(nested(lines, 4)).problem == ""
    assert read_contents(mixed([b"\r\n" + b"--=_edg\r\n" * 1_000_000])).problem == ""
    assert read_contents(mixed([b"\r\n\r\n"] * 500_000)).problem
    assert time.monotonic() - began < 10


@given(st.binary(max_size=500))
def test_rubbish_is_read_without_raising(raw: bytes) -> None:
    read_contents(raw)


PIECES = (
    "Content-Type: ", "multipart/mixed", "message/rfc822", "text/plain", ";", "boundary=", "a", '"', "--a",
    "--a--", "\r\n", "\r\n\r\n", "\n", "Content-Transfer-Encoding: base64\r\n", "filename*0*=", "''", "%E4",
    "=?gbk?B?", "?=",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=80).map("".join))
@example("Content-Type: multipart/mixed; boundary=a\r\n\r\n" + "--a\r\n" * 20)
def test_nearly_right_mails_are_read_without_raising(text: str) -> None:
    raw = text.encode()
    for file in read_contents(raw).files:
        assert file.name
        assert len(file.content) <= len(raw)
