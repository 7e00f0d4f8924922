"""
The corpus as cases for `suqiu route evaluate`, one JSON line each.

    python -m demo.corpus > cases.jsonl && suqiu route evaluate cases.jsonl --config config/suzhou
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from demo.corpus import Text, texts
from demo.corpus.filling import fill


def case(text: Text, chance: Random) -> dict[str, Any]:
    """Only what everybody sends: no unit is proposed, the words have to do."""
    filled = fill(text, chance)
    appeal: dict[str, Any] = {
        "title": filled.title,
        "content": filled.content,
        "kind": text.kind,
        "region": filled.region,
        "source": "sst_direct" if text.way else "crm",
    }
    if text.way:
        appeal["mode"] = "direct_report"
        appeal["standing"] = "closed" if text.result else "open"
    return {"appeal": appeal, "expect": list(text.units)}


if __name__ == "__main__":
    for one in texts():
        print(json.dumps(case(one, Random(one.id)), ensure_ascii=False))
