"""
Who an approval is about: units, names and phones in the forms in which they are compared (annex 2).

A unit goes by its id where the directory knows it. Where it does not, the form's own name is kept, and
is found again once the directory has learnt it.
"""

from __future__ import annotations

import re
import unicodedata

from router.directory import Directory, fold
from router.ledger.sealing import Sealer

_PHONE = re.compile(r"(?P<abroad>\+|00)?[\d ().\-–—]{7,30}")
_NATIONAL_LEAST = 12
"""Digits from which a leading 86 is the country and not the beginning of a local number."""
_DIGITS = range(7, 16)
"""As many as a whole number has; more are two numbers, or none."""
_MOBILE = re.compile(r"1[3-9]\d{9}|\+\d{7,15}")


def number(text: str) -> str:
    """One phone number in the form in which numbers are compared; empty for what is none.

    `+86 139-0000-7777`, `0086…`, `０１３９…` and `13900007777` are one number.
    """
    narrow = unicodedata.normalize("NFKC", text).replace("\u200b", "").strip()
    found = _PHONE.fullmatch(narrow)
    if found is None:
        return ""
    digits = re.sub(r"\D", "", narrow)
    if found["abroad"]:
        digits = digits.removeprefix("00")
        if not digits.startswith("86"):
            return f"+{digits}" if len(digits) in _DIGITS else ""
    if digits.startswith("86") and len(digits) >= _NATIONAL_LEAST:
        digits = digits[2:]
    digits = digits.removeprefix("0")
    return digits if len(digits) in _DIGITS else ""


def is_mobile(text: str) -> bool:
    """Whether this is one mobile number: of the mainland, or of another country by its code."""
    return _MOBILE.fullmatch(number(text)) is not None


class Identities:
    """Keys and keyed hashes of units and people. Thread-safe."""

    def __init__(self, sealer: Sealer, directory: Directory) -> None:
        self._sealer = sealer
        self._directory = directory

    def unit(self, called: str) -> tuple[str, str]:
        """What people read and what is looked up: a known unit's id; else its name, and that name folded."""
        known = self._directory.unit(called)
        return (known, known) if known else (called, fold(called))

    def knows(self, unit: str) -> bool:
        return unit in self._directory.units

    def unit_keys(self, called: str) -> list[str]:
        """All keys under which this unit may stand in the ledger; the one it gets today first."""
        _, key = self.unit(called)
        unit = self._directory.units.get(key)
        return [key] if unit is None else list(dict.fromkeys([key, *map(fold, unit.names)]))

    def user(self, name: str) -> str | None:
        """The hash of a person's name; None without one."""
        folded = fold(name)
        return self._sealer.keyed_hash("approval.user", folded.encode()) if folded else None

    def phone(self, text: str) -> str | None:
        """The hash of a number; None where none can be read (无, 139****7777)."""
        digits = number(text)
        return self._sealer.keyed_hash("approval.phone", digits.encode()) if digits else None
