"""The reading methods, shared by everything that holds ticks: a live stream, a replay, a store.

`Frames` asks its holder for a few things (rows of a table, the newest values, a query) and makes
all the public reading methods of them. Frames handed out are plain polars and do not change.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ltpkit.bars import NEEDED, bars, width_us
from ltpkit.changes import changes
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.flags import flagged, left_out
from ltpkit.gaps import gaps
from ltpkit.instrument import split_symbol, symbols_of
from ltpkit.pictures import Pictures
from ltpkit.schema import TICK_FLOATS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["Frames", "Name", "ladder"]

#: An exchange and a symbol; the exchange is empty where the user named none.
Name = tuple[str, str]

Table = Literal["ticks", "depth", "events"]


class Frames(Pictures, ABC):
    """What can be asked of anything that holds ticks.

    Wherever a method takes a symbol, ``"RELIANCE"`` means it on any exchange and
    ``"NSE:RELIANCE"`` on one; several may be given as a list.
    """

    # -- what a holder provides -----------------------------------------------------------

    @abstractmethod
    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        """Return rows of a table in `seq` order: all, or of some names, or the last of them."""

    @abstractmethod
    def _latest(self) -> pl.DataFrame:
        """Return the newest values of each instrument, columns of `schema.TICKS`."""

    @abstractmethod
    def _newest_book(self, name: Name) -> pl.DataFrame:
        """Return the newest depth row of a name, or none."""

    @abstractmethod
    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        """Run SQL over everything held."""

    @abstractmethod
    def _scan(self) -> pl.LazyFrame:
        """Return every tick held, read at each collect."""

    @abstractmethod
    def known(self) -> list[str]:
        """Return the ``EXCHANGE:SYMBOL`` of everything held or subscribed."""

    def unknown(self, symbol: str) -> UnknownInstrument:
        """Return the error that says that a symbol is none of `known`, and what to try."""
        return UnknownInstrument(symbol, "this stream", self.known(), try_="Subscribe it first.")

    def _now(self) -> datetime | None:
        """Return the time that decides whether a bar still grows; None for the newest tick's."""
        return None

    # -- what a view asks -----------------------------------------------------------------

    def version(self) -> Hashable:
        """Return something that is another one once there is more to show. Costs next to nothing."""
        return 0

    def rewound(self) -> int:
        """Return how often what was shown ceased to be there; a view then begins anew."""
        return 0

    def condition(self) -> tuple[str, str | None]:
        """Return the state, a word of `Status.state`, and what is wrong, if anything: its name, and words."""
        return "stored", None

    def tick_size(self, name: str) -> float:
        """Return the smallest price step of ``EXCHANGE:SYMBOL``; 0 where unknown."""
        return 0.0

    def sector(self, name: str) -> str:
        """Return the business that ``EXCHANGE:SYMBOL`` is in; empty where unknown."""
        return ""

    def subscribed(self) -> list[str]:
        """Return the ``EXCHANGE:SYMBOL`` of what is subscribed now; of a store, of all it holds."""
        return self.known()

    def newest_event(self) -> int:
        """Return the `seq` of the newest event; 0 before the first."""
        events = self.events()
        return int(events["seq"][-1]) if events.height else 0

    def newer(self, table: Table, seq: int, name: str | None = None) -> pl.DataFrame:
        """Return the rows of a table that came after `seq`, of ``EXCHANGE:SYMBOL`` alone or of all."""
        import polars as pl

        found = self._rows(table, None if name is None else [split_symbol(name)], None)
        return found.filter(pl.col("seq") > seq)

    def newer_numbers(
        self, columns: Sequence[str], seq: int, name: str | None = None, *, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Return columns of the ticks that came after `seq`, as plain arrays.

        Of ``EXCHANGE:SYMBOL`` alone, with `since` those received then or later; or of all. Codes as in
        `schema.code_of`, times in microseconds, NaN where there is no number.
        """
        found = self._newer_since("ticks", seq, name, since)
        return {one: found[one].to_physical().to_numpy() for one in columns}

    def latest_numbers(self, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Return columns of what `latest` says, as `newer_numbers` has them."""
        found = self.latest()
        return {one: found[one].to_physical().to_numpy() for one in columns}

    def newer_books(
        self, name: str, seq: int, *, levels: int, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Return the books of ``EXCHANGE:SYMBOL`` that came after `seq`, and not before `since`.

        Columns ``seq`` and ``received_at`` (µs); ``bid_price, bid_qty, ask_price, ask_qty``, shape (books,
        levels), NaN where a side is shorter.
        """
        found = self._newer_since("depth", seq, name, since)
        columns = {one: found[one].to_physical().to_numpy() for one in ("seq", "received_at")}
        sides = ("bid_price", "bid_qty", "ask_price", "ask_qty")
        return columns | {one: _table(found[one], levels) for one in sides}

    def _newer_since(self, table: Table, seq: int, name: str | None, since: datetime | None) -> pl.DataFrame:
        """Return what `newer` does, of ``EXCHANGE:SYMBOL`` only what came at `since` or later."""
        import polars as pl

        if name is None or since is None:
            return self.newer(table, seq, name)
        return self.received(table, name, since).filter(pl.col("seq") > seq)

    def newest_numbers(self, name: str) -> dict[str, float]:
        """Return what `latest` says of ``EXCHANGE:SYMBOL`` as plain numbers; nothing before its first tick.

        Times in microseconds, NaN where there is no number, and none of the texts.
        """
        found = self.latest(name)
        if not found.height:
            return {}
        values = {
            one: found[one].to_physical()[0] for one in ("seq", "timestamp", "received_at", *TICK_FLOATS)
        }
        return {one: math.nan if value is None else value for one, value in values.items()}

    def book_numbers(self, name: str) -> dict[str, npt.NDArray[np.float64]]:
        """Return what `depth` says of ``EXCHANGE:SYMBOL`` as plain arrays, NaN where there is no number."""
        import numpy as np
        import polars as pl

        book = self.depth(name).drop("level")
        return {one.name: one.cast(pl.Float64).fill_null(np.nan).to_numpy() for one in book}

    def received(self, table: Table, name: str, since: datetime) -> pl.DataFrame:
        """Return the rows of ``EXCHANGE:SYMBOL`` at hand that came at `since` or later."""
        import polars as pl

        return self._rows(table, [split_symbol(name)], None).filter(pl.col("received_at") >= since)

    def believed(self, name: str, since: datetime | None = None) -> pl.DataFrame:
        """Return the ticks of ``EXCHANGE:SYMBOL``, stored and in memory, from a time of the exchange on.

        Without those that cannot be right, and the columns alone that bars are made of, and `received_at`.
        """
        import polars as pl

        exchange, symbol = split_symbol(name)
        wanted = (pl.col("symbol") == symbol) & (pl.col("exchange") == exchange)
        if since is not None:
            wanted &= pl.col("timestamp") >= since
        ticks = self._scan().filter(wanted).select(*NEEDED, "source", "received_at").collect()
        flags = self._query("FROM feed_events WHERE kind = 'flagged' ORDER BY seq", None, {})
        return ticks.filter(~pl.col("seq").is_in(left_out(flags).implode()))

    def believed_numbers(
        self, columns: Sequence[str], name: str, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Return columns of what `believed` has, as `newer_numbers` has them."""
        found = self.believed(name, since)
        return {one: found[one].to_physical().to_numpy() for one in columns}

    def left_out(self, after: int) -> npt.NDArray[np.int64]:
        """Return the `seq` of the ticks that events after a `seq` of theirs say are not to be believed."""
        return left_out(self.newer("events", after)).to_numpy()

    # -- what a user asks -----------------------------------------------------------------

    def ticks(self, symbol: str | Sequence[str] | None = None, *, last: int | None = None) -> pl.DataFrame:
        """Return ticks in the order they arrived.

        Parameters
        ----------
        symbol : str or list of str, optional
            Only these. By default all.
        last : int, optional
            Only the last so many.

        Returns
        -------
        polars.DataFrame, shape (ticks, 20)
            Columns of `ltpkit.schema.TICKS`: prices in the instrument's currency, quantities in
            units, times in UTC (µs). Of a live stream: the rows in memory, as of the call; older
            ones are a `sql` or `scan` away.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        return self._rows("ticks", self._names(symbol), last)

    def latest(self, symbol: str | Sequence[str] | None = None) -> pl.DataFrame:
        """Return the newest values of each instrument.

        Returns
        -------
        polars.DataFrame, shape (instruments, 20)
            Columns of `ltpkit.schema.TICKS`. Each value is the last one the feed sent: a quote
            without a price leaves ``ltp`` as the last trade left it; ``seq`` and the times are
            those of the newest row. What was unsubscribed keeps its last values, as its rows stay:
            `subscribed` says what is still followed.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        return _of(self._latest(), self._names(symbol))

    def changes(self, symbol: str | Sequence[str] | None = None) -> pl.DataFrame:
        """Return each priced tick with its change from the tick before, and from the previous close.

        Without ticks that cannot be right; `flagged` has them.

        Returns
        -------
        polars.DataFrame, shape (priced ticks, 9)
            ``seq, symbol, exchange, timestamp, ltp, change, change_percent, day_change,
            day_change_percent``. Changes in the instrument's currency, percent as 1.5 for 1.5 %.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        return changes(self.ticks(symbol), left_out=left_out(self.events()))

    def bars(self, every: str = "1m", symbol: str | Sequence[str] | None = None) -> pl.DataFrame:
        """Return OHLC bars of `ticks`, by exchange time, counted from the market open.

        Without ticks that cannot be right; `flagged` has them.

        Parameters
        ----------
        every : str
            Bar length as a polars duration: ``"1s"``, ``"1m"``, ``"1h"``, at most ``"1d"``.
        symbol : str or list of str, optional
            Only these. By default all.

        Returns
        -------
        polars.DataFrame, shape (bars, 10)
            ``symbol, start, open, high, low, close, volume, ticks, exchange, growing``, sorted by
            symbol and start. ``start`` in UTC (µs), inclusive; ``volume`` in units traded;
            ``growing`` marks a bar whose end has not come.

        Raises
        ------
        SettingError
            `every` is no bar length.
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        try:
            width_us(every)
        except SettingError as error:
            raise SettingError(f"{error}{self._meant_as_symbol(every)}") from None
        # The ticks first: the flag of a row is there before the row.
        return bars(self.ticks(symbol), every, now=self._now(), left_out=left_out(self.events()))

    def _meant_as_symbol(self, every: object) -> str:
        """Return what to write where the name of a symbol was given as a bar length, else nothing."""
        if not isinstance(every, str):
            return ""
        with suppress(UnknownInstrument):
            self._names(every)
            return f' For one symbol: bars("1m", symbol="{every}").'
        return ""

    def depth(self, symbol: str, *, levels: int | None = None) -> pl.DataFrame:
        """Return the book of one instrument as a ladder, best level first.

        Parameters
        ----------
        symbol : str
            ``"RELIANCE"`` or ``"NSE:RELIANCE"``.
        levels : int, optional
            At most so many. By default all the feed has sent, which may be fewer than are asked for: five
            in the packets of most Indian brokers.

        Returns
        -------
        polars.DataFrame, shape (levels there are, 7)
            ``level, bid_orders, bid_qty, bid_price, ask_price, ask_qty, ask_orders``; null where
            a side is shorter, or the feed does not count orders. No rows before the first book.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            `levels` is below 1.
        """
        if levels is not None and levels < 1:
            raise SettingError(f"levels={levels}: give the number of levels, 1 or more.")
        names = self._names(symbol)
        assert names is not None
        return ladder(self._newest_book(names[0]), levels)

    def books(self, symbol: str | Sequence[str] | None = None, *, last: int | None = None) -> pl.DataFrame:
        """Return books after each update, in the order they arrived.

        Returns
        -------
        polars.DataFrame, shape (updates, 11)
            Columns of `ltpkit.schema.DEPTH`; lists run from the best level outwards.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        return self._rows("depth", self._names(symbol), last)

    def events(self) -> pl.DataFrame:
        """Return what happened on the connections, columns of `ltpkit.schema.EVENTS`."""
        return self._rows("events", None, None)

    def gaps(self) -> pl.DataFrame:
        """Return the stretches we know we missed, oldest first.

        Returns
        -------
        polars.DataFrame, shape (gaps, 9)
            ``seq, at, symbol, why, start, end, missing, recovered, symbols``; times in UTC (µs).
            Without a ``symbol`` the gap is the connection's, and ``symbols`` lists what it carried.
        """
        return gaps(self.events())

    def flagged(self, symbol: str | Sequence[str] | None = None) -> pl.DataFrame:
        """Return the ticks that cannot be right, came late or came twice, in the order they arrived.

        Returns
        -------
        polars.DataFrame, shape (flagged ticks, 7)
            ``seq, symbol, exchange, timestamp, received_at, ltp, why``; the reasons are those of
            `ltpkit.flags`. They are among the ticks as well. With ``price``, ``future``, ``another day``,
            ``jump`` and ``duplicate`` a tick is left out of `bars`, `changes` and `latest`; ``late`` and
            ``repeated`` ones count.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        """
        ticks = self.ticks(symbol)
        return flagged(self.events(), ticks)

    def sql(
        self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None, **frames: Any
    ) -> pl.DataFrame:
        """Return the answer of a SQL query over rows in memory and stored rows as one.

        Parameters
        ----------
        query : str
            Sees ``ticks`` (also called ``realtime_ltp``), ``latest_ltp``, ``ltp_changes``,
            ``bars_1m``, ``flagged``, ``realtime_depth`` and ``feed_events``, each row exactly once;
            and ``believed_ticks``, the ticks that count.
        params : sequence or mapping, optional
            Bound to ``?`` or ``$name``, never pasted into the text.
        **frames
            Your own polars, pandas or Arrow tables, by the names the query uses.

        Raises
        ------
        duckdb.Error
            The query is wrong, in DuckDB's own words; a note lists the tables where it names one that is
            not there.

        Examples
        --------
        >>> live.sql("SELECT symbol, max(ltp) FROM ticks GROUP BY ALL")  # doctest: +SKIP
        >>> live.sql("FROM ticks WHERE symbol = $s", {"s": "TCS"})       # doctest: +SKIP
        """
        return self._query(query, params, frames)

    def scan(self) -> pl.LazyFrame:
        """Return all ticks, stored and in memory, as a LazyFrame that reads afresh at each collect.

        Filters and column choices are pushed down: only what is asked for leaves DuckDB.
        """
        return self._scan()

    def _names(self, symbol: str | Iterable[str] | None) -> list[Name] | None:
        """Return the names asked for, known ones only; None for all."""
        if symbol is None:
            return None
        known = self.known()
        full = {name.casefold(): name for name in known}
        bare = {name.partition(":")[2].casefold(): name for name in known}
        names: list[Name] = []
        for text in symbols_of(symbol):
            if ":" in text and text.casefold() in full:
                names.append(split_symbol(full[text.casefold()]))
            elif ":" not in text and text.casefold() in bare:
                names.append(("", bare[text.casefold()].partition(":")[2]))
            else:
                raise self.unknown(text)
        return names


def _table(lists: pl.Series, levels: int) -> npt.NDArray[np.float64]:
    """Return lists as a table with `levels` columns, NaN where one is shorter."""
    import numpy as np

    whole = lists.to_arrow()
    ends, flat = whole.offsets.to_numpy(), whole.values.to_numpy(zero_copy_only=False)
    place = ends[:-1, None] + np.arange(levels)
    there = place < ends[1:, None]
    table = np.full(there.shape, np.nan)
    table[there] = flat[place[there]]
    return table


def _of(frame: pl.DataFrame, names: Sequence[Name] | None) -> pl.DataFrame:
    """Return the rows of these names."""
    import polars as pl

    if names is None:
        return frame
    wanted = pl.lit(value=False)
    for exchange, symbol in names:
        one = pl.col("symbol") == symbol
        wanted |= one & (pl.col("exchange") == exchange) if exchange else one
    return frame.filter(wanted)


def ladder(book: pl.DataFrame, levels: int | None = None) -> pl.DataFrame:
    """Return a depth row as a frame with one row per level, best first.

    Parameters
    ----------
    book : polars.DataFrame, shape (0 or 1, 11)
        Columns of `ltpkit.schema.DEPTH`.
    levels : int, optional
        At most so many.
    """
    import polars as pl

    columns = ("bid_orders", "bid_qty", "bid_price", "ask_price", "ask_qty", "ask_orders")
    kinds = {name: pl.Int32 if name.endswith("orders") else pl.Float64 for name in columns}
    lists = {name: (book[name][0] if book.height else None) for name in columns}
    sides = {name: [] if values is None else values.to_list()[:levels] for name, values in lists.items()}
    most = max(map(len, sides.values()))
    filled = {name: values + [None] * (most - len(values)) for name, values in sides.items()}
    return pl.DataFrame({"level": list(range(most)), **filled}, schema={"level": pl.Int32, **kinds})
