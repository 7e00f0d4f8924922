"""Letters handed to a real mail server, in good and in bad times."""

from __future__ import annotations

import email
import email.policy
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.mail.settings import ReplySettings
from connectors.mail.smtp import SmtpPostman
from demo.servers.dovecot import Dovecot
from demo.servers.server import free_port
from router.errors import ConfigError, DestinationUnavailable, RejectedByReceiver
from router.letters import Letter
from router.secrets import SecretRef
from tests.proxy import FaultProxy

# The test server is on the loopback, or knows of no TLS that began before it.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
LONG_ID = "<" + "TYZPR01MB1234567890abcdef" * 5 + "@TYZPR01MB.apcprd01.prod.example.com>"
LETTER = Letter(
    letter_id="reply-mailbox-0123456789abcdef",
    source="mailbox",
    to="office@rsj.example.gov.cn",
    subject="Re: 三季度汇总表",
    text="您好：\n\n.已收 3 行。\n.\n",
    in_reply_to=LONG_ID,
    file_name="处理结果-2026Q3.xlsx",
    file=b"PK\x03\x04 workbook",
)


class Server:
    """A mail server that says what a test wants."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.rcpt: list[str] = []
        self.says = "250 OK"
        self.says_to_recipient = "250 OK"
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(  # noqa: N802 (the name that aiosmtpd calls)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.says_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says_to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (likewise)
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        self.raw.append(envelope.content)
        self.rcpt += envelope.rcpt_tos
        return self.says

    def check(self, server: SMTP, session: Session, envelope: Envelope, how: str, who: Any) -> AuthResult:
        assert isinstance(who, LoginPassword)
        self.logins.append((who.login, who.password))
        return AuthResult(success=who.password == b"right")


Start = Callable[..., tuple[Server, int]]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Controller] = []

    def run(**options: Any) -> tuple[Server, int]:
        server = Server()
        if options.get("auth_required"):
            options["authenticator"] = server.check
        controller = Controller(server, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        running.append(controller)
        return server, int(controller.port)

    yield run
    for controller in running:
        controller.stop()


def postman(port: int, *, pem: str = "", word: str = "right", **smtp: Any) -> SmtpPostman:
    chosen = ReplySettings.model_validate(
        {
            "smtp": {"host": "127.0.0.1", "port": port, "tls": "none", "timeout": "2s"} | smtp,
            "from": "12345yq1@hub.example.gov.cn",
        }
    )

    def read(ref: SecretRef) -> str:
        return pem if ref.env == "AUTHORITY" else word

    return SmtpPostman("mailbox", chosen, read, lambda: datetime(2026, 10, 8, 1, 15, tzinfo=UTC))


def test_a_letter_arrives_as_it_was_written(start: Start) -> None:
    server, port = start()
    postman(port).send(LETTER)
    (mail,) = server.got
    assert server.rcpt == ["office@rsj.example.gov.cn"]
    assert mail["From"] == "12345yq1@hub.example.gov.cn"
    assert mail["To"] == "office@rsj.example.gov.cn"
    assert mail["Subject"] == "Re: 三季度汇总表"
    assert mail["Message-ID"] == "<reply-mailbox-0123456789abcdef@hub.example.gov.cn>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Date"] == "Thu, 08 Oct 2026 01:15:00 +0000"
    body, (file,) = mail.get_body(), mail.iter_attachments()
    assert body is not None
    assert body.get_content() == LETTER.text
    assert (file.get_filename(), file.get_content()) == (LETTER.file_name, LETTER.file)


def test_it_names_the_mail_that_it_answers_letter_by_letter(start: Start) -> None:
    server, port = start()
    postman(port).send(LETTER)
    for name in (b"In-Reply-To", b"References"):
        assert re.search(name + rb":\s+" + re.escape(LONG_ID.encode()) + rb"\r\n", server.raw[0])


def test_a_letter_without_a_file_is_plain_text(start: Start) -> None:
    server, port = start()
    postman(port).send(LETTER.model_copy(update={"file": b"", "file_name": "", "in_reply_to": ""}))
    (mail,) = server.got
    assert mail.get_content_type() == "text/plain"
    assert mail["In-Reply-To"] is None


def test_every_line_ends_as_the_protocol_wants(start: Start) -> None:
    server, port = start()
    postman(port).send(LETTER)
    assert server.raw[0].count(b"\n") == server.raw[0].count(b"\r\n")


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "x\r\nBcc: all@evil.example"},
        {"in_reply_to": "<a@b>\r\nBcc: all@evil.example"},
        {"in_reply_to": "<a@b> <c@d>"},
        {"file_name": 'a"\r\nBcc: all@evil.example\r\n\u202e.xlsx'},
    ],
)
def test_no_field_of_a_letter_becomes_another_field(start: Start, change: dict[str, str]) -> None:
    server, port = start()
    postman(port).send(LETTER.model_copy(update=change))
    assert server.got[0]["Bcc"] is None
    assert server.rcpt == ["office@rsj.example.gov.cn"]
    assert b"\r\nBcc" not in server.raw[0]


@pytest.mark.parametrize(
    "to", ["a@b.cn\r\nRCPT TO:<x@evil.example>", "a@b.cn, x@evil.example", "王@b.cn", "", "<a@b.cn>"]
)
def test_an_address_that_is_no_plain_one_is_refused_before_anything_is_sent(start: Start, to: str) -> None:
    server, port = start()
    with pytest.raises(
        RejectedByReceiver, match=r"^mailbox: letter reply-mailbox-\w+ has no usable address$"
    ):
        postman(port).send(LETTER.model_copy(update={"to": to}))
    assert server.got == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("451 4.3.0 try later office@rsj.example.gov.cn", DestinationUnavailable),
        ("552 5.3.4 too large office@rsj.example.gov.cn", RejectedByReceiver),
        ("554 5.7.1 spam", RejectedByReceiver),
    ],
)
@pytest.mark.parametrize("at", ["says", "says_to_recipient"])
def test_a_no_is_sorted_by_its_code_and_quotes_nobody(
    start: Start, said: str, kind: type[Exception], at: str
) -> None:
    server, port = start()
    setattr(server, at, said)
    with pytest.raises(kind) as caught:
        postman(port).send(LETTER)
    assert said[:3] in str(caught.value)
    assert "rsj" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_is_away_or_says_nothing_is_tried_again(start: Start) -> None:
    with pytest.raises(DestinationUnavailable):
        postman(free_port()).send(LETTER)
    server, port = start()
    with FaultProxy("127.0.0.1", port) as proxy:
        proxy.set(downwards="hold")
        began = time.monotonic()
        with pytest.raises(DestinationUnavailable):
            postman(proxy.port).send(LETTER)
        proxy.set(downwards="pass")
        assert time.monotonic() - began < 10
        proxy.cut_after(200)
        with pytest.raises(DestinationUnavailable):
            postman(proxy.port).send(LETTER)
    assert server.got == []


@pytest.fixture
def certified() -> Iterator[tuple[str, ssl.SSLContext]]:
    """A certificate for this machine, and a server's context with it."""
    server = Dovecot()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.folder / "server.pem", server.folder / "server.key")
    yield server.certificate, context
    server.close()


