"""Foreign systems, as different as they come, each on a real server, with the settings that fit them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from connectors.rest import RestSource
from connectors.rest_settings import RestSettings
from router.secrets import SecretRef
from tests.connectors.server import Asked, ScriptedServer, Told
from tests.hub import StepClock

SECRETS = {"APP_TOKEN": "token-of-the-app", "CRM_KEY": "crm-app", "CRM_SECRET": "crm-secret"}
TIMES = {"from": "updated", "formats": ["%Y-%m-%d %H:%M:%S"]}


class Store:
    """Attachments in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def get(self, sha256: str) -> bytes | None:
        return self.kept.get(sha256)


def read_secret(ref: SecretRef) -> str:
    return SECRETS[ref.env or ""]


def source(
    settings: dict[str, Any],
    *,
    store: Store | None = None,
    clock: Any = None,
    sleep: Callable[[float], None] = lambda _: None,
    secrets: Callable[[SecretRef], str] = read_secret,
) -> RestSource:
    """A REST source with these settings, a clock of its own, and no patience."""
    return RestSource(
        "sys",
        RestSettings.model_validate({"kind": "rest", "timeout": "3s", **settings}),
        secrets=secrets,
        store=store or Store(),
        clock=clock or StepClock(),
        sleep=sleep,
    )


def row(number: int) -> dict[str, Any]:
    return {"id": f"A{number}", "title": f"第{number}件", "updated": f"2026-03-01 08:{number:02}:00"}


ROWS = [row(number) for number in range(7)]
IDS = tuple(item["id"] for item in ROWS)
SIZE = 3


class System:
    """One server. `is_broken` makes it fail from the second page on."""

    def __init__(self) -> None:
        self.is_broken = False
        self.server = ScriptedServer(self.answer)

    def answer(self, asked: Asked) -> Told:
        raise NotImplementedError

    @property
    def settings(self) -> dict[str, Any]:
        raise NotImplementedError


