"""The watchers' door, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from monitoring.health import MAX_CONNECTIONS, HealthServer, Pages
from monitoring.readiness import Check, Checks, alive

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(
            *, live: Mapping[str, Check] | None = None, ready: Mapping[str, Check] | None = None
        ) -> str:
            registry = CollectorRegistry()
            Counter("suqiu_example_total", "An example.", registry=registry)
            pages = Pages(registry, live=live or {}, ready=ready or {})
            server = stack.enter_context(HealthServer("127.0.0.1", 0, pages))
            return f"http://127.0.0.1:{server.port}"

        yield start


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


def test_the_metrics_page_is_prometheus_text(serve: Serve) -> None:
    answer = get(serve() + "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "suqiu_example_total 0.0" in answer.text


def test_a_healthy_process_says_ok(serve: Serve) -> None:
    url = serve(live={"relay": lambda: None}, ready={"database": lambda: None})
    for page in ("/healthz", "/readyz"):
        answer = get(url + page)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"


def test_a_dependency_that_is_down_is_named_with_its_reason(serve: Serve) -> None:
    url = serve(ready={"database": lambda: None, "broker": lambda: "RabbitMQ 未连接 (not connected)"})
    answer = get(url + "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "down",
        "checks": {
            "broker": {"ok": False, "reason": "RabbitMQ 未连接 (not connected)"},
            "database": {"ok": True},
        },
    }
    assert get(url + "/healthz").status_code == 200


def test_a_thread_that_died_makes_the_process_unhealthy(serve: Serve) -> None:
    thread = threading.Thread(target=lambda: None, name="relay")
    thread.start()
    thread.join()
    answer = get(serve(live={"relay": alive(thread)}) + "/healthz")
    assert answer.status_code == 503
    assert "relay" in answer.json()["checks"]["relay"]["reason"]


def test_a_check_that_breaks_is_a_reason_and_quotes_no_data(serve: Serve) -> None:
    def broken() -> str | None:
        raise ValueError("王小明 13812345678")

    answer = get(serve(ready={"database": broken}) + "/readyz")
    assert answer.status_code == 503
    assert "ValueError" in answer.text
    assert "13812345678" not in answer.text
    assert "王小明" not in answer.text


def test_a_check_that_hangs_is_said_and_not_started_again() -> None:
    release, started = threading.Event(), []

    def hangs() -> str | None:
        started.append(1)
        release.wait(10)
        return None

    checks = Checks(
        {"database": hangs, "broker": lambda: None},
        patience=timedelta(seconds=0.1),
        max_age=timedelta(0),
    )
    first, second = checks.report(), checks.report()
    assert "超时" in (first.reasons["database"] or "")
    assert first.reasons["broker"] is None
    assert not second.is_fine
    assert len(started) == 1
    release.set()
    time.sleep(0.05)
    assert checks.report().is_fine


def test_many_askers_cost_one_check() -> None:
    asked: list[int] = []
    checks = Checks({"database": lambda: asked.append(1)})
    for _ in range(10):
        checks.report()
    assert len(asked) == 1


def test_unknown_paths_and_methods_are_refused(serve: Serve) -> None:
    url = serve()
    assert get(url + "/etc/passwd").status_code == 404
    assert httpx.post(url + "/metrics", content=b"x", trust_env=False).status_code == 501
    assert httpx.head(url + "/metrics", trust_env=False).status_code == 200


def test_the_server_does_not_tell_its_versions(serve: Serve) -> None:
    assert "Python" not in get(serve() + "/healthz").headers.get("server", "")


def test_idle_callers_cannot_take_more_than_their_places_and_are_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.health.CONNECTION_LIFE", 0.5)
    url = serve()
    address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            slow = stack.enter_context(socket.create_connection(address))
            slow.sendall(b"GET /healthz HT")
        time.sleep(0.2)
        with pytest.raises(httpx.TransportError):
            get(url + "/healthz")
        time.sleep(0.6)
        assert get(url + "/healthz").status_code == 200


def test_a_stopped_server_frees_its_port_and_may_be_stopped_twice() -> None:
    server = HealthServer("127.0.0.1", 0, Pages(CollectorRegistry(), live={}, ready={}))
    server.start()
    port = server.port
    server.stop()
    server.stop()
    again = HealthServer("127.0.0.1", port, Pages(CollectorRegistry(), live={}, ready={}))
    again.stop()


def test_reports_are_plain_json(serve: Serve) -> None:
    assert json.loads(get(serve(ready={"库": lambda: None}) + "/readyz").content)["checks"] == {
        "库": {"ok": True}
    }
