"""
The units' HTTP door: a unit without AMQP fetches its tasks here, and every unit its attachments.

    GET  /v1/tasks                        lease what is due, oldest first
    POST /v1/tasks/{dispatch_id}/ack      it is ours now
    POST /v1/tasks/{dispatch_id}/reject   we cannot take it, for this reason
    GET  /v1/attachments/{sha256}         the bytes behind a claim check

Leased and not acknowledged means: the same task, with the same id, comes again when the lease
ends. A unit keeps the ids it has worked on, and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from connectors.access import UNIT_HEADER, Units
from connectors.openapi import Endpoint, Operation, asked, json_body, problems
from connectors.problems import problem
from connectors.receiving import Incoming, Refused, Slots, receive
from connectors.units_contract import Acknowledgement, LeaseLength, Rejection, TaskLease, TaskPage
from router import jsontext
from router.errors import MalformedEnvelope
from router.events import Observer, RequestRefused
from router.limits import Key, Sha256
from router.ports import AttachmentStore, Clock, LeasedTask, WorkList
from router.reasons import Refusal

MAX_BODY = 64 * 1024
STRANGER = "units"
"""What events call a caller that has not proved to be a unit."""

Said = TypeVar("Said", bound=BaseModel)
Answer = TypeVar("Answer")

SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "单位令牌"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": UNIT_HEADER.title(),
        "description": "单位标识。签名按该单位配置的方案计算，并覆盖请求方法和路径",
    },
}
_ADMITS: dict[str, Any] = {"security": [{name: []} for name in SCHEMES]}


class BadBody(Exception):
    """The body is not what the contract says. Tells where, never what stood there."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


@dataclass(frozen=True, kw_only=True)
class UnitsDoor:
    """Everything the door needs, handed in."""

    work_list: WorkList
    store: AttachmentStore
    units: Units
    announce: Observer
    clock: Clock
    slots: Slots
    threads: anyio.CapacityLimiter
    read_within: timedelta
    prefix: str

    async def admit(self, request: Request) -> Visit:
        """Read, verify, count: nothing is parsed before it is known who calls. Raises Refused."""
        caller = STRANGER
        try:
            incoming = await receive(request, most=MAX_BODY, within=self.read_within, prefix=self.prefix)
            incoming = replace(incoming, covers_line=True)
            caller = self.units.admit(incoming, self.clock())
            self.units.slow_down(caller)
        except Refused as refused:
            self.announce(RequestRefused(self.clock(), caller, refused.reason))
            raise
        return Visit(self, caller, incoming)


@dataclass(frozen=True)
class Visit:
    """One admitted request of one unit."""

    door: UnitsDoor
    unit: str
    request: Incoming

    def read(self, model: type[Said]) -> Said:
        """The body as this model. Raises BadBody, or Refused for another content type."""
        if self.request.content_type != "application/json":
            raise Refused(Refusal.WRONG_TYPE, 415)
        try:
            return model.model_validate(jsontext.loads(self.request.body))
        except ValidationError as error:
            # From None: the original quotes the body.
            raise BadBody([_known(one["loc"], model) for one in error.errors()]) from None
        except MalformedEnvelope as error:
            raise BadBody([]) from error

    async def ask(self, question: Callable[..., Answer], *args: Any) -> Answer:
        """Ask ledger or store in a thread, so that a slow disk stops nobody else."""
        return await anyio.to_thread.run_sync(question, *args, limiter=self.door.threads)


def _known(loc: Sequence[int | str], model: type[BaseModel]) -> str:
    """A name of the contract's; other names are the body's words."""
    field = str(loc[0]) if loc else "正文"
    return field if not loc or field in model.model_fields else "未约定的字段"


class NotServedHere(Exception):
    """This unit's tasks take another way."""


class LeaseQuestion(BaseModel):
    """What a unit may ask for."""

    limit: Annotated[int, Field(ge=1, le=100, description="最多领取的件数")] = 10
    lease: Annotated[LeaseLength, Field(description="租约时长，如 300 或 5m")] = timedelta(minutes=5)


class OneTask(BaseModel):
    """A task by its dispatch."""

    dispatch_id: Key


