"""One event of every kind, for tests that must not forget one."""

from datetime import UTC, datetime, timedelta

from router import events
from router.reasons import Reason, Refusal, Stage

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
APPEAL = "01890a5d-ac96-774b-8bcc-b302099a8057"


def envelope(outcome: str = "new", *, source: str = "sst", **changes: object) -> events.BatchRecorded:
    values = {
        "source_id": "SST-1",
        "appeal_id": APPEAL,
        "outcome": outcome,
        "rule": "wages",
        "destinations": ("rsj", "gaj"),
        "unknown_codes": (("kind", "kinds"),),
    }
    return events.BatchRecorded(AT, source, (events.Recorded(**(values | changes)),))


def published(*destinations: str, took: timedelta = timedelta(milliseconds=4)) -> events.DeliveriesPublished:
    items = (events.Confirmed(destination, APPEAL, took) for destination in destinations or ("rsj",))
    return events.DeliveriesPublished(AT, tuple(items))


EVERY_KIND: tuple[events.Event, ...] = (
    envelope(),
    events.RequestRefused(AT, "sst", Refusal.BAD_SIGNATURE),
    events.RoundFinished(AT, "sst", 3, timedelta(seconds=0.2), (("new", 2), ("duplicate", 1))),
    events.RoundFailed(AT, "sst", "sst answered 503", timedelta(seconds=30)),
    events.FeedSilent(AT, "sst", 40),
    published(),
    events.DeliveryAccepted(AT, "rsj", APPEAL),
    events.AttemptFailed(AT, "rsj", APPEAL, Reason.UNCONFIRMED, AT + timedelta(minutes=1)),
    events.DeliveryParked(AT, "rsj", APPEAL),
    events.DeadLettered(AT, Stage.MAP, Reason.MAPPING_FAILED, "sst", None),
    events.Trouble(AT, "relay", "the ledger is away"),
)
