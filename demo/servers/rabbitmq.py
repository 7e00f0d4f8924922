"""
A private RabbitMQ from the system's package, and what one does to any RabbitMQ by its management API.

The package's wrapper in /usr/sbin insists on /var/lib and on one node per machine, so the scripts
behind it are called instead, with everything they would look up elsewhere set by environment:
cookie, node name, ports, folders, and an epmd of its own. Nothing listens beyond the loopback.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from demo.servers.server import LOOPBACK, MissingPackage, PrivateServer, ServerFailed, answers, free_port

PACKAGE_FOLDER: Final = Path("/usr/lib/rabbitmq/bin")
LOOPBACK_ONLY: Final = "-kernel inet_dist_use_interface {127,0,0,1}"
USER: Final = "suqiu"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A RabbitMQ one may create virtual hosts on. Both URLs carry user and password."""

    amqp_url: str
    management_url: str

    def url_of(self, vhost: str) -> str:
        """The AMQP URL of one virtual host."""
        return urlunsplit(urlsplit(self.amqp_url)._replace(path="/" + quote(vhost, safe="")))

    def create_vhost(self, vhost: str) -> str:
        """A fresh virtual host with full rights for our user; its AMQP URL."""
        name = quote(vhost, safe="")
        self.manage("PUT", f"/api/vhosts/{name}")
        user = quote(urlsplit(self.amqp_url).username or "guest", safe="")
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self.manage("PUT", f"/api/permissions/{name}/{user}", rights)
        return self.url_of(vhost)

    def delete_vhost(self, vhost: str) -> None:
        """Remove it with all its queues, and close the connections to it."""
        self.manage("DELETE", f"/api/vhosts/{quote(vhost, safe='')}")

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """One call to the management API; the parsed answer, None when it is empty."""
        # trust_env: no proxy of the user's surroundings may stand between us and the loopback.
        with httpx.Client(trust_env=False, timeout=30) as client:
            response = client.request(method, self.management_url + path, json=body)
        response.raise_for_status()
        return response.json() if response.content else None


class RabbitMQ(PrivateServer):
    """RabbitMQ with its management plugin, for our user only."""

    def __init__(self) -> None:
        self._programs = find_programs()
        super().__init__(name="rabbitmq", account="rabbitmq")
        self.host = LOOPBACK
        self.port = free_port()
        self.management_port = free_port()
        self.user = USER
        self.password = secrets.token_hex(12)
        self._epmd_port = free_port()
        self._distribution_port = free_port()
        self._node = f"suqiu-{secrets.token_hex(4)}@localhost"
        self._write_configuration()

    @property
    def amqp_url(self) -> str:
        return f"amqp://{self.user}:{self.password}@{self.host}:{self.port}/%2F"

    @property
    def management_url(self) -> str:
        return f"http://{self.user}:{self.password}@{self.host}:{self.management_port}"

    @property
    def address(self) -> BrokerAddress:
        return BrokerAddress(self.amqp_url, self.management_url)

    def ctl(self, *arguments: str) -> str:
        """What rabbitmqctl says. Raises ServerFailed with its words when it refuses."""
        done = subprocess.run(
            [str(self._programs / "rabbitmqctl"), "--quiet", "--node", self._node, *arguments],
            env=self._environment(),
            cwd=self.folder,
            user=self._account,
            group=self._account,
            extra_groups=[] if self._account else None,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise ServerFailed(f"rabbitmqctl {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def start_afresh(self) -> None:
        """Forget everything and start again: for a broker whose Raft system has given up for good.

        3.10.8 does that when several of its queue processes die within seconds (`noproc` on every
        declare afterwards), as they do where tests suspend them and delete their virtual hosts.
        """
        if self.is_running:
            self.kill()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self.start()

    def _launch(self) -> int:
        return self.run_in_background([str(self._programs / "rabbitmq-server")], self._environment())

    def _is_ready(self) -> bool:
        if not answers(self.port) or not answers(self.management_port):
            return False
        try:
            self.address.manage("GET", "/api/overview")
        except httpx.HTTPError:
            return False
        return True

    def _write_configuration(self) -> None:
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}\n"
            f"management.tcp.ip = {LOOPBACK}\n"
            f"management.tcp.port = {self.management_port}\n"
            f"default_user = {self.user}\n"
            f"default_pass = {self.password}\n"
            "loopback_users = none\n"
            # The first segment is written out in full on start; the usual 512 MB would fill small disks.
            "raft.wal_max_size_bytes = 64000000\n"
            "disk_free_limit.absolute = 50MB\n"
            "collect_statistics_interval = 1000\n"
        )
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        if self._account:
            for file in self.folder.iterdir():
                shutil.chown(file, self._account, self._account)

    def _environment(self) -> dict[str, str]:
        inside = {
            "RABBITMQ_CONFIG_FILE": "rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
            "RABBITMQ_MNESIA_BASE": "data",
            "RABBITMQ_LOG_BASE": "logs",
            "RABBITMQ_PID_FILE": "rabbitmq.pid",
            "RABBITMQ_PLUGINS_EXPAND_DIR": "plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": "generated",
            "HOME": ".",
            "TMPDIR": ".",
        }
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
            "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            # Makes the start script become the server, so that its pid is the one to send signals to.
            "RUNNING_UNDER_SYSTEMD": "1",
            **{name: str((self.folder / path).resolve()) for name, path in inside.items()},
        }


def find_programs() -> Path:
    """The folder of RabbitMQ's own scripts. Raises MissingPackage."""
    if (PACKAGE_FOLDER / "rabbitmq-server").exists() and shutil.which("erl"):
        return PACKAGE_FOLDER
    raise MissingPackage("RabbitMQ", "rabbitmq-server")
