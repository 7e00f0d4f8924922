"""
Whether a direct report may be taken (R7): what the approvals say about a unit and its user on a day.

Days are Shanghai's, the first and the last inclusive. The sentences are for whoever reported: no personal
data in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

_LOCAL = ZoneInfo("Asia/Shanghai")
ApprovalState = Literal["pending", "approved", "revoked"]

NO_APPROVAL = (
    "单位未获直报授权，请先按附件2申请 (the unit has no approval for direct reports; apply with annex 2)"
)
PENDING = "授权尚待批准 (the approval has been asked for and is not granted yet)"
REVOKED = "授权已撤销 (the approval was revoked)"
NOT_ITS_USER = "该用户不是该单位登记的L1级用户 (the user is not registered as an L1 user of this unit)"
NO_USER = "报送未注明L1级用户 (the report names no L1 user)"


class Grant(NamedTuple):
    """One approval, or what all of one state amount to. An open end is None."""

    state: ApprovalState
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows about one report's unit and user."""

    user: Sequence[Grant] = ()
    """Those in the name of the user who reported."""
    unit: Sequence[Grant] = ()
    """Those of the unit, whoever the user."""
    names_user: bool = True
    """Whether the report says at all who reported."""


def local_day(moment: datetime) -> date:
    """The day that validity is counted by."""
    return moment.astimezone(_LOCAL).date()


def is_covered(grants: Sequence[Grant], day: date) -> bool:
    """Whether one of these is an approval that holds on this day."""
    return any(grant.state == "approved" and _holds(grant, day) for grant in grants)


def objection(standing: Standing, day: date) -> str | None:
    """Why a report of this day may not be taken; None when it may."""
    if is_covered(standing.user, day):
        return None
    if standing.user:
        return _not_in_force(standing.user, day)
    if not standing.unit:
        return NO_APPROVAL
    if not is_covered(standing.unit, day):
        return _not_in_force(standing.unit, day)
    return NOT_ITS_USER if standing.names_user else NO_USER


def _holds(grant: Grant, day: date) -> bool:
    return (grant.valid_from or day) <= day <= (grant.valid_to or day)


def _not_in_force(grants: Sequence[Grant], day: date) -> str:
    """What is nearest to an approval: one under way, one to come, one that ended, one taken back."""
    if any(grant.state == "pending" for grant in grants):
        return PENDING
    approved = [grant for grant in grants if grant.state == "approved"]
    if starts := [grant.valid_from for grant in approved if grant.valid_from and grant.valid_from > day]:
        return f"授权自{_spoken(min(starts))}起方有效 (the approval holds from {min(starts)})"
    if ends := [grant.valid_to for grant in approved if grant.valid_to]:
        return f"授权已于{_spoken(max(ends))}到期失效 (the approval ended with {max(ends)})"
    return REVOKED


def _spoken(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
