"""JSON scalars as text: what was sent, to the last digit, and never by way of a float."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

from mappings.registry import Unreadable

MAX_TEXT = 200_000
"""Four times the longest text an appeal holds; no function is handed more."""

MAX_DIGITS = 64
"""Whole numbers beyond this stay in the spelling they came in: 1e999999999 would fill the memory."""


def text_of(value: Any) -> str:
    """A scalar as text, in the spelling it was sent in: Decimal('1.10') is `1.10`."""
    if type(value) is str:
        if len(value) > MAX_TEXT:
            raise Unreadable(f"a text of more than {MAX_TEXT} characters")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        try:
            return str(value)
        except ValueError as error:  # Python refuses integers of more than 4,300 digits
            raise Unreadable("a number of thousands of digits") from error
    raise Unreadable(f"{_kind(value)} where one value is needed")


def code_of(value: Any) -> str:
    """A scalar as an id, code or number: blanks off, and the `.0` that a spreadsheet adds as well."""
    if type(value) is str and len(value) <= MAX_TEXT:  # nearly always
        return value.strip()
    if (
        isinstance(value, Decimal)
        and 0 <= value.adjusted() < MAX_DIGITS
        and value == value.to_integral_value()
    ):
        return format(value.to_integral_value(), "f")
    return text_of(value).strip()


def narrow(text: str) -> str:
    """Full-width digits, letters and signs as their plain forms."""
    return unicodedata.normalize("NFKC", text)


def _kind(value: Any) -> str:
    return {list: "a list", dict: "an object", type(None): "nothing"}.get(type(value), type(value).__name__)
