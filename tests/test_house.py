"""
The house rules that a machine can check. Where a rule has exceptions, each stands here with its reason.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("router", "connectors", "mappings", "monitoring", "config", "demo", "console")
ROOMS = (*FLOORS, "tests", "bench", "docs", "scripts")

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
MOST_PARAMETERS = 5

LONG_FILES: dict[str, str] = {}
"""path: why it may be longer."""
LONG_FUNCTIONS = {
    "router/ledger/migrations/versions/0001_the_ledger.py:upgrade": "a migration is a list of tables",
}
"""path:function: why it may be longer."""
MANY_PARAMETERS = {
    "router/flows/registering.py:register": "three are handed in by wiring, three a person decides",
    "connectors/rest.py:__init__": "two say which source, four are handed in by wiring",
    "router/broker/consumer.py:__init__": "four say what to read, two are handed in by wiring",
    "router/broker/reading.py:__init__": "four say what to read, two are handed in by wiring",
}
OPTIONS = "console/cli/"
"""On the command line the parameters of a function are the options of a command."""

READS_THE_ENVIRONMENT = {
    "config/wiring.py": "the one place that reads it",
    "demo/servers/rabbitmq.py": "hands PATH on to the server's programs",
    "demo/servers/postgres.py": "hands PATH on to the server's programs",
}

FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "misc"}

# Written in pieces so that this file does not find itself.
FORBIDDEN_WORDS = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/opt/" + "wheels",
    "/opt/" + "pypi",
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
    "TO" + "DO",
    "FIX" + "ME",
    "XX" + "X ",
)


def tracked(*suffixes: str) -> list[Path]:
    """Files that belong to the project; what git ignores does not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def product_files() -> list[Path]:
    return [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in FLOORS]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring: explaining more must never cost anything."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def test_every_top_level_folder_explains_itself() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    silent = sorted(
        folder
        for folder in folders
        if not folder.startswith(".") and not (ROOT / folder / "README.md").is_file()
    )
    assert not silent, "\n".join(silent)


def test_nothing_speaks_of_the_machine_it_was_written_on_or_of_work_left_undone() -> None:
    found = [
        f"{name_of(path)}:{number}: {word}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1)
        for word in FORBIDDEN_WORDS
        if word in line
    ]
    assert not found, "\n".join(found)


LOCKS = ("requirements.lock", "requirements-bench.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_place_to_download_from(name: str) -> None:
    lock = (ROOT / name).read_text("utf-8")
    assert "--hash=sha256:" in lock
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links| @ file:", lock) == []


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    written = "\n".join((ROOT / name).read_text("utf-8") for name in LOCKS)
    locked = set(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==", written, re.M))
    assert sorted(declared_dependencies() - locked) == []


def test_every_dependency_has_its_reason_and_no_reason_outlives_its_dependency() -> None:
    explained = set(
        re.findall(r"^\| `([^`]+)` \| \S", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.M)
    )
    assert {re.sub(r"[-_.]+", "-", name) for name in explained} == declared_dependencies()


def declared_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *extras["dev"], *extras["bench"]]
    names = (re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in product_files()}
    long = {
        name: length for name, length in lengths.items() if length > LONGEST_FILE and name not in LONG_FILES
    }
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{name_of(path)}:{function.name}": length_of(function)
        for path in product_files()
        for function in functions_of(path)
    }
    long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert {name: length for name, length in long.items() if name not in LONG_FUNCTIONS} == {}


def test_no_function_asks_for_more_than_five_things() -> None:
    greedy = {}
    for path in product_files():
        if name_of(path).startswith(OPTIONS):
            continue
        for function in functions_of(path):
            words = function.args
            names = [word.arg for word in (*words.posonlyargs, *words.args, *words.kwonlyargs)]
            asked = len([name for name in names if name not in ("self", "cls")])
            if asked > MOST_PARAMETERS:
                greedy[f"{name_of(path)}:{function.name}"] = asked
    assert {name: asked for name, asked in greedy.items() if name not in MANY_PARAMETERS} == {}


def test_no_exception_to_a_rule_outlives_its_reason() -> None:
    names = {name_of(path) for path in product_files()}
    excused = {
        entry.partition(":")[0]
        for entry in (*LONG_FILES, *LONG_FUNCTIONS, *MANY_PARAMETERS, *READS_THE_ENVIRONMENT)
    }
    assert sorted(excused - names) == []
    assert [
        name for name in LONG_FILES if len((ROOT / name).read_text("utf-8").splitlines()) <= LONGEST_FILE
    ] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in tracked(".py") if path.stem in FORBIDDEN_NAMES] == []


def test_only_the_wiring_reads_the_environment() -> None:
    readers = [
        name_of(path)
        for path in product_files()
        if re.search(r"\bos\.environ|\bgetenv\b|\bimport environ\b", path.read_text("utf-8"))
        and name_of(path) not in READS_THE_ENVIRONMENT
    ]
    assert not readers, "\n".join(readers)


def test_a_check_is_never_silenced_without_a_reason() -> None:
    silencer = re.compile(
        r"#\s*(?:no" + r"qa|type:\s*ig" + r"nore)(?P<code>: ?[A-Z]+[0-9]+|\[[a-z, -]+\])?(?P<reason>.*)"
    )
    silenced = []
    for path in tracked(".py"):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            found = silencer.search(line)
            explained = any(above.lstrip().startswith("#") for above in lines[max(0, number - 2) : number])
            if found and not (found["code"] and (found["reason"].strip() or explained)):
                silenced.append(f"{name_of(path)}:{number + 1}")
    assert not silenced, "\n".join(silenced)


def test_every_link_in_every_page_leads_somewhere() -> None:
    dead = []
    for page in tracked(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if (
                not target.startswith(("http://", "https://", "mailto:"))
                and not (page.parent / target).exists()
            ):
                dead.append(f"{name_of(page)}: {target}")
    assert not dead, "\n".join(dead)


def test_every_verb_of_make_has_help_text() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY:(.*)$", makefile, re.M)
    assert phony is not None
    verbs = phony.group(1).split()
    printed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [verb for verb in verbs if not re.search(rf"^  make {verb} +\S", printed, re.M)] == []
    assert {"setup", "demo", "demo-rabbitmq", "check", "test", "bench", "run", "docs"} <= set(verbs)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True)


def test_imports_point_only_down() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        pytest.param("router/planted.py", "connectors", id="the ground knows nothing above it"),
        pytest.param("connectors/planted.py", "mappings", id="rooms of one floor never meet"),
        pytest.param("monitoring/planted.py", "router.ledger.schema", id="watchers are handed the ledger"),
        pytest.param("connectors/planted.py", "router.broker", id="connectors do not reach for the broker"),
        pytest.param("router/flows/planted.py", "router.ledger.schema", id="flows know no SQL"),
        pytest.param("router/decisions/planted.py", "router.broker", id="decisions know no AMQP"),
        pytest.param("config/planted.py", "demo", id="assembly does not know the demonstration"),
    ],
)
def test_the_contract_catches_an_import_that_goes_up_or_sideways(
    tmp_path: Path, room: str, forbidden: str
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path in product_files():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (tmp_path / room).write_text(f"import {forbidden}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout
    assert room.removesuffix(".py").replace("/", ".") in result.stdout
