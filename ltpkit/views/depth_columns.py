"""What a depth history remembers: for each bucket of time the last book, and the trades with their side.

Plain numpy of a fixed size: new rows are added once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["READ", "Books", "Trades"]

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

_TABLES: Final = ("bid_price", "bid_qty", "ask_price", "ask_qty")

#: What is read of ticks.
READ: Final = ("seq", "received_at", "ltp", "ltq", "volume", "bid", "ask")


class _Rows:
    """Columns of equal length that grow at the end and lose their oldest rows.

    Twice the room is there, so that rows move only when it is used up.
    """

    def __init__(self, room: int, **columns: tuple[type[Any], tuple[int, ...]]) -> None:
        self._room = room
        self._arrays = {name: np.empty((2 * room, *shape), kind) for name, (kind, shape) in columns.items()}
        self._start = self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._arrays[name][self._start : self._stop]

    def add(self, **columns: npt.NDArray[Any]) -> None:
        """Add rows, the newest last; those beyond the room are let go."""
        more = len(next(iter(columns.values())))
        if more > self._room:
            columns = {name: values[-self._room :] for name, values in columns.items()}
            more = self._room
        if self._stop + more > 2 * self._room:
            kept = min(len(self), self._room)
            for array in self._arrays.values():
                array[:kept] = array[self._stop - kept : self._stop].copy()
            self._start, self._stop = 0, kept
        for name, values in columns.items():
            self._arrays[name][self._stop : self._stop + more] = values
        self._stop += more
        self._start = max(self._start, self._stop - self._room)

    def drop_last(self) -> None:
        """Let the newest row go."""
        self._stop -= 1

    def nbytes(self) -> int:
        """Return the bytes allocated."""
        return sum(array.nbytes for array in self._arrays.values())


class Books:
    """The last book in each bucket of time: a picture with a column for each bucket.

    Parameters
    ----------
    room : int
        Buckets kept at most. One without an update has no row: the book before it still stands.
    levels : int
        Of each side, from the best.
    bucket_us : int
        Length of a bucket in microseconds.
    """

    def __init__(self, room: int, levels: int, bucket_us: int) -> None:
        self.levels, self.bucket_us = levels, bucket_us
        sides = dict.fromkeys(_TABLES, (np.float64, (levels,)))
        self._rows = _Rows(room, bucket=(np.int64, ()), at=(np.int64, ()), **sides)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, books: Mapping[str, npt.NDArray[Any]]) -> None:
        """Add books that came after those before, as `Frames.newer_books` has them."""
        at = books["received_at"]
        if not len(at):
            return
        bucket = at // self.bucket_us
        if len(self):
            bucket = np.maximum(bucket, self._rows["bucket"][-1])
        bucket = np.maximum.accumulate(bucket)  # a clock that was set back moves nothing
        last = np.flatnonzero(np.append(bucket[1:] != bucket[:-1], True))
        if len(self) and self._rows["bucket"][-1] == bucket[last[0]]:
            self._rows.drop_last()
        levels = {name: books[name][last] for name in _TABLES}
        self._rows.add(bucket=bucket[last], at=at[last], **levels)

    @property
    def last_bucket(self) -> int | None:
        """Number of the newest bucket with a book."""
        return int(self._rows["bucket"][-1]) if len(self) else None

    @property
    def best(self) -> tuple[_Ints, _Floats, _Floats]:
        """When each book was received (µs), its best bid and its best ask."""
        return self._rows["at"], self._rows["bid_price"][:, 0], self._rows["ask_price"][:, 0]

    def columns(self, start: int, origin: int) -> dict[str, npt.NDArray[Any]]:
        """Return the picture from a bucket on, and the column before it, whose book still stands then.

        Returns
        -------
        dict of numpy.ndarray
            ``bucket`` counted from `origin`; ``bid_price, bid_qty, ask_price, ask_qty``, `levels` for each
            bucket one after the other, NaN where a side is shorter.
        """
        first = int(np.searchsorted(self._rows["bucket"], start))
        if first and (first == len(self) or self._rows["bucket"][first] != start):
            first -= 1
        found: dict[str, npt.NDArray[Any]] = {
            "bucket": (self._rows["bucket"][first:] - origin).astype(np.int32)
        }
        for name in _TABLES:
            values = self._rows[name][first:]
            found[name] = (values.astype(np.float32) if name.endswith("qty") else values).ravel()
        return found

    def nbytes(self) -> int:
        """Return the bytes allocated."""
        return self._rows.nbytes()


class Trades:
    """What was traded, at which price, and who came to whom.

    A trade at the best ask of the moment before, or nearer to it than to the best bid, was a buyer's; at the
    middle the last change of price decides.
    """

    def __init__(self, room: int, bucket_us: int) -> None:
        self.bucket_us = bucket_us
        self._rows = _Rows(room, bucket=(np.int64, ()), price=(np.float64, ()), qty=(np.float64, ()),
                           side=(np.int8, ()))  # fmt: skip
        self._before = dict.fromkeys(("bid", "ask", "volume", "ltp"), np.nan)
        self._way = 0  # of the last change of price
        self._bucket = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, ticks: Mapping[str, npt.NDArray[Any]], books: Books) -> None:
        """Add ticks that came after those before, with the columns `READ`.

        Parameters
        ----------
        ticks : mapping of numpy.ndarray
            As `Frames.newer_numbers` has them.
        books : Books
            For feeds whose ticks carry no quote. It holds the books up to these ticks at least.
        """
        at = ticks["received_at"]
        if not len(at):
            return
        ltp, before = ticks["ltp"], self._before
        known = {name: _carried(before[name], ticks[name]) for name in before}  # one longer: what was first
        bid, ask = known["bid"][:-1], known["ask"][:-1]
        silent = np.isnan(bid) | np.isnan(ask)
        if silent.any() and len(books):
            then, best_bid, best_ask = books.best
            place = np.searchsorted(then, at[silent]) - 1
            found = place >= 0
            bid[silent] = np.where(found, best_bid[place], np.nan)
            ask[silent] = np.where(found, best_ask[place], np.nan)
        qty = np.where(np.isnan(ticks["volume"]), ticks["ltq"], ticks["volume"] - known["volume"][:-1])
        moved = np.sign(ltp - known["ltp"][:-1])
        way = _carried(float(self._way), np.where(moved == 0, np.nan, moved))[1:]
        nearer = np.sign(np.round(2 * ltp - bid - ask, 9))
        side = np.where(np.isnan(nearer) | (nearer == 0), way, nearer)
        self._way = int(np.nan_to_num(way[-1]))
        self._before = {name: float(column[-1]) for name, column in known.items()}

        bucket = np.maximum.accumulate(np.maximum(at // self.bucket_us, self._bucket))
        self._bucket = int(bucket[-1])
        traded = (qty > 0) & ~np.isnan(ltp)
        if traded.any():
            self._rows.add(
                bucket=bucket[traded],
                price=ltp[traded],
                qty=qty[traded],
                side=np.nan_to_num(side[traded]).astype(np.int8),
            )

    def columns(self, start: int, stop: float, origin: int, most: int) -> dict[str, npt.NDArray[Any]]:
        """Return trades from a bucket on and before another; those of one bucket, price and side as one.

        Returns
        -------
        dict of numpy.ndarray
            ``trade_bucket`` counted from `origin`, ``trade_price``, ``trade_qty``, ``trade_side``
            (1 a buyer's, -1 a seller's, 0 unknown); the newest `most`.
        """
        bucket = self._rows["bucket"]
        first, last = np.searchsorted(bucket, [start, stop])
        bucket, price, side = (self._rows[name][first:last] for name in ("bucket", "price", "side"))
        order = np.lexsort((side, price, bucket))
        keys = np.stack([bucket[order], price[order], side[order]])
        begins = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))[: len(order)])
        met = order[begins][-most:]
        qty = np.add.reduceat(self._rows["qty"][first:last][order], begins) if len(begins) else np.zeros(0)
        return {
            "trade_bucket": (bucket[met] - origin).astype(np.int32),
            "trade_price": price[met],
            "trade_qty": qty[-most:].astype(np.float32),
            "trade_side": side[met].astype(np.int32),
        }

    def nbytes(self) -> int:
        """Return the bytes allocated."""
        return self._rows.nbytes()


def _carried(first: float, values: _Floats) -> _Floats:
    """Return `first` and the values, each NaN replaced by what came before it."""
    whole = np.concatenate([[first], values])
    place = np.where(np.isnan(whole), 0, np.arange(len(whole)))
    carried: _Floats = whole[np.maximum.accumulate(place)]
    return carried
