"""Every reason code of a dead letter, a parked delivery, an attempt or a refusal. A closed list."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where on its way an item stopped."""

    DECODE = "decode"
    MAP = "map"
    ADMIT = "admit"
    ROUTE = "route"
    PUBLISH = "publish"
    DELIVER = "deliver"
    UNIT = "unit"


class Reason(StrEnum):
    """Why."""

    MALFORMED = "malformed"
    """The body could not be read as what it claims to be."""
    NO_ID = "no_id"
    """The item has no id of its own; it was kept under the hash of its content."""
    MAPPING_FAILED = "mapping_failed"
    """A required field is missing or has the wrong shape."""
    UNAPPROVED = "unapproved"
    """A direct report by a unit or user without an approval (R7)."""
    UNROUTABLE = "unroutable"
    """No rule wanted it."""
    REFUSED_BY_LEDGER = "refused_by_ledger"
    """The database refused this one item's data."""
    NO_BINDING = "no_binding"
    """The broker returned it: no queue is bound for the destination."""
    QUEUE_REFUSED = "queue_refused"
    """The broker said no: the queue is full or gone."""
    UNCONFIRMED = "unconfirmed"
    """No confirm came in time; whether the broker has it is unknown."""
    UNAVAILABLE = "unavailable"
    """The receiver did not answer."""
    THROTTLED = "throttled"
    """The receiver asked us to slow down."""
    REJECTED = "rejected"
    """The receiver read it and said no."""
    DELIVERY_LIMIT = "delivery_limit"
    """The unit's consumer failed on it again and again, and the broker gave up."""
    EXPIRED = "expired"
    """It waited longer in the unit's queue than the policy allows."""
    MAXLEN = "maxlen"
    """It was dropped from an overfull queue."""
    UNKNOWN_MESSAGE = "unknown_message"
    """Something in suqiu.dead or suqiu.unrouted that the hub never sent."""
    GAVE_UP = "gave_up"
    """The attempts allowed are used up."""
    UNEXPECTED = "unexpected"
    """An error the hub does not know. A defect: please report it."""


class Refusal(StrEnum):
    """Why the front said no to a request; nothing of it was kept."""

    BAD_SIGNATURE = "bad_signature"
    OUTSIDE_TOLERANCE = "outside_tolerance"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_SLOW = "too_slow"
    WRONG_METHOD = "wrong_method"
    WRONG_TYPE = "wrong_type"
    BAD_ENCODING = "bad_encoding"
    BUSY = "busy"
    LEDGER_AWAY = "ledger_away"
