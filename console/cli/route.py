"""suqiu route: why an appeal goes where it goes, and how often that is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.output import HERE, AsJson, Folder, fail, show, show_json, show_pairs

Share = Annotated[float | None, typer.Option(min=0, max=1, help="0 至 1 (a share, 0 to 1)")]

app = typer.Typer(no_args_is_help=True, help="派单规则：解释、评估 (routing)")


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="规范诉求或其部分字段的 JSON (an appeal, or some fields)")],
    config: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """派给谁，为什么，前面的规则为什么没用上 (where it goes and why, and why no earlier rule took it)."""
    from config.wiring import Installation
    from console.cli.traces import show_decision
    from console.explaining import decide
    from router import jsontext
    from router.decisions.evaluation import appeal_from

    fields = jsontext.loads(file.read_bytes())
    if not isinstance(fields, dict):
        raise fail(f"{file}: 应为一个 JSON 对象 (one JSON object expected)")
    decision = decide(Installation(config).configuration, appeal_from(fields))
    show_json(decision) if as_json else show_decision(decision)


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="每行一例 JSONL (one case a line: appeal, expect)")],
    config: Folder = HERE,
    as_json: AsJson = False,
    confusions: Annotated[int, typer.Option(min=0, help="显示最常见的误派 (most frequent confusions)")] = 20,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="列出派错的行号与去向 (which lines went wrong)")
    ] = False,
    min_accuracy: Share = None,
    min_precision: Share = None,
    min_coverage: Share = None,
    max_desk: Share = None,
    max_supervision: Share = None,
) -> None:
    """准确率、覆盖率、落到服务台的、常见误派；低于要求时退出码为 1 (exit code 1 below what is demanded)."""
    from config.wiring import Installation
    from router.decisions.evaluation import evaluate as evaluate_
    from router.decisions.evaluation import shortfalls

    configuration = Installation(config).configuration
    result = evaluate_(
        configuration.rules, _cases(file), configuration.directory, first_look=configuration.first_look
    )
    show_json(result) if as_json else _tell(result, confusions)
    if wrong and not as_json:
        columns = (("case", "用例"), ("expected", "应派"), ("actual", "实派"), ("rule", "规则"))
        show([miss.model_dump() for miss in result.wrong], columns, as_json=False)
    least = {"accuracy": min_accuracy, "precision": min_precision, "coverage": min_coverage}
    found = shortfalls(result, least, {"desk": max_desk, "supervision": max_supervision})
    for sentence in found:
        typer.echo(f"{file}: {sentence}", err=True)
    if found:
        raise typer.Exit(1)


def _cases(file: Path) -> list[Any]:
    from router import jsontext

    cases: list[Any] = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.strip():
            case = jsontext.loads(line)
            if not isinstance(case, dict) or "appeal" not in case or "expect" not in case:
                raise fail(f"{file}:{number}: 应有 appeal 与 expect (appeal and expect expected)")
            cases.append(case)
    return cases


def _tell(result: Any, confusions: int) -> None:
    show_pairs(
        [
            ("用例 cases", result.cases),
            ("准确 accuracy", f"{result.accuracy:.1%}"),
            ("覆盖 coverage", f"{result.coverage:.1%}"),
            ("派出的准确 precision", f"{result.precision:.1%}"),
            ("服务台 desk", f"{result.desk:.1%}"),
            ("督查室 supervision", f"{result.supervision:.1%}"),
        ]
    )
    show(
        [vars(c) if hasattr(c, "__dict__") else c for c in result.confusions[:confusions]],
        (("expected", "应派"), ("actual", "实派"), ("count", "次数")),
        as_json=False,
    )
