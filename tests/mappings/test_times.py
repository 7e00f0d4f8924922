from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import times
from mappings.registry import Unreadable

USUAL = "%Y-%m-%d %H:%M:%S"
JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=80)


@pytest.mark.parametrize(
    ("value", "formats", "moment"),
    [
        pytest.param(
            "2025-09-11 09:24:15", [USUAL], "2025-09-11T01:24:15", id="the usual form, Shanghai time"
        ),
        pytest.param("2020/1/6 12:09:38", ["%Y/%m/%d %H:%M:%S"], "2020-01-06T04:09:38", id="no zero padding"),
        pytest.param("2020-1-6 1:09:38", [USUAL], "2020-01-05T17:09:38", id="the usual form without padding"),
        pytest.param("2020-09-03", [USUAL, "%Y-%m-%d"], "2020-09-02T16:00:00", id="the second format fits"),
        pytest.param("2019年5月7日", ["%Y年%m月%d日"], "2019-05-06T16:00:00", id="Chinese"),
        pytest.param("12/31/2016", ["%m/%d/%Y"], "2016-12-30T16:00:00", id="American"),
        pytest.param("２０２５-09-11 09:24:15", [USUAL], "2025-09-11T01:24:15", id="full-width digits"),
        pytest.param(1680485400, ["epoch_s"], "2023-04-03T01:30:00", id="epoch seconds"),
        pytest.param(
            "1680485400000", ["epoch_s", "epoch_ms"], "2023-04-03T01:30:00", id="milliseconds as text"
        ),
        pytest.param("2023-04-03T01:30:00Z", ["iso"], "2023-04-03T01:30:00", id="iso with a zone"),
        pytest.param("2023-04-03T09:30:00", ["iso"], "2023-04-03T01:30:00", id="iso without one"),
        pytest.param(Decimal("45019.3958333333"), ["excel_serial"], "2023-04-03T01:30:00", id="Excel serial"),
        pytest.param("20230403", ["epoch_s", "%Y%m%d"], "2023-04-02T16:00:00", id="a date is no epoch"),
        pytest.param("1988-07-01 12:00:00", [USUAL], "1988-07-01T03:00:00", id="summer time of the eighties"),
        pytest.param(
            "2023-04-03 09:30 +0000", ["%Y-%m-%d %H:%M %z"], "2023-04-03T09:30:00", id="a format with a zone"
        ),
    ],
)
def test_reading(value: Any, formats: list[str], moment: str) -> None:
    assert times.read(value, formats) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "昨天",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2023-02-30 00:00:00",
        "-1",
        True,
        [],
        Decimal("1e99999"),
    ],
)
def test_what_is_no_time_is_unreadable(value: Any) -> None:
    with pytest.raises(Unreadable):
        times.read(value, [USUAL, "iso", "epoch_s", "epoch_ms", "excel_serial"])


@given(JSON_SCALARS)
def test_whatever_comes_it_is_a_moment_in_utc_or_unreadable(value: Any) -> None:
    try:
        moment = times.read(value, [USUAL, "%Y年%m月%d日", "iso", "epoch_s", "epoch_ms", "excel_serial"])
    except Unreadable:
        return
    assert moment.tzinfo is UTC
    assert 1899 <= moment.year <= 2201


@given(st.datetimes(datetime(1992, 1, 1), datetime(2199, 1, 1)))
def test_reading_what_was_written_gives_the_same_second(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    for form in (USUAL, "iso", "epoch_ms"):
        if form == "epoch_ms" and moment.year < 1974:
            continue
        again = times.read(times.write(moment, form), [form])
        assert abs(again - moment) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("%Q", "bad directive"),
        ("%Y-%", "stray %"),
        ("%m-%d", "no year"),
        ("yyyy-MM-dd", "neither a strptime format nor one of"),
    ],
)
def test_a_bad_format_is_found_before_any_message(form: str, problem: str) -> None:
    assert problem in str(times.problem_reading(form))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31)))
def test_a_local_time_is_put_into_utc_as_the_library_does(local: datetime) -> None:
    moment = times.read(local.isoformat(" "), ["iso"])
    assert moment == local.replace(tzinfo=times.SHANGHAI).astimezone(UTC)
    assert moment.tzinfo is UTC
