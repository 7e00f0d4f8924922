"""
The OpenAPI document of the front: made by FastAPI from the code, with what it cannot see added.

It cannot see bodies, since the doors read them themselves, after the caller has been verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from connectors.problems import PROBLEM_TYPE, ProblemAnswer

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


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an address; 401 goes without saying."""
    schema = {"$ref": f"#/components/schemas/{ProblemAnswer.__name__}"}
    return _answers(statuses, {PROBLEM_TYPE: {"schema": schema}})


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same where the source's configuration writes them."""
    return _answers(statuses, {"*/*": {"schema": {"description": "按来源配置"}}})


def _answers(statuses: Iterable[int], content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
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


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` shall be."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            components = made["components"]
            components["schemas"][ProblemAnswer.__name__] = ProblemAnswer.model_json_schema()
            components["securitySchemes"]["source"] = _SOURCE_SCHEME
            for unused in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(unused, None)
            app.openapi_schema = made
        return app.openapi_schema

    return openapi