class OneFile(BaseModel):
    """An attachment by what it holds."""

    sha256: Sha256


Serve = Callable[[Visit, Request], Awaitable[Response]]


def _admitted(serve: Serve, *, pulls: bool = True) -> Endpoint:
    """For a unit that has proved who it is, and with `pulls` only for one that fetches its tasks here."""

    async def endpoint(request: Request) -> Response:
        door: UnitsDoor = request.app.state.units_door
        with door.slots.taken(STRANGER):
            visit = await door.admit(request)
            if pulls and not door.units.pulls(visit.unit):
                raise NotServedHere
            return await serve(visit, request)

    return endpoint


async def lease_tasks(visit: Visit, request: Request) -> Response:
    question = asked(request, LeaseQuestion)
    leased = await visit.ask(visit.door.work_list.lease, visit.unit, question.limit, question.lease)
    page = TaskPage(tasks=tuple(_task_lease(task) for task in leased))
    return Response(page.model_dump_json(), media_type="application/json")


async def acknowledge(visit: Visit, request: Request) -> Response:
    dispatch_id, said = asked(request, OneTask).dispatch_id, visit.read(Acknowledgement)
    done = await visit.ask(visit.door.work_list.acknowledge, visit.unit, dispatch_id, said.lease)
    return _settled(done)


async def reject(visit: Visit, request: Request) -> Response:
    dispatch_id, said = asked(request, OneTask).dispatch_id, visit.read(Rejection)
    done = await visit.ask(visit.door.work_list.reject, visit.unit, dispatch_id, said.lease, said.reason)
    return _settled(done)


async def attachment(visit: Visit, request: Request) -> Response:
    sha256 = asked(request, OneFile).sha256
    if not await visit.ask(visit.door.work_list.may_read, visit.unit, sha256):
        return problem(403, "该附件不属于派发给本单位的诉求")
    content = await visit.ask(visit.door.store.get, sha256)
    if content is None:
        return problem(404, "附件不存在或已清除")
    # What the sender called it is not to be believed: a browser must neither run nor guess it.
    safe = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=safe)


def _task_lease(task: LeasedTask) -> TaskLease:
    return TaskLease(
        dispatch=task.dispatch, lease=task.lease, lease_until=task.lease_until, attempt=task.attempt
    )


def _settled(done: bool) -> Response:
    return Response(status_code=204) if done else problem(409, "租约已失效，或任务不属于本单位；请重新领取")


_ALWAYS = problems(408, 413, 415, 422, 429, 503, 403)
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def _settling(serve: Serve, verb: str, summary: str, body: type[BaseModel], done: str) -> Operation:
    """What a unit says of one task it has on lease."""
    return Operation(
        name=serve.__name__,
        method="POST",
        path=f"/v1/tasks/{{dispatch_id}}/{verb}",
        endpoint=_admitted(serve),
        tag="单位",
        summary=summary,
        asks=OneTask,
        answers={204: {"description": done}, **_ALWAYS, **problems(409)},
        adds={**json_body(body), **_ADMITS},
    )


OPERATIONS = (
    Operation(
        name="lease_tasks",
        method="GET",
        path="/v1/tasks",
        endpoint=_admitted(lease_tasks),
        tag="单位",
        summary="领取任务",
        description="按先后次序领取到期任务。租约到期仍未确认的任务会再次下发，编号不变。",
        asks=LeaseQuestion,
        answers={200: {"description": "到期任务，可能为空"}, **_ALWAYS},
        gives=TaskPage,
        adds=_ADMITS,
    ),
    _settling(acknowledge, "ack", "确认收到", Acknowledgement, "已确认；重复确认同样成功"),
    _settling(reject, "reject", "拒收", Rejection, "已记录，转人工处理"),
    Operation(
        name="attachment",
        method="GET",
        path="/v1/attachments/{sha256}",
        endpoint=_admitted(attachment, pulls=False),
        tag="单位",
        summary="下载附件",
        asks=OneFile,
        answers={200: {"description": "附件内容", "content": _BYTES}, **_ALWAYS, **problems(404)},
        adds=_ADMITS,
    ),
)
