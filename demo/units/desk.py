"""What every unit does with a task, by whatever way it came: recognise repeats, write it down, decide."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from demo.record import Record


@dataclass
class UnitDesk:
    """One unit's incoming tray. For one thread, but for `got`."""

    unit: str
    record: Record
    seen: set[str]
    """Dispatch ids of an earlier life of this process."""
    refuses: Collection[str] = ()
    """Source ids of appeals that this unit says it cannot take."""
    forgets: bool = False
    """The planted loss: the first task is acknowledged and written down nowhere."""
    got: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, dispatch: dict[str, Any]) -> bool:
        """True: we have it, written down. False: not ours, take it back."""
        appeal, task = dispatch["appeal"], dispatch["task"]
        is_refused = appeal["source_id"] in self.refuses
        if dispatch["dispatch_id"] in self.seen:
            return not is_refused
        self.seen.add(dispatch["dispatch_id"])
        if self.forgets:
            self.forgets = False
            return True
        self.record.write(
            {
                "unit": self.unit,
                "dispatch_id": dispatch["dispatch_id"],
                "type": dispatch["type"],
                "destination": dispatch["destination"],
                "source": appeal["source"],
                "source_id": appeal["source_id"],
                "revision": appeal["revision"],
                "source_version": int(appeal["extensions"].get("source_version") or 1),
                "sequence": task["sequence"],
                "role": task["role"],
                "refused": is_refused,
            }
        )
        self.got += 1
        return not is_refused
