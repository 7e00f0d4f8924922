"""
The two sealed documents: an envelope's original, and a revision with its decision.

An envelope is sealed as one line of JSON (what is not a column: attachments, problem, notes) and
then the body, byte for byte. A revision is sealed as three lines of JSON: the appeal without its contact,
the contact, the decision; a dispatch is put together from the first two without parsing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic_core import from_json

from router import jsontext
from router.flows.outbox import KeptAppeal
from router.flows.records import Recording
from router.ledger.columns import micros
from router.ledger.rowtypes import EnvelopeRow, RevisionRow
from router.ledger.sealing import Sealer
from router.message import Appeal, Decision, Envelope

_ASIDE = {"attachments", "problem", "notes"}
"""The envelope's fields that are personal and not columns."""


def envelope_row(sealer: Sealer, r: Recording, config_hash: str) -> EnvelopeRow:
    """A row of `envelopes`, sealed."""
    e = r.envelope
    is_plain = not e.attachments and e.problem is None and not e.notes
    aside = None if is_plain else e.model_dump(mode="json", include=_ASIDE, exclude_defaults=True)
    plain = (jsontext.dumps(aside) if aside else b"") + b"\n" + e.body
    return EnvelopeRow(
        r.envelope_id,
        r.after.appeal_id,
        e.source,
        e.source_id,
        r.outcome,
        cast(int, micros(e.received_at)),
        micros(e.updated_at),
        e.delivery_id,
        e.content_type,
        config_hash,
        sealer.current,
        sealer.seal(r.envelope_id, plain),
    )


def open_envelope(sealer: Sealer, row: Any) -> Envelope:
    """The untouched original out of its row."""
    aside, _, body = sealer.open(row.key_id, row.envelope_id, row.body).partition(b"\n")
    return Envelope(
        source=row.source,
        source_id=row.source_id,
        body=body,
        content_type=row.content_type,
        updated_at=row.updated_at,
        received_at=row.received_at,
        delivery_id=row.delivery_id,
        **(jsontext.loads(aside) if aside else {}),
    )


def revision_id(appeal_id: str, revision: int) -> str:
    """What a revision's document is sealed to."""
    return f"{appeal_id}/{revision}"


def revision_row(sealer: Sealer, r: Recording, kept: KeptAppeal, config_hash: str, at: int) -> RevisionRow:
    """A row of `revisions`, sealed. `kept` is the recording's appeal."""
    assert r.appeal is not None
    appeal_id, revision = r.appeal.appeal_id, r.appeal.revision
    return RevisionRow(
        appeal_id,
        revision,
        r.outcome,
        r.envelope_id,
        config_hash,
        at,
        sealer.current,
        seal_document(sealer, revision_id(appeal_id, revision), kept, r.decision),
    )


def kept_appeal(appeal: Appeal) -> KeptAppeal:
    """The appeal's two texts."""
    rest = dict(appeal.__dict__)
    contact = _json(rest.pop("contact").__dict__)
    try:
        return KeptAppeal(_json(rest), contact)
    except TypeError:  # an extension holds a whole number of more than 64 bits
        return KeptAppeal(_APPEAL.dump_json(appeal, exclude={"contact"}), contact)


def _json(fields: Mapping[str, Any]) -> bytes:
    """As pydantic writes a model's fields, in a third of the time."""
    return orjson.dumps(fields, default=_fields, option=orjson.OPT_UTC_Z)


def _fields(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def seal_document(sealer: Sealer, record_id: str, kept: KeptAppeal, decision: Decision | None) -> bytes:
    """An appeal in one revision and why it went where it went."""
    lines = (*kept, _json(decision.__dict__) if decision else b"null")
    return sealer.seal(record_id, b"\n".join(lines))


def open_kept(sealer: Sealer, key_id: str, appeal_id: str, revision: int, sealed: bytes) -> KeptAppeal:
    """The appeal's two texts, for making a dispatch."""
    rest, contact, _ = _lines(sealer, key_id, revision_id(appeal_id, revision), sealed)
    return KeptAppeal(rest, contact)


def open_document(
    sealer: Sealer, key_id: str, appeal_id: str, revision: int, sealed: bytes
) -> Mapping[str, Any]:
    """`appeal` and `decision` as plain JSON objects; models are for those who need them."""
    rest, contact, decision = _lines(sealer, key_id, revision_id(appeal_id, revision), sealed)
    return {
        "appeal": {**from_json(rest), "contact": from_json(contact)},
        "decision": from_json(decision),
    }


def _lines(sealer: Sealer, key_id: str, record_id: str, sealed: bytes) -> list[bytes]:
    """JSON on one line holds no line feed, so the three texts need no other frame."""
    return sealer.open(key_id, record_id, sealed).split(b"\n")


_APPEAL = TypeAdapter(Appeal)
