"""The commands about what can be traded: fetch a broker's list, look something up in it."""

from __future__ import annotations

import warnings
from typing import Annotated

import typer

from ltpkit.cli.terminal import Commands, console, frame_table

__all__ = ["instruments"]

instruments = typer.Typer(
    cls=Commands,
    help="What can be traded: brokers' lists of instruments.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Feed = Annotated[str, typer.Option("--feed", help="Whose list: dhan, kite, upstox or angelone.")]


@instruments.command()
def refresh(
    *,
    feed: _Feed = "dhan",
    url: Annotated[
        str | None, typer.Option("--url", help="Where the list is, in place of the broker's.")
    ] = None,
) -> None:
    """Fetch a broker's list now, also where today's is there."""
    from ltpkit import masters

    found = masters.refresh(feed, url=url)
    parts = found.frame.group_by("exchange").len().sort("len", descending=True)
    text = ", ".join(f"{exchange} {count:,}" for exchange, count in parts.iter_rows())
    out = console()
    out.print(f"{found.frame.height:,} instruments of {feed} for {found.day}: {text}.", soft_wrap=True)
    out.print(f"Kept in {masters.cache_folder()}.", soft_wrap=True)


@instruments.command()
def find(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Words: nifty 24900 ce; NSE:tata.")],
    *,
    feed: _Feed = "dhan",
    exchange: Annotated[
        str | None, typer.Option("--exchange", help="NSE, BSE, NFO, BFO, CDS, BCD, MCX or INDEX.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows shown; 0 for all.")] = 20,
) -> None:
    """Look instruments up: the symbol itself first, then what resembles it."""
    from ltpkit import masters

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", masters.OldInstruments)
        found = masters.find(" ".join(text), feed, exchange=exchange, limit=limit or None)
    for one in told:
        console(stderr=True).print(str(one.message), style="yellow", soft_wrap=True)
    out = console(uncut=True)
    if found.is_empty():
        out.print(f"Nothing in {feed}'s list is like {' '.join(text)!r}.", soft_wrap=True)
        raise typer.Exit(1)
    empty = [name for name in found.columns if found[name].is_null().all()]
    out.print(frame_table(found.drop(empty), width=out.width))
