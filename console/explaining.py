"""
Why an appeal looks as it does and went where it went: worked out again, never stored.

From the kept original and the kept configuration the mapping's trace and the rules' reasoning come
out as they were then; with `today`, as they would be now.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from config.loading import Configuration
from config.wiring import Installation
from mappings.trace import rows
from router.errors import PermanentError
from router.ports import Identity


def explain_appeal(
    installation: Installation, appeal_id: str, revision: int | None, *, today: bool
) -> dict[str, Any] | None:
    """`fields` (the mapping's trace) and `decision` (with every rule passed over); None when unknown."""
    found = installation.views.original(appeal_id, revision)
    if found is None:
        return None
    envelope, config_hash = found
    configuration = installation.configuration if today else installation.configuration_of(config_hash)
    source = configuration.settings.sources[envelope.source]
    translator = configuration.translators[source.mapping]
    explained: dict[str, Any] = {
        "appeal_id": appeal_id,
        "source": envelope.source,
        "source_id": envelope.source_id,
        "config_hash": configuration.hash,
        "problem": envelope.problem,
        "notes": list(envelope.notes),
        "fields": [],
        "decision": None,
    }
    try:
        explained["fields"] = [asdict(row) for row in rows(translator.explain(envelope), masked=True)]
        appeal = translator.translate(envelope).appeal(Identity(appeal_id, revision or 1))
        explained["decision"] = decide(configuration, appeal)
    except PermanentError as error:
        explained["problem"] = str(error)
    return explained


def decide(configuration: Configuration, appeal: Any) -> dict[str, Any]:
    """The decision on an appeal with its full reasoning."""
    decision = configuration.rules.route(appeal, configuration.first_look(appeal), explain=True)
    told: dict[str, Any] = decision.model_dump(mode="json")
    return told
