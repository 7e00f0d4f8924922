"""
Hands the hub's own mails to a mail server.

The letter's id becomes the Message-ID, so that a mail that is handed over twice after an unclear answer
is one mail to its reader. Written with the old email classes: the new ones encode a long In-Reply-To
as text, and then nobody finds the mail that it answers.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime

from connectors.mail.headers import tidy, tidy_name
from connectors.mail.settings import ADDRESS, ReplySettings
from connectors.tls import tls_context
from router.errors import DestinationUnavailable, RejectedByReceiver
from router.letters import Letter
from router.ports import Clock
from router.secrets import SecretReader

LONGEST_SUBJECT = 200
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,300}>")
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SmtpPostman:
    """Keeps the port `router.ports.Postman`. Thread-safe: each letter has a connection of its own."""

    def __init__(self, name: str, settings: ReplySettings, secrets: SecretReader, clock: Clock) -> None:
        """Reads the secrets, once; raises ConfigError when one is missing or no certificate."""
        self._name = name
        self._smtp = settings.smtp
        self._from = settings.from_
        self._clock = clock
        self._password = secrets(self._smtp.password) if self._smtp.password else None
        authority = secrets(self._smtp.authority) if self._smtp.authority else None
        self._context = None if self._smtp.tls == "none" else tls_context(authority=authority)

    def send(self, letter: Letter) -> None:
        to = letter.to.strip().lower()
        if not ADDRESS.fullmatch(to):
            raise RejectedByReceiver(f"{self._name}: letter {letter.letter_id} has no usable address")
        mail = self._written(letter, to).as_bytes(policy=compat32.clone(linesep="\r\n"))
        with self._as_hub_errors(letter.letter_id), self._connected() as server:
            server.sendmail(self._from, [to], mail)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        smtp, timeout = self._smtp, self._smtp.timeout.total_seconds()
        me = self._from.partition("@")[2]
        server: smtplib.SMTP
        if smtp.tls == "implicit":
            server = smtplib.SMTP_SSL(smtp.host, smtp.port, me, timeout=timeout, context=self._context)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, me, timeout=timeout)
        try:
            if smtp.tls == "starttls":
                server.starttls(context=self._context)
            self._log_in(server)
            yield server
        finally:
            # No QUIT: the answer that counts has been given, and another could only be waited for.
            server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self._smtp.user is None or self._password is None:
            return
        try:
            server.login(self._smtp.user, self._password)
        except smtplib.SMTPServerDisconnected:
            # Some hang up instead of saying no to the second of the ways that smtplib tries.
            raise smtplib.SMTPAuthenticationError(421, b"") from None

    @contextmanager
    def _as_hub_errors(self, letter_id: str) -> Iterator[None]:
        """The one place where SMTP's errors become ours. Their texts quote addresses: none is passed on."""
        where = f"{self._name}: letter {letter_id}"
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            # Ours to mend, and no fault of the letter's: it waits for the right password.
            hint = "the mail server refuses user or password; see reply.smtp"
            raise DestinationUnavailable(f"{where}: {hint} ({error.smtp_code})") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise self._refused(where, max(codes, default=550)) from None
        except smtplib.SMTPResponseException as error:
            raise self._refused(where, error.smtp_code) from None
        except ssl.SSLCertVerificationError:
            raise DestinationUnavailable(f"{where}: the mail server's certificate is not trusted") from None
        except (smtplib.SMTPException, OSError, EOFError) as error:
            broke = f"the mail server broke off ({type(error).__name__})"
            raise DestinationUnavailable(f"{where}: {broke}") from None

    def _refused(self, where: str, code: int) -> DestinationUnavailable | RejectedByReceiver:
        if 500 <= code < 600:
            return RejectedByReceiver(f"{where}: the mail server will not take it ({code})")
        return DestinationUnavailable(f"{where}: the mail server does not take it now ({code})")

    def _written(self, letter: Letter, to: str) -> MIMEBase:
        text = MIMEText(letter.text.replace("\r\n", "\n"), "plain", "utf-8")
        mail: MIMEBase = text
        if letter.file:
            mail = MIMEMultipart()
            mail.attach(text)
            mail.attach(_file(letter))
        mail["From"] = self._from
        mail["To"] = to
        mail["Subject"] = Header(tidy(letter.subject, LONGEST_SUBJECT), "utf-8").encode()
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{letter.letter_id}@{self._from.partition('@')[2]}>"
        # RFC 3834: programs do not answer what a program has answered.
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        if _MESSAGE_ID.fullmatch(letter.in_reply_to):
            mail["In-Reply-To"] = letter.in_reply_to
            mail["References"] = letter.in_reply_to
        return mail


def _file(letter: Letter) -> MIMEApplication:
    file = MIMEApplication(letter.file, _XLSX)
    name = tidy_name(letter.file_name) or "answer.xlsx"
    file.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    return file
