"""Four foreign systems, as different as they come, each on a real server, with the settings that fit them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from connectors.rest import RestSource
from connectors.rest_settings import RestSettings
from router.secrets import SecretRef
from tests.connectors.server import Asked, ScriptedServer, Told
from tests.hub import StepClock

SECRETS = {"APP_TOKEN": "token-of-the-app", "CRM_KEY": "crm-app", "CRM_SECRET": "crm-secret"}


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


def source(settings: dict[str, Any], *, store: Store | None = None, clock: Any = None) -> RestSource:
    """A REST source with these settings, a clock of its own, and no patience."""
    return RestSource(
        "sys",
        RestSettings.model_validate({"kind": "rest", "timeout": "3s", **settings}),
        secrets=read_secret,
        store=store or Store(),
        clock=clock or StepClock(),
        sleep=lambda _: None,
    )


def row(number: int) -> dict[str, Any]:
    return {"id": f"A{number}", "title": f"第{number}件", "updated": f"2026-03-01 08:{number:02}:00"}


ROWS = [row(number) for number in range(7)]
IDS = tuple(item["id"] for item in ROWS)
SIZE = 3


class App:
    """苏商通-like: a token endpoint, JSON pages by number, success inside a 200 body."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refuse_after = 10**9
        self.broken = False
        self.lists = 0
        self.server = ScriptedServer(self.answer)

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/token":
            self.tokens += 1
            return Told({"data": {"token": f"t{self.tokens}", "expiresIn": "7200"}})
        self.lists += 1
        if asked.headers.get("x-token") != f"t{self.tokens}" or self.lists == self.refuse_after:
            return Told({"code": 401, "msg": "token expired"})
        page = int(asked.query["pageNo"])
        if self.broken and page > 1:
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
            "items": "data.records",
            "updated": {"from": "updated", "formats": ["%Y-%m-%d %H:%M:%S"]},
            "success": {"at": "code", "is": [0]},
        }  # fmt: skip


class Crm:
    """Hotline-CRM-like: form posts, JSON as text/html, MD5 over sorted parameters, meaningless names."""

    def __init__(self) -> None:
        self.broken = False
        self.server = ScriptedServer(self.answer)

    def answer(self, asked: Asked) -> Told:
        form = asked.form
        sign = form.pop("sign", "")
        text = "&".join(f"{name}={form[name]}" for name in sorted(form)) + SECRETS["CRM_SECRET"]
        if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper() != sign:
            return Told({"status": "error", "des": "签名错误", "res": []})
        start = int(form["start"])
        if self.broken and start > 0:
            return Told({"status": "error", "des": "系统忙", "res": []})
        rows = [
            {"note1": r["id"], "note2": r["title"], "note9": r["updated"]} for r in ROWS[start : start + SIZE]
        ]
        body = json.dumps({"status": "success", "des": "", "res": rows}, ensure_ascii=False)
        return Told(body, headers={"content-type": "text/html; charset=utf-8"})

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/crm/list", "method": "POST", "body": "form",
            "params": {"start": "{offset}", "rows": "{size}", "begin": "{from}"},
            "auth": {
                "kind": "signature", "algorithm": "md5", "key": {"env": "CRM_KEY"},
                "secret": {"env": "CRM_SECRET"}, "encoding": "HEX",
                "place": "form", "timestamp_format": "yyyyMMddHHmmss",
            },
            "paging": {"kind": "offset", "size": SIZE}, "items": "res", "id": "note1",
            "updated": {"from": "note9", "formats": ["%Y-%m-%d %H:%M:%S"]},
            "success": {"at": "status", "is": ["success"]},
        }  # fmt: skip


class Keyset:
    """Pages by the last item's time and id; sorted, so that every page moves the cursor."""

    def __init__(self) -> None:
        self.broken = False
        self.server = ScriptedServer(self.answer)

    def answer(self, asked: Asked) -> Told:
        since, last = asked.query.get("since", ""), asked.query.get("after_id", "")
        left = [r for r in ROWS if (r["updated"], r["id"]) > (since, last)]
        if self.broken and last:
            return Told(b"", status=503, headers={"retry-after": "7"})
        return Told(left[:SIZE])

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/changes",
            "params": {"since": "{from}", "after_id": "{last_id}", "limit": "{size}"},
            "headers": {"accept": "application/json"},
            "auth": {"kind": "header", "name": "x-key", "secret": {"env": "APP_TOKEN"}},
            "paging": {"kind": "keyset", "size": SIZE}, "ascending": True,
            "updated": {"from": "updated", "formats": ["%Y-%m-%d %H:%M:%S"]},
        }  # fmt: skip


class NextCursor:
    """The answer names the next page; parameters travel as JSON."""

    def __init__(self) -> None:
        self.broken = False
        self.circle = False
        self.server = ScriptedServer(self.answer)

    def answer(self, asked: Asked) -> Told:
        at = int(asked.json.get("cursor") or 0)
        if self.broken and at:
            return Told(b'{"items": [', cut=True)
        following = at + SIZE if at + SIZE < len(ROWS) else None
        if self.circle:
            following = 0 if at else SIZE
        return Told({"items": ROWS[at : at + SIZE], "next": following and str(following)})

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/search", "method": "POST", "body": "json",
            "params": {"cursor": "{cursor}", "limit": "{size}"},
            "paging": {"kind": "cursor", "next": "next", "size": SIZE}, "items": "items",
            "updated": {"from": "updated", "formats": ["%Y-%m-%d %H:%M:%S"]},
        }  # fmt: skip
