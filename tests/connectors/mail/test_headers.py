"""What Chinese mail programs write into heads, made readable; and nothing in a head does harm."""

from __future__ import annotations

import base64
import quopri
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.headers import decode, parameters, split_head, tidy, tidy_name, to_text

LONG = "关于报送二〇二六年第三季度企业诉求办理情况汇总表的函（人力资源和社会保障局）附件三"


def word(raw: bytes, charset: str = "gb18030", kind: str = "B") -> bytes:
    payload = (
        base64.b64encode(raw) if kind == "B" else quopri.encodestring(raw, header=True).replace(b"\n", b"")
    )
    return b"=?" + charset.encode() + b"?" + kind.encode() + b"?" + payload + b"?="


def cut(raw: bytes, at: int) -> list[bytes]:
    return [raw[:at], raw[at:]]


SUBJECTS = [
    pytest.param(word("三季度".encode("gb18030")), "三季度", id="gb18030"),
    pytest.param(word("三季度".encode("gb2312"), "GB2312"), "三季度", id="gb2312"),
    pytest.param(word("三季度".encode(), "utf-8", "Q"), "三季度", id="quoted-printable"),
    pytest.param(word("三季度".encode(), "UTF-8*zh-CN"), "三季度", id="with a language"),
    pytest.param(word("㐀𠮷".encode("gb18030"), "gb2312"), "㐀𠮷", id="gb18030 under the name of gb2312"),
    pytest.param(
        b"\r\n ".join(word(piece, "gbk") for piece in cut("诉求汇总".encode("gbk"), 5)),
        "诉求汇总",
        id="a character over two words",
    ),
    pytest.param(
        b" ".join(word(piece, "gb18030") for piece in cut("㐀表".encode("gb18030"), 3)),
        "㐀表",
        id="a four-byte character over two words",
    ),
    pytest.param(
        b"=?utf-8?B?5LiJ5a?= =?utf-8?B?2j5bqm?=", "三季度", id="base64 cut in the middle of its groups"
    ),
    pytest.param("三季度".encode(), "三季度", id="raw utf-8"),
    pytest.param("三季度汇总表".encode("gb18030"), "三季度汇总表", id="raw gb18030"),
    pytest.param(
        b"Q3: " + word("汇总".encode(), "utf-8") + b" (2)", "Q3: 汇总 (2)", id="words among plain text"
    ),
    pytest.param(word("三季度汇总".encode(), "gb2312"), "三季度汇总", id="utf-8 that claims to be gb2312"),
    pytest.param(word("三季度汇总".encode("gbk"), "utf-8"), "三季度汇总", id="gbk that claims to be utf-8"),
    pytest.param(
        word("三季度汇总".encode("gbk"), "iso-8859-1"), "三季度汇总", id="gbk that claims to be latin"
    ),
    pytest.param(word("三季度".encode(), "x-nobody-knows"), "三季度", id="a charset that there is not"),
    pytest.param(b"=?utf-8?B?!!!?= =?utf-8?X?abc?=", " =?utf-8?X?abc?=", id="broken words"),
    pytest.param(b"", "", id="nothing"),
]


@pytest.mark.parametrize(("written", "read"), SUBJECTS)
def test_a_subject_is_read(written: bytes, read: str) -> None:
    assert decode(written) == read


DISPOSITIONS = [
    pytest.param(
        b'attachment; filename="' + word(LONG.encode("gb18030")) + b'"', LONG, id="encoded words in quotes"
    ),
    pytest.param(
        b'attachment;\r\n filename="'
        + b"\r\n ".join(word(p, "gbk") for p in cut(LONG.encode("gbk"), 41))
        + b'"',
        LONG,
        id="folded words, a character over two",
    ),
    pytest.param(
        b"attachment; filename*=UTF-8''%E4%B8%89%E5%AD%A3%E5%BA%A6.xlsx", "三季度.xlsx", id="RFC 2231"
    ),
    pytest.param(
        b"attachment; filename*0*=gb18030''%C8%FD%BC; filename*1*=%BE%B6%C8; filename*2=\".xlsx\"",
        "三季度.xlsx",
        id="continued, a character over two segments",
    ),
    pytest.param(
        b"attachment; filename=\"bad.xlsx\"; filename*=utf-8''%E8%A1%A8.xlsx",
        "表.xlsx",
        id="both: the better one",
    ),
    pytest.param(b'attachment; filename="' + "三季度.xlsx".encode() + b'"', "三季度.xlsx", id="raw utf-8"),
    pytest.param(
        b'attachment; filename="' + "三季度汇总表.xlsx".encode("gbk") + b'"',
        "三季度汇总表.xlsx",
        id="raw gbk",
    ),
    pytest.param(
        b'attachment; filename="a;b\\"c.xlsx"; size=3', 'a;b"c.xlsx', id="a semicolon and a quote in quotes"
    ),
    pytest.param(b"attachment; filename=plain.xlsx ", "plain.xlsx", id="without quotes"),
    pytest.param(b'attachment; filename="never ends.xlsx', "never ends.xlsx", id="a quote that does not end"),
    pytest.param(b"attachment; filename*1*=b; filename*0*=''a", "ab", id="segments out of order"),
    pytest.param(b"attachment", None, id="no name"),
]


