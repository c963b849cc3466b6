"""What can be subscribed to: the broker's list, or for a feed without one what the stream has met."""

from __future__ import annotations

import warnings

import polars as pl

from ltpkit import masters, nifty
from ltpkit.live import Stream

__all__ = ["COLUMNS", "find_instruments"]

COLUMNS = ("exchange", "symbol", "name", "type", "lot", "tick_size")


def find_instruments(stream: Stream, text: str, *, limit: int) -> pl.DataFrame:
    """Return the instruments that `text` may mean, best first, shape (up to `limit`, 6): `COLUMNS`."""
    feed = stream._feed.name
    if masters.listing(feed) is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", masters.OldInstruments)  # the log of who started it has it
            return masters.find(text, feed, limit=limit).select(COLUMNS)
    met = {one.name: one for one in stream._instruments}
    if feed == "simulated":
        met |= {one.name: one for one in nifty.instruments()}
    wanted = text.casefold()
    found = [one for name, one in met.items() if wanted in name.casefold()]
    found.sort(key=lambda one: (not one.symbol.casefold().startswith(wanted), one.symbol))
    return pl.DataFrame(
        [(one.exchange, one.symbol, None, None, one.lot, one.tick_size) for one in found[:limit]],
        schema={
            "exchange": pl.String,
            "symbol": pl.String,
            "name": pl.String,
            "type": pl.String,
            "lot": pl.Float64,
            "tick_size": pl.Float64,
        },
        orient="row",
    )
