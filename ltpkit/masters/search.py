"""Finding instruments in a broker's list: by words, or by the one name that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import polars as pl

from ltpkit.errors import UnknownInstrument, near_misses
from ltpkit.instrument import Instrument, split_symbol
from ltpkit.masters.cache import Master

__all__ = ["Listing", "as_instruments", "matching"]

#: Where a name without an exchange is looked for first.
_EXCHANGES: Final = ("NSE", "BSE", "INDEX", "NFO", "BFO", "CDS", "BCD", "MCX")


def _rank(column: str, order: Iterable[str]) -> pl.Expr:
    places = {name: place for place, name in enumerate(order)}
    return pl.col(column).replace_strict(places, default=len(places), return_dtype=pl.Int32)


def matching(frame: pl.DataFrame, text: str, *, limit: int | None) -> pl.DataFrame:
    """Return the rows that hold every word of `text` in symbol, name, expiry, strike or side.

    Best first: the symbol itself, what begins with it, the rest; shares before contracts, NSE before
    the others, the nearest expiry first. Where there are none, what is `nearest`.
    """
    exchange, words = split_symbol(text) if ":" in text else ("", text)
    wanted = words.casefold().split()
    if exchange:
        frame = frame.filter(exchange=exchange)
    said = pl.concat_str(
        "symbol",
        "name",
        pl.col("expiry").dt.to_string("%d %b %Y"),
        pl.col("expiry").dt.to_string("%Y-%m-%d"),
        pl.col("strike").cast(pl.String).str.strip_suffix(".0"),
        "option_type",
        separator=" ",
        ignore_nulls=True,
    ).str.to_lowercase()
    symbol, first = pl.col("symbol").str.to_lowercase(), " ".join(wanted)
    closeness = (
        pl.when(symbol == first)
        .then(0)
        .when(pl.col("name").str.to_lowercase() == first)
        .then(1)
        .when(symbol.str.starts_with(wanted[0] if wanted else ""))
        .then(2)
        .when(pl.col("name").str.to_lowercase().str.starts_with(wanted[0] if wanted else ""))
        .then(3)
        .otherwise(4)
    )
    holds_all = pl.all_horizontal(pl.lit(True), *(said.str.contains(word, literal=True) for word in wanted))
    found = frame.filter(holds_all).sort(
        closeness,
        _rank("type", ("equity", "index", "future", "option")),
        _rank("exchange", _EXCHANGES),
        "expiry",
        "strike",
        pl.col("symbol").str.len_chars(),
        "symbol",
        nulls_last=True,
    )
    if found.is_empty() and first:
        found = nearest(frame, first)
    return found if limit is None else found.head(limit)


def nearest(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """Return the shares and indices whose symbol is nearly `text`, the nearest first."""
    # Comparing with a quarter of a million contracts takes seconds; with shares and indices it does not.
    few = frame.filter(pl.col("type").is_in(["equity", "index"]))
    close = near_misses(text, few["symbol"].unique(maintain_order=True))
    return pl.concat([few.clear(), *(few.filter(symbol=one) for one in close)])


def as_instruments(frame: pl.DataFrame) -> list[Instrument]:
    """Return rows of a list as instruments, for a feed's ``known=``."""
    columns = frame.select(
        "exchange",
        "symbol",
        "segment",
        "broker_id",
        pl.col("tick_size").fill_null(0.0),
        pl.col("lot").fill_null(1.0),
    )
    return [
        Instrument(exchange=e, symbol=s, segment=part, broker_id=i, tick_size=tick, lot=lot)
        for e, s, part, i, tick, lot in columns.iter_rows()
    ]


class Listing:
    """A broker's list, read when the first symbol is looked up.

    Parameters
    ----------
    load : callable
        Returns the list; called once.
    told : callable
        Called with a sentence where the list is not today's.
    """

    def __init__(self, load: Callable[[], Master], told: Callable[[str], None]) -> None:
        self._load, self._told = load, told
        self._master: Master | None = None
        self._rows: dict[tuple[str, ...], int] = {}

    def resolve(self, symbol: str) -> Instrument:
        """Return what ``NSE:RELIANCE`` or ``RELIANCE`` means.

        A name without an exchange is looked for on NSE first, then BSE, the indices, and the others.
        The instrument's full name is taken too: ``NIFTY 31 JUL 24900 PUT``.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        ConnectionFailed
            There is no list to look in.
        """
        master = self._read()
        exchange, name = split_symbol(symbol)
        for where in [exchange] if exchange else _EXCHANGES:
            # The regular series has the bare name here; some brokers write RELIANCE-EQ.
            at = self._rows.get((where, name), self._rows.get((where, name.removesuffix("-EQ"))))
            if at is not None:
                return as_instruments(master.frame[at : at + 1])[0]
        frame = master.frame.filter(exchange=exchange) if exchange else master.frame
        for meant in (
            pl.col("symbol").str.to_uppercase() == name.upper(),
            pl.col("name").str.to_uppercase() == name.upper(),
        ):
            found = frame.filter(meant)
            if found.height:
                best = found.sort(_rank("exchange", _EXCHANGES), "symbol").head(1)
                return as_instruments(best)[0]
        raise self._unknown(symbol, name, master, frame)

    def search(self, text: str, *, limit: int) -> list[str]:
        """Return the ``EXCHANGE:SYMBOL`` that `text` may mean, best first.

        Raises
        ------
        ConnectionFailed
            There is no list to look in.
        """
        found = matching(self._read().frame, text, limit=limit)
        return found.select(pl.concat_str("exchange", "symbol", separator=":")).to_series().to_list()

    def _unknown(self, symbol: str, name: str, master: Master, frame: pl.DataFrame) -> UnknownInstrument:
        named = pl.concat_str("exchange", "symbol", separator=":")
        near = pl.concat([nearest(frame, name), matching(frame, name, limit=3)])
        where = (
            f"the sample of {master.feed}'s instruments"
            if master.day is None
            else f"{master.feed}'s list of instruments of {master.day}"
        )
        known = near.select(named).to_series().unique(maintain_order=True)
        return UnknownInstrument(symbol, where, known, try_=f"Try lk.find({name!r}, {master.feed!r}).")

    def _read(self) -> Master:
        if self._master is None:
            self._master = self._load()
            names = self._master.frame.select("exchange", "symbol").iter_rows()
            self._rows = {name: at for at, name in enumerate(names)}
            if self._master.problem:
                self._told(self._master.problem)
        return self._master
