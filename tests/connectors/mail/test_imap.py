"""A mailbox on a real server, with people and outages in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from demo.servers.dovecot import Dovecot
from demo.servers.server import free_port
from router.errors import ConfigError, SourceRefused, SourceUnavailable
from router.message import Batch
from tests.connectors.contract import fetch_until_error, ids, taken
from tests.connectors.mail.postbox import Postbox, firms, until, work_off
from tests.connectors.mail.writing import Attached, mail, row, table
from tests.proxy import FaultProxy


def from_firm(firm: str) -> bytes:
    return mail(table([row(1, firm=firm)]), more=[f"Message-ID: <{len(firm)}{firm.encode().hex()}@x>"])


ONE, TWO, THREE = (from_firm(firm) for firm in ("苏州一号铁匠", "苏州二号木工", "苏州三号陶瓷"))


def test_a_mail_is_marked_only_when_it_is_acknowledged(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO)
    source = postbox.source()
    with source.open():
        first, *_ = source.fetch(None)
    assert postbox.flags() == ["", ""]
    work_off(source)
    assert postbox.flags() == ["seen", "seen"]
    assert first.envelopes[0].updated_at is not None


def test_what_was_read_is_not_read_again_and_what_comes_later_is(postbox: Postbox) -> None:
    postbox.deliver(ONE)
    source = postbox.source()
    _, cursor = work_off(source)
    assert work_off(source, cursor)[0] == []
    postbox.deliver(TWO)
    batches, cursor = work_off(source, cursor)
    assert firms(batches) == ["苏州二号木工"]
    assert (cursor or {})["uid"] == "2"


def test_a_mail_that_somebody_read_before_us_is_read_all_the_same(postbox: Postbox) -> None:
    postbox.deliver(ONE)
    _, cursor = work_off(postbox.source())
    postbox.deliver(TWO)
    postbox.mark("1:*")
    assert firms(work_off(postbox.source(), cursor)[0]) == ["苏州二号木工"]


def test_a_mail_that_was_recorded_and_never_acknowledged_comes_again_and_is_answered(
    postbox: Postbox,
) -> None:
    postbox.deliver(ONE)
    _, cursor = work_off(postbox.source(), acknowledge=False)
    assert (cursor or {})["uid"] == "1"
    assert postbox.drawer.letters == {}
    assert firms(work_off(postbox.source(), cursor)[0]) == ["苏州一号铁匠"]
    assert len(postbox.drawer.letters) == 1
    assert work_off(postbox.source(), cursor)[0] == []


def test_a_mail_that_somebody_marks_as_unread_is_read_again_and_answered_once(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO)
    _, cursor = work_off(postbox.source())
    postbox.mark("1", how="-FLAGS")
    batches, after = work_off(postbox.source(), cursor)
    assert firms(batches) == ["苏州一号铁匠"]
    assert after == cursor, "it does not go back"
    assert len(postbox.drawer.letters) == 2


@pytest.mark.parametrize("separator", [".", "/"])
def test_folders_with_chinese_names_are_read_and_moved_into(
    dovecot_with: Callable[[str], Dovecot], separator: str
) -> None:
    postbox = Postbox(dovecot_with(separator), "box")
    folder = separator.join(["企业诉求", "待处理"])
    postbox.create(folder)
    postbox.deliver(ONE, TWO, folder=folder)
    source = postbox.source(folder="企业诉求/待处理", done_folder="企业诉求/已处理 & 归档")
    batches, cursor = work_off(source)
    assert firms(batches) == ["苏州一号铁匠", "苏州二号木工"]
    assert postbox.flags(folder) == []
    assert postbox.flags(separator.join(["企业诉求", "已处理 & 归档"])) == ["seen", "seen"]
    assert work_off(source, cursor)[0] == []


def test_acknowledging_a_moved_mail_again_is_harmless(postbox: Postbox) -> None:
    postbox.deliver(ONE)
    source = postbox.source(done_folder="done")
    with source.open():
        for batch in source.fetch(None):
            for _ in range(2):
                source.acknowledge(batch, taken(batch))
    assert (postbox.flags(), postbox.flags("done")) == ([], ["seen"])


def test_what_others_have_marked_as_deleted_stays_where_it_is(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO)
    postbox.mark("1", r"(\Deleted)")
    work_off(postbox.source())
    assert postbox.flags() == ["seen", "seen"], "nothing was expunged"


def test_a_server_that_numbers_anew_is_read_from_the_beginning(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO)
    _, cursor = work_off(postbox.source())
    postbox.number_anew()
    batches, after = work_off(postbox.source(), cursor)
    assert sorted(firms(batches)) == ["苏州一号铁匠", "苏州二号木工"]
    assert after is not None
    assert cursor is not None
    assert after["uidvalidity"] != cursor["uidvalidity"]
    assert len(postbox.drawer.letters) == 2, "nobody is answered twice"


def test_a_mail_that_somebody_deletes_while_we_read_is_passed_over(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO, THREE)
    source = postbox.source()
    with source.open():
        batches = source.fetch(None)
        seen = [next(batches)]
        postbox.remove("2")
        seen += batches
    assert firms(seen) == ["苏州一号铁匠", "苏州三号陶瓷"]


def test_a_server_that_dies_in_mid_round_loses_nothing(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO, THREE)
    source, cursors = postbox.source(), []

    def kill(batch: Batch) -> None:
        cursors.append(batch.cursor)
        postbox.server.kill()

    with pytest.raises(SourceUnavailable):
        until(source, kill)
    (cursor,) = cursors
    with pytest.raises(SourceUnavailable):
        work_off(source, cursor)
    postbox.server.start()
    assert firms(work_off(source, cursor)[0]) == ["苏州二号木工", "苏州三号陶瓷"]


def test_a_server_that_dies_before_it_is_told_is_told_again(postbox: Postbox) -> None:
    postbox.deliver(ONE)
    source, batches = postbox.source(), []
    with source.open():
        for batch in source.fetch(None):
            batches.append(batch)
            postbox.server.kill()
            with pytest.raises(SourceUnavailable):
                source.acknowledge(batch, taken(batch))
            break
    postbox.server.start()
    assert postbox.flags() == [""]
    work_off(source, batches[0].cursor)
    assert postbox.flags() == ["seen"]
    assert len(postbox.drawer.letters) == 1


def test_a_server_that_says_nothing_more_is_waited_for_only_so_long(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO)
    with FaultProxy(postbox.server.host, postbox.server.port) as proxy:
        source = postbox.source(port=proxy.port, timeout="1s")
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            until(source, lambda _: proxy.set(downwards="hold"))
        proxy.set(downwards="pass")
    assert time.monotonic() - began < 10


def test_a_wrong_password_pauses_the_source_and_is_not_quoted(postbox: Postbox) -> None:
    source = postbox.source(password={"env": "WRONG"})
    _, error = fetch_until_error(source)
    assert isinstance(error, SourceRefused)
    assert "imap.password" in str(error)
    assert "wrong" not in str(error)
    assert postbox.user not in str(error)


def test_a_folder_that_there_is_not_pauses_the_source(postbox: Postbox) -> None:
    _, error = fetch_until_error(postbox.source(folder="没有这个"))
    assert isinstance(error, SourceRefused)
    assert "imap.folder" in str(error)


def test_a_mailbox_that_may_only_be_read_pauses_the_source(postbox: Postbox) -> None:
    """Else every mail would be read in every round."""
    postbox.deliver(ONE)
    folder = postbox.server.maildir(postbox.user)
    for path in (folder, folder / "cur", folder / "new", folder / "tmp"):
        path.chmod(0o500)
    _, error = fetch_until_error(postbox.source())
    for path in (folder, folder / "cur", folder / "new", folder / "tmp"):
        path.chmod(0o700)
    assert isinstance(error, SourceRefused)
    assert "only be read" in str(error)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_inside_tls_the_servers_certificate_is_checked(postbox: Postbox, tls: str) -> None:
    postbox.deliver(ONE)
    port = postbox.server.tls_port if tls == "implicit" else postbox.server.port
    trusting = postbox.source(tls=tls, port=port, authority={"env": "AUTHORITY"})
    assert firms(work_off(trusting)[0]) == ["苏州一号铁匠"]
    _, error = fetch_until_error(postbox.source(tls=tls, port=port))
    assert isinstance(error, SourceRefused)
    assert "certificate" in str(error)


def test_an_authority_that_is_no_certificate_is_found_at_once(postbox: Postbox) -> None:
    with pytest.raises(ConfigError):
        postbox.source(tls="implicit", authority={"env": "NONSENSE"})


def test_nobody_listening_is_an_outage(postbox: Postbox) -> None:
    for tls in ("none", "implicit", "starttls"):
        _, error = fetch_until_error(postbox.source(port=free_port(), tls=tls))
        assert isinstance(error, SourceUnavailable)


def test_a_mail_of_sixteen_megabytes_is_kept_in_part_and_does_not_stop_the_next(postbox: Postbox) -> None:
    large = mail(Attached("大.xlsx", b"x" * 12_000_000))
    assert len(large) > 16_000_000
    postbox.deliver(large, TWO)
    batches, _ = work_off(postbox.source())
    kept = batches[0].envelopes[0]
    assert "邮件过大" in (kept.problem or "")
    assert len(kept.body) == 1024 * 1024
    assert large.startswith(kept.body)
    assert firms(batches[1:]) == ["苏州二号木工"]
    assert postbox.flags() == ["seen", "seen"]


def test_a_mail_that_the_server_cannot_hand_over_is_given_up_after_some_rounds(postbox: Postbox) -> None:
    postbox.deliver(ONE, TWO, THREE)
    path = sorted((postbox.server.maildir(postbox.user) / "cur").iterdir())[1]
    path.chmod(0)
    source, cursor = postbox.source(), None
    for _ in range(10):
        try:
            batches, cursor = work_off(source, cursor)
            break
        except SourceUnavailable:
            continue
    assert any("无法给出" in one for one in firms(batches))
    assert "苏州三号陶瓷" in firms(batches)


def test_while_it_waits_for_news_it_takes_them_at_once(postbox: Postbox) -> None:
    postbox.deliver(ONE)
    source = postbox.source(idle=True)
    _, cursor = work_off(source)
    late = threading.Timer(0.5, postbox.deliver, [TWO])
    began = time.monotonic()
    late.start()
    assert firms(work_off(source, cursor)[0]) == ["苏州二号木工"]
    late.join()
    assert time.monotonic() - began < 10


def test_rubbish_in_the_mailbox_is_kept_and_marked(postbox: Postbox) -> None:
    postbox.deliver(b"\xff\xfe rubbish \x80", b"Subject: x\r\n\r\n", ONE)
    batches, _ = work_off(postbox.source())
    assert len(ids(batches)) == 3
    assert postbox.flags() == ["seen"] * 3
