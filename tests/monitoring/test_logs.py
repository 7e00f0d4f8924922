"""The log: readable by machines, quiet when all is well, and closed to personal data (P8)."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from monitoring.journal import Journal
from monitoring.logs import LogSettings, configure
from router import events
from router.errors import MappingFailed, TransientError
from router.reasons import Reason, Refusal, Stage
from tests.monitoring.events import APPEAL, AT, EVERY_KIND, envelope, published

NAME, PHONE = "王小明", "13812345678"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    yield io.StringIO()
    root.handlers[:], threading.excepthook = before[0], before[2]
    root.setLevel(before[1])
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure(LogSettings(), stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_round_is_one_line_and_a_message_is_none(lines: Lines) -> None:
    journal = Journal()
    for _ in range(100):
        journal(envelope())
        journal(published(took=timedelta(milliseconds=3)))
        journal(events.DeliveryAccepted(AT, "rsj", APPEAL))
    journal(events.RoundFinished(AT, "sst", 100, timedelta(seconds=1.5), (("new", 99), ("duplicate", 1))))
    (line,) = lines()
    assert line["event"] == "polling round"
    assert (line["source"], line["fetched"], line["took"]) == ("sst", 100, 1.5)
    assert line["counts"] == {"new": 99, "duplicate": 1}
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_at_debug_every_event_kind_has_a_line(stream: io.StringIO) -> None:
    configure(LogSettings(level="debug"), stream)
    journal = Journal()
    for event in EVERY_KIND:
        before = len(stream.getvalue())
        journal(event)
        assert len(stream.getvalue()) > before, type(event).__name__


def test_our_own_ids_stay_whole(stream: io.StringIO) -> None:
    configure(LogSettings(level="debug"), stream)
    all_digits = "01890123-1234-7123-8123-123456789012"
    Journal()(events.DeliveryAccepted(AT, "rsj", all_digits))
    assert all_digits in stream.getvalue()


def test_a_flood_is_one_line_a_minute_with_its_count(lines: Lines) -> None:
    journal = Journal()
    for second in range(61):
        at = AT + timedelta(seconds=second)
        journal(events.DeadLettered(at, Stage.MAP, Reason.MAPPING_FAILED, "sst", None))
    first, second_line = lines()
    assert (first["times"], second_line["times"]) == (1, 60)
    assert first["stage"] == "map"
    assert "destination" not in first


def test_different_troubles_are_told_apart(lines: Lines) -> None:
    journal = Journal()
    for source in ("sst", "crm"):
        journal(events.RequestRefused(AT, source, Refusal.BAD_SIGNATURE))
    assert [line["source"] for line in lines()] == ["sst", "crm"]


def test_strangers_cannot_fill_the_memory_of_the_journal(lines: Lines) -> None:
    journal = Journal()
    for number in range(2000):
        journal(events.RequestRefused(AT, f"stranger{number}", Refusal.BAD_SIGNATURE))
    assert len(journal._floods._kinds) <= 501


def test_a_paused_source_is_an_error_for_ops(lines: Lines) -> None:
    Journal()(events.RoundFailed(AT, "sst", "sst answered 401", timedelta(hours=1), paused=True))
    (line,) = lines()
    assert line["level"] == "error"
    assert line["retry_after"] == 3600


@pytest.mark.parametrize(
    "event",
    [
        envelope(source_id=PHONE),
        events.RoundFailed(AT, "sst", f"{NAME} ({PHONE}) broke it", timedelta(seconds=1)),
        events.Trouble(AT, "relay", f"联系人{NAME}，电话 {PHONE}"),
        events.RequestRefused(AT, PHONE, Refusal.BAD_SIGNATURE),
        events.RequestRefused(AT, NAME, Refusal.BAD_SIGNATURE),
        events.DeadLettered(AT, Stage.MAP, Reason.MALFORMED, NAME, PHONE),
    ],
    ids=lambda event: type(event).__name__,
)
def test_canaries_in_events_never_appear(stream: io.StringIO, event: events.Event) -> None:
    configure(LogSettings(level="debug"), stream)
    Journal()(event)
    assert stream.getvalue()
    assert NAME not in stream.getvalue()
    assert PHONE not in stream.getvalue()


def _raise(error: Exception) -> None:
    contact = {"name": NAME, "phone": PHONE}
    try:
        raise KeyError(contact["name"])
    except KeyError as cause:
        raise error from cause


@pytest.mark.parametrize("form", ["json", "readable"])
@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"invalid input: {NAME} {PHONE}"),
        MappingFailed(f"contact.phones: {PHONE} of {NAME}"),
        TransientError(f"https://host/api?name={NAME}&phone={PHONE} answered 503"),
        FileNotFoundError(2, "No such file", f"/home/{NAME}/{PHONE}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_canaries_in_exceptions_never_appear(stream: io.StringIO, error: Exception, form: Any) -> None:
    configure(LogSettings(form=form), stream)
    own, library = structlog.get_logger("suqiu"), logging.getLogger("kombu")
    try:
        _raise(error)
    except Exception:
        own.exception("it broke", payload={"name": NAME}, error=f"{NAME}")
        library.exception("failed on %s %s", NAME, PHONE)
    own.error("it broke", error=error)
    told = stream.getvalue()
    assert type(error).__name__ in told
    assert "KeyError" in told
    assert "test_logs.py" in told
    assert NAME not in told
    assert PHONE not in told
    assert "Traceback" not in told


def test_unknown_keys_do_not_pass(lines: Lines) -> None:
    structlog.get_logger("suqiu").info("hello", source="sst", contact_name="Li", body={"a": 1})
    (line,) = lines()
    assert set(line) == {"event", "source", "level", "timestamp"}


def test_credentials_and_query_strings_are_cut(lines: Lines) -> None:
    structlog.get_logger("suqiu").warning(
        "x", error="GET https://u:pw@host/api?appsecret=abc failed, token=xyz, password: hunter2"
    )
    (line,) = lines()
    assert line["error"] == "GET https://***@host/api?*** failed, token=***, password: ***"


def test_control_characters_cannot_forge_a_line(stream: io.StringIO) -> None:
    configure(LogSettings(form="readable"), stream)
    structlog.get_logger("suqiu").warning("x", error="a\n2026-01-01 [info] forged\x1b[2J\u202eb")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_a_long_text_is_cut(lines: Lines) -> None:
    structlog.get_logger("suqiu").warning("x", error="a" * 5000)
    assert len(lines()[0]["error"]) <= 301


def test_libraries_go_the_same_way_and_are_quiet(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info("GET /v1/tasks?token=abc")
    logging.getLogger("httpx").info("HTTP Request: GET http://x")
    logging.getLogger("alembic.runtime.migration").warning("odd %s", PHONE)
    (line,) = lines()
    assert line["logger"] == "alembic.runtime.migration"
    assert PHONE not in json.dumps(line)


def test_python_warnings_are_logged(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"careful with {PHONE}", stacklevel=1)
    (line,) = lines()
    assert line["level"] == "warning"
    assert PHONE not in json.dumps(line)


def test_a_broken_log_call_prints_no_arguments(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("kombu").error("%d", NAME)
    assert NAME not in capsys.readouterr().err


def test_a_thread_that_dies_is_logged_without_its_data(lines: Lines) -> None:
    thread = threading.Thread(target=_raise, args=(ValueError(PHONE),), name="relay-1")
    thread.start()
    thread.join()
    (line,) = lines()
    assert line["event"] == "uncaught exception"
    assert "ValueError" in line["error"]
    assert PHONE not in json.dumps(line)
