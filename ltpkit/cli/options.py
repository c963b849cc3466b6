"""What commands that run a stream share: their options, and the stream itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.live import Stream

__all__ = [
    "Feed",
    "Kind",
    "MarketRate",
    "Mode",
    "Rate",
    "RestUrl",
    "Seconds",
    "Seed",
    "Store",
    "Symbols",
    "Url",
    "split_symbols",
    "started",
]

Seconds = Annotated[
    float | None,
    typer.Option("--seconds", min=0.1, help="End by itself after so long.", show_default="never"),
]
Feed = Annotated[str, typer.Option("--feed", "-f", help="Where from; `ltpkit feeds` lists them.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Which of the feed's streams, as usdm of binance.")]
Url = Annotated[str | None, typer.Option("--url", help="WebSocket address in place of the feed's own.")]
RestUrl = Annotated[str | None, typer.Option("--rest-url", help="The same for its HTTP address.")]
Mode = Annotated[str | None, typer.Option("--mode", help="How much of each tick, as quote of dhan.")]
Symbols = Annotated[
    list[str], typer.Argument(metavar="SYMBOL...", help="As NSE:RELIANCE or RELIANCE; several, or a,b,c.")
]
Store = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="FILE", help="DuckDB file to keep the ticks in.", show_default="in memory"
    ),
]
Rate = Annotated[
    float, typer.Option("--rate", min=1, help="Ticks a second of the whole market; inf for no limit.")
]
MarketRate = Annotated[
    float | None,
    typer.Option("--rate", min=1, help="Of the simulated market, ticks a second.", show_default="500"),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Which market: the same seed, the same prices.")]


def split_symbols(symbols: Sequence[str] | None) -> list[str]:
    """Return the symbols, of which several may be joined by commas."""
    return [part.strip() for text in symbols or () for part in text.split(",") if part.strip()]


@contextmanager
def started(
    symbols: Sequence[str],
    feed: str,
    out: Console,
    *,
    kind: str | None,
    url: str | None,
    rest_url: str | None,
    mode: str | None,
    **more: Any,
) -> Iterator[Stream]:
    """Yield a stream, and say in a terminal what is being waited for until it is there."""
    import ltpkit as lk
    from ltpkit.cli.terminal import is_screen

    # An option that was not given is left out: a feed that has none such refuses even None.
    asked = {"kind": kind, "url": url, "rest_url": rest_url, "mode": mode, **more}
    given = {name: value for name, value in asked.items() if value is not None}
    with out.status(f"Connecting to {feed} …") if is_screen(out) else nullcontext():
        live = lk.stream(symbols, feed=feed, **given)
    with live:
        yield live
