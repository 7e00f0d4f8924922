"""
The 苏商通-like system: a token that ends soon, a JSON list in pages, photographs behind links.

    POST /oauth/token              client_id, client_secret → access_token
    GET  /api/v2/appeals           自报; updatedFrom, updatedTo, pageNo, pageSize
    GET  /api/v2/reports           直报, the same
    GET  /api/v2/appeals/{id}      one of them
    GET  /files/{id}.png           with the token, like everything else

What is pushed is handed out by pushing.py; only some of it stands in the list as well.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from demo.sources.serving import Answer, Asked, json_answer
from demo.sources.shelf import Row, Shelf
from demo.sources.sst_words import payload, photograph

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIME_FORM = "%Y-%m-%d %H:%M:%S"
USES_OF_A_TOKEN = 40
"""Then it is refused, in the middle of a page walk if need be."""
LARGEST_PAGE = 200


class Sst:
    """Answers requests from its shelves: `appeals` and `reports`."""

    def __init__(self, shelves: Mapping[str, Shelf], client: tuple[str, str]) -> None:
        self._shelves = shelves
        self._client = client
        self._uses: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            return self._token(asked)
        if not self._may(asked):
            return json_answer({"code": 401, "message": "token 无效或已过期"}, 401)
        match asked.path.strip("/").split("/"):
            case ["api", "v2", ("appeals" | "reports") as kind]:
                return self._list(self._shelves[kind], asked)
            case ["api", "v2", ("appeals" | "reports") as kind, source_id]:
                return self._detail(self._shelves[kind], source_id, asked)
            case ["files", name]:
                return self._file(name.removesuffix(".png"))
        return json_answer({"code": 404, "message": "接口不存在"}, 404)

    def _token(self, asked: Asked) -> Answer:
        if (asked.form.get("client_id"), asked.form.get("client_secret")) != self._client:
            return json_answer({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._uses[token] = USES_OF_A_TOKEN
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": 600})

    def _may(self, asked: Asked) -> bool:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        with self._lock:
            left = self._uses.get(token, 0)
            self._uses[token] = left - 1
        return left > 0

    def _list(self, shelf: Shelf, asked: Asked) -> Answer:
        number = max(1, int(asked.query.get("pageNo", "1")))
        size = min(LARGEST_PAGE, int(asked.query.get("pageSize", "100")))
        if number == 1:
            shelf.refresh()
        found = shelf.listing(_moment(asked, "updatedFrom"), _moment(asked, "updatedTo"))
        # What the system hands out twice of its own accord stands twice in a row.
        rows = [row for row in found for _ in range(1 + row.item.twice)]
        page = rows[(number - 1) * size : number * size]
        data = {"total": len(rows), "pageNo": number, "rows": [_shown(row, asked) for row in page]}
        return json_answer(
            {"code": 0, "message": "ok", "data": data}, afterwards=lambda: shelf.handed_out(page)
        )

    def _detail(self, shelf: Shelf, source_id: str, asked: Asked) -> Answer:
        row = shelf.find(source_id)
        if row is None:
            return json_answer({"code": 404, "message": "没有该诉求"}, 404)
        return json_answer({"code": 0, "message": "ok", "data": _shown(row, asked)})

    def _file(self, source_id: str) -> Answer:
        found = (shelf.find(source_id) for shelf in self._shelves.values())
        row = next((row for row in found if row), None)
        if row is None:
            return json_answer({"code": 404, "message": "没有该文件"}, 404)
        return Answer(photograph(row.item), content_type="image/png")


def _shown(row: Row, asked: Asked) -> dict[str, object]:
    return payload(row.item, row.version, row.updated, files_at=f"http://{asked.headers.get('host', '')}")


def _moment(asked: Asked, name: str) -> datetime | None:
    written = asked.query.get(name)
    return datetime.strptime(written, TIME_FORM).replace(tzinfo=SHANGHAI) if written else None
