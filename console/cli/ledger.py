"""suqiu ledger: the database's schema."""

from __future__ import annotations

from typing import Any

import typer

from console.cli.output import HERE, AsJson, Folder, show_json, show_pairs

app = typer.Typer(no_args_is_help=True, help="账本：升级、状态、审计 (the ledger)")


@app.command()
def upgrade(config: Folder = HERE, as_json: AsJson = False) -> None:
    """把账本升级到本版本所需的结构 (bring the schema to what this release needs)."""
    from config.wiring import Installation
    from router.ledger.migrate import upgrade as upgrade_

    before, after = upgrade_(Installation(config).database)
    told = {"before": before, "after": after}
    show_json(told) if as_json else print(f"账本结构：{before or '空'} → {after}")


@app.command()
def status(config: Folder = HERE, as_json: AsJson = False) -> None:
    """结构版本与在途数量 (schema version and what is under way)."""
    from config.wiring import Installation
    from router.ledger.measures import numbers
    from router.ledger.version import needed, present

    database = Installation(config).database
    found: dict[str, Any] = {"schema": present(database), "needed": needed()}
    if found["schema"] == found["needed"]:
        counted = numbers(database)
        found["deliveries"] = {f"{to} {state}": n for (to, state), n in sorted(counted.deliveries.items())}
        found["dead_letters"] = {f"{stage} {why}": n for (stage, why), n in sorted(counted.dead.items())}
        found["cursors"] = counted.cursors
    show_json(found) if as_json else show_pairs(found.items())


@app.command()
def audit(config: Folder = HERE, limit: int = 50, as_json: AsJson = False) -> None:
    """谁在何时做了什么决定 (who decided what, and why)."""
    from console.cli.output import open_installation, show

    columns = (("at", "时间"), ("actor", "人员"), ("action", "操作"), ("target", "对象"), ("reason", "原因"))
    show(open_installation(config).views.audit(limit), columns, as_json=as_json)
