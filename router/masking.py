"""
Personal data made safe for logs, lists, metrics and error texts (P8).

Masks are lossy on purpose: what is shown lets a person recognise a case they know,
and tells a stranger nothing. Whoever needs the full value decrypts it from the ledger,
which leaves an audit row.
"""

from __future__ import annotations

import re

# Runs of seven or more digits are phones, identity cards, bank cards or account numbers;
# twelve-digit order numbers go with them, which is the safe side to err on.
_DIGITS = re.compile(r"(?<![0-9A-Za-z])(\+?\d[\d\- ]{5,}\d[Xx]?)(?![0-9A-Za-z])")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def mask_name(name: str) -> str:
    """`王小明` → `王*明`, `王明` → `王*`: first character kept, and the last of three or more."""
    name = name.strip()
    if len(name) <= 1:
        return "*" * len(name)
    return name[0] + "*" * (len(name) - 2) + (name[-1] if len(name) > 2 else "*")


def mask_phone(phone: str) -> str:
    """`13812341234` → `138****1234`: enough to recognise, not to dial."""
    digits = re.sub(r"\D", "", phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "*" * len(digits)


def mask_text(text: str, limit: int = 40) -> str:
    """A short one-line excerpt: phones, numbers and mail addresses masked, control characters gone."""
    text = _CONTROL.sub(" ", text[: limit * 4])
    text = _MAIL.sub("***@***", text)
    text = _DIGITS.sub(lambda found: mask_phone(found.group()), text)
    return text if len(text) <= limit else text[:limit] + "…"


def mask_value(value: object) -> str:
    """An offending value for an error text: its kind and size, and of words only the outline.

    A mapping error shows what shape came, not what it said: `text of 11 characters (138****1234)`.
    """
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        kept = mask_phone(value) if re.search(r"\d{5}", value) else mask_name(value[:12])
        return f"text of {len(value)} characters ({kept})"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, dict):
        return f"object of {len(value)} keys"
    return f"{type(value).__name__} of {len(str(value))} digits"
