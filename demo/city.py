"""
A city in a folder: the shipped configuration of Suzhou, with this day's addresses and fresh secrets.

Nothing else is different from what a city would run.
"""

from __future__ import annotations

import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ruamel.yaml import YAML

import config
import mappings
from demo.servers.server import free_port
from router.documents import read

CONFIG = Path(config.__file__).parent / "suzhou"
MAPPINGS = Path(mappings.__file__).parent / "suzhou"
SYSTEMS = ("sst", "crm", "exchange", "mailbox")
"""The outside systems, each a process of its own."""
EVERY = "1s"
"""How often the hub asks a source here: the day is short."""


@dataclass
class City:
    """Where everything of one demonstration lies and listens."""

    folder: Path
    amqp: str | None = None
    management: str | None = None
    database: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.front, self.monitoring = free_port(), free_port()
        self.systems = {name: free_port() for name in SYSTEMS}
        self.config = self.folder / "config" / "suzhou"

    @property
    def front_url(self) -> str:
        return f"http://127.0.0.1:{self.front}"

    @property
    def monitoring_url(self) -> str:
        return f"http://127.0.0.1:{self.monitoring}"

    def write(self) -> None:
        """Configuration, mappings and secrets. What lay there of an earlier day is replaced."""
        for source, target in ((CONFIG, self.config), (MAPPINGS, self.folder / "mappings" / "suzhou")):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.cases", "var"))
        hub = _yaml(self.config / "hub.yaml")
        self._adjust(hub)
        self._invent_secrets(hub, _yaml(self.config / "units.yaml"))
        with (self.config / "hub.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(hub, file)
        self._write_secrets()

    def _adjust(self, hub: dict[str, Any]) -> None:
        hub["front"] |= {"port": self.front, "public_url": self.front_url}
        hub["monitoring"] |= {"port": self.monitoring}
        for source in hub["sources"].values():
            source["pull"]["every"] = EVERY
        self._adjust_exchange(hub["sources"]["exchange"]["pull"])
        self._adjust_mailbox(hub["sources"]["mailbox"]["pull"])
        for name, system in (("sst", "sst"), ("sst_direct", "sst"), ("crm", "crm")):
            pull, port = hub["sources"][name]["pull"], self.systems[system]
            for block in (pull, pull["auth"]):
                if "url" in block:
                    block["url"] = f"http://127.0.0.1:{port}{urlsplit(block['url']).path}"
        if self.amqp:
            hub["broker"] = self._server("SUQIU_AMQP_PASSWORD", self.amqp)
            if self.management:
                hub["broker"]["management"] = _without_user(self.management)
        if self.database:
            hub["database"] = self._server("SUQIU_DB_PASSWORD", self.database)

    def _adjust_exchange(self, pull: dict[str, Any]) -> None:
        pull["url"] = f"sqlite:///{self.files['exchange'].resolve()}"
        del pull["password"]

    def _adjust_mailbox(self, pull: dict[str, Any]) -> None:
        """A folder instead of a server, and nobody to carry answers."""
        del pull["imap"], pull["reply"]
        pull["maildir"] = str(self.files["mailbox"].resolve())

    @property
    def files(self) -> Mapping[str, Path]:
        """What an outside system and the hub share besides the network."""
        return {"exchange": self.folder / "exchange.db", "mailbox": self.folder / "mailbox"}

    def _server(self, secret: str, url: str) -> dict[str, Any]:
        """A block with the URL, and its password where secrets belong."""
        parts = urlsplit(url)
        if parts.password is None:
            return {"url": url}
        self.secrets[secret] = unquote(parts.password)
        host = parts.netloc.rpartition("@")[2]
        clean = urlunsplit(parts._replace(netloc=f"{parts.username}@{host}"))
        return {"url": clean, "password": {"env": secret}}

    def _invent_secrets(self, *documents: dict[str, Any]) -> None:
        for name in _secrets_of(documents):
            random = b64encode(secrets.token_bytes(32)).decode()
            self.secrets.setdefault(name, f"whsec_{random}" if name.endswith("PUSH_KEY") else random)

    def _write_secrets(self) -> None:
        file = self.folder / "secrets.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}='{value}'\n" for name, value in sorted(self.secrets.items())))

    def source_secrets(self, system: str) -> Mapping[str, str]:
        """What the simulated system knows."""
        if system in self.files:
            return {}
        if system == "crm":
            return {"app_id": self.secrets["SUQIU_CRM_APP_ID"], "secret": self.secrets["SUQIU_CRM_SECRET"]}
        return {
            "client_id": "suqiu",
            "client_secret": self.secrets["SUQIU_SST_CLIENT_SECRET"],
            "push_key": self.secrets["SUQIU_SST_PUSH_KEY"].removeprefix("whsec_"),
        }

    def unit_tokens(self) -> dict[str, str]:
        """Unit → its token at the HTTP door."""
        units = _yaml(self.config / "units.yaml")["units"]
        return {
            unit["id"]: self.secrets[unit["access"]["token"]["env"]] for unit in units if "access" in unit
        }


def _yaml(path: Path) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(read(path.name, path.read_text("utf-8")).data)
    return plain


def _plain(value: Any) -> Any:
    """Without anchors: what two blocks share is written twice, so that one can differ."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _secrets_of(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) == {"env"}:
            yield value["env"]
            return
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secrets_of(inner)


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
