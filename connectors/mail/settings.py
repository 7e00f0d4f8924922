"""The settings of a mailbox: where it is, whom it believes, and by which server it answers."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.blocks import MIB, Block, Name, Text
from router.durations import Duration, within
from router.limits import Identifier
from router.secrets import SecretRef

_LABELS = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
ADDRESS = re.compile(rf"[a-z0-9!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}@{_LABELS}", re.ASCII)
"""A plain mail address in small letters. Quoted ones and those in Chinese are not believed."""
LONGEST_ADDRESS = 200
_DOMAIN = re.compile(rf"@{_LABELS}", re.ASCII)

Tls = Literal["implicit", "starttls", "none"]
"""`implicit`: inside TLS from the first byte. `none`: in clear text, to this very machine only."""
Host = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:.\-]{1,253}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Method = Literal["spf", "dkim", "dmarc"]


def _mail_address(written: str) -> str:
    address = written.strip().lower()
    if not ADDRESS.fullmatch(address):
        raise ValueError("is not a mail address such as office@rsj.example.gov.cn")
    return address


def _address_or_domain(written: str) -> str:
    address = written.strip().lower()
    if not (ADDRESS.fullmatch(address) or _DOMAIN.fullmatch(address)):
        raise ValueError("is neither a mail address nor @ and a domain")
    return address


def _whole_path(path: str) -> str:
    if not path.startswith("/") or "\x00" in path:
        raise ValueError("must be a whole path, from / on")
    return path


Address = Annotated[str, Field(max_length=LONGEST_ADDRESS), AfterValidator(_mail_address)]
AddressOrDomain = Annotated[str, Field(max_length=LONGEST_ADDRESS), AfterValidator(_address_or_domain)]


class ServerSettings(Block):
    """How a mail server is reached."""

    host: Host
    port: Port
    tls: Tls = "implicit"
    authority: SecretRef | None = None
    """PEM of the authority behind the server's certificate, where the system's list does not know it."""
    timeout: Annotated[Duration, within("1s", "5m")] = timedelta(seconds=30)
    """The longest wait for each answer."""

    @model_validator(mode="after")
    def _nothing_in_clear_text(self) -> Self:
        if self.tls == "none" and not _is_this_machine(self.host):
            raise ValueError(
                "tls: none sends the password in clear text; only to 127.0.0.1, ::1 or localhost"
            )
        return self


class ImapSettings(ServerSettings):
    """A mailbox on a server."""

    port: Port = 993
    user: Name
    password: SecretRef
    folder: Name = "INBOX"
    """Levels are separated with `/`, whatever the server's own sign is."""
    done_folder: Name | None = None
    """Where a mail is moved once it is recorded and answered; left out, it stays and is marked as read."""
    idle: bool = False
    """Wait for news in each round, up to twenty seconds, where the server can. Give a short `every` to it."""

    @model_validator(mode="after")
    def _another_folder(self) -> Self:
        if self.done_folder == self.folder:
            raise ValueError("done_folder must not be folder itself")
        return self


class SenderSettings(Block):
    """Whose tables are taken."""

    address: AddressOrDomain
    """One address, or `@` and a domain: every address at exactly this domain."""
    unit: Identifier
    """The id of the unit that speaks by it (units.yaml)."""


class AuthenticationSettings(Block):
    """How we know that a mail comes from where it says: by what our own mail server wrote on top of it."""

    server: Host
    """The authserv-id of our own server: the first word of its Authentication-Results."""
    require: Annotated[tuple[Method, ...], Field(min_length=1, max_length=3)] = ("dmarc",)
    """All of these must have passed, and for the very domain of the sender's address."""
    received_above: Annotated[int, Field(ge=0, le=10)] = 0
    """How many Received lines our own servers write above their Authentication-Results. What stands
    lower may have been written by the sender."""


class SmtpSettings(ServerSettings):
    """The server that takes our answers."""

    port: Port = 465
    user: Name | None = None
    password: SecretRef | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("needs user and password, or neither")
        return self


class ReplySettings(Block):
    """Answers to senders whose tables are taken."""

    smtp: SmtpSettings
    from_: Annotated[Address, Field(alias="from")]
    """The address they come from."""


class MailboxSettings(Block):
    """One mailbox with the units' quarterly tables. Exactly one of `imap` and `maildir`."""

    kind: Literal["mailbox"]
    every: Annotated[Duration, within("1s", "7d")] = timedelta(minutes=1)
    """The pause between two rounds."""
    imap: ImapSettings | None = None
    maildir: Annotated[Text, AfterValidator(_whole_path)] | None = None
    """The folder that a mail server on this machine delivers into, with new/ and cur/ in it."""
    senders: Annotated[tuple[SenderSettings, ...], Field(max_length=2000)]
    authenticated_by: AuthenticationSettings
    reply: ReplySettings | None = None
    """Without it nobody is answered."""
    max_bytes: Annotated[int, Field(ge=10_000, le=15 * MIB)] = 15 * MIB
    """Of a whole mail. A larger one is kept in part, as a dead letter; it stays in the mailbox."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.imap is None) == (self.maildir is None):
            raise ValueError("say where the mails are: imap or maildir, exactly one of them")
        return self

    @model_validator(mode="after")
    def _one_unit_each(self) -> Self:
        addresses = [sender.address for sender in self.senders]
        twice = sorted({address for address in addresses if addresses.count(address) > 1})
        if twice:
            raise ValueError(f"senders: {twice[0]} stands there twice")
        return self


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
