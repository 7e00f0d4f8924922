"""
The HTTP front: where sources push to and units fetch from, on a port of its own.

Everything is handed in; nothing here knows the ledger, the broker or the configuration. What the
doors do stands in push_door.py and units_door.py, how the port is kept open in serving.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors import push_door, units_door
from connectors.access import Units
from connectors.gathering import Gathering
from connectors.openapi import BadParameters, document, exactly
from connectors.problems import problem, refusal
from connectors.push import PushDoor
from connectors.push_door import COME_AGAIN, PushHandler
from connectors.receiving import Refused, Slots
from connectors.serving import MAX_HEAD, FrontServer
from connectors.units_door import BadBody, NotServedHere, UnitsDoor
from router.errors import LedgerUnavailable
from router.events import Observer, Trouble
from router.ports import Accept, AppealStatus, AttachmentStore, Clock, WorkList

__all__ = ["FrontLimits", "FrontPorts", "FrontServer", "build_front"]

MAX_HEADERS = 100


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """What one process takes on at once."""

    requests: int = 64
    """Requests under way. More are answered 503; memory is bounded by this times the largest body."""
    each: int = 24
    """Of these, the share of one source, or of all units together: a slow one never keeps the others out."""
    accepting: int = 8
    """Threads that write to the ledger for pushes."""
    serving: int = 8
    """Threads that read and write for units."""
    read_within: timedelta = timedelta(seconds=10)
    """How long a unit may take to send its request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontPorts:
    """What stands behind the doors."""

    accept: Accept
    work_list: WorkList
    status: AppealStatus
    store: AttachmentStore
    announce: Observer
    clock: Clock


def build_front(
    doors: Mapping[str, PushDoor],
    units: Units,
    ports: FrontPorts,
    *,
    limits: FrontLimits | None = None,
    public_url: str = "",
) -> Starlette:
    """The application. `doors` by their paths (`push.by_path`); `public_url` is how the outside reaches it,
    whose path is part of signatures."""
    limits = limits or FrontLimits()
    slots = Slots(most=limits.requests, each=limits.each)
    prefix = urlsplit(public_url).path.rstrip("/")
    app = _bare(ports.announce, ports.clock)
    accepting = anyio.CapacityLimiter(limits.accepting)
    app.state.pushes = PushHandler(
        doors=doors,
        accept=Gathering(ports.accept, accepting),
        status=ports.status,
        store=ports.store,
        announce=ports.announce,
        clock=ports.clock,
        slots=slots,
        threads=accepting,
        prefix=prefix,
    )
    app.state.units_door = UnitsDoor(
        work_list=ports.work_list,
        store=ports.store,
        units=units,
        announce=ports.announce,
        clock=ports.clock,
        slots=slots,
        threads=anyio.CapacityLimiter(limits.serving),
        read_within=limits.read_within,
        prefix=prefix,
    )
    return app


def contract() -> dict[str, Any]:
    """The OpenAPI document of both doors: docs/contracts/openapi.json. It depends on no configuration."""
    return document((*push_door.OPERATIONS, *units_door.OPERATIONS), units_door.SCHEMES)


def _bare(announce: Observer, clock: Clock) -> Starlette:
    """Routes, refusals and the guard; the doors behind them come with `app.state`."""
    routes = [one.route for one in (*push_door.OPERATIONS, *units_door.OPERATIONS)]
    return Starlette(
        routes=[*routes, push_door.WRONG_METHODS, exactly(Route("/v1/openapi.json", _contract))],
        middleware=[Middleware(Guard, announce=announce, clock=clock)],
        exception_handlers=_HANDLERS,
    )


async def _contract(_: Request) -> Response:
    return JSONResponse(contract())


class Guard:
    """The last line: an error that nobody foresaw is a 503 and one event, never a trace with a body in it."""

    def __init__(self, app: ASGIApp, announce: Observer, clock: Clock) -> None:
        self._app = app
        self._announce = announce
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message = {**message, "headers": [*message["headers"], *_extra(message["status"])]}
            await send(message)

        try:
            await (self._app if _is_modest(scope) else _TOO_MUCH_HEAD)(scope, receive, watched)
        except ClientDisconnect:
            return  # it went away in the middle of its own request; there is nobody to answer
        except Exception as error:
            self._announce(Trouble(self._clock(), "front", type(error).__name__))
            if not has_begun:
                await _come_again()(scope, receive, watched)


def _is_modest(scope: Scope) -> bool:
    """uvicorn limits a head that comes in pieces; one that comes in a single piece is limited here."""
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    return len(scope["headers"]) <= MAX_HEADERS and size + len(scope["query_string"]) <= MAX_HEAD


def _extra(status: int) -> list[tuple[bytes, bytes]]:
    close = [(b"connection", b"close")] if status == 408 else []
    return [(b"cache-control", b"no-store"), *close]


def _come_again() -> Response:
    return problem(503, "系统暂时无法处理，请稍后重试", retry_after=COME_AGAIN)


def _refused(_: Request, error: Any) -> Response:
    return refusal(error)


def _away(_: Request, error: Any) -> Response:
    return problem(503, "系统暂时无法读写，请稍后重试", retry_after=error.retry_after or COME_AGAIN)


def _bad(_: Request, error: Any) -> Response:
    where = f"：{'、'.join(error.fields)}"[:300] if error.fields else ""
    return problem(422, f"请求不符合接口约定{where}")


def _not_served(_: Request, error: Any) -> Response:
    return problem(403, "本单位的任务不经本接口下发")


def _http(_: Request, error: Any) -> Response:
    detail = {404: "地址不存在", 405: "不支持该请求方法"}.get(error.status_code, "请求无法处理")
    answer = problem(error.status_code, detail)
    answer.headers.update(error.headers or {})
    return answer


_TOO_MUCH_HEAD = problem(431, "请求头过大")

_HANDLERS: dict[Any, Any] = {
    Refused: _refused,
    LedgerUnavailable: _away,
    BadParameters: _bad,
    BadBody: _bad,
    NotServedHere: _not_served,
    HTTPException: _http,
}
