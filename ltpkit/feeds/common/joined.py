"""Text frames that arrived together, and the ticks they become.

For feeds that send JSON. Messages of the usual form are turned into rows by a compiled loop (see `plain`).
The others are joined into one array and read in one typed pass; when that cannot be read each is read on its
own, so that a bad one costs only itself. What they mean is left to the feed, which tells of their trades and
tickers one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from math import nan
from typing import Annotated, Final, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Received, Reject, Ticks
from ltpkit.feeds.common.plain import Form, Series
from ltpkit.feeds.common.room import arrivals
from ltpkit.feeds.common.rows.loops import put_in_order, write_ticks
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.schema import FEED_FLOATS

__all__ = ["UNREADABLE", "Count", "Joined", "Number", "Price", "Time", "lines"]

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
_Integers = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]


def lines(*names: str) -> tuple[int, ...]:
    """Return the lines of `Ticks.values` for these columns."""
    return tuple(FEED_FLOATS.index(name) for name in names)


_TRADE: Final = lines("ltp", "ltq")
# Which quantity says nothing where there is no price.
_QTY_OF: Final = dict(zip(lines("bid", "ask"), lines("bid_qty", "ask_qty"), strict=True))


class Joined(Generic[M]):
    """Frames that arrived together: their ticks, and those that hold something else, as messages.

    Parameters
    ----------
    frames, received_at
        As `Feed.decode` takes them.
    form : Form
        What messages look like that are read at once.
    many : callable
        Reads a JSON array of other messages.
    one : callable
        Reads one message, rarer kinds included.

    Attributes
    ----------
    batch : Batch
        What is to be handed over, without the ticks.
    """

    __slots__ = (
        "_frames",
        "_if_new",
        "_messages",
        "_plain",
        "_received_at",
        "_told",
        "_values",
        "batch",
    )

    def __init__(
        self,
        frames: Sequence[bytes],
        received_at: Received,
        form: Form,
        many: Callable[[bytes], Sequence[M]],
        one: Callable[[bytes], M],
    ) -> None:
        self.batch = Batch()
        self._frames, self._received_at = frames, received_at
        self._plain = form.read(frames)
        self._told: list[tuple[int, int, int, int, int, bool]] = []
        self._values: list[tuple[tuple[int, ...], tuple[float, ...]]] = []
        self._if_new: dict[int, Event] = {}
        self._messages: Sequence[M | Reject] = ()
        if not self._plain.left:
            return
        left = frames
        if len(self._plain.left) < len(frames):
            left = [frames[place] for place in self._plain.left]
        try:
            self._messages = many(b"[" + b",".join(left) + b"]")
        except UNREADABLE:
            self._messages = ()
        if len(self._messages) != len(left):  # one is damaged, of a rarer kind, or no message of its own
            self._messages = [self._read(place, one) for place in self._plain.left]

    def _read(self, place: int, one: Callable[[bytes], M]) -> M | Reject:
        try:
            return one(self._frames[place])
        except UNREADABLE as error:
            return self.reject(place, str(error))

    def at(self, place: int) -> int:
        """Return when the frame at this place was received, µs UTC."""
        return self._received_at if isinstance(self._received_at, int) else int(self._received_at[place])

    def _times(self) -> Sequence[int]:
        if isinstance(self._received_at, int):
            return [self._received_at] * len(self._frames)
        times: list[int] = self._received_at.tolist()
        return times

    def __iter__(self) -> Iterator[tuple[int, int, M | Reject]]:
        """Return place among the frames, receipt time in µs and message of each that was not read at once.

        In the place of a message that could not be read stands its `Reject`, which is in `batch`
        already: it may have been a change of a book.
        """
        left = self._plain.left
        return zip(left, map(self._times().__getitem__, left), self._messages, strict=True)

    def in_turn(self) -> Iterator[tuple[int, int, M | Reject | int]]:
        """Return the same of every frame; in the place of a message that was read at once, its number."""
        if len(self._messages) == len(self._frames):
            return iter(self)
        found: list[M | Reject | int] = self._plain.numbers.tolist()
        for place, message in zip(self._plain.left, self._messages, strict=True):
            found[place] = message
        return zip(range(len(found)), self._times(), found, strict=True)

    def reject(self, place: int, reason: str) -> Reject:
        """Keep the frame at this place as a reject."""
        reject = Reject(received_at=self.at(place), reason=reason, frame=self._frames[place])
        self.batch.rejects.append(reject)
        return reject

    def tell_trade(
        self,
        place: int,
        instrument: int,
        time: int,
        trade_id: int,
        price: float,
        qty: float,
        series: Series = Series.TRADES,
    ) -> None:
        """Take in a trade of the frame at this place; `time` in µs."""
        self._tell(place, instrument, time, trade_id, series, _TRADE, (price, qty))

    def tell_ticker(
        self, place: int, instrument: int, time: int, columns: tuple[int, ...], values: tuple[float, ...]
    ) -> None:
        """Take in a ticker of the frame at this place, where a price of 0 is none.

        Its values are those of these lines of `Ticks.values`.
        """
        if not all(values):
            values = _zero_is_missing(columns, values)
        self.tell_quote(place, instrument, time, columns, values)

    def tell_quote(
        self, place: int, instrument: int, time: int, columns: tuple[int, ...], values: tuple[float, ...]
    ) -> None:
        """Take in the same where 0 is a number as any other."""
        self._tell(place, instrument, time, 0, Series.NONE, columns, values)

    def tell_id(
        self,
        place: int,
        instrument: int,
        time: int,
        trade_id: int,
        series: Series,
        if_new: Event | None = None,
    ) -> None:
        """Take in an id that is no tick's, and what is to be told where it was not seen before."""
        if if_new is not None:
            self._if_new[len(self._plain.rows) + len(self._told)] = if_new
        self._tell(place, instrument, time, trade_id, series, (), (), shown=False)

    def _tell(
        self,
        place: int,
        instrument: int,
        time: int,
        row_id: int,
        series: Series,
        columns: tuple[int, ...],
        values: tuple[float, ...],
        *,
        shown: bool = True,
    ) -> None:
        self._told.append((place, instrument, time, row_id, series, shown))
        self._values.append((columns, values))

    def finished(self, ids: TradeIds) -> Batch:
        """Return the batch with its ticks, the trades of each message in the order they were traded."""
        if not self._told and not len(self._plain.rows):
            return self.batch
        rows, values = self._all_rows()
        times = arrivals(self._received_at)
        order = np.arange(len(rows)) if not self._told else rows[:, 0].argsort(kind="stable")
        if len(rows) > 1:
            put_in_order(rows, values, order)
        repeated = ids.follow(rows, order, times, self._if_new)
        self.batch.events += ids.events()
        n = len(rows)
        ticks = Ticks(
            instrument=np.empty(n, np.int32),
            timestamp=np.empty(n, np.int64),
            received_at=np.empty(n, np.int64),
            values=np.empty((len(FEED_FLOATS), n)),
        )
        duplicate = np.empty(len(repeated), np.bool_)
        shown = write_ticks(
            rows, values, order, times, repeated,
            ticks.instrument, ticks.timestamp, ticks.received_at, ticks.values, duplicate,
        )  # fmt: skip
        if len(repeated):
            ticks.duplicate = duplicate
        if shown < n:
            ticks = ticks.only(np.arange(n) < shown)
        if shown:
            self.batch.ticks = ticks
        return self.batch

    def _all_rows(self) -> tuple[_Integers, _Numbers]:
        plain = self._plain
        if not self._told:
            return plain.rows, plain.values
        values = np.full((len(self._told), len(FEED_FLOATS)), np.nan)
        for row, (columns, numbers) in enumerate(self._values):
            values[row, columns] = numbers
        return np.concatenate([plain.rows, np.array(self._told, np.int64)]), np.concatenate(
            [plain.values, values]
        )


def _zero_is_missing(columns: tuple[int, ...], values: tuple[float, ...]) -> tuple[float, ...]:
    found = dict(zip(columns, values, strict=True))
    for line, value in zip(columns, values, strict=True):
        if value == 0 and line not in _QTY_OF.values():
            found[line] = nan
            if line in _QTY_OF:
                found[_QTY_OF[line]] = nan
    return tuple(found.values())
