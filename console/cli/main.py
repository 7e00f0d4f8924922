"""suqiu: the one command. Each group stands in a file of its own."""

from __future__ import annotations

import sys

import typer

from config.interpreter import tune_command
from console.cli import (
    appeals,
    approvals,
    dead,
    deliveries,
    files,
    keys,
    ledger,
    mapping,
    quarters,
    route,
    running,
    tasks,
    topology,
)

app = typer.Typer(
    name="suqiu",
    help="诉求 · 企业诉求集成枢纽 (the integration hub behind a city's 12345 platform)",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for name, group in (
    ("mapping", mapping.app),
    ("route", route.app),
    ("appeals", appeals.app),
    ("tasks", tasks.app),
    ("deliveries", deliveries.app),
    ("dead", dead.app),
    ("approvals", approvals.app),
    ("quarters", quarters.app),
    ("topology", topology.app),
    ("ledger", ledger.app),
    ("keys", keys.app),
):
    app.add_typer(group, name=name)
app.command()(files.init)
app.command()(files.check)
app.command()(files.schema)
app.command()(running.run)
app.command()(running.demo)


def main() -> None:
    """The entry point: errors that a person can mend are one clear text and exit code 2."""
    tune_command()  # before anything heavy is imported, which the commands do
    from router.errors import ConfigError, HubError

    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        sys.exit(2)
    except HubError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
