"""How a mapping's trace and a decision's reasoning are shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from console.cli.output import heading, show, show_pairs

_TRACE = (
    ("field", "字段"), ("value", "结果"), ("raw", "取自"), ("steps", "经过"), ("why", "说明"),
    ("flags", "标记"), ("where", "映射行"),
)  # fmt: skip


def show_fields(rows: Iterable[Any]) -> None:
    """One line per field: what came, what was done to it, what came out or why nothing did."""
    heading("字段 (fields)")
    show([row if isinstance(row, dict) else row_of(row) for row in rows], _TRACE, as_json=False)


def row_of(row: Any) -> dict[str, str]:
    return {name: getattr(row, name) for name, _ in _TRACE}


def show_decision(decision: Mapping[str, Any] | None) -> None:
    """Where it goes, on what grounds, and why no earlier rule took it."""
    if decision is None:
        return
    heading("去向 (decision)")
    show_pairs(
        [
            ("规则 rule", decision["rule"]),
            ("主办 lead", decision["lead"]),
            ("协办 assisting", ", ".join(decision["assisting"])),
            *([("要求 asks", decision["asks"])] if decision.get("asks") else []),
        ]
    )
    if decision["matched"]:
        heading("因为 (matched)")
        show(decision["matched"], (("condition", "条件"), ("saw", "实际")), as_json=False)
    if decision["passed_over"]:
        heading("未采用的规则 (passed over)")
        rows = [{"rule": item["rule"], **item["failed"]} for item in decision["passed_over"]]
        show(rows, (("rule", "规则"), ("condition", "不满足"), ("saw", "实际")), as_json=False)
    if decision["facts"]:
        heading("事实 (facts)")
        show_pairs(decision["facts"].items())
