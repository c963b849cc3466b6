"""The command `ltpkit`: the same library from a terminal.

Each command imports what it needs when it runs, so that ``ltpkit --help`` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ltpkit.cli.ask import bench, export, feeds, migrate, sql
from ltpkit.cli.compact import compact
from ltpkit.cli.dashboard import dashboard
from ltpkit.cli.decode import decode
from ltpkit.cli.health import doctor
from ltpkit.cli.instruments import instruments
from ltpkit.cli.login import login
from ltpkit.cli.recover import recover
from ltpkit.cli.run import demo, record, replay, simulate, stream
from ltpkit.cli.serve import serve
from ltpkit.cli.terminal import Commands, write_any_sign

__all__ = ["app", "main"]

app = typer.Typer(
    name="ltpkit",
    cls=Commands,
    help="The market live in your notebook, and in your terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with locals could show a token
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - typer hands it over by position
    if value:
        from ltpkit import __version__

        typer.echo(f"ltpkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


_WATCH, _SERVE, _ASK, _CARE = (
    "Watch the market",
    "Serve it to other programs",
    "Ask what was stored",
    "Look after things",
)

for panel, commands in {
    _WATCH: (demo, stream, dashboard, record, replay, simulate),
    _SERVE: (serve,),
    _ASK: (sql, export, decode),
    _CARE: (doctor, feeds, login, migrate, recover, compact, bench),
}.items():
    for command in commands:
        app.command(
            rich_help_panel=panel,
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
            if command is bench
            else None,
        )(command)

app.add_typer(instruments, name="instruments", rich_help_panel=_CARE)


def main() -> None:
    """Run the command."""
    write_any_sign()
    app()
