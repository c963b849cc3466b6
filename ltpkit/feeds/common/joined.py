"""Text frames that arrived together, read in one typed pass, and the ticks they become.

For feeds that send JSON. The frames are joined into one array; when that cannot be read each is read
on its own, so that a bad one costs only itself. What a message means is left to the feed, which gathers
trades and tickers as plain tuples: they are turned into arrays once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Annotated, Final, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Received, Reject, Ticks
from ltpkit.feeds.common.trade_ids import Trade, TradeIds
from ltpkit.schema import FEED_FLOATS

__all__ = ["UNREADABLE", "Count", "Joined", "Number", "Price", "Time", "lines", "microseconds"]

#: What msgspec raises for bytes that are not what was expected.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

#: A quantity, or a price that is 0 where there is none. The bounds also keep "nan" and "inf" out.
Number = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]
#: What something was traded at.
Price = Annotated[float, msgspec.Meta(gt=0.0, le=1e300)]
#: A number that counts or names.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
#: An RFC 3339 time that names its offset from UTC; what is finer than a µs is rounded.
Time = Annotated[datetime, msgspec.Meta(tz=True)]

M = TypeVar("M")
_Table = npt.NDArray[np.float64]


def lines(*names: str) -> tuple[int, ...]:
    """Return the lines of `Ticks.values` for these columns."""
    return tuple(FEED_FLOATS.index(name) for name in names)


_TRADE: Final = lines("ltp", "ltq")
# Which quantity says nothing where there is no price.
_QTY_OF: Final = dict(zip(lines("bid", "ask"), lines("bid_qty", "ask_qty"), strict=True))


class Joined(Generic[M]):
    """Frames that arrived together, as messages, and the batch that they become.

    Parameters
    ----------
    frames, received_at
        As `Feed.decode` takes them.
    many : callable
        Reads a JSON array of messages.
    one : callable
        Reads one message, rarer kinds included.

    Attributes
    ----------
    batch : Batch
        What is to be handed over, without the ticks.
    trades : list of Trade
        For the feed to fill, in arrival order.
    tickers : list of tuple
        As well: place among the frames, instrument, seconds since 1970, and the columns' values, where
        a price of 0 is none.
    """

    __slots__ = (
        "_duplicates",
        "_frames",
        "_messages",
        "_received_at",
        "_settled",
        "batch",
        "tickers",
        "times",
        "trades",
    )

    def __init__(
        self,
        frames: Sequence[bytes],
        received_at: Received,
        many: Callable[[bytes], Sequence[M]],
        one: Callable[[bytes], M],
    ) -> None:
        self.batch = Batch()
        self.trades: list[Trade] = []
        self._settled: list[Trade] = []
        self._duplicates: list[int] = []  # their places among these
        self.tickers: list[tuple[float, ...]] = []
        self._frames, self._received_at = frames, received_at
        #: Receipt time of each frame, µs.
        self.times: Sequence[int] = (
            [received_at] * len(frames) if isinstance(received_at, int) else received_at.tolist()
        )
        self._messages: Sequence[M | Reject] = ()
        with suppress(*UNREADABLE):
            self._messages = many(b"[" + b",".join(frames) + b"]")
        if len(self._messages) != len(frames):  # one is damaged, of a rarer kind, or no message of its own
            self._messages = [self._read(place, one) for place in range(len(frames))]

    def _read(self, place: int, one: Callable[[bytes], M]) -> M | Reject:
        try:
            return one(self._frames[place])
        except UNREADABLE as error:
            return self.reject(place, str(error))

    def __iter__(self) -> Iterator[tuple[int, int, M | Reject]]:
        """Return place among the frames, receipt time in µs and message of each frame.

        In the place of a message that could not be read stands its `Reject`, which is in `batch`
        already: it may have been a change of a book.
        """
        return zip(range(len(self._frames)), self.times, self._messages, strict=True)

    def reject(self, place: int, reason: str) -> Reject:
        """Keep the frame at this place as a reject."""
        reject = Reject(received_at=self.times[place], reason=reason, frame=self._frames[place])
        self.batch.rejects.append(reject)
        return reject

    def settle(self, ids: TradeIds) -> None:
        """Tell which of the trades so far are new. `finished` does so; before a word on ids it has to be."""
        if self.trades:
            before = len(self._settled)
            self._duplicates += [before + place for place in ids.duplicates(self.trades, self.times)]
            self._settled += self.trades
            self.trades.clear()

    def finished(self, ids: TradeIds, ticker: tuple[int, ...]) -> Batch:
        """Return the batch with its ticks: the trades, and the tickers.

        Parameters
        ----------
        ids : TradeIds
        ticker : tuple of int
            The lines of `Ticks.values` that the tickers' values go to.
        """
        batch = self.batch
        self.settle(ids)
        batch.events += ids.events()
        told = [
            (_table(rows), shape) for rows, shape in ((self._settled, _TRADE), (self.tickers, ticker)) if rows
        ]
        if told:
            batch.ticks = self._ticks(told)
        return batch

    def _ticks(self, told: list[tuple[_Table, tuple[int, ...]]]) -> Ticks:
        places = np.concatenate([table[0] for table, _ in told]).astype(np.intp)
        n, start = len(places), 0
        where: npt.NDArray[np.intp] | None = None
        if len(told) > 1:
            order = places.argsort(kind="stable")
            where = np.empty(n, np.intp)
            where[order] = np.arange(n)
            places = places[order]
        ticks = Ticks.blank(n)
        ticks.received_at[:] = (
            self._received_at if isinstance(self._received_at, int) else self._received_at[places]
        )
        for table, shape in told:
            rows = slice(None) if where is None else where[start : start + table.shape[1]]
            start += table.shape[1]
            ticks.instrument[rows] = table[1]
            ticks.timestamp[rows] = np.rint(table[2] * 1e6)
            values = table[-len(shape) :]
            if shape is not _TRADE and not values.all():
                _zero_is_missing(values, shape)
            for line, column in zip(shape, values, strict=True):
                ticks.values[line, rows] = column
        if self._duplicates:
            ticks.duplicate = np.zeros(n, np.bool_)  # trades are told first
            ticks.duplicate[self._duplicates if where is None else where[self._duplicates]] = True
        return ticks


def _table(rows: Sequence[tuple[float, ...]]) -> _Table:
    """Return the columns of these rows."""
    width = len(rows[0])
    flat = np.fromiter(chain.from_iterable(rows), np.float64, width * len(rows))
    return flat.reshape(-1, width).T.copy()


def _zero_is_missing(values: _Table, shape: tuple[int, ...]) -> None:
    for place, line in enumerate(shape):
        if line in _QTY_OF:
            values[shape.index(_QTY_OF[line])][values[place] == 0] = np.nan
        if line not in _QTY_OF.values():
            values[place][values[place] == 0] = np.nan


def microseconds(moment: datetime) -> int:
    """Return a time as µs since 1970 in UTC.

    Examples
    --------
    >>> microseconds(datetime.fromisoformat("2025-01-01T05:30:00.000001+05:30"))
    1735689600000001
    """
    return round(moment.timestamp() * 1e6)
