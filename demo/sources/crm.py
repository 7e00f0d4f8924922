"""
The hotline's CRM: form posts, MD5 over sorted parameters, JSON that calls itself text/html.

    POST /crm/interface/order_list     page, rows, begin, end, appid, timestamp, sign

The last row of a page stands again at the top of the next. Now and then it breaks down (500), and
now and then it asks for patience (429); every refusal comes with status 200 otherwise.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections.abc import Mapping
from datetime import datetime

from demo.sources.crm_words import row as written
from demo.sources.serving import Answer, Asked
from demo.sources.shelf import Shelf
from demo.sources.sst import SHANGHAI, TIME_FORM

LIST = "/crm/interface/order_list"
BREAKS_EVERY = 17
BUSY_EVERY = 23


class Crm:
    """Answers requests from one shelf."""

    def __init__(self, shelf: Shelf, app_id: str, secret: str) -> None:
        self._shelf = shelf
        self._app_id = app_id
        self._secret = secret
        self._count = itertools.count(1)
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        if asked.path != LIST or asked.method != "POST":
            return _html({"status": "error", "des": "接口不存在", "res": []}, 404)
        if asked.form.get("appid") != self._app_id or asked.form.get("sign", "").upper() != signature(
            asked.form, self._secret
        ):
            return _html({"status": "error", "des": "签名错误", "res": []})
        with self._lock:
            number = next(self._count)
        if number % BREAKS_EVERY == 0:
            return Answer(b"<html><body>Internal Server Error</body></html>", 500, "text/html")
        if number % BUSY_EVERY == 0:
            return Answer(b"busy", 429, "text/plain", {"retry-after": "1"})
        return self._list(asked)

    def _list(self, asked: Asked) -> Answer:
        page, size = int(asked.form.get("page", "1")), max(2, int(asked.form.get("rows", "50")))
        if page == 1:
            self._shelf.refresh()
        found = self._shelf.listing(_moment(asked, "begin"), _moment(asked, "end"))
        rows = [row for row in found for _ in range(1 + row.item.twice)]
        begin = (page - 1) * (size - 1)
        # A page that would hold nothing but the row repeated from the page before is empty.
        shown = rows[begin : begin + size] if page == 1 or begin + 1 < len(rows) else []
        listed = [written(row.item, row.version, row.updated, row.glances) for row in shown]
        answer = {"status": "success", "des": "查询成功", "res": {"total": len(rows), "list": listed}}
        body = json.dumps(answer, ensure_ascii=False).encode()
        return Answer(body, 200, "text/html; charset=utf-8", afterwards=lambda: self._shelf.handed_out(shown))


def signature(form: Mapping[str, str], secret: str) -> str:
    """MD5 in capitals over the sorted parameters that are not empty, and the key behind them."""
    pairs = sorted((name, value) for name, value in form.items() if name != "sign" and value)
    text = "&".join(f"{name}={value}" for name, value in pairs) + f"&key={secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _html(data: object, status: int = 200) -> Answer:
    return Answer(json.dumps(data, ensure_ascii=False).encode(), status, "text/html; charset=utf-8")


def _moment(asked: Asked, name: str) -> datetime | None:
    text = asked.form.get(name)
    return datetime.strptime(text, TIME_FORM).replace(tzinfo=SHANGHAI) if text else None
