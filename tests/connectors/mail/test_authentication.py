"""Only what our own server wrote on top of a mail is believed, and of it only what speaks of the sender."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.authentication import Gate, is_automatic, sender_address
from connectors.mail.headers import split_head
from connectors.mail.settings import MailboxSettings
from tests.connectors.mail.writing import OURS, UNIT_ADDRESS, settings

DOMAIN = "rsj.example.gov.cn"
PASS = f"dmarc=pass header.from={DOMAIN}"


def judged(*head: str, chosen: MailboxSettings | None = None) -> tuple[str, str]:
    """The unit, and the problem. Without a From in `head` it is the unit's."""
    lines = list(head)
    if not any(line.startswith("From") for line in lines):
        lines.append(f"From: <{UNIT_ADDRESS}>")
    headers, _ = split_head("\r\n".join([*lines, "", ""]).encode())
    verdict = Gate(chosen or settings()).judge(headers)
    return verdict.unit, verdict.problem


def ours(said: str, server: str = OURS) -> str:
    return f"Authentication-Results: {server}; {said}"


def requiring(*methods: str, received_above: int = 0) -> MailboxSettings:
    return settings(authenticated_by={"server": OURS, "require": methods, "received_above": received_above})


def test_a_listed_and_proven_sender_is_its_unit() -> None:
    assert judged(ours(PASS)) == ("rsj", "")
    assert judged(ours(PASS), f"From: =?gbk?B?yMvJ577W?= <{UNIT_ADDRESS.upper()}>") == ("rsj", "")
    assert judged(ours(PASS, OURS.upper() + " 1")) == ("rsj", "")


def test_a_domain_on_the_list_stands_for_its_addresses_and_for_no_domain_below_it() -> None:
    proof = ours("dmarc=pass header.from=hbj.example.gov.cn")
    assert judged(proof, "From: anyone@hbj.example.gov.cn")[0] == "hbj"
    below = ours("dmarc=pass header.from=x.hbj.example.gov.cn")
    assert judged(below, "From: anyone@x.hbj.example.gov.cn")[0] == ""


def test_a_stranger_is_refused_however_well_proven_and_is_not_named() -> None:
    unit, problem = judged(ours("dmarc=pass header.from=mail.example"), "From: wang.xiaoming@mail.example")
    assert unit == ""
    assert "名单" in problem
    assert "wang" not in problem


FORGED = [
    pytest.param([], id="nothing at all"),
    pytest.param([ours(PASS, "mx.evil.example")], id="another server's"),
    pytest.param([ours(PASS, f"{OURS}.evil.example")], id="a server with a longer name"),
    pytest.param(
        [ours("dmarc=fail header.from=" + DOMAIN), ours(PASS)], id="ours says no, below it a forged yes"
    ),
    pytest.param(
        [ours("spf=pass smtp.mailfrom=" + DOMAIN), "Received: from evil", ours(PASS)],
        id="below the line of receipt",
    ),
    pytest.param(["Received: from evil by mx", ours(PASS)], id="our server wrote none, the sender did"),
    pytest.param(
        [ours(PASS, "mx.evil.example"), "Received: x", ours(PASS)],
        id="another server's on top, a forged one below",
    ),
    pytest.param([ours("dmarc=pass header.from=evil.example")], id="passed for another domain"),
    pytest.param([ours("dmarc=pass")], id="passed for nobody in particular"),
    pytest.param([ours(f"dmarc=fail (dmarc=pass) header.from={DOMAIN}")], id="a yes in a comment"),
    pytest.param([ours(f'dmarc=fail reason="x; {PASS}" header.from={DOMAIN}')], id="a yes in quotes"),
    pytest.param(
        [ours(f'spf=pass smtp.mailfrom="a; {PASS} "@evil.example; dmarc=none')],
        id="a yes in the sender's own address",
    ),
    pytest.param([ours(f"spf=pass (x (y) ; {PASS}); dmarc=fail header.from={DOMAIN}")], id="nested comments"),
    pytest.param(
        [ours(f'spf=pass (a " b) ; dmarc=fail header.from={DOMAIN}; x=y (" c)')], id="quotes in comments"
    ),
    pytest.param([ours(f"dmarc=pass header.from={DOMAIN} (never ends")], id="a comment without end"),
    pytest.param([ours(f'dmarc=pass header.from={DOMAIN} "never ends')], id="a quote without end"),
    pytest.param([ours(f"{PASS}; dmarc=fail header.from={DOMAIN}")], id="yes and no"),
    pytest.param([ours(f'"dmarc=pass" header.from={DOMAIN}')], id="a quoted yes"),
    pytest.param([f"X-Authentication-Results: {OURS}; {PASS}"], id="a name that is not it"),
    pytest.param([f"ARC-Authentication-Results: i=1; {OURS}; {PASS}"], id="somebody's ARC"),
    pytest.param([f"Authentication-Results: {PASS}"], id="without a server"),
]


@pytest.mark.parametrize("head", FORGED)
def test_a_forged_proof_is_none(head: list[str]) -> None:
    unit, problem = judged(*head)
    assert unit == ""
    assert "未通过验证" in problem


def test_the_results_of_one_server_may_stand_in_several_lines() -> None:
    head = [ours(f"dkim=pass header.d={DOMAIN}"), "DKIM-Filter: x", ours(PASS), "Received: from them"]
    assert judged(*head, chosen=requiring("dkim", "dmarc")) == ("rsj", "")


