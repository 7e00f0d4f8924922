"""
The mailbox 12345yq1: units send their closed appeals as a table, once a quarter (R5, R9).

Mails are read one at a time, oldest first. A mail is told that we have it (marked as read, or moved)
and its sender is answered only when all its batches are committed; after a crash before that, it is
unread, and so it is read again. Whoever marks a mail as unread has it read again: nothing comes of it
twice, since its rows keep their ids and its answer has been given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from connectors.mail.box import Box
from connectors.mail.handling import Handled, Handling
from connectors.mail.imap import ImapBox
from connectors.mail.maildir import MaildirBox
from connectors.mail.reply import compose
from connectors.mail.settings import MailboxSettings
from router.message import Acceptance, Accepted, Batch, Cursor
from router.ports import AttachmentStore, Clock, Letters
from router.secrets import SecretReader


@dataclass(frozen=True, slots=True)
class MailboxTools:
    """What wiring hands in."""

    secrets: SecretReader
    store: AttachmentStore
    clock: Clock
    letters: Letters | None = None
    """Where answers go; without it, or without `reply` in the settings, nobody is answered."""


@dataclass
class _UnderWay:
    """The mail that was handed out last."""

    key: str
    handled: Handled
    outcomes: dict[str, Accepted] = field(default_factory=dict)


class MailboxSource:
    """Keeps the port `router.ports.Source`. For one thread."""

    goes_ahead = False

    def __init__(self, name: str, settings: MailboxSettings, tools: MailboxTools) -> None:
        """Reads the secrets, once; raises ConfigError when one is missing or no certificate."""
        self.name = name
        self._tools = tools
        self._box = _box(name, settings, tools.secrets)
        self._handling = Handling(name, settings, tools.store, tools.clock)
        self._under_way: _UnderWay | None = None

    def open(self) -> AbstractContextManager[None]:
        self._under_way = None
        return self._box.connected()

    def fetch(self, after: Cursor | None) -> Iterator[Batch]:
        """One batch and more of each mail; the last of a mail moves the cursor behind it."""
        for mail in self._box.mails(after):
            handled = self._handling.handle(mail)
            self._under_way = _UnderWay(mail.key, handled)
            yield from handled.batches

    def acknowledge(self, batch: Batch, acceptance: Acceptance) -> None:
        """Behind a mail's last batch: keep the answer to be sent, then mark the mail."""
        mail = self._under_way
        if mail is None or not any(batch is one for one in mail.handled.batches):
            return
        mail.outcomes.update((item.source_id, item) for item in acceptance.items)
        if batch is not mail.handled.batches[-1]:
            return
        if mail.handled.answer is not None and self._tools.letters is not None:
            self._tools.letters.post(compose(mail.handled.answer, mail.outcomes))
        self._box.settle(mail.key)


def _box(name: str, settings: MailboxSettings, secrets: SecretReader) -> Box:
    if settings.imap is not None:
        return ImapBox(name, settings.imap, settings.max_bytes, secrets)
    assert settings.maildir is not None, "the settings have one of both"
    return MaildirBox(name, settings.maildir, settings.max_bytes)
