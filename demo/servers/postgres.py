"""
A private PostgreSQL from the system's package, and fresh databases on any PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from demo.servers.server import LOOPBACK, MissingPackage, PrivateServer, ServerFailed, free_port

PACKAGE_FOLDER: Final = Path("/usr/lib/postgresql")
USER: Final = "suqiu"


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A PostgreSQL one may create databases on, by the URL of one that exists (`postgresql+psycopg://…`)."""

    database_url: str

    def url_of(self, database: str) -> str:
        """The same server and user, another database."""
        front, _, behind = self.database_url.partition("://")
        server, _, rest = behind.partition("/")
        _, mark, options = rest.partition("?")
        return f"{front}://{server}/{database}{mark}{options}"

    def create_database(self, name: str) -> str:
        """An empty database; its URL for SQLAlchemy."""
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove it, also from under open connections. Safe to call twice."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.database_url.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(statement)


class PostgreSQL(PrivateServer):
    """PostgreSQL on the loopback, trusting everybody there.

    `durable=False` spares the disk: safe against every kill, not against a power cut.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._programs = find_programs()
        super().__init__(name="postgresql", account="postgres")
        if os.geteuid() == 0 and self._account is None:
            raise ServerFailed("PostgreSQL does not run as root, and there is no account named postgres")
        self.host = LOOPBACK
        self.port = free_port()
        self._durable = durable
        self._data = self.folder / "data"
        self._initialise()

    @property
    def database_url(self) -> str:
        return f"postgresql+psycopg://{USER}@{self.host}:{self.port}/postgres"

    @property
    def server(self) -> DatabaseServer:
        return DatabaseServer(self.database_url)

    def _initialise(self) -> None:
        done = subprocess.run(
            [
                *(str(self._programs / "initdb"), "--pgdata", str(self._data), "--username", USER),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            env=self._environment(),
            cwd=self.folder,
            user=self._account,
            group=self._account,
            extra_groups=[] if self._account else None,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            self.close()
            raise ServerFailed(f"initdb: {done.stderr or done.stdout}")

    def _launch(self) -> int:
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if self._durable else "off",
            "timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return self.run_in_background(
            [str(self._programs / "postgres"), "-D", str(self._data), *options], self._environment()
        )

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.database_url.replace("+psycopg", "", 1), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
        }


def find_programs() -> Path:
    """The folder of the newest installed PostgreSQL's programs. Raises MissingPackage."""
    versions = sorted(PACKAGE_FOLDER.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    raise MissingPackage("PostgreSQL", "postgresql")
