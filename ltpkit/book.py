"""Order books kept from a whole book and its changes, and the rule that says when they are right.

A `Book` is the two sides of one market. `Books` holds one per instrument and knows the sequence
rule, and the checksum where the feed has one: it tells which books need a snapshot, and never shows
one that may be wrong. Fetching the snapshot is left to the caller. Not thread-safe: the feed thread owns it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt
from sortedcontainers import SortedList

from ltpkit.batch import BookCheck, BookUpdate, Depth, Event, Side
from ltpkit.instrument import Instruments

__all__ = ["Applied", "Book", "Books"]

Level = tuple[float, float]

#: Changes of one book kept while it waits for its snapshot: at 100 ms apart, over a quarter of an hour.
_KEPT: Final = 10_000
#: So many changes in a row from before the book's own: not repeats, the exchange counts anew.
_OLD_IN_A_ROW: Final = 100
#: Levels a side that a checksum is made of, however many the book has.
_CHECKED: Final = 10


class Book:
    """The bids and asks of one market, best first.

    Examples
    --------
    >>> book = Book()
    >>> book.apply(bids=[(99.0, 5.0), (98.0, 1.0)], asks=[(101.0, 2.0)])
    >>> book.apply(bids=[(99.0, 0.0)], asks=[])
    >>> book.top(5)
    ([(98.0, 1.0)], [(101.0, 2.0)])
    """

    __slots__ = ("_ask_prices", "_ask_qty", "_bid_prices", "_bid_qty")

    def __init__(self) -> None:
        self._bid_qty: dict[float, float] = {}
        self._ask_qty: dict[float, float] = {}
        self._bid_prices = SortedList()
        self._ask_prices = SortedList()

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set the quantity at each of these prices; 0 removes the level.

        Removing a level that is not there is normal: a snapshot ends somewhere, and the exchange
        also tells of levels beyond it.
        """
        _set(self._bid_prices, self._bid_qty, bids)
        _set(self._ask_prices, self._ask_qty, asks)

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Forget every level and take these."""
        self._bid_qty = {price: qty for price, qty in bids if qty}
        self._ask_qty = {price: qty for price, qty in asks if qty}
        self._bid_prices = SortedList(self._bid_qty)
        self._ask_prices = SortedList(self._ask_qty)

    def cut(self, levels: int) -> None:
        """Forget what is beyond the best so many levels of each side."""
        while len(self._bid_prices) > levels:
            del self._bid_qty[self._bid_prices.pop(0)]
        while len(self._ask_prices) > levels:
            del self._ask_qty[self._ask_prices.pop()]

    def top(self, levels: int | None = None) -> tuple[list[Level], list[Level]]:
        """Return the best levels of each side as (price, qty), best first; all without a number."""
        bid_qty, ask_qty = self._bid_qty, self._ask_qty
        return (
            [(price, bid_qty[price]) for price in islice(reversed(self._bid_prices), levels)],
            [(price, ask_qty[price]) for price in islice(self._ask_prices, levels)],
        )

    @property
    def levels(self) -> tuple[int, int]:
        """How many bids and asks there are."""
        return len(self._bid_qty), len(self._ask_qty)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        if not self._bid_qty or not self._ask_qty:
            return False
        return bool(self._bid_prices[-1] >= self._ask_prices[0])

    def __repr__(self) -> str:
        bids, asks = self.levels
        return f"<Book: {bids} bids, {asks} asks>"


def _set(prices: SortedList, qty_at: dict[float, float], changes: Iterable[Level]) -> None:
    for price, qty in changes:
        if qty:
            if price not in qty_at:
                prices.add(price)
            qty_at[price] = qty
        elif qty_at.pop(price, None) is not None:
            prices.remove(price)


class _Marks:
    """What each level of one side adds to the text that the book's checksum is of."""

    __slots__ = ("_marks", "_text")

    def __init__(self) -> None:
        self._marks: dict[float, bytes] = {}
        self._text: bytes | None = None  # of the best levels, until they may have changed

    def take(self, levels: Sequence[Level], marks: Sequence[bytes], *, whole: bool) -> None:
        """Keep the marks of an update's levels; of a level that came twice the last one counts."""
        if whole:
            self._marks.clear()
        if whole or levels:
            self._text = None
            for (price, _), mark in zip(levels, marks, strict=True):
                self._marks[price] = mark

    def text(self, best: Iterable[float], held: Collection[float]) -> bytes:
        """Return the text of the best levels, and forget the marks of levels that are not held."""
        if self._text is None:
            marks = self._marks
            if len(marks) > 2 * len(held) + _CHECKED:
                self._marks = marks = {price: mark for price, mark in marks.items() if price in held}
            self._text = b"".join([marks.get(price, b"") for price in islice(best, _CHECKED)])
        return self._text


