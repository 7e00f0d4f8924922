"""
Cases beside a mapping: a payload, and the canonical fields it must become.

`NAME.cases/CASE.input.json` is a payload as the source sends it, byte for byte.
`NAME.cases/CASE.expected.json` holds the canonical fields, without ids and times of receiving, or
`{"fails": "a part of the error"}` for a payload that must be refused. A field that has the model's
own default may be left out of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mappings.translator import MappingTranslator
from router import jsontext
from router.errors import MalformedEnvelope, MappingFailed
from router.message import Appeal, Envelope
from router.ports import Identity

_INPUT, _EXPECTED = ".input.json", ".expected.json"
_IDENTITY = Identity("00000000-0000-7000-8000-000000000000", 1)
_RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
_NOT_THE_MAPPINGS = {"schema_version", "appeal_id", "source", "source_id", "revision", "received_at"}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    body: bytes
    expected: bytes | None
    """None: nobody has written yet what is expected."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that came out otherwise. `...` stands for a field that is not there."""

    field: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class CaseResult:
    case: str
    differences: tuple[Difference, ...]
    actual: Mapping[str, Any]
    """What came out, in the form of an expected file."""

    @property
    def is_as_expected(self) -> bool:
        return not self.differences


def read(folder: Path) -> list[Case]:
    """The cases in `NAME.cases`, by name. Real files, so only for tools and tests."""
    return [
        Case(path.name.removesuffix(_INPUT), path.read_bytes(), _bytes_of(folder, path))
        for path in sorted(folder.glob(f"*{_INPUT}"))
    ]


def run(translator: MappingTranslator, cases: list[Case], source: str | None = None) -> list[CaseResult]:
    """Translate every case as if it came from this source (the mapping's name unless given)."""
    return [_run(translator, case, source or translator.name) for case in cases]


def as_expected(result: CaseResult) -> str:
    """The text of an expected file that this result would match; for a tool that writes it."""
    return json.dumps(result.actual, ensure_ascii=False, indent=2, default=str) + "\n"


def _bytes_of(folder: Path, given: Path) -> bytes | None:
    path = folder / (given.name.removesuffix(_INPUT) + _EXPECTED)
    return path.read_bytes() if path.exists() else None


def _run(translator: MappingTranslator, case: Case, source: str) -> CaseResult:
    envelope = Envelope(source=source, source_id=case.name, body=case.body, received_at=_RECEIVED)
    full, sparse = _translate(translator, envelope)
    if case.expected is None:
        return CaseResult(case.name, (Difference("(whole case)", ..., "no expected file"),), sparse)
    expected = jsontext.loads(case.expected)
    return CaseResult(case.name, tuple(_compare(expected, full, sparse)), sparse)


def _translate(translator: MappingTranslator, envelope: Envelope) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        appeal = translator.translate(envelope).appeal(_IDENTITY)
    except (MalformedEnvelope, MappingFailed) as error:
        return {"fails": str(error)}, {"fails": str(error)}
    return _dump(appeal, sparse=False), _dump(appeal, sparse=True)


def _dump(appeal: Appeal, *, sparse: bool) -> dict[str, Any]:
    return appeal.model_dump(mode="json", exclude=_NOT_THE_MAPPINGS, exclude_defaults=sparse)


def _compare(expected: Any, full: dict[str, Any], sparse: dict[str, Any]) -> Iterator[Difference]:
    wanted, made, kept = dict(_flat(expected)), dict(_flat(full)), dict(_flat(sparse))
    for field, value in wanted.items():
        got = made.get(field, ...)
        if field == "fails" and isinstance(got, str) and str(value) in got:
            continue
        if got != value:
            yield Difference(field, value, got)
    for field in kept.keys() - wanted.keys():
        yield Difference(field, ..., kept[field])


def _flat(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Objects opened up into dotted names; lists are compared whole."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{above}.{key}" if above else str(key))
    elif above:
        yield above, value