def test_inside_tls_with_a_password(start: Start, certified: tuple[str, ssl.SSLContext]) -> None:
    authority, context = certified
    login: dict[str, Any] = {
        "user": "12345yq1",
        "password": {"env": "PASSWORD"},
        "authority": {"env": "AUTHORITY"},
    }
    implicit, port = start(ssl_context=context, auth_required=True, auth_require_tls=False)
    postman(port, tls="implicit", pem=authority, **login).send(LETTER)
    started, port = start(tls_context=context, require_starttls=True, auth_required=True)
    postman(port, tls="starttls", pem=authority, **login).send(LETTER)
    for server in (implicit, started):
        assert len(server.got) == 1
        assert server.logins == [(b"12345yq1", b"right")]


def test_a_server_that_cannot_be_trusted_gets_nothing(
    start: Start, certified: tuple[str, ssl.SSLContext]
) -> None:
    server, port = start(ssl_context=certified[1])
    with pytest.raises(DestinationUnavailable, match="certificate"):
        postman(port, tls="implicit").send(LETTER)
    plain, port = start()
    with pytest.raises(DestinationUnavailable):
        postman(port, tls="starttls").send(LETTER)
    assert server.got == plain.got == []


def test_a_wrong_password_is_ours_to_mend_and_no_fault_of_the_letter(start: Start) -> None:
    server, port = start(auth_required=True, auth_require_tls=False)
    login: dict[str, Any] = {"user": "12345yq1", "password": {"env": "PASSWORD"}}
    with pytest.raises(DestinationUnavailable, match=r"reply\.smtp") as caught:
        postman(port, word="wrong-one", **login).send(LETTER)
    assert "wrong-one" not in str(caught.value)
    assert server.got == []


def test_an_authority_that_is_no_certificate_is_found_at_once() -> None:
    chosen = {"host": "mail.example", "port": 465, "authority": {"env": "AUTHORITY"}}
    settings = ReplySettings.model_validate({"smtp": chosen, "from": "a@hub.example"})
    with pytest.raises(ConfigError):
        SmtpPostman("mailbox", settings, lambda _: "nonsense", lambda: datetime.now(UTC))
