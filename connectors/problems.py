"""How the front says no: problem details (RFC 9457) with a sentence for the person who integrates."""

from __future__ import annotations

import math
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import ConfigDict, Field
from starlette.responses import Response

from connectors.receiving import Refused
from router.described import Described
from router.reasons import Refusal

PROBLEM_TYPE = "application/problem+json"

MESSAGES: dict[Refusal, str] = {
    Refusal.BAD_SIGNATURE: "签名或令牌不正确，请核对密钥和签名方法",
    Refusal.OUTSIDE_TOLERANCE: "时间戳超出允许范围，请校准系统时钟",
    Refusal.TOO_LARGE: "请求内容过大",
    Refusal.TOO_MANY: "请求过于频繁，请按 Retry-After 稍后重试",
    Refusal.TOO_SLOW: "请求内容发送过慢，连接已放弃",
    Refusal.WRONG_METHOD: "不支持该请求方法",
    Refusal.WRONG_TYPE: "不支持该内容类型",
    Refusal.BAD_ENCODING: "内容编码无法识别或已损坏",
    Refusal.BUSY: "系统繁忙，请稍后重试",
    Refusal.LEDGER_AWAY: "系统暂时无法保存，请稍后重试",
}


class ProblemAnswer(Described):
    """Problem details as every refusal of the front carries them."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    """The status in words."""
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    """What is wrong and what to do, in Chinese."""
    reason: str = ""
    """A word from a closed list, where there is one."""


def problem(status: int, detail: str, *, reason: str = "", retry_after: timedelta | None = None) -> Response:
    """Never quotes what the request said: it may hold personal data."""
    words = ProblemAnswer(title=HTTPStatus(status).phrase, status=status, detail=detail, reason=reason)
    return Response(
        words.model_dump_json(), status, headers=retry_header(retry_after), media_type=PROBLEM_TYPE
    )


def refusal(refused: Refused) -> Response:
    detail = MESSAGES[refused.reason]
    answer = problem(refused.status, detail, reason=refused.reason, retry_after=refused.retry_after)
    if refused.status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def retry_header(retry_after: timedelta | None) -> dict[str, str]:
    """Whole seconds, at least one."""
    return {"retry-after": str(max(1, math.ceil(retry_after.total_seconds())))} if retry_after else {}
