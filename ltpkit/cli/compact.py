"""`ltpkit compact`: a store's file, made smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltpkit.cli.terminal import console, shown_path, words_for_bytes

__all__ = ["compact"]


def compact(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A store that no stream is writing.")],
    *,
    keep_days: Annotated[
        int | None,
        typer.Option(
            "--keep-days", min=0, help="First delete rows older than so many full days.", show_default="all"
        ),
    ] = None,
) -> None:
    """Write a store's file anew, without the room that deleted rows have left.

    A running stream does the same with live.compact(), while it stores on.
    """
    from ltpkit.errors import StoreError
    from ltpkit.schema import now_us
    from ltpkit.store import Store

    out = console()
    if not file.exists():
        raise StoreError(file, f"There is no store at {file}.")
    with Store(file) as store:
        if keep_days is not None:
            out.print(f"{store.keep_days(keep_days, now_us()):,} old rows deleted.", soft_wrap=True)
        found = store.compact()
    sizes = f"{words_for_bytes(found.before)} → {words_for_bytes(found.after)}"
    out.print(f"{shown_path(file)}: {sizes}", soft_wrap=True)
