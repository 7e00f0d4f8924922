"""
A private MariaDB from the system's package, and fresh databases on it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from demo.servers.server import LOOPBACK, MissingPackage, PrivateServer, ServerFailed, free_port

USER: Final = "suqiu"
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MariaDB(PrivateServer):
    """MariaDB on the loopback, whose user `suqiu` may do everything there without a password.

    `durable=False` spares the disk: safe against every kill, not against a power cut.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._server_program = _find("mariadbd")
        self._install_program = _find("mariadb-install-db")
        super().__init__(name="mariadb", account="mysql")
        if os.geteuid() == 0 and self._account is None:
            raise ServerFailed("MariaDB does not run as root, and there is no account named mysql")
        self.host = LOOPBACK
        self.port = free_port()
        self._durable = durable
        self._data = self.folder / "data"
        self._first_words = self.folder / "first.sql"
        self._first_words.write_text(
            f"CREATE USER IF NOT EXISTS '{USER}'@'%';\nGRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        )
        self._initialise()

    def url_of(self, database: str) -> str:
        """For SQLAlchemy, with PyMySQL."""
        return f"mysql+pymysql://{USER}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """An empty database; its URL for SQLAlchemy."""
        self._execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove it. Waits for open transactions. Safe to call twice."""
        self._execute(f"DROP DATABASE IF EXISTS `{name}`")

    def _execute(self, statement: str) -> None:
        engine = create_engine(
            self.url_of("mysql"), poolclass=NullPool, connect_args={"connect_timeout": 2, "read_timeout": 30}
        )
        with engine.begin() as connection:
            connection.execute(text(statement))

    def _initialise(self) -> None:
        done = subprocess.run(
            [
                *(self._install_program, "--no-defaults", f"--datadir={self._data}"),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
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
            raise ServerFailed(f"mariadb-install-db: {done.stderr or done.stdout}")

    def _launch(self) -> int:
        settings = {
            "datadir": str(self._data),
            "bind-address": self.host,
            "port": str(self.port),
            "socket": str(self.folder / "mariadb.sock"),
            "pid-file": str(self.folder / "mariadb.pid"),
            "init-file": str(self._first_words),
            "skip-name-resolve": "ON",
            "innodb-buffer-pool-size": "64M",
            "innodb-flush-log-at-trx-commit": "1" if self._durable else "2",
            "max-connections": "200",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return self.run_in_background([self._server_program, "--no-defaults", *options], self._environment())

    def _is_ready(self) -> bool:
        try:
            self._execute("SELECT 1")
        except OperationalError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": str(self.folder)}


def _find(program: str) -> str:
    """Raises MissingPackage. The server stands where the search path of a user does not look."""
    found = shutil.which(program, path=SYSTEM_PATH)
    if found is None:
        raise MissingPackage("MariaDB", "mariadb-server")
    return found
