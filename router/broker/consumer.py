"""
What comes back from the broker: `suqiu.dead`, `suqiu.unrouted`, later `suqiu.feedback`.

Each queue has a reader with a thread and a connection of its own: apart from the publisher's, which an
alarm may block, and apart from each other's, since a subscription to a queue without a leader never
returns. `record` is nevertheless called by one of them at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from router.broker.reading import Reader, Record
from router.broker.settings import BrokerSettings
from router.ports import Returned


class Consumer:
    """Reads some queues for as long as it runs."""

    def __init__(
        self,
        settings: BrokerSettings,
        password: str | None,
        queues: Sequence[str],
        record: Record,
        *,
        report: Callable[[str], None],
        random: Callable[[], float],
    ) -> None:
        self._record = record
        self._one_at_a_time = threading.Lock()
        self._readers = [
            Reader(settings, password, queue, self._pass_on, report=report, random=random) for queue in queues
        ]

    @property
    def is_connected(self) -> bool:
        """All queues are being read."""
        return all(reader.is_connected for reader in self._readers)

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; the batches at hand are then recorded and acknowledged."""
        threads = [
            threading.Thread(target=reader.run, args=(stop,), name=f"suqiu-reader-{number}", daemon=True)
            for number, reader in enumerate(self._readers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _pass_on(self, batch: Sequence[Returned]) -> None:
        with self._one_at_a_time:
            self._record(batch)
