"""A connection to an IMAP server, logged in and with the folder selected; and its errors as ours."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from imap_tools import BaseMailBox
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
    UnexpectedCommandStatusError,
)

from connectors.mail.settings import ImapSettings, ServerSettings
from connectors.tls import tls_context
from router.errors import SourceRefused, SourceUnavailable
from router.secrets import SecretReader

_FOR_NOW = ("[UNAVAILABLE]", "[INUSE]", "[SERVERBUG]", "[LIMIT]", "[CONTACTADMIN]")
"""Response codes of a no that may pass (RFC 5530 section 3)."""
_BROKEN = (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError, ValueError)


@contextmanager
def as_hub_errors(name: str) -> Iterator[None]:
    """The one place where IMAP's errors become ours. Their texts may quote mail, so none is passed on.

    Wrap the command, never a `yield`.
    """
    try:
        yield
    except imaplib.IMAP4.readonly as error:  # a kind of abort, so it stands first
        raise SourceRefused(f"{name}: the folder may only be read; mails must be marked in it") from error
    except ssl.SSLCertVerificationError as error:
        hint = "name its authority in `authority`, or the host as the certificate does"
        raise SourceRefused(f"{name}: the mail server's certificate is not trusted; {hint}") from error
    except UnexpectedCommandStatusError as error:
        said = " ".join(str(part) for part in error.command_result)
        if isinstance(error, MailboxLoginError | MailboxFolderSelectError) and not _is_for_now(said):
            raise SourceRefused(f"{name}: {_refusal(error)}") from error
        raise SourceUnavailable(f"{name}: the mail server said no ({type(error).__name__})") from error
    except _BROKEN as error:
        raise SourceUnavailable(f"{name}: the mail server broke off ({type(error).__name__})") from error


def _is_for_now(said: str) -> bool:
    return any(code in said.upper() for code in _FOR_NOW)


def _refusal(error: UnexpectedCommandStatusError) -> str:
    if isinstance(error, MailboxLoginError):
        return "the mail server refuses user or password; see imap.user and imap.password"
    return "the mail server has no such folder, or not for us; see imap.folder"


@dataclass(frozen=True, slots=True)
class Connection:
    box: BaseMailBox
    uidvalidity: str
    done_folder: str | None
    """As the server spells it."""
    capabilities: frozenset[str]

    def can(self, what: str) -> bool:
        return what in self.capabilities

    def close(self) -> None:
        """Never raises: what was to be said has been said. No CLOSE, which expunges."""
        with suppress(*_BROKEN):
            self.box.logout()
        with suppress(*_BROKEN):
            self.box.client.shutdown()


class _Box(BaseMailBox):
    """imap-tools over a connection that we made: a failed STARTTLS must not leave one behind."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._made = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._made


def context_of(settings: ServerSettings, secrets: SecretReader) -> ssl.SSLContext | None:
    """For TLS with this server; None where there is to be none. Raises ConfigError."""
    authority = secrets(settings.authority) if settings.authority else None
    return None if settings.tls == "none" else tls_context(authority=authority)


def connect(name: str, settings: ImapSettings, password: str, context: ssl.SSLContext | None) -> Connection:
    """Raises SourceUnavailable or SourceRefused; then nothing is left open."""
    timeout = settings.timeout.total_seconds()
    with as_hub_errors(name):
        if settings.tls == "implicit":
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                settings.host, settings.port, ssl_context=context, timeout=timeout
            )
        else:
            client = imaplib.IMAP4(settings.host, settings.port, timeout=timeout)
    try:
        with as_hub_errors(name):
            if settings.tls == "starttls":
                client.starttls(context)
            return _prepared(name, _Box(client), settings, password)
    except BaseException:
        with suppress(*_BROKEN):
            client.shutdown()
        raise


def _prepared(name: str, box: BaseMailBox, settings: ImapSettings, password: str) -> Connection:
    log_in = box.login if (settings.user + password).isascii() else box.login_utf8
    log_in(settings.user, password, initial_folder=None)
    capabilities = _capabilities(box.client)
    if "ID" in capabilities:
        # NetEase's servers refuse to open a folder for somebody who has not introduced himself.
        box.client.xatom("ID", '("name" "suqiu")')
    separator = _separator(box)
    done = settings.done_folder and settings.done_folder.replace("/", separator)
    if done:
        _make_ready(name, box, done, capabilities)
    box.folder.set(settings.folder.replace("/", separator))
    _, found = box.client.response("UIDVALIDITY")
    validity = (found[-1] if found else None) or b""
    return Connection(box, validity.decode("ascii", "replace"), done, capabilities)


def _capabilities(client: imaplib.IMAP4) -> frozenset[str]:
    """Asked anew: a server may be able to do more once one is logged in."""
    _, data = client.capability()
    said = b" ".join(line for line in data if isinstance(line, bytes))
    return frozenset(said.decode("ascii", "replace").upper().split())


def _separator(box: BaseMailBox) -> str:
    """What stands between the levels of a folder's name here."""
    listed = box.folder.list("", "")
    separator = listed[0].delim if listed else "/"
    return "/" if separator.upper() == "NIL" else separator


def _make_ready(name: str, box: BaseMailBox, done: str, capabilities: frozenset[str]) -> None:
    """Without MOVE a mail would have to be copied and expunged, others' deleted mails with it."""
    if "MOVE" not in capabilities:
        raise SourceRefused(f"{name}: the mail server cannot move mails; leave done_folder out")
    # imap-tools decides by what the server could do before the login.
    box.client.capabilities = tuple(sorted(capabilities))
    if not box.folder.exists(done):
        box.folder.create(done)
