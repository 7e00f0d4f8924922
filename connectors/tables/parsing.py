"""The child process that parses: started, fed, limited, and understood, whatever becomes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from connectors.tables.child import BOMB
from connectors.tables.grid import Grid, from_plain
from connectors.tables.kinds import Kind

ROOT = Path(__file__).resolve().parents[2]
MOST_OUTPUT = 64 * 1024 * 1024


class CannotParse(Exception):
    """The text is for the sender."""


class Limits(Protocol):
    @property
    def memory(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def sheets(self) -> int: ...


def grids_of(kind: Kind, content: bytes, limits: Limits) -> list[Grid]:
    """The sheets of a file. Raises CannotParse, also when the child dies, hangs or asks too much."""
    numbers = (limits.memory, int(limits.seconds), limits.rows + 100, limits.columns, limits.sheets)
    command = [sys.executable, "-m", "connectors.tables.child", kind, *map(str, numbers)]
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=limits.seconds * 2,
            cwd=ROOT,
            env={"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
        )
    except subprocess.TimeoutExpired as error:
        raise CannotParse("文件太大或太复杂，读取超时，请精简后再发 (it takes too long to read)") from error
    if done.returncode != 0 or len(done.stdout) > MOST_OUTPUT:
        raise CannotParse("文件超出正常表格的范围，请新建表格重填再发 (of no usual size)")
    said = json.loads(done.stdout)
    if said.get("problem") == BOMB:
        raise CannotParse("行数过多，请按季度拆分后再发 (too many rows)")
    if "problem" in said:
        raise CannotParse(f"文件已损坏或格式不对，请重新另存再发 (damaged: {said['problem']})")
    return [from_plain(sheet) for sheet in said["sheets"]]