class Applied(msgspec.Struct, kw_only=True):
    """What a call of `Books.apply` changed.

    Attributes
    ----------
    depth : Depth or None
        One row per change of a book in sync, and one for each book that came into sync.
    wanted : set of int
        Every instrument whose book lacks a snapshot now, not only those new since the call before.
        One stays in it when the snapshot that came was too old: the caller paces its requests.
    events : list of Event
        ``gap`` where changes are missing, ``resync`` when the book is right again, ``reject`` for
        a snapshot that belongs to no book.
    """

    depth: Depth | None
    wanted: set[int]
    events: list[Event]


class _Kept(msgspec.Struct):
    """One instrument's book and where it stands in the feed's numbering."""

    book: Book
    in_sync: bool = False
    last_id: int | None = None
    applied_at: int = 0  # receipt time of what was applied last, µs
    resync_owed: bool = False
    followed: bool = False  # a change was applied since the snapshot
    old_in_a_row: int = 0
    waiting: list[BookUpdate] = []
    bid_marks: _Marks | None = None  # where the feed sends checksums
    ask_marks: _Marks | None = None


class Books:
    """The books of a stream, one per instrument, in sync or waiting for their snapshot.

    Parameters
    ----------
    instruments : Instruments
        Gives the events their symbols.
    levels : int
        How many levels a side a row of depth has at most.

    Notes
    -----
    The rule, as Binance publishes it for both its markets: keep changes until the snapshot comes;
    drop those whose last id the snapshot already holds; the first one applied must reach back to
    the snapshot, and each one to the change before it. "Reaches back" is `previous_id` where the feed
    sends one, else `first_id - 1`, not above the id of the book. A change that reaches back further
    than needed is applied: quantities are absolute, so nothing is lost by it. A change that is
    entirely older is left out. A feed without numbers is taken at its word.

    A snapshot too old to meet the changes that were kept is asked for again. A snapshot that came
    unasked replaces a book in sync unless it is older.

    Where an update carries a check, the book is cut to the feed's depth after it and its checksum
    compared, a snapshot's too. A book that fails waits for a snapshot, as after a break.
    """

    def __init__(self, *, instruments: Instruments, levels: int = 20) -> None:
        self._instruments = instruments
        self._levels = levels
        self._books: dict[int, _Kept] = {}
        self._wanted: set[int] = set()

    def __repr__(self) -> str:
        return f"<Books: {len(self._books)}, {len(self.waiting())} waiting for a snapshot>"

    def apply(self, updates: Sequence[BookUpdate]) -> Applied:
        """Apply changes and snapshots in the order they came.

        Parameters
        ----------
        updates : sequence of BookUpdate
            A snapshot without an instrument goes to the one book that waits.

        Returns
        -------
        Applied
            A book that comes into sync gives one row: the snapshot with the kept changes on it, at
            the exchange time of the newest of them and the receipt time of the snapshot.
        """
        rows = _Rows(self._levels)
        done = Applied(depth=None, wanted=set(), events=[])
        for update in updates:
            number = update.instrument
            if number is None:
                number = self._only_one_waiting(update, done)
                if number is None:
                    continue
            kept = self._books.get(number)
            if kept is None:
                kept = self._books[number] = _Kept(Book())
            if update.snapshot:
                self._snapshot(number, kept, update, rows, done)
            elif kept.in_sync:
                self._change(number, kept, update, rows, done)
            else:
                self._wait(number, kept, update)
        done.depth, done.wanted = rows.depth(), set(self._wanted)
        return done

    def _change(self, number: int, kept: _Kept, update: BookUpdate, rows: _Rows, done: Applied) -> None:
        last, newest = kept.last_id, update.last_id
        if update.missed is not None:
            self._lost(number, kept, update, update.missed, {}, done)
            return
        if last is not None and newest is not None:
            before = _reaches_back_to(update)
            if newest <= last:
                # A reader that lags sees many old changes after a fresh snapshot: they count only
                # once a change has followed on.
                kept.old_in_a_row += kept.followed
                if kept.old_in_a_row < _OLD_IN_A_ROW:
                    return
                self._lost(number, kept, update, "depth ids began anew", {"from_id": last + 1}, done)
                return
            if before is not None and before > last:
                self._lost(
                    number, kept, update, "depth sequence", {"from_id": last + 1, "to_id": before}, done
                )
                return
        kept.old_in_a_row, kept.followed = 0, True
        kept.book.apply(update.bids, update.asks)
        if update.check is not None and (wrong := _checked(kept, update, update.check)):
            self._lost(number, kept, update, "checksum", wrong, done)
            return
        kept.last_id = newest if newest is not None else last
        kept.applied_at = update.received_at
        rows.add(number, kept.book, update.timestamp, update.received_at)

    def _lost(
        self, number: int, kept: _Kept, update: BookUpdate, why: str, ids: dict[str, int], done: Applied
    ) -> None:
        self._distrust(number, kept, update, why, ids, done)
        self._wait(number, kept, update)

    def _distrust(
        self, number: int, kept: _Kept, update: BookUpdate, why: str, ids: dict[str, int], done: Applied
    ) -> None:
        """Tell of the gap, and let the book wait for a snapshot."""
        detail: dict[str, object] = {"why": why, "end": update.received_at, **ids}
        if kept.in_sync or kept.resync_owed:  # else it has been right at no time yet
            detail["start"] = kept.applied_at
        symbol = self._instruments[number].name
        done.events.append(Event(at=update.received_at, kind="gap", symbol=symbol, detail=detail))
        _fall_out(kept)
        self._wanted.add(number)

    def _wait(self, number: int, kept: _Kept, update: BookUpdate) -> None:
        if len(kept.waiting) >= _KEPT:
            # The newer half is enough for a snapshot that is still to come.
            del kept.waiting[: _KEPT // 2]
        kept.waiting.append(update)
        self._wanted.add(number)

    def _snapshot(self, number: int, kept: _Kept, update: BookUpdate, rows: _Rows, done: Applied) -> None:
        held, offered = kept.last_id, update.last_id
        if kept.in_sync and held is not None and offered is not None and offered < held:
            return
        newer = [
            change
            for change in kept.waiting
            if offered is not None and change.last_id is not None and change.last_id > offered
        ]
        if not _unbroken(offered, newer):
            return  # too old to meet what was kept: the book still waits
        kept.book.replace(update.bids, update.asks)
        wrong = _checked(kept, update, update.check)
        kept.last_id, timestamp = offered, update.timestamp
        for change in newer:
            kept.book.apply(change.bids, change.asks)
            wrong = wrong or _checked(kept, change, change.check)
            kept.last_id, timestamp = change.last_id, change.timestamp
        if wrong:
            self._distrust(number, kept, update, "checksum", wrong, done)
            kept.resync_owed = True
            return
        kept.waiting.clear()
        kept.in_sync, kept.followed, kept.old_in_a_row = True, bool(newer), 0
        self._wanted.discard(number)
        if kept.resync_owed:
            out: dict[str, object] = {"out_us": update.received_at - kept.applied_at}
            symbol = self._instruments[number].name
            done.events.append(Event(at=update.received_at, kind="resync", symbol=symbol, detail=out))
        kept.resync_owed, kept.applied_at = False, update.received_at
        rows.add(number, kept.book, timestamp, update.received_at)

    def _only_one_waiting(self, update: BookUpdate, done: Applied) -> int | None:
        waiting = self.waiting()
        if len(waiting) == 1:
            return waiting.pop()
        detail: dict[str, object] = {"why": f"a snapshot that names no symbol, and {len(waiting)} books wait"}
        done.events.append(Event(at=update.received_at, kind="reject", detail=detail))
        return None

    def waiting(self) -> set[int]:
        """Return the instruments whose book waits for a snapshot."""
        return {number for number, kept in self._books.items() if not kept.in_sync}

    def disconnected(self, instruments: Iterable[int] | None = None) -> None:
        """Say that a connection was lost: changes may be missing from the books it carried.

        What the feed sends on the next connection is kept, and asks for new snapshots.

        Parameters
        ----------
        instruments : iterable of int, optional
            What the connection carried. By default all.
        """
        for number in list(self._books) if instruments is None else instruments:
            kept = self._books.get(number)
            if kept is not None:
                _fall_out(kept)
                self._wanted.discard(number)

    def forget(self, instrument: int) -> None:
        """Drop an instrument's book, as when it is unsubscribed."""
        self._books.pop(instrument, None)
        self._wanted.discard(instrument)

    def last_id(self, instrument: int) -> int | None:
        """Return the feed's number of the last change in the book; None unless it is in sync."""
        kept = self._books.get(instrument)
        return kept.last_id if kept is not None and kept.in_sync else None

    def full(self, instrument: int) -> tuple[list[Level], list[Level]] | None:
        """Return all bids and asks as (price, qty), best first; None unless the book is in sync."""
        kept = self._books.get(instrument)
        return kept.book.top() if kept is not None and kept.in_sync else None


def _reaches_back_to(update: BookUpdate) -> int | None:
    """Return the id of the change that must have come before."""
    if update.previous_id is not None:
        return update.previous_id
    return None if update.first_id is None else update.first_id - 1


def _checked(kept: _Kept, update: BookUpdate, check: BookCheck | None) -> dict[str, int]:
    """Cut a book to the feed's depth; return both checksums where they differ, else nothing."""
    if check is None:
        return {}
    book, whole = kept.book, update.snapshot
    book.cut(check.levels)
    if kept.bid_marks is None or kept.ask_marks is None:
        kept.bid_marks, kept.ask_marks = _Marks(), _Marks()
    kept.bid_marks.take(update.bids, check.bid_marks, whole=whole)
    kept.ask_marks.take(update.asks, check.ask_marks, whole=whole)
    asks = kept.ask_marks.text(book._ask_prices, book._ask_qty)
    bids = kept.bid_marks.text(reversed(book._bid_prices), book._bid_qty)
    found = crc32(bids, crc32(asks))
    return {} if found == check.checksum else {"checksum": check.checksum, "computed": found}


def _unbroken(last: int | None, changes: list[BookUpdate]) -> bool:
    """Tell whether each change reaches back to the one before, the first one to `last`."""
    for change in changes:
        before = _reaches_back_to(change)
        if before is not None and last is not None and before > last:
            return False
        last = change.last_id
    return True


def _fall_out(kept: _Kept) -> None:
    kept.resync_owed = kept.resync_owed or kept.in_sync
    kept.in_sync, kept.last_id = False, None
    kept.waiting.clear()


class _Rows:
    """Rows of depth in the making: plain lists, turned into arrays once per call."""

    def __init__(self, levels: int) -> None:
        self._most = levels
        self._keys: list[tuple[int, int, int, int, int]] = []
        self._sides: tuple[list[float], ...] = ([], [], [], [])

    def add(self, number: int, book: Book, timestamp: int, received_at: int) -> None:
        bid_price, bid_qty, ask_price, ask_qty = self._sides
        bids, asks = book._bid_qty, book._ask_qty
        best_bids = list(islice(reversed(book._bid_prices), self._most))
        best_asks = list(islice(book._ask_prices, self._most))
        bid_price += best_bids
        bid_qty += [bids[price] for price in best_bids]
        ask_price += best_asks
        ask_qty += [asks[price] for price in best_asks]
        self._keys.append((number, timestamp, received_at, len(bid_price), len(ask_price)))

    def depth(self) -> Depth | None:
        if not self._keys:
            return None
        number, timestamp, received_at, bid_ends, ask_ends = np.array(self._keys, np.int64).T.copy()
        bid_price, bid_qty, ask_price, ask_qty = (_floats(side) for side in self._sides)
        bids, asks = Side(bid_ends, bid_price, bid_qty), Side(ask_ends, ask_price, ask_qty)
        return Depth.of(number.astype(np.int32), timestamp, received_at, bids, asks)


def _floats(side: list[float]) -> npt.NDArray[np.float64]:
    return np.fromiter(side, np.float64, len(side))
