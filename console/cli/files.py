"""suqiu init, check, schema: the configuration folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.output import HERE, AsJson, Folder, show_json


def init(folder: Annotated[Path, typer.Argument(help="新目录 (a new folder)")]) -> None:
    """写一份带注释、可直接运行的起始配置 (write a commented configuration that works as it stands)."""
    import os

    from config.beginning import init as init_

    for path in init_(folder, os.urandom):
        print(path)
    print(
        f"\n下一步：\n  suqiu check --config {folder}\n  suqiu ledger upgrade --config {folder}"
        f"\n  suqiu run --config {folder}"
    )


def check(config: Folder = HERE, as_json: AsJson = False) -> None:
    """读取全部配置，逐条报告所有问题 (report every problem with file and line); 无问题则无输出."""
    from config.loading import check as check_
    from config.problems import Advice
    from config.wiring import Installation

    installation = Installation(config)
    problems = check_(installation.bundle, installation.secret)
    if as_json:
        show_json(
            [
                {"where": p.where, "what": p.what, "hint": p.hint, "advice": isinstance(p, Advice)}
                for p in problems
            ]
        )
    else:
        for problem in problems:
            print(problem)
    if any(not isinstance(problem, Advice) for problem in problems):
        raise typer.Exit(1)


def schema(
    folder: Annotated[Path | None, typer.Argument(help="写入此目录 (write into this folder)")] = None,
    contracts: Annotated[
        bool, typer.Option(help="导出规范消息的契约与样例 (the message contracts and samples)")
    ] = False,
) -> None:
    """各配置文件的 JSON Schema，供编辑器补全 (JSON Schemas of every configuration file, for editors)."""
    import json

    from config.schemas import configuration_schemas, export_contracts

    if contracts:
        for path in export_contracts(folder or Path("docs/contracts")):
            print(path)
        return
    schemas = configuration_schemas()
    if folder is None:
        show_json(schemas)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas.items():
        path = folder / name
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
        print(path)
