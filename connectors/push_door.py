"""
The way of one push through the front, in this order and no other.

Method and content type, room, body within size and time, rate, signature, clock, and only then
what the body says. The answer is yes after COMMIT and at no other moment; whatever goes wrong
before is no yes, and the sender comes again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.openapi import PUSH_BODY, SIGNED_BY_SOURCE, Operation, refusals
from connectors.problems import MESSAGES, problem, retry_header
from connectors.push import Parsed, PushDoor
from connectors.rate import TokenBucket
from connectors.receiving import Incoming, Refused, Slots, receive
from router.errors import LedgerUnavailable
from router.events import Observer, RequestRefused, Trouble
from router.message import Acceptance, Batch
from router.ports import AppealStatus, AttachmentStore, Clock
from router.reasons import Refusal

NO_SUCH_ADDRESS = "地址不存在"
COME_AGAIN = timedelta(seconds=10)


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Rates:
    pushes: TokenBucket
    questions: TokenBucket


@dataclass(frozen=True, kw_only=True)
class PushHandler:
    """All push doors, with everything they need handed in."""

    doors: Mapping[str, PushDoor]
    accept: Callable[[Batch], Awaitable[Acceptance]]
    """Returns after COMMIT."""
    status: AppealStatus
    store: AttachmentStore
    announce: Observer
    clock: Clock
    slots: Slots
    threads: anyio.CapacityLimiter
    prefix: str
    _rates: dict[str, _Rates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path, door in self.doors.items():
            rate = door.settings.rate
            self._rates[path] = _Rates(TokenBucket(rate), TokenBucket(rate))

    async def push(self, request: Request) -> Response:
        door = self.doors.get(request.path_params["path"])
        if door is None:
            return problem(404, NO_SUCH_ADDRESS)
        try:
            return await self._push(door, request)
        except Refused as refused:
            return self._refuse(door, refused)

    async def _push(self, door: PushDoor, request: Request) -> Response:
        if request.method != "POST":
            raise Refused(Refusal.WRONG_METHOD, 405)
        door.content_of(request.headers.get("content-type", "").partition(";")[0].strip().lower())
        with self.slots.taken(door.source):
            incoming = await self._receive(door, request, door.settings.max_bytes)
            _take(self._rates[door.path].pushes)
            now = self.clock()
            proof = door.verify(incoming, now)
            acceptance = await self._keep(door.parse(incoming, proof, now))
        yes = door.settings.answer
        return Response(yes.write(acceptance, door.status_url), yes.status, media_type=yes.content_type)

    async def _keep(self, parsed: Parsed) -> Acceptance:
        """Returns after COMMIT."""
        if parsed.files:
            await self._ask(self._in_thread(self._store, parsed))
        return await self._ask(self.accept(parsed.batch))

    def _store(self, parsed: Parsed) -> None:
        for content in parsed.files:
            self.store.put(content)

    async def appeal(self, request: Request) -> Response:
        """How an appeal of this source stands; asked with the scheme that it pushes with."""
        door = self.doors.get(request.path_params["path"])
        if door is None:
            return problem(404, NO_SUCH_ADDRESS)
        try:
            with self.slots.taken(door.source):
                return await self._appeal(door, request)
        except Refused as refused:
            return self._refuse(door, refused)

    async def _appeal(self, door: PushDoor, request: Request) -> Response:
        incoming = await self._receive(door, request, 0)
        _take(self._rates[door.path].questions)
        door.verify(replace(incoming, covers_line=True), self.clock())
        asked = self._in_thread(self.status.status, door.source, request.path_params["appeal_id"])
        found = await self._ask(asked)
        if found is None:
            return problem(404, "没有该诉求，或该诉求不是由本系统报送")
        return Response(to_json(found), media_type="application/json")

    async def _receive(self, door: PushDoor, request: Request, most: int) -> Incoming:
        return await receive(request, most=most, within=door.settings.read_within, prefix=self.prefix)

    def _in_thread(self, work: Callable[..., Answer], *args: Any) -> Awaitable[Answer]:
        return anyio.to_thread.run_sync(work, *args, limiter=self.threads)

    async def _ask(self, answer: Awaitable[Answer]) -> Answer:
        """Raises Refused (503) when nothing was promised, or nobody knows."""
        try:
            return await answer
        except LedgerUnavailable as error:
            wait = error.retry_after or COME_AGAIN
            raise Refused(Refusal.LEDGER_AWAY, 503, retry_after=wait) from error
        except Exception as error:
            # Its name only: the text of an error that we do not know may quote the body.
            self.announce(Trouble(self.clock(), "front", type(error).__name__))
            raise Refused(Refusal.LEDGER_AWAY, 503, retry_after=COME_AGAIN) from error

    def _refuse(self, door: PushDoor, refused: Refused) -> Response:
        self.announce(RequestRefused(self.clock(), door.source, refused.reason))
        no = door.settings.refusal
        body = no.write(refused.status, refused.reason, MESSAGES[refused.reason])
        headers = retry_header(refused.retry_after)
        return Response(body, no.status or refused.status, media_type=no.content_type, headers=headers)


def _take(bucket: TokenBucket) -> None:
    wait = bucket.take()
    if wait is not None:
        raise Refused(Refusal.TOO_MANY, 429, retry_after=wait)


async def push_appeals(request: Request) -> Response:
    pushes: PushHandler = request.app.state.pushes
    return await pushes.push(request)


async def read_status(request: Request) -> Response:
    pushes: PushHandler = request.app.state.pushes
    return await pushes.appeal(request)


class _Door(BaseModel):
    path: Annotated[str, Field(description="来源系统的推送地址标识")]


class _Appeal(_Door):
    appeal_id: Annotated[str, Field(description="推送应答中的诉求编号")]


_WRITTEN = {"description": "已入库", "content": {"*/*": {"schema": {"description": "按来源配置"}}}}
_STATUS = {
    "description": "状态、修订号和各承办任务的进展，不含个人信息",
    "content": {"application/json": {"schema": {"type": "object"}}},
}

OPERATIONS = (
    Operation(
        name="push_appeals",
        method="POST",
        path="/push/{path}",
        endpoint=push_appeals,
        tag="来源",
        summary="推送诉求",
        description="签名方式、内容类型和应答内容按来源配置。应答为成功即已入库；未得到成功应答应重发。",
        asks=_Door,
        answers={200: _WRITTEN, **refusals(404, 405, 408, 413, 415, 422, 429, 503)},
        adds=PUSH_BODY,
    ),
    Operation(
        name="read_status",
        method="GET",
        path="/push/{path}/appeals/{appeal_id}",
        endpoint=read_status,
        tag="来源",
        summary="查询诉求状态",
        description="签名与推送相同，并覆盖请求方法和路径（令牌方式不变）。",
        asks=_Appeal,
        answers={200: _STATUS, **refusals(404, 408, 413, 422, 429, 503)},
        adds=SIGNED_BY_SOURCE,
    ),
)

WRONG_METHODS = Route(
    "/push/{path}", push_appeals, methods=["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
)
"""A wrong method is refused in the sender's own words, and counted."""