def test_lines_of_our_own_servers_above_are_counted_as_configured() -> None:
    head = ["Received: by our delivery agent", ours(PASS), "Received: from them"]
    assert judged(*head)[0] == ""
    assert judged(*head, chosen=requiring("dmarc", received_above=1))[0] == "rsj"


ALIGNED = [
    pytest.param("spf", f"spf=pass smtp.mailfrom=bounce@{DOMAIN}", True, id="spf of the address"),
    pytest.param("spf", f"spf=pass smtp.mailfrom={DOMAIN}", True, id="spf of the domain"),
    pytest.param("spf", "spf=pass smtp.mailfrom=x@evil.example", False, id="spf of somebody else"),
    pytest.param("spf", f"spf=pass smtp.helo={DOMAIN}", False, id="spf of a greeting"),
    pytest.param("spf", f"spf=softfail smtp.mailfrom={DOMAIN}", False, id="spf soft"),
    pytest.param("spf", "spf=pass smtp.mailfrom=example.gov.cn", True, id="spf of the domain above"),
    pytest.param("spf", "spf=pass smtp.mailfrom=cn", False, id="spf of a top domain"),
    pytest.param("spf", f"spf=pass smtp.mailfrom=x{DOMAIN}", False, id="spf of a longer name"),
    pytest.param("dkim", f"dkim=pass header.d={DOMAIN} header.s=k", True, id="dkim"),
    pytest.param("dkim", f"dkim=pass header.i=@{DOMAIN}", True, id="dkim by identity"),
    pytest.param(
        "dkim",
        f"dkim=fail header.d=list.example; dkim=pass header.d={DOMAIN}",
        True,
        id="one of two signatures",
    ),
    pytest.param("dkim", "dkim=pass header.d=evil.example", False, id="dkim of somebody else"),
    pytest.param("dkim", f"dkim=pass header.d=mail.{DOMAIN}", False, id="dkim of a domain below"),
    pytest.param(
        "dmarc", "dmarc=pass header.from=example.gov.cn", False, id="dmarc is about the sender alone"
    ),
]


@pytest.mark.parametrize(("method", "said", "is_good"), ALIGNED)
def test_a_method_must_speak_of_the_senders_domain(method: str, said: str, is_good: bool) -> None:
    assert (judged(ours(said), chosen=requiring(method))[0] == "rsj") == is_good


def test_all_required_methods_must_have_passed() -> None:
    chosen = requiring("spf", "dmarc")
    assert judged(ours(PASS), chosen=chosen) == (
        "",
        f"发件人（{DOMAIN}）未通过验证：spf 未通过或不是这个域名",
    )


ADDRESSES = [
    ("a@b.cn", "a@b.cn"),
    ("<a@b.cn>", "a@b.cn"),
    ('"名字, 字" <a@b.cn>', "a@b.cn"),
    ("名字 <A@B.cn>", "a@b.cn"),
    ("a@b.cn (name)", "a@b.cn"),
    ('"a@b.cn" <x@evil.example>', "x@evil.example"),
    ("a@b.cn <x@evil.example>", ""),
    ("<a@b.cn> <x@evil.example>", ""),
    ("a@b.cn, x@evil.example", ""),
    ("x@evil.example, <a@b.cn>", ""),
    ("group: a@b.cn;", ""),
    ('" <a@b.cn>', ""),
    ("a@b.cn(x)@evil.example", ""),
    ("(a@b.cn) x@evil.example", ""),
    ("a@b.cn\u0000", ""),
    ("a@b", ""),
    ("", ""),
    ("名字", ""),
]


@pytest.mark.parametrize(("written", "address"), ADDRESSES)
def test_an_address_that_can_be_read_two_ways_is_none(written: str, address: str) -> None:
    headers, _ = split_head(f"From: {written}\r\n\r\n".encode())
    assert sender_address(headers) == address


def test_two_senders_are_none() -> None:
    assert judged(ours(PASS), f"From: {UNIT_ADDRESS}", "From: x@evil.example")[0] == ""
    assert judged(ours(PASS), f"From : {UNIT_ADDRESS}", f"from:{UNIT_ADDRESS}")[0] == ""


@pytest.mark.parametrize(
    ("line", "is_machine"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: no", False),
        ("Return-Path: <>", True),
        ("Return-Path: <a@b.cn>", False),
        ("Precedence: bulk", True),
        ("List-Id: <units.example>", True),
        ("Content-Type: multipart/report; report-type=delivery-status", True),
        ("X-Auto-Response-Suppress: OOF", True),
        ("X-Mailer: Foxmail", False),
        ("From: MAILER-DAEMON@b.cn", True),
    ],
)
def test_machines_and_lists_are_recognised(line: str, is_machine: bool) -> None:
    headers, _ = split_head(f"{line}\r\n\r\n".encode())
    assert is_automatic(headers) == is_machine


@given(st.text(alphabet='dmarc=pas ;()"\\.@x', max_size=80))
def test_no_line_makes_the_gate_raise_and_nothing_without_the_domain_passes(said: str) -> None:
    assert judged(ours(said))[0] == ""


@given(st.text(alphabet='"();\\ax= ', max_size=40))
def test_nothing_in_the_senders_part_of_a_result_turns_a_no_into_a_yes(chosen: str) -> None:
    assert judged(ours(f"spf=pass smtp.mailfrom={chosen} {PASS}; dmarc=fail header.from={DOMAIN}"))[0] == ""
