"""What a start need not load. Told by names, not by seconds: those depend on the machine and the day."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.config.folders import starter, swap

REST = """\
    pull: {kind: rest, url: "http://127.0.0.1:1", id: orderNo}

    # The hub can ask it instead"""
COMMAND = """
from config.wiring import Installation
assert Installation(folder).database
"""
HUB = """
from config.process import Process
from config.wiring import Installation
Process(Installation(folder), roles)
"""
POLLED = {"pull": {"kind": "rest", "url": "http://127.0.0.1:1", "id": "orderNo"}}
MIGRATED = """
from router.ledger.migrate import upgrade
from config.wiring import Installation
upgrade(Installation(folder).database)
"""
RUNNING = """
from config.process import Process
process = Process(Installation(folder), roles)
process.start()
print(process.front_port)
process.stop()
"""
SUQIU = """
from console.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""

BROKER = {"pika": "relay", "kombu": "feedback", "amqp": "feedback"}
RARE = {
    "phonenumbers": "a phone that is neither a mobile nor Suzhou's (mappings/rare_phones.py)",
    "rapidfuzz": "a unit's report about what another door may have brought (router/decisions/sameness.py)",
    "alembic": "suqiu ledger upgrade",
    "psycopg": "a ledger in PostgreSQL",
    "sqlalchemy.dialects.postgresql": "a ledger in PostgreSQL",
    "pymysql": "a table exchange with MariaDB",
    "imap_tools": "a mailbox",
    "smtplib": "a mailbox that answers",
    "docx": "tables that come by mail",
    "python_calamine": "tables that come by mail",
    "connectors.mail.source": "a mailbox",
    "connectors.table_exchange": "a table exchange",
    "connectors.http_destination": "a unit that the hub calls",
}
OUTSIDE = {
    "httpx": "a source or unit that is called",
    "uvicorn": "the front",
    "starlette": "the front",
    "tenacity": "a REST source",
}


def loaded(code: str, folder: Path) -> set[str]:
    """The modules in a fresh interpreter that has run this code."""
    shown = (
        f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{code}\nimport sys\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "needless"),
    [
        pytest.param(COMMAND, {**RARE, **BROKER, **OUTSIDE}, id="a command that opens the ledger"),
        pytest.param(
            f"roles = ['intake']\n{HUB}", {**RARE, **BROKER, "uvicorn": "the front"}, id="intake alone"
        ),
        pytest.param(f"from config.roles import ROLES as roles\n{HUB}", {**RARE, **BROKER}, id="no RabbitMQ"),
    ],
)
def test_what_nothing_here_needs_is_not_loaded(code: str, needless: dict[str, str], tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    swap(folder, "hub.yaml", "    # The hub can ask it instead", REST)
    found = loaded(code, folder)
    told = [f"{module}, which is for {what}" for module, what in needless.items() if module in found]
    assert not told, (
        "this start loads what it does not need; find by `python -X importtime` who imports "
        + "; ".join(told)
    )
    assert "sqlalchemy" in found, "nothing was loaded at all"


def test_where_nobody_can_come_in_there_is_no_front_and_no_port(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    edit(folder / "hub.yaml", lambda hub: hub["sources"]["example"].update(POLLED))
    edit(folder / "hub.yaml", lambda hub: hub["sources"]["example"].pop("push"))
    edit(folder / "hub.yaml", lambda hub: hub["monitoring"].update(port=0))
    edit(folder / "units.yaml", only_called)
    found = loaded(f"{MIGRATED}\nroles = ['front', 'intake']\n{RUNNING}", folder)
    assert "None" in found, "a front listens"
    assert "uvicorn" not in found


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    yaml = YAML()
    data = yaml.load(file.read_text("utf-8"))
    change(data)
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(data, out)


def only_called(units: Any) -> None:
    """The hub calls them; none has access."""
    units["defaults"]["destination"] = {"kind": "http", "url": "http://127.0.0.1:1/"}
    for unit in units["units"]:
        unit.pop("access", None)


def test_a_command_that_ends_leaves_no_log_beside_the_ledger(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    loaded(f"import sys\nsys.argv = ['suqiu', 'ledger', 'upgrade', '--config', str(folder)]\n{SUQIU}", folder)
    assert [path.name for path in (folder / "var").iterdir()] == ["suqiu.db"]
