"""A mailbox's settings: what is dangerous or cannot be meant is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.mail.settings import MailboxSettings
from tests.connectors.mail.writing import OURS

IMAP = {"host": "imap.example.org", "user": "box", "password": {"env": "PASSWORD"}}
GOOD: dict[str, Any] = {
    "kind": "mailbox",
    "imap": IMAP,
    "senders": [{"address": "Office@RSJ.example.gov.cn", "unit": "rsj"}],
    "authenticated_by": {"server": OURS},
}


def test_a_mailbox_needs_little() -> None:
    settings = MailboxSettings.model_validate(GOOD)
    assert settings.imap is not None
    assert (settings.imap.port, settings.imap.tls, settings.imap.folder) == (993, "implicit", "INBOX")
    assert settings.authenticated_by.require == ("dmarc",)
    assert settings.senders[0].address == "office@rsj.example.gov.cn"
    assert settings.reply is None


REFUSED = [
    pytest.param({"maildir": "/var/mail/box"}, "exactly one", id="two places"),
    pytest.param({"imap": None}, "exactly one", id="no place"),
    pytest.param(
        {"imap": None, "maildir": "mail/box"}, "whole path", id="a path relative to nobody knows what"
    ),
    pytest.param({"imap": IMAP | {"tls": "none"}}, "clear text", id="a password in clear text over the net"),
    pytest.param({"imap": IMAP | {"done_folder": "INBOX"}}, "done_folder", id="moved to where it is"),
    pytest.param({"imap": IMAP | {"password": "secret"}}, "password", id="a password in the file"),
    pytest.param({"authenticated_by": None}, "authenticated_by", id="everybody is believed"),
    pytest.param({"authenticated_by": {"server": OURS, "require": []}}, "require", id="nothing is required"),
    pytest.param({"senders": [{"address": "rsj", "unit": "rsj"}]}, "neither a mail address", id="no address"),
    pytest.param(
        {"senders": [{"address": "a@*.cn", "unit": "rsj"}]}, "neither a mail address", id="a pattern"
    ),
    pytest.param({"senders": GOOD["senders"] * 2}, "twice", id="one address twice"),
    pytest.param({"max_bytes": 20_000_000}, "max_bytes", id="more than an envelope holds"),
    pytest.param(
        {"reply": {"smtp": {"host": "smtp.example.org", "user": "box"}, "from": "a@b.cn"}},
        "user and password",
        id="half a login",
    ),
    pytest.param(
        {"reply": {"smtp": {"host": "smtp.example.org", "tls": "none"}, "from": "a@b.cn"}},
        "clear text",
        id="answers in clear text over the net",
    ),
    pytest.param(
        {"reply": {"smtp": {"host": "127.0.0.1"}, "from": "x\r\n@b.cn"}}, "mail address", id="a broken from"
    ),
    pytest.param({"surprise": 1}, "surprise", id="a word that there is not"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MailboxSettings.model_validate(GOOD | change)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_be_spoken_to_in_clear_text(host: str) -> None:
    MailboxSettings.model_validate(GOOD | {"imap": IMAP | {"host": host, "tls": "none"}})
