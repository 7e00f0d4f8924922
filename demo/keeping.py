"""What stays behind in the folder of a day: the hub's export, and a page that explains the files."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from config.wiring import Installation
from demo import compare
from demo.city import City

FATES = "fates.jsonl"

README = """\
This folder is one day of `suqiu demo`: what everyone wrote down, and the hub's ledger.

result.json          the day's result
handed-out-*.jsonl   each source, every time it handed something out:
                       revision  the source's own count of the appeal's versions
                       answer    what a push was told; null: no answer, or a pull, which has none
                       expect    ok | dead (cannot be read) | rejected (signed wrongly)
                                 | duplicate (a repeat of the source's own making; what the hub asks
                                 for again, and a push that is sent again for want of a yes, is none)
got-*.jsonl          each unit, every message it got, written before it said yes;
                       refused   it sent it back as not its own
fates.jsonl          the hub's export: each appeal with its state and each of its deliveries
compare.py           counts from these files what was lost: python compare.py .
config/, mappings/   the configuration of the day; secrets.env holds its secrets
*.log                what each process said

To look into the ledger (config/suzhou/var/suqiu.db, unless the day ran on another database):

    set -a; . ./secrets.env; set +a
    suqiu appeals list --config config/suzhou
    suqiu appeals explain ID --config config/suzhou
    suqiu dead list --config config/suzhou
"""


def export_fates(installation: Installation, folder: Path) -> None:
    """Everything the hub says became of every appeal, one line per delivery."""
    with (folder / FATES).open("w", encoding="utf-8") as file:
        for row in installation.views.fates():
            file.write(json.dumps(row, ensure_ascii=False, default=_text) + "\n")


def explain(city: City, result: dict[str, Any]) -> None:
    """Result, README and the independent count, for whoever opens the folder later."""
    (city.folder / "result.json").write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", "utf-8")
    (city.folder / "README").write_text(README, "utf-8")
    shutil.copy(compare.__file__, city.folder / "compare.py")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
