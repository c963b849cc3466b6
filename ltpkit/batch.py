"""What a decoder hands over: rows, events and rejects of the frames that arrived together.

Small and dumb: arrays with one place per row, no behaviour. Missing numbers are NaN here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = [
    "Batch",
    "BookCheck",
    "BookUpdate",
    "Depth",
    "Event",
    "Goodbye",
    "Received",
    "Reject",
    "Side",
    "Ticks",
]

#: When frames arrived, µs since 1970 in UTC: one time for all, or one for each frame.
Received = int | npt.NDArray[np.int64]

_ROW = {name: row for row, name in enumerate(FEED_FLOATS)}


class Ticks(msgspec.Struct, kw_only=True):
    """Ticks in arrival order.

    Attributes
    ----------
    instrument : ndarray of int32, shape (n,)
        Numbers from the stream's `Instruments`.
    timestamp : ndarray of int64, shape (n,)
        Exchange time, µs UTC; `received_at` where the feed sent none.
    received_at : ndarray of int64, shape (n,)
        When the frame reached us, µs UTC.
    values : ndarray of float64, shape (12, n)
        One line per name of `schema.FEED_FLOATS`; NaN where the feed said nothing.
    duplicate : ndarray of bool, shape (n,), or None
        Which rows are trades that came before, told by the ids an exchange gives them; None where none is.
    """

    instrument: npt.NDArray[np.int32]
    timestamp: npt.NDArray[np.int64]
    received_at: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    duplicate: npt.NDArray[np.bool_] | None = None

    @classmethod
    def blank(cls, n: int) -> Ticks:
        """Return `n` rows that say nothing yet; the decoder fills in what the feed said."""
        return cls(
            instrument=np.zeros(n, np.int32),
            timestamp=np.full(n, NO_TIME, np.int64),
            received_at=np.zeros(n, np.int64),
            values=np.full((len(FEED_FLOATS), n), np.nan),
        )

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return the line of `values` for a column, to read or to fill."""
        line: npt.NDArray[np.float64] = self.values[_ROW[name]]
        return line

    def only(self, kept: npt.NDArray[np.bool_] | slice) -> Ticks:
        """Return some of the rows: where `kept` is true, or this slice of them."""
        return Ticks(
            instrument=self.instrument[kept],
            timestamp=self.timestamp[kept],
            received_at=self.received_at[kept],
            values=self.values[:, kept],
            duplicate=None if self.duplicate is None else self.duplicate[kept],
        )

    def __len__(self) -> int:
        return len(self.instrument)


class Side(NamedTuple):
    """The bids or the asks of some books, as `Depth` has them.

    Attributes
    ----------
    ends : ndarray of int64, shape (n,)
        Where each book's levels end in the arrays below; they start where the book before ends.
    price, qty : ndarray of float64
        The levels of all books, one after the other.
    orders : ndarray of int32, or None
        Orders at each level, None where the feed does not count them.
    """

    ends: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    qty: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int32] | None = None


class Depth(msgspec.Struct, kw_only=True):
    """Books in arrival order, each with as many levels as it has, best first.

    Attributes
    ----------
    instrument, timestamp, received_at : ndarray, shape (n,)
        As in `Ticks`.
    bid_ends, bid_price, bid_qty, bid_orders : ndarray
        As in `Side`.
    ask_ends, ask_price, ask_qty, ask_orders : ndarray
        As well.
    """

    instrument: npt.NDArray[np.int32]
    timestamp: npt.NDArray[np.int64]
    received_at: npt.NDArray[np.int64]
    bid_ends: npt.NDArray[np.int64]
    bid_price: npt.NDArray[np.float64]
    bid_qty: npt.NDArray[np.float64]
    bid_orders: npt.NDArray[np.int32] | None
    ask_ends: npt.NDArray[np.int64]
    ask_price: npt.NDArray[np.float64]
    ask_qty: npt.NDArray[np.float64]
    ask_orders: npt.NDArray[np.int32] | None

    @classmethod
    def of(
        cls,
        instrument: npt.NDArray[np.int32],
        timestamp: npt.NDArray[np.int64],
        received_at: npt.NDArray[np.int64],
        bids: Side,
        asks: Side,
    ) -> Depth:
        """Return the books with these two sides."""
        return cls(
            instrument=instrument,
            timestamp=timestamp,
            received_at=received_at,
            bid_ends=bids.ends,
            bid_price=bids.price,
            bid_qty=bids.qty,
            bid_orders=bids.orders,
            ask_ends=asks.ends,
            ask_price=asks.price,
            ask_qty=asks.qty,
            ask_orders=asks.orders,
        )

    @property
    def bids(self) -> Side:
        """The bids of all rows."""
        return Side(self.bid_ends, self.bid_price, self.bid_qty, self.bid_orders)

    @property
    def asks(self) -> Side:
        """The asks of all rows."""
        return Side(self.ask_ends, self.ask_price, self.ask_qty, self.ask_orders)

    def __len__(self) -> int:
        return len(self.instrument)


