"""
Places named inside a text, for appeals that carry an address and no code.

The longest name wins, the earlier of two equally long. Two traps of real addresses: the short
names 园区, 高新区, 新区 also end the names of other places (产业园区, 昆山高新区), and streets
are named after cities (昆山路).
"""

from __future__ import annotations

import re

from router.directory import Directory

MAX_TEXT = 2000
"""An address stands at the start; nobody writes one of two thousand characters."""

_GENERIC = re.compile(r"(?:国家|高新|技术|工业|产业|经济|开发|科技|新|园)+区")
_STREET = re.compile(r"(?:[东西南北中]?[路街道巷弄桥]|大道|大街|大桥)")
_BEFORE_GENERIC = re.compile(r"(?:^|[^\u4e00-\u9fff]|苏州市?|(?<!所)在|[于到从和与及是请让找向求])$")
_BLANKS_BESIDE_HAN = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_ADMINISTRATIVE = ("区", "市", "县")


class Places:
    """Finds the place that a text is about. Built once per directory, then only read."""

    def __init__(self, directory: Directory) -> None:
        self._codes = directory.place_names
        self._exact = directory.region
        names = sorted((name for name in self._codes if name), key=len, reverse=True)
        self._names = re.compile("(?=(" + "|".join(map(re.escape, names)) + "))") if names else None

    def region(self, text: str) -> str | None:
        """The code for a code, an old code, a code of a smaller place, a name, or a text with one."""
        text = text.strip()
        # A credit code (18 characters) carries digits of the registering office: never a region.
        code = text[:6] if len(text) in (9, 12) and text.isdigit() else text
        return self._exact(code) or self._inside(text)

    def _inside(self, text: str) -> str | None:
        if self._names is None:
            return None
        text = _BLANKS_BESIDE_HAN.sub("", text[:MAX_TEXT]).casefold()
        best = ""
        for found in self._names.finditer(text):
            name = found.group(1)
            if len(name) > len(best) and stands_alone(name, text[: found.start()], text[found.end(1) :]):
                best = name
        return self._codes[best] if best else None


def stands_alone(name: str, before: str, after: str) -> bool:
    """Whether the name is the place, and not the end of another name or the start of a street's."""
    if name.isascii():
        return not (before[-1:].isascii() and before[-1:].isalnum()) and not (
            after[:1].isascii() and after[:1].isalnum()
        )
    if _GENERIC.fullmatch(name):
        return _BEFORE_GENERIC.search(before[-3:]) is not None
    return name.endswith(_ADMINISTRATIVE) or _STREET.match(after) is None
