"""
Runs the checks behind /healthz and /readyz, each in its own thread and within a time limit.

A check that hangs (a database that neither answers nor refuses) is reported as such, and is not
started a second time while the first is still out: a stuck dependency must not eat the threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from monitoring.redaction import describe, scrub

Check = Callable[[], str | None]
"""None when all is well, otherwise the reason, Chinese first. Must not change anything."""

MAX_AGE = timedelta(seconds=1)
PATIENCE = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Report:
    """Reason by name of what was checked; None is fine."""

    reasons: Mapping[str, str | None]

    @property
    def is_fine(self) -> bool:
        return all(reason is None for reason in self.reasons.values())

    def as_json(self) -> dict[str, object]:
        return {
            "status": "ok" if self.is_fine else "down",
            "checks": {
                name: {"ok": True} if reason is None else {"ok": False, "reason": reason}
                for name, reason in sorted(self.reasons.items())
            },
        }


class Checks:
    """A set of checks, asked at most once in `max_age`, whoever asks."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        patience: timedelta = PATIENCE,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._checks = dict(checks)
        self._patience = patience.total_seconds()
        self._max_age = max_age.total_seconds()
        self._lock = threading.Lock()
        self._out: dict[str, _Run] = {}
        self._asked_at = float("-inf")
        self._last = Report({})

    def report(self) -> Report:
        with self._lock:
            if time.monotonic() - self._asked_at >= self._max_age:
                self._last = self._ask()
                self._asked_at = time.monotonic()
            return self._last

    def _ask(self) -> Report:
        for name, check in self._checks.items():
            if name not in self._out or self._out[name].done.is_set():
                self._out[name] = _Run(name, check)
        end = time.monotonic() + self._patience
        for run in self._out.values():
            run.done.wait(max(0.0, end - time.monotonic()))
        return Report({name: self._reason(run) for name, run in self._out.items()})

    def _reason(self, run: _Run) -> str | None:
        if run.done.is_set():
            return run.reason
        waited = time.monotonic() - run.started_at
        return f"检查超时，{waited:.0f} 秒未返回 (check has not answered)"


class _Run:
    """One check on its way."""

    def __init__(self, name: str, check: Check) -> None:
        self.done = threading.Event()
        self.reason: str | None = None
        self.started_at = time.monotonic()
        threading.Thread(target=self._go, args=(check,), name=f"check-{name}", daemon=True).start()

    def _go(self, check: Check) -> None:
        try:
            reason = check()
            self.reason = None if reason is None else scrub(reason)
        except Exception as error:  # a check that breaks is a reason, not a crash
            self.reason = f"检查出错 (check failed): {describe(error)}"
        finally:
            self.done.set()


def alive(thread: threading.Thread) -> Check:
    """The check that a thread still runs."""
    return lambda: None if thread.is_alive() else f"线程已停止 (thread {thread.name} has stopped)"