@pytest.mark.parametrize(("written", "name"), DISPOSITIONS)
def test_a_file_name_is_read(written: bytes, name: str | None) -> None:
    headers, _ = split_head(b"Content-Disposition: " + written + b"\r\n\r\n")
    kind, words = parameters(headers.first("content-disposition"))
    assert kind == "attachment"
    assert words.get("filename") == name


def test_a_subject_cannot_break_lines_or_turn_text_around() -> None:
    hidden = word("表\r\nBcc: all@example.org\u202exslx.exe\u2066\x00\x1b[2J\u200b\u2028下".encode(), "utf-8")
    headers, _ = split_head(b"Subject: " + hidden + b"\r\n\r\n")
    assert headers.text("subject", 100) == "表 Bcc: all@example.orgxslx.exe[2J 下"
    assert headers.text("subject", 5) == "表 Bc…"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("..\\..\\Windows\\表.xlsx", "表.xlsx"),
        ("/etc/passwd", "passwd"),
        ("汇总\u202excod.exe", "汇总xcod.exe"),
        ("汇\r\n总.xlsx", "汇 总.xlsx"),
        ("  ", ""),
        ("..", ""),
        ("长" * 500 + ".xlsx", "长" * 114 + "….xlsx"),
    ],
)
def test_a_file_name_is_a_name_and_no_path(written: str, kept: str) -> None:
    assert tidy_name(written) == kept


def test_a_head_ends_at_the_first_empty_line_whatever_ends_its_lines() -> None:
    for raw in (b"A: 1\r\n B\r\nX: 2\r\n\r\nbody", b"A: 1\n\tB\nX: 2\n\nbody", b"A: 1\r\n B\nX: 2\r\n\nbody"):
        headers, body = split_head(raw)
        assert [name for name, _ in headers.fields] == ["a", "x"]
        assert headers.first("a").split() == [b"1", b"B"]
        assert raw[body:] == b"body"


def test_what_is_no_field_is_passed_over() -> None:
    headers, _ = split_head(b"From office Mon\r\nnonsense\r\nSubject : s\r\n\xff: x\r\n: y\r\n\r\n")
    assert [tuple(field) for field in headers.fields] == [("subject", b"s")]


def test_a_huge_head_costs_little() -> None:
    began = time.monotonic()
    split_head(b"A: b\r\n" * 500_000 + b"\r\n")
    split_head(b"A: b\r\n" + b" c\r\n" * 500_000 + b"\r\n")
    decode(b"=?utf-8?B?" * 100_000)
    parameters(b'a; b="' * 100_000)
    tidy("\u202e" * 1_000_000, 100)
    assert time.monotonic() - began < 5


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    headers, body = split_head(raw)
    assert 0 <= body <= len(raw)
    for value in (raw, *(field.value for field in headers.fields)):
        decode(value)
        parameters(value)
        to_text(value, "gb2312")


@given(st.text(alphabet="=?utfgbBQ8-_ *;\"\\'%0123456789表\r\n", max_size=200))
def test_no_nearly_right_words_make_it_raise(text: str) -> None:
    raw = text.encode()
    decode(raw)
    _, words = parameters(b"attachment; " + raw)
    for name in words.values():
        assert not [sign for sign in tidy_name(name) if unicodedata.category(sign) in ("Cc", "Cf")]
        assert "/" not in tidy_name(name)


@given(st.text(min_size=1, max_size=60), st.integers(0, 200), st.sampled_from(["gb18030", "utf-8"]))
def test_every_text_survives_being_cut_anywhere(text: str, at: int, charset: str) -> None:
    raw = text.encode(charset, "replace")
    joined = b"\r\n ".join(word(piece, charset) for piece in cut(raw, at % (len(raw) + 1)) if piece)
    assert decode(joined) == to_text(raw, charset)
