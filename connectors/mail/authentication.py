"""
Whether a mail comes from whom it names.

Everybody can write any From and any Authentication-Results. Only the lines that our own mail server
wrote are believed: with its name, in its topmost block, above what it received from outside (RFC 8601
section 5 lets a server remove forged ones, and not all do). What is unclear in any way is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from connectors.mail.headers import Headers, to_text
from connectors.mail.settings import (
    ADDRESS,
    LONGEST_ADDRESS,
    AuthenticationSettings,
    MailboxSettings,
    SenderSettings,
)

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*"|[();]|\s+|[^\s;()"\\]+', re.DOTALL)
_IN_COMMENT = re.compile(r"\\.|[()]|[^()\\]+", re.DOTALL)
_LONGEST = 8000
_SAYS_DOMAIN: Mapping[str, tuple[str, ...]] = {
    "spf": ("smtp.mailfrom",),
    "dkim": ("header.d", "header.i"),
    "dmarc": ("header.from",),
}
"""Which property of a result holds the domain it speaks of (RFC 8601 section 2.7)."""


class Verdict(NamedTuple):
    """Whose mail it is. `unit` is empty unless the sender is on the list and proven."""

    address: str
    """The configured one, or the sender's at a configured domain."""
    unit: str
    problem: str = ""


class Result(NamedTuple):
    method: str
    result: str
    said: Mapping[str, str]


class Gate:
    """Knows the senders and our own mail server."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._senders = {sender.address: sender for sender in settings.senders}
        self._ours = settings.authenticated_by

    def judge(self, headers: Headers) -> Verdict:
        """Never raises; the problem is in words for the admin, without the sender's address."""
        address = sender_address(headers)
        if not address:
            return Verdict("", "", "发件人地址缺失、不止一个或写法有歧义")
        domain = address.partition("@")[2]
        sender = self._listed(address, domain)
        if sender is None:
            return Verdict(address, "", f"发件人（{domain}）不在报送单位名单中")
        doubt = _doubt(headers, domain, self._ours)
        if doubt:
            return Verdict(address, "", f"发件人（{domain}）未通过验证：{doubt}")
        return Verdict(address, sender.unit)

    def _listed(self, address: str, domain: str) -> SenderSettings | None:
        return self._senders.get(address) or self._senders.get(f"@{domain}")


def sender_address(headers: Headers) -> str:
    """The one address in the one From; empty when there is any doubt about it."""
    fields = headers.all("from")
    if len(fields) != 1 or len(fields[0]) > _LONGEST:
        return ""
    written = _QUOTED.sub(" ", to_text(fields[0])).strip()
    found = re.fullmatch(r"[^<>@,;:\"]*<\s*([^<>\s]+)\s*>\s*(?:\([^()@<>]*\))?", written)
    bare = re.fullmatch(r"([^<>\s(),;:\"]+)\s*(?:\([^()@<>]*\))?", written)
    address = (found or bare or [""] * 2)[1].lower()
    return address if len(address) <= LONGEST_ADDRESS and ADDRESS.fullmatch(address) else ""


def is_automatic(headers: Headers) -> bool:
    """Written by a machine or sent to many: nobody is answered, or two machines would answer each other."""
    submitted = headers.first("auto-submitted").lower()
    path = headers.first("return-path").replace(b" ", b"")
    kind = headers.first("content-type").lower()
    named = (
        "list-id",
        "list-unsubscribe",
        "list-post",
        "x-auto-response-suppress",
        "x-autoreply",
        "x-autorespond",
    )
    return (
        (submitted != b"" and not submitted.startswith(b"no"))
        or path == b"<>"
        or headers.first("precedence").strip().lower() in (b"bulk", b"list", b"junk", b"auto_reply")
        or kind.startswith(b"multipart/report")
        or any(headers.all(name) for name in named)
        or sender_address(headers).partition("@")[0] in ("mailer-daemon", "postmaster", "noreply", "no-reply")
    )


def _doubt(headers: Headers, domain: str, ours: AuthenticationSettings) -> str:
    """What is missing for believing; empty when nothing is."""
    results = list(_our_results(headers, ours))
    if not results:
        return f"没有本方邮件服务器（{ours.server}）写的 Authentication-Results"
    missing = [method for method in ours.require if not _passed(method, results, domain)]
    return f"{'、'.join(missing)} 未通过或不是这个域名" if missing else ""


def _passed(method: str, results: Sequence[Result], domain: str) -> bool:
    said = [result for result in results if result.method == method]
    good = [result for result in said if result.result == "pass" and _speaks_of(result, domain)]
    # A mail may bear several signatures, one of them broken on its way. Of the others there is one answer.
    return bool(good) and (method == "dkim" or len(good) == len(said))


def _speaks_of(result: Result, domain: str) -> bool:
    """The proven domain is the sender's, or one above it; a DMARC result is about the sender's alone."""
    for name in _SAYS_DOMAIN[result.method]:
        proven = result.said.get(name, "").rpartition("@")[2].strip(".").lower()
        if proven:
            is_above = "." in proven and domain.endswith(f".{proven}")
            return proven == domain or (is_above and result.method != "dmarc")
    return False


def _our_results(headers: Headers, ours: AuthenticationSettings) -> Iterator[Result]:
    """Of the topmost block that bears our server's name; nothing from below the lines of others."""
    received, is_found = 0, False
    for field in headers.fields:
        if field.name == "received":
            received += 1
            if is_found or received > ours.received_above:
                return
        elif field.name == "authentication-results" and len(field.value) <= _LONGEST:
            clauses = _clauses(to_text(field.value))
            if clauses and clauses[0] and clauses[0][0][1].lower() == ours.server.lower():
                is_found = True
                yield from filter(None, map(_result, clauses[1:]))


Word = tuple[str, str]
"""`name=value` as a pair; without a `=` outside quotes the name is empty."""


def _result(clause: Sequence[Word]) -> Result | None:
    if not clause or not clause[0][0]:
        return None
    method, result = clause[0]
    said: dict[str, str] = {}
    for name, value in clause[1:]:
        said.setdefault(name.lower(), value)
    return Result(method.partition("/")[0].lower(), result.lower(), said)


def _clauses(text: str) -> list[list[Word]]:
    """Split at semicolons outside quotes and comments: the sender chooses what stands in either.

    Empty when it is not clear where they end.
    """
    clauses: list[list[list[str]]] = [[[]]]
    at = depth = 0
    while at < len(text):
        token = (_IN_COMMENT if depth else _OUTSIDE).match(text, at)
        if token is None:
            return []
        at = token.end()
        sign = token[0]
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return []
        if sign == ";" and not depth:
            clauses.append([[]])
        elif depth or sign == ")" or sign.isspace():
            clauses[-1].append([])
        else:
            clauses[-1][-1].append(sign)
    return [] if depth else [[_word(pieces) for pieces in clause if pieces] for clause in clauses]


def _word(pieces: Sequence[str]) -> Word:
    is_named = "=" in pieces[0] and not pieces[0].startswith('"')
    name, _, rest = pieces[0].partition("=") if is_named else ("", "", pieces[0])
    plain = (
        re.sub(r"\\(.)", r"\1", piece[1:-1], flags=re.DOTALL) if piece.startswith('"') else piece
        for piece in (rest, *pieces[1:])
    )
    return name, "".join(plain)
