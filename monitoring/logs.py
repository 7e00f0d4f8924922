"""
Logging: structlog, JSON or readable, one line per polling round and none per message at info.

Deny by default: only the keys in ALLOWED come through, and every text among them is cleaned, masked
and cut (`redaction`). The loggers of libraries go the same way. Tracebacks are never printed: they
quote source lines, and their messages quote data.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import Annotated, Any, Literal, TextIO

import structlog
from pydantic import BaseModel, ConfigDict, Field

from monitoring.redaction import describe, outline

Form = Literal["json", "readable"]
Level = Literal["debug", "info", "warning", "error"]


class LogSettings(BaseModel):
    """How the hub logs, to standard error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Annotated[Form, Field(description="`json` for collectors, `readable` for people")] = "json"
    level: Annotated[Level, Field(description="At `debug` there is a line per message")] = "info"


_IDENTIFIERS = frozenset[str]().union(
    ["source", "destination", "unit", "rule", "role", "flow", "kind", "outcome", "stage", "reason"],
    ["state", "table", "field", "verdict", "method", "logger"],
    ["appeal_id", "delivery_id", "dispatch_id", "config_hash"],
)
ALLOWED = _IDENTIFIERS.union(
    ["event", "level", "timestamp", "error", "detail", "hint", "where", "path", "status"],
    ["fetched", "took", "counts", "times", "usual", "retry_after", "again_at", "paused", "attempt"],
    ["count", "unknown_codes", "destinations", "host", "port", "url", "version", "database", "broker"],
    ["signal", "thread", "pid"],
)
"""Every key a line may have. `source_id` is not among them: some systems use a phone number for it."""

_SAFE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,64}|[A-Za-z][0-9A-Za-z._:/-]{0,99}"
)
"""Our own ids, hashes and words: masking their digits would make a line unfindable."""

_QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "pika": logging.ERROR,  # at warning it reports every closed socket; the relay says so itself
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,  # paths and query strings are the callers'
    "uvicorn.error": logging.WARNING,
    "uvicorn": logging.WARNING,
    "asyncio": logging.WARNING,
}
_EventDict = MutableMapping[str, Any]


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Set up structlog, the standard library's loggers, warnings and uncaught exceptions."""
    # Else a broken format string prints its arguments, which may be anyone's data.
    logging.raiseExceptions = False
    shared: list[Any] = [structlog.stdlib.add_log_level, allow_only, _stamp]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings.form)],
            keep_exc_info=False,
            keep_stack_info=False,
        )
    )
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        library = logging.getLogger(name)
        library.handlers[:] = []
        library.propagate = True
        library.setLevel(quiet)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def allow_only(logger: Any, method: str, line: _EventDict) -> _EventDict:
    """The gate: known keys pass, cleaned; an exception becomes one line of kinds and places."""
    kept: _EventDict = {
        key: _cleaned(key, value) for key, value in line.items() if key in ALLOWED or key.startswith("_")
    }
    if (error := _exception(line.get("exc_info"))) is not None:
        kept["error"] = describe(error)
    return kept


def _cleaned(key: str, value: Any) -> Any:
    if key.startswith("_") or value is None or isinstance(value, (bool, int, float)):
        return value  # underscored keys are structlog's own and removed before rendering
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        return {outline(str(k), 60): _cleaned(key, v) for k, v in list(value.items())[:20]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(key, item) for item in list(value)[:20]]
    text = str(value.value if isinstance(value, Enum) else value)
    return text if key in _IDENTIFIERS and _SAFE.fullmatch(text) else outline(text)


def _exception(info: Any) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _renderer(form: Form) -> Any:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=False)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, (KeyboardInterrupt, SystemExit)):
        return
    structlog.get_logger("suqiu").critical(
        "uncaught exception", error=error or kind.__name__, thread=threading.current_thread().name
    )
