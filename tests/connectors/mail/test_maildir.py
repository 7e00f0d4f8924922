"""A mailbox in a folder, which a mail server fills and people's programs rename in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.mail.source import MailboxSource
from router.errors import SourceRefused
from tests.connectors.contract import fetch_until_error, taken
from tests.connectors.mail import writing
from tests.connectors.mail.postbox import firms, work_off
from tests.connectors.mail.writing import Drawer, mail, row, settings, table

SECOND = 1_000_000_000
BEGIN = 1_790_000_000 * SECOND
ONE, TWO, THREE = (
    mail(table([row(1, firm=firm)]), more=[f"Message-ID: <{number}@x>"])
    for number, firm in enumerate(("苏州一号铁匠", "苏州二号木工", "苏州三号陶瓷"))
)


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = writing.maildir(path)
        self.drawer = Drawer()

    def source(self) -> MailboxSource:
        return writing.source(settings(maildir=str(self.path)), self.drawer)

    def deliver(self, name: str, raw: bytes, at: int = BEGIN, part: str = "new") -> Path:
        path = self.path / part / name
        path.write_bytes(raw)
        os.utime(path, ns=(at, at))
        return path

    def names(self, part: str = "cur") -> list[str]:
        return sorted(path.name for path in (self.path / part).iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "box")


def test_mails_are_read_in_the_order_of_their_delivery_and_marked_when_acknowledged(folder: Folder) -> None:
    folder.deliver("b.host", ONE, BEGIN)
    folder.deliver("a.host", TWO, BEGIN + SECOND)
    batches, cursor = work_off(folder.source(), acknowledge=False)
    assert folder.names("new") == ["a.host", "b.host"]
    assert firms(batches) == ["苏州一号铁匠", "苏州二号木工"]
    work_off(folder.source(), cursor)
    assert folder.names("new") == []
    assert folder.names() == ["a.host:2,S", "b.host:2,S"]
    assert work_off(folder.source(), cursor)[0] == []


def test_a_mail_delivered_at_the_very_same_moment_is_not_lost(folder: Folder) -> None:
    """Even under a name that sorts before, and read by a person before us."""
    folder.deliver("m.host", ONE)
    _, cursor = work_off(folder.source())
    folder.deliver("a.host", TWO)
    folder.deliver("z.host:2,S", THREE, part="cur")
    batches, after = work_off(folder.source(), cursor)
    assert firms(batches) == ["苏州二号木工", "苏州三号陶瓷"]
    assert work_off(folder.source(), after)[0] == []


def test_a_mail_that_somebody_read_before_us_is_read_all_the_same(folder: Folder) -> None:
    folder.deliver("a.host", ONE)
    _, cursor = work_off(folder.source())
    folder.deliver("b.host:2,RS", TWO, BEGIN + SECOND, part="cur")
    assert firms(work_off(folder.source(), cursor)[0]) == ["苏州二号木工"]


def test_an_unread_mail_is_read_however_old_it_is(folder: Folder) -> None:
    folder.deliver("b.host", TWO, BEGIN)
    _, cursor = work_off(folder.source())
    folder.deliver("a.host", ONE, BEGIN - 1000 * SECOND)
    batches, after = work_off(folder.source(), cursor)
    assert firms(batches) == ["苏州一号铁匠"]
    assert after == cursor, "it does not go back"


def test_other_flags_are_kept(folder: Folder) -> None:
    folder.deliver("a.host:2,Fa", ONE, part="cur")
    work_off(folder.source())
    assert folder.names() == ["a.host:2,FSa"]


def test_a_mail_renamed_or_removed_while_we_read_is_found_or_passed_over(folder: Folder) -> None:
    first = folder.deliver("a.host", ONE)
    second = folder.deliver("b.host", TWO, BEGIN + SECOND)
    third = folder.deliver("c.host", THREE, BEGIN + 2 * SECOND)
    source, batches = folder.source(), []
    with source.open():
        for batch in source.fetch(None):
            batches.append(batch)
            if len(batches) == 1:
                first.unlink()
                second.unlink()
                third.rename(folder.path / "cur" / "c.host:2,F")
            source.acknowledge(batch, taken(batch))
    assert firms(batches) == ["苏州一号铁匠", "苏州三号陶瓷"]
    assert folder.names() == ["c.host:2,FS"]


def test_what_is_no_mail_is_not_looked_at(folder: Folder) -> None:
    folder.deliver("half.host", ONE, part="tmp")
    folder.deliver(".hidden", ONE)
    (folder.path / "new" / "folder").mkdir()
    (folder.path / "new" / "link").symlink_to(folder.deliver("elsewhere", ONE, part="tmp"))
    os.mkfifo(folder.path / "new" / "pipe")
    assert work_off(folder.source())[0] == []


def test_a_mail_over_the_limit_is_kept_in_part(folder: Folder) -> None:
    folder.deliver("a.host", ONE + b"\r\n" * 8_000_000)
    (batch,) = work_off(folder.source())[0]
    assert "邮件过大" in firms([batch])[0]
    assert len(batch.envelopes[0].body) == 1024 * 1024


def test_a_path_that_is_no_maildir_pauses_the_source(tmp_path: Path) -> None:
    _, error = fetch_until_error(writing.source(settings(maildir=str(tmp_path))))
    assert isinstance(error, SourceRefused)
    assert str(tmp_path) not in str(error)


def test_a_cursor_that_holds_nonsense_begins_anew(folder: Folder) -> None:
    folder.deliver("a.host:2,S", ONE, part="cur")
    for cursor in ({}, {"uid": "7"}, {"delivered": "-x"}):
        assert firms(work_off(folder.source(), cursor)[0]) == ["苏州一号铁匠"]
