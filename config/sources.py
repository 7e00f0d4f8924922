"""Which connector polls a source, and which carries a mailbox's answers: a few lines per kind.

A connector is loaded where a source of its kind is configured: its libraries would delay every start.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from config.connections import PullSettings
from config.wiring import Installation, now
from connectors.mail.settings import MailboxSettings
from connectors.rest_settings import RestSettings
from router.ports import Postman, Source


def polled(installation: Installation, name: str, settings: PullSettings) -> Source:
    """The source, ready to be polled. Raises ConfigError when a secret or a driver is missing."""
    secrets = installation.secret
    if isinstance(settings, RestSettings):
        from connectors.rest import RestSource

        store = installation.attachments
        return RestSource(name, settings, secrets=secrets, store=store, clock=now, sleep=time.sleep)
    if isinstance(settings, MailboxSettings):
        from connectors.mail.source import MailboxSource, MailboxTools

        tools = MailboxTools(secrets, installation.attachments, now, installation.letters)
        return MailboxSource(name, settings, tools)
    from connectors.table_exchange import TableSource

    return TableSource(name, settings, secrets=secrets, clock=now)


def postmen(installation: Installation) -> Mapping[str, Postman]:
    """Mailbox → who carries its answers; only those that answer."""
    sources = installation.configuration.settings.sources
    replies = {
        name: source.pull.reply
        for name, source in sources.items()
        if isinstance(source.pull, MailboxSettings) and source.pull.reply
    }
    if not replies:
        return {}
    from connectors.mail.smtp import SmtpPostman

    return {name: SmtpPostman(name, reply, installation.secret, now) for name, reply in replies.items()}
