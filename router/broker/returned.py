"""From a raw AMQP message, which may come from anybody, to `Returned`. Never raises for its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.broker import headers
from router.ports import Returned

LONGEST_TEXT = 255
"""As long as an AMQP short text may be; our own header values are shorter."""


def returned(queue: str, message: Any) -> Returned:
    """`message` is py-amqp's, its body bytes."""
    properties = message.properties
    table = properties.get("application_headers") or {}
    body = message.body
    return Returned(
        queue=queue,
        body=bytes(body) if not isinstance(body, str) else body.encode("utf-8", "surrogatepass"),
        message_id=_text(properties.get("message_id")),
        correlation_id=_text(properties.get("correlation_id")),
        type=_text(properties.get("type")),
        headers=_known(table),
        reason=_text(table.get(headers.FIRST_DEATH_REASON)) or _text(_death(table).get("reason")),
        origin_queue=_text(table.get(headers.FIRST_DEATH_QUEUE)) or _text(_death(table).get("queue")),
        user_id=_text(properties.get("user_id")),
        exchange=message.delivery_info.get("exchange") or "",
        routing_key=message.delivery_info.get("routing_key") or "",
    )


def _known(table: Mapping[Any, Any]) -> dict[str, str]:
    return {
        name: text
        for name in headers.KNOWN
        if (value := table.get(name)) is not None and (text := _text(value)) is not None
    }


def _death(table: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The broker's first note on the death; a stranger may have written anything there."""
    deaths = table.get(headers.DEATHS)
    first = deaths[-1] if isinstance(deaths, list) and deaths else None
    return first if isinstance(first, Mapping) else {}


def _text(value: object) -> str | None:
    if isinstance(value, str) and value:
        return value[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None
