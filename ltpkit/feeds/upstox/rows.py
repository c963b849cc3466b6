"""What Upstox's messages say, gathered into columns by compiled loops."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Received, Side, Ticks
from ltpkit.feeds.upstox import loops, tick_loops
from ltpkit.feeds.upstox.layout import KEY, ROW, UNMET, fields
from ltpkit.schema import FEED_FLOATS

__all__ = ["Gathered", "Joined"]

#: More than a stream meets. The loop is told of no more.
_MOST_KEYS: Final = 2**15
#: How many rows there is room for from the start, and at most between batches.
_FEWEST_ROWS, _MOST_ROWS = 2**8, 2**14


class Joined:
    """Messages as the loops take them."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        joined = b"".join((*messages, bytes(8)))  # padded, as eight bytes are read wherever one is
        self.words: npt.NDArray[np.int64] = np.ndarray((len(joined) - 7,), "<i8", joined, strides=(1,))
        self.ends = np.fromiter(map(len, messages), np.int64, len(messages)).cumsum()


class Gathered:
    """Rows and books of the messages that arrived together. The memory is used again for the next ones.

    Parameters
    ----------
    response : type
        The class of the messages, whose descriptor is their schema.
    find : callable
        Returns the number of the instrument with a key, -1 for none; whether it is in a cash segment; and
        whether that is worth keeping.

    Attributes
    ----------
    rows : int
        How many rows there are so far.
    """

    def __init__(self, response: Any, find: Callable[[str], tuple[int, bool, bool]]) -> None:
        self._fields, self._find = fields(response), find
        self._keys = np.zeros(_MOST_KEYS, KEY)
        self._index = np.zeros(2 * _MOST_KEYS, np.int32)
        self._secret = 2 * secrets.randbelow(2**30) + 1  # keys that get in each other's way cannot be chosen
        self._known = 0
        self._table = np.empty(0, ROW)
        self.clear(0)

    def clear(self, frames: int) -> None:
        """Forget what was read; so many frames come next."""
        self.rows = self._levels = 0
        self._nameless = np.zeros(frames, np.int64)
        if (
            not _FEWEST_ROWS <= len(self._table) <= _MOST_ROWS
        ):  # one large message does not take memory for good
            self._table = np.empty(_FEWEST_ROWS, ROW)
            self._quotes = np.empty((4 * _FEWEST_ROWS, 4))

    def read(self, messages: Joined, first: int = 0, *, frame: int = 0, is_checked: bool = False) -> int:
        """Take what messages say, up to one that is not plain; return its number, else how many there are.

        Parameters
        ----------
        messages : Joined
        first : int
            Where to begin.
        frame : int
            Added to the numbers of the messages to give those of the frames.
        is_checked : bool
            All text is UTF-8. Where that is not known, text that is not ASCII is not plain.
        """
        before, is_full = self.rows, True
        while is_full:
            first, self.rows, self._levels, is_full = loops.read(
                messages.words, messages.ends, first, frame, is_checked, self._fields,
                self._index, self._keys, self._secret,
                self._table, self.rows, self._quotes, self._levels, self._nameless,
            )  # fmt: skip
            if is_full:
                self._table = np.concatenate([self._table, np.empty_like(self._table)])
                self._quotes = np.concatenate([self._quotes, np.empty_like(self._quotes)])
        self._name(self._table[before : self.rows], messages.words)
        return first

    def _name(self, rows: npt.NDArray[np.void], words: npt.NDArray[np.int64]) -> None:
        """Find the instruments of rows that the loop knew none for, and tell it for the next time."""
        met: dict[bytes, tuple[int, bool]] = {}
        for at in np.flatnonzero(rows["instrument"] == UNMET).tolist():
            start, end = int(rows[at]["key"]), int(rows[at]["key_end"])
            key = words[start:end].astype(np.uint8).tobytes()  # the first of each eight bytes
            if key not in met:
                instrument, is_cash, is_kept = self._find(key.decode())
                met[key] = instrument, is_cash
                if is_kept and self._known < _MOST_KEYS:
                    line = self._keys[self._known]
                    line["instrument"], line["is_cash"] = instrument, is_cash
                    loops.learn(words, start, end, self._index, self._keys, self._secret, self._known)
                    self._known += 1
            rows[at]["instrument"], rows[at]["is_cash"] = met[key]
            self._nameless[rows[at]["frame"]] += met[key][0] < 0

    def drop_nameless(self) -> list[tuple[int, int, int]]:
        """Drop what belongs to no instrument; return in which frames, how many there, and of how many."""
        frames = np.flatnonzero(self._nameless)
        if not len(frames):
            return []
        rows = self._table[: self.rows]
        rows = rows[rows["instrument"] >= 0]
        self.rows = len(rows)
        self._table[: self.rows] = rows
        of = self._nameless + np.bincount(rows["frame"], minlength=len(self._nameless))
        return [(at, int(self._nameless[at]), int(of[at])) for at in frames.tolist()]

    def ticks(self, received_at: Received) -> tuple[Ticks, Depth | None]:
        """Return the rows as ticks, and their books, empty levels left out; None for no books."""
        rows, count = self._table[: self.rows], self.rows
        ticks = Ticks(
            instrument=np.empty(count, np.int32),
            timestamp=np.empty(count, np.int64),
            received_at=np.full(
                count, received_at if isinstance(received_at, int) else received_at[rows["frame"]]
            ),
            values=np.empty((len(FEED_FLOATS), count)),
        )
        books = tick_loops.ticks(rows, ticks.instrument, ticks.timestamp, ticks.received_at, ticks.values)
        if not books:
            return ticks, None
        which, ends = np.empty(books, np.int64), np.empty((2, books), np.int64)
        levels = np.empty((2, 2, self._levels))
        tick_loops.books(rows, self._quotes, which, ends, levels)
        bids, asks = (
            Side(own, price[: own[-1]], qty[: own[-1]])
            for own, (price, qty) in zip(ends, levels, strict=True)
        )
        return ticks, Depth.of(
            ticks.instrument[which], ticks.timestamp[which], ticks.received_at[which], bids, asks
        )
