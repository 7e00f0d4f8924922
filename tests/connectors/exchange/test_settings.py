"""The settings say what they mean, and what is wrong with them before anything is connected to."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.table_exchange import TableSource
from connectors.table_exchange_settings import TableSettings
from router.errors import ConfigError
from tests.connectors.exchange.tables import NOON, STATUS, WATERMARK

GOOD: dict[str, Any] = {
    "kind": "table",
    "url": "postgresql+psycopg://hub@10.1.2.3:5432/exchange",
    "table": "appeals",
    "schema": "out",
    "id": "id",
    "status": STATUS,
}


def test_one_word_stands_for_a_list_of_one() -> None:
    settings = TableSettings.model_validate(GOOD)
    assert settings.id == ("id",)
    assert settings.schema_ == "out"
    assert settings.status is not None
    assert settings.status.pending == ("0",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"url": "mysql+pymysql://h:hunter2@x/y"}, "must hold no password", id="password in the URL"
        ),
        pytest.param(
            {"url": "mysql+pymysql://h@x/y?password=hunter2"}, "must hold no password", id="or behind it"
        ),
        pytest.param({"url": "postgresql://h@x/y?plugin=hunter2"}, "no plugin", id="a plugin"),
        pytest.param({"url": "../evil://x/hunter2"}, "is not DIALECT", id="no dialect"),
        pytest.param({"url": "sqlite:///hunter2.db"}, "whole path", id="a file somewhere"),
        pytest.param({"url": "sqlite://"}, "whole path", id="no file"),
        pytest.param({"status": None}, "status or watermark", id="neither way"),
        pytest.param({"watermark": WATERMARK}, "status or watermark", id="both ways"),
        pytest.param({"status": {**STATUS, "taken": 0}}, "never be done", id="taken is pending"),
        pytest.param({"status": {**STATUS, "failed": "0"}}, "never be done", id="failed is pending"),
        pytest.param({"page": 501}, "less than or equal to 500", id="too large a page"),
        pytest.param({"zone": "Asia/Suzhou"}, "time zone", id="no zone"),
        pytest.param({"id": []}, "at least 1", id="no id"),
        pytest.param(
            {"status": None, "watermark": {**WATERMARK, "overlap": "0s"}}, "between", id="no overlap"
        ),
        pytest.param({"where": "1=1"}, "Extra inputs", id="SQL is no setting"),
    ],
)
def test_what_is_wrong_is_said_and_not_quoted(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TableSettings.model_validate({**GOOD, **changes})
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("oracle+oracledb://hub@x/y", "oracledb is not installed"),
        ("mssql+pymssql://hub@x/y", "pymssql is not installed"),
        ("dm+dmPython://hub@x/y", "dm.dmPython is not installed"),
        ("dm://hub@x/y", "dm is not installed"),
        ("sqlite+aiosqlite:////tmp/x", "aiosqlite"),
        ("postgresql+asyncpg://hub@x/y", "asyncpg"),
    ],
)
def test_a_driver_that_is_not_there_is_named_before_anything_starts(url: str, said: str) -> None:
    settings = TableSettings.model_validate({**GOOD, "url": url})
    with pytest.raises(ConfigError, match=said):
        TableSource("exchange", settings, secrets=str, clock=lambda: NOON)


def test_the_driver_that_an_extra_brings_is_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    settings = TableSettings.model_validate({**GOOD, "url": "mysql+pymysql://hub@x/y"})
    with pytest.raises(ConfigError, match=r"install suqiu-hub\[mariadb\]"):
        TableSource("exchange", settings, secrets=str, clock=lambda: NOON)
