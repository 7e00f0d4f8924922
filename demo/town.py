"""The processes of one day together, and what can be seen of them from outside."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from config.wiring import Installation
from demo.city import City
from demo.compare import compare, is_clean
from demo.keeping import export_fates
from demo.plan import plan
from demo.processes import Child, ChildFailed, module, run, suqiu
from demo.reporters import forms
from demo.servers.server import answers, wait_until
from demo.sources.serving import STATE
from router.ledger.measures import numbers

READY_WITHIN = 60.0
LISTINGS_AFTER = 2
"""A listing that begins after another was answered proves that the hub is through with that one."""
UNDER_WAY = ("pending", "retry_wait")
"""What was sent back or given up waits for a person, not for a unit."""
UNITS_PER_PROCESS = 20
LOSES = "rsj"
"""The unit that forgets, when a loss is planted."""


class Town:
    """Sources, hub and units; `open` runs them."""

    def __init__(
        self, city: City, *, seed: int, items: int, loses_one: bool = False, rate: float = 0.0
    ) -> None:
        self._city = city
        self._seed, self._items, self._rate = seed, items, rate
        self._forgets = LOSES if loses_one else None
        self._states: dict[str, dict[str, Any]] = {}
        plain = Installation(city.config)
        # What the environment has, and the day's secrets, which are nobody else's business.
        self._environ = {**plain.environ, **city.secrets, "PYTHONUNBUFFERED": "1"}
        self.installation = Installation(city.config, self._environ)
        self.sources = {name: self._source(name, port) for name, port in city.systems.items()}
        self.hub = self._child("hub", suqiu("run", "--config", str(city.config)))
        self.units = self._unit_processes()

    def _child(self, name: str, command: list[str], stdin: str = "") -> Child:
        return Child(name, command, self._city.folder / f"{name}.log", self._environ, stdin)

    def _source(self, name: str, port: int) -> Child:
        words = ["--port", str(port), "--seed", str(self._seed), "--items", str(self._items)]
        words += ["--record", str(self._city.folder), "--rate", str(self._rate)]
        words += ["--push", f"{self._city.front_url}/push/sst", "--file", str(self._city.files.get(name, ""))]
        secrets = "".join(f"{key}={value}\n" for key, value in self._city.source_secrets(name).items())
        return self._child(f"source-{name}", module("demo.sources", name, *words), secrets)

    def _kinds(self) -> dict[str, str]:
        return {unit: it.kind for unit, it in self.installation.configuration.destinations.items()}

    def _unit_processes(self) -> list[Child]:
        tokens = list(self._city.unit_tokens().items())
        # Without policies in the broker a rejected message would be gone, so then nothing is refused.
        refuses = not self._city.amqp or bool(self._city.management)
        wanted: dict[str, Any] = {
            "front": self._city.front_url,
            "record": str(self._city.folder),
            "refuse": [item.id for item in plan(self._seed, self._items) if item.refuse and refuses],
            "forget": self._forgets,
            "amqp": self._city.amqp,
            "pull": [unit for unit, kind in self._kinds().items() if kind == "pull"],
        }
        groups = [
            tokens[first : first + UNITS_PER_PROCESS] for first in range(0, len(tokens), UNITS_PER_PROCESS)
        ]
        return [
            self._child(f"units-{number}", module("demo.units"), json.dumps({**wanted, "units": dict(group)}))
            for number, group in enumerate(groups, 1)
        ]

    @property
    def children(self) -> list[Child]:
        """In the order in which they are ended: the hub while all others still answer it."""
        return [self.hub, *self.units, *self.sources.values()]

    @contextmanager
    def open(self) -> Iterator[None]:
        """Everything runs inside, and has ended in order after."""
        config = str(self._city.config)
        run(suqiu("ledger", "upgrade", "--config", config), self._environ)
        self._approve_reporters()
        if self._city.amqp:
            run(suqiu("topology", "apply", "--config", config), self._environ)
        try:
            for child in reversed(self.children):
                child.start()
            self._wait_for_the_front()
            yield
        finally:
            for child in self.children:
                child.stop()

    def _approve_reporters(self) -> None:
        """What an admin does with the forms of annex 2 before anybody reports directly."""
        at_home = ("--config", str(self._city.config))
        file = self._city.folder / "approvals.csv"
        file.write_text(forms(), "utf-8")
        brought = run(suqiu("approvals", "import", str(file), *at_home, "--json"), self._environ)
        ids = [item["approval_id"] for item in json.loads(brought)["items"]]
        run(suqiu("approvals", "approve", *ids, *at_home, "--reason", "申请表齐全"), self._environ)

    def _wait_for_the_front(self) -> None:
        def is_up() -> bool:
            self.watch()
            return answers(self._city.front)

        if not wait_until(is_up, READY_WITHIN):
            raise ChildFailed(f"the hub does not listen; the end of {self.hub.log}:\n{self.hub.end_of_log()}")

    def watch(self) -> None:
        """A hub that died is started again; anything else must not die. Raises ChildFailed."""
        for child in self.children:
            child.watch(is_restarted=child is self.hub)

    def kill_hub(self) -> bool:
        self.hub.kill()
        return True

    def close_ledger(self) -> None:
        self.installation.database.close()

    def state_of(self, name: str) -> dict[str, Any]:
        """What the source says of its progress; the last word while it is too busy to answer."""
        url = f"http://127.0.0.1:{self._city.systems[name]}{STATE}"
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            self._states[name] = json.load(answer)
        return self._states.get(name, {})

    def share_handed_out(self) -> float:
        states = [self.state_of(name) for name in self.sources]
        planned = sum(state.get("planned", 0) + state.get("pushes", 0) for state in states)
        left = sum(
            state.get("planned", 0) - state.get("handed_out", 0) + state.get("pushes_left", 0)
            for state in states
        )
        return 1.0 - left / planned if planned else 0.0

    def is_exhausted(self) -> bool:
        """Everything was handed out, and the hub is through with the last of it."""
        states = [self.state_of(name) for name in self.sources]
        return all(
            state.get("exhausted") and state.get("listings_since", 0) >= LISTINGS_AFTER for state in states
        )

    def is_complete(self) -> bool:
        """Whether every unit has everything, by the same count that ends the day."""
        export_fates(self.installation, self._city.folder)
        return is_clean(compare(self._city.folder))

    def movement(self) -> tuple[object, ...]:
        """Something that changes as long as anything happens."""
        sizes = tuple(path.stat().st_size for path in sorted(self._city.folder.glob("got-*.jsonl")))
        handed = tuple(self.state_of(name).get("handed_out") for name in self.sources)
        left = tuple(self.state_of(name).get("pushes_left") for name in self.sources)
        return (sizes, handed, left, numbers(self.installation.database).live)

    def waiting(self) -> tuple[int, int]:
        """Deliveries that units must still take, those on lease included; work for the city's people."""
        destinations = self.installation.configuration.destinations
        waiting = {True: 0, False: 0}
        for (unit, state), count in numbers(self.installation.database).deliveries.items():
            if state in UNDER_WAY:
                waiting[unit in destinations and destinations[unit].kind == "internal"] += count
        return waiting[False], waiting[True]

    def sentence(self) -> str:
        _, handed, left, live = self.movement()
        return f"拉取已发 {handed}，推送剩余 {left}，待送 {live} (handed out, pushes left, live deliveries)"
