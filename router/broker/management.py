"""
RabbitMQ's management API: makes and checks the topology. Messages never come this way.

http.client, since httpx belongs to the connectors and policies cannot be set over AMQP at all.
"""

from __future__ import annotations

import base64
import json
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from router.broker.definitions import exchange_body, policy_body, queue_body
from router.broker.drift import Actual, Drift, binding_name, compare
from router.broker.settings import BrokerSettings
from router.broker.topology import Topology
from router.errors import BrokerUnavailable

TIMEOUT = 20.0
REFUSALS = {401: "wrong user or password", 403: "the user needs the tag policymaker, or rights on the vhost"}


class Management:
    """One virtual host behind one management URL. Raises BrokerUnavailable with what to do."""

    def __init__(self, settings: BrokerSettings, password: str | None) -> None:
        broker, self._url = urlsplit(settings.url), urlsplit(settings.management or "")
        user = self._url.username or broker.username or "guest"
        secret = self._url.password or password or unquote(broker.password or "guest")
        self._authorization = "Basic " + base64.b64encode(f"{unquote(user)}:{secret}".encode()).decode()
        self.vhost = unquote(broker.path[1:]) or "/"

    def check(self, wanted: Topology) -> list[Drift]:
        """What differs; empty when all is well. Changes nothing."""
        return compare(wanted, self.actual())

    def apply(self, wanted: Topology) -> list[Drift]:
        """Make what is missing, set the policies; what is left is for a person. Never deletes."""
        missing = {drift.what for drift in self.check(wanted) if drift.mends}
        for exchange in wanted.exchanges:
            if f"exchange {exchange.name}" in missing:
                self._put("exchanges", exchange.name, exchange_body(exchange))
        for policy in wanted.policies:
            if f"policy {policy.name}" in missing:
                self._put("policies", policy.name, policy_body(policy))
        # After the policies: no queue lives for a moment without its limits.
        for queue in wanted.queues:
            if f"queue {queue.name}" in missing:
                self._put("queues", queue.name, queue_body(queue))
        for one in wanted.bindings:
            if binding_name(one) not in missing:
                continue
            path = f"bindings/{self._vhost}/e/{quote(one.exchange, safe='')}/q/{quote(one.queue, safe='')}"
            self._call("POST", path, {"routing_key": one.routing_key, "arguments": {}})
        return self.check(wanted)

    def actual(self) -> Actual:
        """What the virtual host holds now."""
        return Actual(
            exchanges={one["name"]: one for one in self._list("exchanges")},
            queues={one["name"]: one for one in self._list("queues")},
            bindings=tuple(self._list("bindings")),
            policies={one["name"]: one for one in self._list("policies")},
        )

    @property
    def _vhost(self) -> str:
        return quote(self.vhost, safe="")

    def _list(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", f"{kind}/{self._vhost}")
        return found

    def _put(self, kind: str, name: str, body: dict[str, object]) -> None:
        self._call("PUT", f"{kind}/{self._vhost}/{quote(name, safe='')}", body)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        connection = self._connection()
        try:
            headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"{self._url.path.rstrip('/')}/api/{path}", payload, headers)
            answer = connection.getresponse()
            content = answer.read()
            status = answer.status
        except (OSError, HTTPException) as error:
            raise BrokerUnavailable(f"{self._where} does not answer: {error}") from error
        finally:
            connection.close()
        if status >= 400:
            reason = REFUSALS.get(status) or content.decode(errors="replace")[:300]
            raise BrokerUnavailable(f"{self._where} answered {status} to {method} {path}: {reason}")
        return json.loads(content) if content else None

    def _connection(self) -> HTTPConnection:
        host, port = self._url.hostname or "127.0.0.1", self._url.port
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(host, port or 15671, timeout=TIMEOUT, context=context)
        return HTTPConnection(host, port or 15672, timeout=TIMEOUT)

    @property
    def _where(self) -> str:
        return f"the management API at {self._url.hostname}:{self._url.port}"
