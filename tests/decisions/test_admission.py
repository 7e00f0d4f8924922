"""Who may report directly, decided from what the approvals say (R7)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from router.decisions.admission import Grant, Standing, local_day, objection

TODAY = date(2026, 3, 31)
YESTERDAY, TOMORROW = date(2026, 3, 30), date(2026, 4, 1)
OPEN = Grant("approved")
ENDED = Grant("approved", None, YESTERDAY)
TO_COME = Grant("approved", TOMORROW, None)
PENDING = Grant("pending")
REVOKED = Grant("revoked")


@pytest.mark.parametrize(
    "grants",
    [
        pytest.param([OPEN], id="no days at all"),
        pytest.param([Grant("approved", TODAY, TODAY)], id="the first and the last day both count"),
        pytest.param([REVOKED, ENDED, OPEN], id="one that holds is enough"),
    ],
)
def test_an_approval_of_the_user_that_holds_today_lets_the_report_in(grants: list[Grant]) -> None:
    assert objection(Standing(grants), TODAY) is None


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        pytest.param(Standing(), "单位未获直报授权", id="nobody ever applied"),
        pytest.param(Standing([PENDING], [PENDING]), "授权尚待批准", id="applied for"),
        pytest.param(Standing([ENDED], [ENDED]), "授权已于2026年3月30日到期失效", id="ended yesterday"),
        pytest.param(Standing([TO_COME], [TO_COME]), "授权自2026年4月1日起方有效", id="begins tomorrow"),
        pytest.param(Standing([REVOKED], [REVOKED]), "授权已撤销", id="taken back"),
        pytest.param(Standing([], [OPEN]), "该用户不是该单位登记的L1级用户", id="somebody else of the unit"),
        pytest.param(
            Standing([], [OPEN], names_user=False), "报送未注明L1级用户", id="nobody says who reported"
        ),
        pytest.param(Standing([], [ENDED]), "授权已于2026年3月30日", id="the unit has none in force"),
        pytest.param(Standing([], [PENDING]), "授权尚待批准", id="the unit waits for its first"),
        pytest.param(Standing([REVOKED], [OPEN, REVOKED]), "授权已撤销", id="a colleague's does not help"),
        pytest.param(Standing([ENDED, PENDING], [OPEN]), "授权尚待批准", id="a renewal is under way"),
    ],
)
def test_the_reason_is_the_nearest_to_an_approval(standing: Standing, said: str) -> None:
    told = objection(standing, TODAY)
    assert told is not None
    assert told.startswith(said)
    assert told.endswith(")"), "Chinese first, then English"


def test_a_day_is_shanghais() -> None:
    assert local_day(datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)) == TODAY
    assert local_day(datetime(2026, 3, 31, 16, 0, tzinfo=UTC)) == TOMORROW
