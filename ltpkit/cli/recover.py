"""`ltpkit recover`: a damaged store made whole from what can still be read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltpkit.cli.terminal import console, shown_path

__all__ = ["recover"]

_SOURCES = {"file": "the file itself", "exports": "the exports", "journal": "the journal"}


def recover(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The store, damaged or with a journal left.")],
    *,
    exports: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="DIR", help="A folder of Parquet files that `ltpkit export` wrote."),
    ] = None,
) -> None:
    """Make a store whole again: from its file, its journal and exports. Nothing is deleted."""
    from ltpkit.store.rebuild import rebuild

    out = console()
    done = rebuild(file, exports=exports or ())
    for source, tables in done.rows.items():
        counts = ", ".join(f"{count:,} {table}" for table, count in tables.items() if count)
        out.print(f"From {_SOURCES[source]}: {counts or 'nothing'}", soft_wrap=True)
    if done.missing:
        out.print(
            f"{done.missing:,} rows are in none of these. Where they belong is in feed_events, as gaps.",
            style="bold red",
            soft_wrap=True,
        )
    for one in done.kept:
        out.print(f"Kept: {shown_path(one)}", soft_wrap=True)
    word = "is sound" if done.sound else "was made anew"
    out.print(f"{shown_path(done.path)} {word}.", soft_wrap=True)
