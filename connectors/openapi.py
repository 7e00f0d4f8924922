"""
The addresses of the front, and the OpenAPI document that is made of them.

What stands in an `Operation` is what answers and what the document says: the same model reads a
request's parameters and describes them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.problems import PROBLEM_TYPE, ProblemAnswer

Asked = TypeVar("Asked", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]

_INFO = {
    "title": "诉求中枢接口",
    "summary": "来源系统推送诉求，承办单位领取任务和附件。",
    "version": "1",
}

_WORDS = {
    401: "令牌或签名不正确，或时间戳超出允许范围",
    403: "无权访问",
    404: "不存在",
    405: "请求方法不支持",
    408: "内容发送过慢",
    409: "租约已失效，或任务不属于本单位",
    413: "内容过大",
    415: "内容类型或编码不支持",
    422: "参数或内容不符合约定",
    429: "请求过于频繁，见 Retry-After",
    503: "系统繁忙，见 Retry-After",
}

SIGNED_BY_SOURCE: dict[str, Any] = {"security": [{"source": []}]}
_SOURCE_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": "webhook-signature",
    "description": "来源系统的签名。方案、头字段名按来源配置：Standard Webhooks、HMAC、参数签名或令牌",
}
_REF = "#/components/schemas/{model}"
_RETRY_AFTER = {"Retry-After": {"description": "多少秒后重试", "schema": {"type": "integer", "minimum": 1}}}

PUSH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"description": "一件诉求，或诉求列表"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "multipart/form-data": {"schema": {"type": "object"}},
        },
    },
    **SIGNED_BY_SOURCE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One address of the front."""

    name: str
    method: str
    path: str
    endpoint: Endpoint
    tag: str
    summary: str
    description: str = ""
    asks: type[BaseModel]
    """Its parameters: those that stand in the path by name, the others in the query."""
    answers: Mapping[int, dict[str, Any]]
    """The responses, as OpenAPI writes them."""
    gives: type[BaseModel] | None = None
    """What a 200 holds, if it is JSON of a model."""
    adds: Mapping[str, Any] = field(default_factory=dict)
    """Body and security, as OpenAPI writes them."""

    @property
    def route(self) -> Route:
        return exactly(Route(self.path, self.endpoint, methods=[self.method]))


def exactly(route: Route) -> Route:
    """Starlette answers HEAD wherever it answers GET: it would lease tasks and throw them away."""
    if route.methods and "HEAD" in route.methods:
        route.methods.remove("HEAD")
    return route


class BadParameters(Exception):
    """Path or query is not what the contract says. Tells where, never what stood there."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


def asked(request: Request, model: type[Asked]) -> Asked:
    """The request's parameters. Raises BadParameters."""
    try:
        return model.model_validate({**request.query_params, **request.path_params})
    except ValidationError as error:
        # From None: the original quotes what was asked.
        raise BadParameters([_place(str(one["loc"][0]), request) for one in error.errors()]) from None


def _place(name: str, request: Request) -> str:
    return f"{'path' if name in request.path_params else 'query'}.{name}"


def problems(*statuses: int) -> dict[int, dict[str, Any]]:
    """The refusals of an address; 401 goes without saying."""
    schema = {"$ref": _REF.format(model=ProblemAnswer.__name__)}
    return _answers(statuses, {PROBLEM_TYPE: {"schema": schema}})


def refusals(*statuses: int) -> dict[int, dict[str, Any]]:
    """The same where the source's configuration writes them."""
    return _answers(statuses, {"*/*": {"schema": {"description": "按来源配置"}}})


def _answers(statuses: Iterable[int], content: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {
        status: {
            "description": _WORDS[status],
            "content": content,
            **({"headers": _RETRY_AFTER} if status in (429, 503) else {}),
        }
        for status in (401, *statuses)
    }


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": model.model_json_schema()}},
        }
    }


def document(operations: Iterable[Operation], schemes: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document. `schemes`: how units prove who they are."""
    operations = list(operations)
    given: list[type[BaseModel]] = [one.gives for one in operations if one.gives]
    models: list[tuple[Any, Any]] = [(model, "serialization") for model in [*given, ProblemAnswer]]
    _, schemas = models_json_schema(models, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {**schemes, "source": _SOURCE_SCHEME},
        },
    }


def _described(one: Operation) -> dict[str, Any]:
    answers = {str(status): answer for status, answer in one.answers.items()}
    if one.gives:
        schema = {"$ref": _REF.format(model=one.gives.__name__)}
        answers["200"] = {**answers["200"], "content": {"application/json": {"schema": schema}}}
    described: dict[str, Any] = {"tags": [one.tag], "summary": one.summary}
    if one.description:
        described["description"] = one.description
    described["operationId"] = one.name
    return {**described, "parameters": list(_parameters(one)), "responses": answers, **one.adds}


def _parameters(one: Operation) -> Iterable[dict[str, Any]]:
    schema = one.asks.model_json_schema()
    for name, described in schema["properties"].items():
        said = {"description": described["description"]} if "description" in described else {}
        place = "path" if f"{{{name}}}" in one.path else "query"
        must = name in schema.get("required", ())
        yield {"name": name, "in": place, "required": must, "schema": described, **said}
