"""
One source's mapping at work: an envelope in, the canonical appeal out.

Compiled once, then immutable and shared by all threads. Translating is split in two, because the
digest is needed for every envelope and the validated appeal only for those that are news.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from mappings.canonical import MAX_EXTENSIONS, Target, scalar
from mappings.recipe import Maker, Recipe
from mappings.registry import Call, Note, Surroundings, Unreadable
from mappings.trace import FieldTrace
from router import jsontext
from router.errors import MalformedEnvelope, MappingFailed
from router.limits import clean
from router.masking import mask_value
from router.message import Appeal, Attachment, Envelope
from router.ports import Identity

MAX_FLAGS = 20
_SAID_AT_ONCE = 5
"""Problems named in one error text; the rest is counted."""

_KEPT_RAW = frozenset({"unknown_code", "unknown_unit", "unreadable"})
_BACKSLASH, _ESCAPE = b"\\", b"\\u"
_SUSPECT = (b"\\u0000", b"\\ud", b"\\uD")
"""What a JSON text holds when a NUL or half a surrogate pair is in it (and in every emoji's escape)."""


@dataclass(slots=True)
class Translated:
    """What a mapping made of one envelope (the port `Translation`)."""

    digest: str
    source_time: datetime | None
    is_echo: bool
    unknown_codes: tuple[tuple[str, str], ...]
    values: Mapping[str, Any]
    """The canonical fields, not yet validated."""
    _mapping: MappingTranslator = field(repr=False)

    def appeal(self, identity: Identity) -> Appeal:
        """The canonical appeal, validated once. MappingFailed names file, line, field and masked value."""
        given = {**self.values, "appeal_id": identity.appeal_id, "revision": identity.revision}
        try:
            return Appeal.model_validate(given)
        except ValidationError as error:
            said = self._mapping.say(error)
        # Outside the except block: pydantic's error quotes the values, and a chain would carry it into logs.
        raise MappingFailed(said)


@dataclass(frozen=True, slots=True)
class MappingTranslator:
    """One mapping, ready to work (the port `Translator`)."""

    name: str
    where: str
    """The file it stands in."""
    recipes: tuple[tuple[Target, Recipe], ...]
    around: Surroundings = field(repr=False)
    revision_of: tuple[str, ...]
    source_time: Recipe | None = None
    echo: Recipe | None = None
    echo_equals: frozenset[str] = frozenset()
    _constants: Mapping[str, Any] = field(init=False, repr=False, compare=False)
    """The fields at the top that are the same for every message."""
    _makers: tuple[tuple[str, str, Maker, Recipe], ...] = field(init=False, repr=False, compare=False)
    """All other fields, in the order of `recipes`: parent, leaf and how it is made."""

    def __post_init__(self) -> None:
        fixed = {t.leaf: r.constant for t, r in self.recipes if r.constant is not None and not t.parent}
        made = tuple((t.parent, t.leaf, r.make, r) for t, r in self.recipes if t.name not in fixed)
        object.__setattr__(self, "_constants", fixed)
        object.__setattr__(self, "_makers", made)

    @property
    def fields(self) -> tuple[str, ...]:
        """The canonical fields that this mapping fills."""
        return tuple(target.name for target, _ in self.recipes)

    def translate(self, envelope: Envelope) -> Translated:
        """Raises MalformedEnvelope or MappingFailed, whatever came."""
        data, was_replaced = _read(envelope)
        source, attachments = envelope.source, envelope.attachments
        call = Call(self.around, source)
        values = self._fill(data, call)
        source_time = self.source_time.make(data, call) if self.source_time else None
        is_echo = self.echo is not None and _says(self.echo.make(data, call), self.echo_equals)
        notes = call.notes
        if notes or was_replaced or envelope.notes:
            _keep_raw(values, notes)
            values["flags"] = _flags(was_replaced, bool(envelope.notes), notes)
        if attachments:
            values["attachments"] = attachments
        digest = digest_of(values, self.revision_of, attachments)
        values["source"], values["source_id"] = source, envelope.source_id
        values["received_at"] = envelope.received_at
        unknown = _unknown(notes) if notes else ()
        return Translated(digest, source_time or envelope.updated_at, is_echo, unknown, values, self)

    def explain(self, envelope: Envelope) -> list[FieldTrace]:
        """How each field came about; computed anew, never stored. Raises MalformedEnvelope only.

        Raw values are shown as given: masking is the caller's choice (`mappings.trace.rows`).
        """
        data, _ = _read(envelope)
        call = Call(self.around, envelope.source)
        extra = (recipe for recipe in (self.source_time, self.echo) if recipe)
        traces = []
        for recipe in (*(recipe for _, recipe in self.recipes), *extra):
            before = len(call.notes)
            explanation = recipe.explain(data, call)
            notes = tuple(dict.fromkeys(_flag(note) for note in call.notes[before:]))
            traces.append(FieldTrace(recipe.target, recipe.where, explanation, notes, recipe.required))
        return traces

    def say(self, error: ValidationError) -> str:
        """A validation error for the person who mends mappings: places and shapes, no values."""
        return _enumerate(self._say(item) for item in error.errors(include_url=False))

    def _say(self, item: Any) -> str:
        path = ".".join(str(step) for step in item["loc"])
        recipe = next((r for t, r in self.recipes if path == t.name or path.startswith(f"{t.name}.")), None)
        where = recipe.where if recipe else self.where
        limit = item.get("ctx", {}).get("max_length")
        wanted = f"at most {limit} long" if limit is not None else item["msg"]
        return f"{where}: {path}: {wanted}, but it is {mask_value(item['input'])}"

    def _fill(self, data: Any, call: Call) -> dict[str, Any]:
        values = {**self._constants}
        missing: list[str] = []
        for parent, leaf, make, recipe in self._makers:
            value = make(data, call)
            if value is None:
                if recipe.required:
                    missing.append(_say_missing(recipe, call.notes))
            elif parent:
                values.setdefault(parent, {})[leaf] = value
            else:
                values[leaf] = value
        if missing:
            raise MappingFailed(_enumerate(iter(missing)))
        return values


def digest_of(values: Mapping[str, Any], names: Iterable[str], attachments: Iterable[Attachment]) -> str:
    """SHA-256 over exactly these fields, whatever order their keys or attachments came in."""
    chosen = {name: values[name] for name in names if name in values}
    if "attachments" in chosen:
        chosen["attachments"] = sorted(attachment.sha256 for attachment in attachments)
    return hashlib.sha256(jsontext.canonical(chosen)).hexdigest()


def _read(envelope: Envelope) -> tuple[Any, bool]:
    """The body, and whether characters in it had to be replaced."""
    if envelope.problem is not None:
        raise MalformedEnvelope(envelope.problem)
    body = envelope.body
    data = jsontext.loads(body)
    # One byte alone is found many times as fast as two.
    if _BACKSLASH in body and _ESCAPE in body and any(mark in body for mark in _SUSPECT):
        cleaned = _clean(data)
        if cleaned != data:
            return cleaned, True
    return data, False


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else clean(value)


def _says(value: Any, words: frozenset[str]) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(str(scalar(item)) in words for item in items if not isinstance(item, (dict, list)))


def _keep_raw(values: dict[str, Any], notes: list[Note]) -> None:
    """What could not be read stays in the appeal, as long as there is room among the extensions."""
    for note in notes:
        if note.kind not in _KEPT_RAW or note.raw is None:
            continue
        kept = values.setdefault("extensions", {})
        key = f"{note.field.removeprefix('extensions.')}_raw"
        if key not in kept and len(kept) >= MAX_EXTENSIONS:
            continue
        raw = _raw(note.raw)
        kept[key] = scalar(f"{kept[key]}、{raw}") if key in kept and kept[key] != raw else raw


def _raw(raw: Any) -> Any:
    try:
        return scalar(raw[:10_000] if isinstance(raw, str) else raw)
    except Unreadable as error:
        return str(error)


def _flags(was_replaced: bool, is_incomplete: bool, notes: list[Note]) -> list[str]:
    flags = ["replaced_characters"] if was_replaced else []
    if is_incomplete:
        flags.append("incomplete")
    flags += [_flag(note) for note in notes]
    return list(dict.fromkeys(flags))[:MAX_FLAGS]


def _flag(note: Note) -> str:
    return note.detail if note.kind == "flag" else f"{note.kind}:{note.field}"


def _unknown(notes: list[Note]) -> tuple[tuple[str, str], ...]:
    found = ((n.field, n.detail) for n in notes if n.kind in ("unknown_code", "unknown_unit"))
    return tuple(dict.fromkeys(found))


def _say_missing(recipe: Recipe, notes: list[Note]) -> str:
    odd = next((note for note in notes if note.field == recipe.target and note.raw is not None), None)
    looked = " or ".join(recipe.paths) or "its constant"
    if odd is None:
        return f"{recipe.where}: {recipe.target} is required, and nothing stands at {looked}"
    kind = odd.kind.replace("_", " ")
    return f"{recipe.where}: {recipe.target} is required, and {looked} is {kind}: {mask_value(odd.raw)}"


def _enumerate(problems: Iterator[str]) -> str:
    said = list(problems)
    more = f"; and {len(said) - _SAID_AT_ONCE} more" if len(said) > _SAID_AT_ONCE else ""
    return "; ".join(said[:_SAID_AT_ONCE]) + more