class BookCheck(msgspec.Struct, kw_only=True):
    """What a feed with checksums says about a book after an update.

    Attributes
    ----------
    checksum : int
        CRC-32 of the marks of the ten best asks, then of the ten best bids, each best first.
    levels : int
        Each side is cut to so many after the whole update; the feed sends no removals for the rest.
    bid_marks, ask_marks : sequence of bytes
        For each of the update's levels, what it adds to the text that the checksum is of.
    """

    checksum: int
    levels: int
    bid_marks: Sequence[bytes]
    ask_marks: Sequence[bytes]


class BookUpdate(msgspec.Struct, kw_only=True):
    """Changed levels of one book, or a whole book (`snapshot`), as the feed sent them.

    Attributes
    ----------
    instrument : int or None
        None where the message does not say: a snapshot answer in a bare capture.
    first_id, last_id, previous_id : int or None
        The feed's own update numbers: of the first and last change inside, and of the message before.
    bids, asks : sequence of (price, qty)
        Quantity 0 removes the level.
    check : BookCheck or None
        What must hold once this is applied, where the feed says so.
    missed : str or None
        Why the feed knows that something before this was lost: no update mends the book then, only
        a snapshot does.
    """

    instrument: int | None
    timestamp: int
    received_at: int
    bids: Sequence[tuple[float, float]]
    asks: Sequence[tuple[float, float]]
    first_id: int | None = None
    last_id: int | None = None
    previous_id: int | None = None
    snapshot: bool = False
    check: BookCheck | None = None
    missed: str | None = None


class Event(msgspec.Struct, kw_only=True):
    """Something that happened on a connection, one row of `feed_events`.

    Attributes
    ----------
    at : int
        µs UTC.
    kind : str
        One word: ``connected``, ``disconnected``, ``gap``, ``resync``, ``reject``, ``feed``, …
    symbol : str or None
        ``EXCHANGE:SYMBOL`` where it concerns one.
    detail : dict
        What else is known; JSON once stored.
    """

    at: int
    kind: str
    symbol: str | None = None
    detail: dict[str, object] = {}


class Reject(msgspec.Struct, kw_only=True):
    """A frame, or a piece of one, that could not be decoded. Counted and kept, never half a row."""

    received_at: int
    reason: str
    frame: bytes


class Goodbye(msgspec.Struct, kw_only=True):
    """The broker said it is closing this connection.

    Attributes
    ----------
    code : int
        The broker's own code.
    reason : str
        The broker's own words for it.
    then : {"retry", "login", "stop"}
        Worth another try; worth another try with a fresh token; or final.
    """

    code: int
    reason: str
    then: Literal["retry", "login", "stop"]


class Batch(msgspec.Struct, kw_only=True):
    """Everything that one pass over some frames found; what was not in them is None or empty."""

    ticks: Ticks | None = None
    depth: Depth | None = None
    book_updates: list[BookUpdate] = []
    events: list[Event] = []
    rejects: list[Reject] = []
    goodbye: Goodbye | None = None