class App(System):
    """苏商通-like: a token endpoint, JSON pages by number, success inside a 200 body."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refuse_after = 10**9
        self.lists = 0
        super().__init__()

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/token":
            self.tokens += 1
            return Told({"data": {"token": f"t{self.tokens}", "expiresIn": "7200"}})
        self.lists += 1
        if asked.headers.get("x-token") != f"t{self.tokens}" or self.lists == self.refuse_after:
            return Told({"code": 401, "msg": "token expired"})
        page = int(asked.query["pageNo"])
        if self.is_broken and page > 1:
            return Told(status=500)
        return Told({"code": 0, "data": {"records": ROWS[(page - 1) * SIZE : page * SIZE]}})

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/appeals",
            "params": {"pageNo": "{page}", "pageSize": "{size}", "from": "{from}"},
            "auth": {
                "kind": "token", "url": f"{self.server.url}/token",
                "secrets": {"appSecret": {"env": "APP_TOKEN"}},
                "token": "data.token", "expires_in": "data.expiresIn", "name": "x-token", "prefix": "",
                "expired": {"at": "code", "is": [401]},
            },
            "paging": {"kind": "page", "size": SIZE},
            "items": "data.records", "updated": TIMES, "success": {"at": "code", "is": [0]},
        }  # fmt: skip


class Crm(System):
    """Hotline-CRM-like: form posts, JSON as text/html, MD5 over sorted parameters, meaningless names.

    The last row of a page stands again at the top of the next; beyond the end the last page comes again.
    """

    def answer(self, asked: Asked) -> Told:
        form = asked.form
        sign = form.pop("sign", "")
        text = "&".join(f"{name}={form[name]}" for name in sorted(form)) + SECRETS["CRM_SECRET"]
        if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper() != sign:
            return Told({"status": "error", "des": "签名错误", "res": []})
        page = min(int(form["page"]), 3)
        if self.is_broken and page > 1:
            return Told({"status": "error", "des": "系统忙", "res": []})
        shown = ROWS[max((page - 1) * SIZE - 1, 0) : page * SIZE]
        rows = [{"note1": r["id"], "note2": r["title"], "note9": r["updated"]} for r in shown]
        body = json.dumps({"status": "success", "des": "", "res": rows}, ensure_ascii=False)
        return Told(body, headers={"content-type": "text/html; charset=utf-8"})

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/crm/list", "method": "POST", "body": "form",
            "params": {"page": "{page}", "rows": "{size}", "begin": "{from}"},
            "auth": {
                "kind": "signature", "algorithm": "md5", "key": {"env": "CRM_KEY"},
                "secret": {"env": "CRM_SECRET"}, "encoding": "HEX",
                "place": "form", "timestamp_format": "yyyyMMddHHmmss",
            },
            "paging": {"kind": "page", "size": SIZE}, "items": "res", "id": "note1",
            "updated": {**TIMES, "from": "note9"}, "success": {"at": "status", "is": ["success"]},
        }  # fmt: skip


class Offset(System):
    """Rows from an offset on, the youngest first, with their number; never more than three at once."""

    def answer(self, asked: Asked) -> Told:
        start = int(asked.query["start"])
        if self.is_broken and start:
            return Told(status=500)
        return Told({"rows": ROWS[::-1][start : start + SIZE], "count": str(len(ROWS))})

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/rows", "params": {"start": "{offset}", "limit": "{size}"},
            "paging": {"kind": "offset", "size": 100, "total": "count"}, "items": "rows", "updated": TIMES,
        }  # fmt: skip


class Keyset(System):
    """Pages by the last item's time and id; sorted, so that every page moves the cursor."""

    def answer(self, asked: Asked) -> Told:
        since, last = asked.query.get("since", ""), asked.query.get("after_id", "")
        left = [r for r in ROWS if (r["updated"], r["id"]) > (since, last)]
        if self.is_broken and last:
            return Told(b"", status=503, headers={"retry-after": "7"})
        return Told(left[:SIZE])

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/changes",
            "params": {"since": "{from}", "after_id": "{last_id}", "limit": "{size}"},
            "headers": {"accept": "application/json"},
            "auth": {"kind": "header", "name": "x-key", "secret": {"env": "APP_TOKEN"}},
            "paging": {"kind": "keyset", "size": SIZE}, "updated": TIMES, "overlap": "90s",
        }  # fmt: skip


class NextCursor(System):
    """The answer names the next page; parameters travel as JSON."""

    def __init__(self) -> None:
        self.goes_round = False
        super().__init__()

    def answer(self, asked: Asked) -> Told:
        at = int(asked.json.get("cursor") or 0)
        if self.is_broken and at:
            return Told(b'{"items": [', cut=True)
        following = at + SIZE if at + SIZE < len(ROWS) else None
        if self.goes_round:
            following = 0 if at else SIZE
        return Told(
            {"items": ROWS[at : at + SIZE], "next": following if following is None else f"{following}"}
        )

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/search", "method": "POST", "body": "json",
            "params": {"cursor": "{cursor}", "limit": "{size}"},
            "paging": {"kind": "cursor", "next": "next", "size": SIZE}, "items": "items", "updated": TIMES,
        }  # fmt: skip


class Linked(System):
    """The Link header says where to go on."""

    def answer(self, asked: Asked) -> Told:
        at = int(asked.query.get("at", "0"))
        if self.is_broken and at:
            return Told("<html>maintenance</html>", status=502)
        more = {"link": f'</list?at={at + SIZE}&size={SIZE}>; rel="next"'} if at + SIZE < len(ROWS) else {}
        return Told(ROWS[at : at + SIZE], headers=more)

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/list", "params": {"size": "{size}"},
            "paging": {"kind": "link", "size": SIZE}, "updated": TIMES,
        }  # fmt: skip
