"""suqiu keys: the keys that personal data is sealed with."""

from __future__ import annotations

import typer

from console.cli.output import HERE, AsJson, Folder, open_installation, show_json

app = typer.Typer(no_args_is_help=True, help="密钥：生成、状态、轮换 (keys)")


@app.command()
def generate() -> None:
    """生成一个新密钥，保存到环境变量或文件 (print a new key; keep it in a file or the environment)."""
    import base64
    import secrets

    print(base64.b64encode(secrets.token_bytes(32)).decode())


@app.command()
def status(config: Folder = HERE, as_json: AsJson = False) -> None:
    """每个密钥下还有多少数据 (how much is still sealed under each key)."""
    from console.cli.output import show
    from router.ledger.rotation import sealed_under

    installation = open_installation(config)
    counted = sealed_under(installation.database)
    current = installation.configuration.settings.keys.current
    rows = [
        {"key": key, "table": table, "rows": count, "current": "✓" if key == current else ""}
        for (table, key), count in sorted(counted.items())
    ]
    columns = (("key", "密钥"), ("table", "表"), ("rows", "行"), ("current", "当前"))
    show(rows, columns, as_json=as_json)


@app.command()
def rotate(config: Folder = HERE, as_json: AsJson = False) -> None:
    """用当前密钥重新加密旧数据，可随时中断再来 (seal everything under the current key; can be resumed)."""
    from rich.console import Console
    from rich.progress import Progress

    from router.ledger.rotation import rotate as rotate_
    from router.ledger.rotation import sealed_under

    installation = open_installation(config)
    current = installation.configuration.settings.keys.current
    stale = sum(n for (_, key), n in sealed_under(installation.database).items() if key != current)
    done = 0
    with Progress(console=Console(stderr=True), disable=as_json) as progress:
        bar = progress.add_task("轮换", total=stale)
        for count in rotate_(installation.database, installation.sealer):
            done += count
            progress.update(bar, completed=done)
    files = installation.attachments.reseal()
    told = {"rows": done, "attachments": files, "key": current}
    show_json(told) if as_json else print(f"已用 {current} 重新加密：{done} 行，{files} 个附件")
