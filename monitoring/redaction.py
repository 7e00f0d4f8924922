"""
What may be said of a text or an exception in a log line or a health page (P8).

Names cannot be recognised by their form, so the rule is strict: in a log, a run of Chinese
characters from outside is shown by its first and last character only. Log texts of ours are English.
"""

from __future__ import annotations

import errno
import re
import traceback
from pathlib import Path

from router.errors import ConfigError, HubError
from router.masking import mask_name, mask_text

LONGEST = 300
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff·]{2,}")
_QUERY = re.compile(r"(\w+://[^\s?#]*)\?[^\s'\"]*")
_USERINFO = re.compile(r"(\w+://)[^/@\s]*@")
_SECRET = re.compile(
    r"(?i)\b(password|passwd|secret|token|sign|signature|authorization|api_?key)(\"?\s*[=:]\s*)[^\s,;&]+"
)
_OUR_FLOORS = ("router", "connectors", "mappings", "monitoring", "config", "console", "demo")
_DEEPEST_CAUSE = 4


def scrub(text: str, limit: int = LONGEST) -> str:
    """One line without control characters, numbers, mail addresses, credentials and query strings."""
    text = _USERINFO.sub(r"\1***@", text[: limit * 4])
    text = _SECRET.sub(r"\1\2***", _QUERY.sub(r"\1?***", text))
    return mask_text(text, limit)


def outline(text: str, limit: int = LONGEST) -> str:
    """`scrub`, and of Chinese words only the outline: 王小明 → 王*明."""
    return _HAN.sub(lambda found: _shortened(found.group()), scrub(text, limit))


def describe(error: BaseException) -> str:
    """An exception in one line: kinds and places, never values.

    The message is kept only of errors whose texts are ours and masked by contract (router/errors.py)
    and of system errors (by number). Any other library may quote what it choked on: a database
    driver quotes the row.
    """
    parts, seen = [], error
    for _ in range(_DEEPEST_CAUSE):
        parts.append(_one(seen))
        cause = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        if cause is None:
            break
        seen = cause
    return " <- ".join(parts)


def _one(error: BaseException) -> str:
    said = _words(error)
    place = _place(error)
    return type(error).__name__ + (f": {said}" if said else "") + (f" [{place}]" if place else "")


def _words(error: BaseException) -> str:
    if isinstance(error, (HubError, ConfigError)):
        return outline(str(error))
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    return ""


def _place(error: BaseException) -> str:
    """The innermost line of ours, else the innermost line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_ours(frame.filename)] or list(frames)
    return f"{_short(own[-1].filename)}:{own[-1].lineno} {own[-1].name}" if own else ""


def _is_ours(filename: str) -> bool:
    parts = Path(filename).parts
    return "site-packages" not in parts and any(floor in parts for floor in _OUR_FLOORS)


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


def _shortened(word: str) -> str:
    masked = mask_name(word)
    return masked if len(masked) <= 4 else f"{word[0]}**{word[-1]}"
