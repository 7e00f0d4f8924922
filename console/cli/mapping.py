"""suqiu mapping: try mappings out, test them, and see where each value comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli.output import HERE, AsJson, Folder, fail, show_json

if TYPE_CHECKING:
    from config.wiring import Installation
    from mappings.translator import MappingTranslator
    from router.message import Envelope

app = typer.Typer(no_args_is_help=True, help="映射：测试、解释、试译 (mappings)")
Name = Annotated[str, typer.Argument(help="映射名 (mapping)")]
Input = Annotated[str, typer.Argument(help="输入文件，- 为标准输入 (a file, - for standard input)")]


@app.command("test")
def run_cases(
    name: Annotated[str | None, typer.Argument(help="映射名，默认全部 (mapping; all by default)")] = None,
    config: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """运行映射旁的用例，逐字段报告差异 (run the cases beside each mapping)."""
    from mappings import cases

    installation = _installation(config)
    results: dict[str, Any] = {}
    for chosen in [name] if name else sorted(installation.configuration.translators):
        folder = _folder(installation) / f"{chosen}.cases"
        translator = _translator(installation, chosen)
        found = cases.read(folder) if folder.is_dir() else []
        results[chosen] = cases.run(translator, found, _source_of(installation, chosen))
    if as_json:
        show_json({mapping: [_case(r) for r in found] for mapping, found in results.items()})
    else:
        _tell(results)
    if any(not result.is_as_expected for found in results.values() for result in found):
        raise typer.Exit(1)


def _case(result: Any) -> dict[str, Any]:
    differences = [{"field": d.field, "expected": d.expected, "actual": d.actual} for d in result.differences]
    return {"case": result.case, "ok": result.is_as_expected, "differences": differences}


def _tell(results: dict[str, Any]) -> None:
    from console.cli.output import show

    rows = []
    for mapping, found in results.items():
        failed = sum(not result.is_as_expected for result in found)
        print(f"{mapping}: {len(found)} 例，{failed} 例不符" if found else f"{mapping}: 没有用例 (no cases)")
        rows += [
            {"case": f"{mapping}/{r.case}", "field": d.field, "expected": d.expected, "actual": d.actual}
            for r in found
            for d in r.differences
        ]
    if rows:
        columns = (("case", "用例"), ("field", "字段"), ("expected", "应为"), ("actual", "实际"))
        show(rows, columns, as_json=False)


@app.command()
def explain(name: Name, given: Input, config: Folder = HERE, as_json: AsJson = False) -> None:
    """逐字段显示：取自何处、原值、处理、缺省或为空的原因 (the trace of each field)."""
    from console.cli.traces import row_of, show_fields
    from mappings.trace import rows
    from router.errors import PermanentError

    installation = _installation(config)
    envelope = _envelope(installation, name, given)
    try:
        found = rows(_translator(installation, name).explain(envelope), masked=False)
    except PermanentError as error:
        raise fail(str(error)) from error
    if as_json:
        show_json([row_of(row) for row in found])
        return
    show_fields(found)


@app.command("try")
def try_(name: Name, given: Input, config: Folder = HERE) -> None:
    """把一份输入译成规范诉求并输出 (translate one input; prints the canonical appeal)."""
    from config.wiring import new_id
    from router.errors import PermanentError
    from router.ports import Identity

    installation = _installation(config)
    envelope = _envelope(installation, name, given)
    try:
        translation = _translator(installation, name).translate(envelope)
        show_json(translation.appeal(Identity(new_id(), 1)))
    except PermanentError as error:
        raise fail(str(error)) from error


def _installation(config: Path) -> Installation:
    from config.wiring import Installation

    return Installation(config)


def _folder(installation: Installation) -> Path:
    return installation.folder / installation.configuration.settings.mappings


def _translator(installation: Installation, name: str) -> MappingTranslator:
    translators = installation.configuration.translators
    if name not in translators:
        raise fail(f"没有映射 {name} (no such mapping; there are: {', '.join(sorted(translators))})")
    return translators[name]


def _source_of(installation: Installation, mapping: str) -> str:
    """The source whose words this mapping reads, for aliases that only it uses."""
    sources = installation.configuration.settings.sources
    return next((name for name, source in sources.items() if source.mapping == mapping), mapping)


def _envelope(installation: Installation, mapping: str, given: str) -> Envelope:
    from config.wiring import now
    from router.message import Envelope

    _translator(installation, mapping)
    try:
        body = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
    except OSError as error:
        raise fail(f"{given}: {error.strerror}") from error
    return Envelope(source=_source_of(installation, mapping), source_id="try", body=body, received_at=now())
