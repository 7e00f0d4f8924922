"""Phone numbers of elsewhere, and numbers within other words: read by Google's rules, as China dials."""

from __future__ import annotations

import phonenumbers

HERE = "CN"


def valid(digits: str) -> str | None:
    """A number of digits, perhaps after a plus, as E.164; None when nobody can have it."""
    try:
        parsed = phonenumbers.parse(digits, HERE)
    except phonenumbers.NumberParseException:
        return None
    return e164(parsed) if phonenumbers.is_valid_number(parsed) else None


def within(text: str) -> list[phonenumbers.PhoneNumberMatch]:
    """The numbers that stand somewhere in the text, in order."""
    return list(phonenumbers.PhoneNumberMatcher(text, HERE))


def e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
