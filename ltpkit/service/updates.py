"""What subscribers are sent: ticks and books as typed messages, each made and encoded once for all.

JSON has the columns' names of `ltpkit.schema`, times as ISO 8601 in UTC, and null for what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from ltpkit.schema import DEPTH, TICKS

__all__ = [
    "BOOKS",
    "CHANGE_DECIMALS",
    "TICK",
    "Book",
    "DepthUpdate",
    "LTPUpdate",
    "Level",
    "QuoteUpdate",
    "Update",
    "book",
]

#: Kinds of `Update`.
TICK: Final = "ticks"
BOOKS: Final = "depth"

#: Of a change, in text: finer than any tick size, and coarser than what subtracting floats leaves behind.
CHANGE_DECIMALS: Final = 8

_LTP: Final = list(TICKS).index("ltp")

_encode = msgspec.json.Encoder().encode


class LTPUpdate(msgspec.Struct, kw_only=True, tag_field="type", tag="ltp_update"):
    """A tick, as subscribers get it. The columns are those of `ltpkit.schema.TICKS`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> update = LTPUpdate(symbol="RELIANCE", timestamp=datetime(2026, 3, 2, 4, 0, tzinfo=UTC), ltp=2500.5)
    >>> msgspec.json.encode(update)[:66]
    b'{"type":"ltp_update","symbol":"RELIANCE","exchange":"","ltp":2500.'
    """

    symbol: str
    exchange: str = ""
    ltp: float | None = None
    change: float | None = None
    change_percent: float | None = None
    timestamp: datetime
    received_at: datetime | None = None
    ltq: float | None = None
    open_price: float | None = None
    high_price: float | None = None
    low_price: float | None = None
    close_price: float | None = None
    volume: float | None = None
    bid: float | None = None
    bid_qty: float | None = None
    ask: float | None = None
    ask_qty: float | None = None
    oi: float | None = None
    source: str = ""
    seq: int | None = None


class QuoteUpdate(LTPUpdate, kw_only=True, tag_field="type", tag="quote_update"):
    """A tick without a price: some feeds send the best quote apart from trades."""


class Level(msgspec.Struct):
    """One level of a book; `orders` is null where the feed does not count them."""

    price: float
    qty: float
    orders: int | None


class Book(msgspec.Struct, kw_only=True):
    """A book after an update, each side best first."""

    symbol: str
    exchange: str
    timestamp: datetime | None
    received_at: datetime | None
    seq: int | None
    bids: list[Level]
    asks: list[Level]


class DepthUpdate(Book, kw_only=True, tag_field="type", tag="depth_update"):
    """A `Book`, as subscribers get it."""


class Update(msgspec.Struct, gc=False, eq=False):
    """A row on its way to subscribers.

    Thousands wait at a time, and none can be part of a cycle: the garbage collector need not visit them.

    Parameters
    ----------
    kind : {"ticks", "depth"}
    row : sequence
        Its columns, as in `ltpkit.schema`.

    Attributes
    ----------
    name : str
        ``EXCHANGE:SYMBOL``.
    seq : int
    priced : bool
        Whether it brings a price; some ticks are quotes only, and books never do.
    key : (str, str)
        What it is the newest of: kind and name. Made once, however many connections it waits for.
    """

    kind: str
    row: tuple[Any, ...]
    name: str = ""
    seq: int = 0
    priced: bool = False
    key: tuple[str, str] = ("", "")
    _text: bytes = b""
    _frame: bytes = b""

    def __post_init__(self) -> None:
        row = self.row
        self.seq = row[0]
        self.name = f"{row[2]}:{row[1]}"
        self.priced = self.kind == TICK and row[_LTP] is not None
        self.key = self.kind, self.name

    @property
    def text(self) -> bytes:
        """The message in JSON."""
        if not self._text:
            self._text = _encode(self._message())
        return self._text

    @property
    def frame(self) -> bytes:
        """The message as a WebSocket frame."""
        if not self._frame:
            self._frame = framed(self.text)
        return self._frame

    def _message(self) -> msgspec.Struct:
        if self.kind == BOOKS:
            return book(self.row, DepthUpdate)
        values = dict(zip(TICKS, self.row, strict=True))
        for name in ("change", "change_percent"):
            if values[name] is not None:
                values[name] = round(values[name], CHANGE_DECIMALS)
        return (LTPUpdate if self.priced else QuoteUpdate)(**values)


def book(row: Iterable[Any], kind: type[Book] = Book, *, levels: int | None = None) -> Book:
    """Return a row of depth as a book of at most so many levels a side."""
    values = dict(zip(DEPTH, row, strict=True))
    sides: dict[str, Any] = {}
    for side in ("bid", "ask"):
        prices, qtys, orders = (values.pop(f"{side}_{part}") for part in ("price", "qty", "orders"))
        counted = orders if orders is not None else [None] * len(prices)
        sides[f"{side}s"] = [Level(*level) for level in zip(prices, qtys, counted, strict=True)][:levels]
    return kind(**values, **sides)


def framed(text: bytes) -> bytes:
    """Return a server's text message as one WebSocket frame (RFC 6455, 5.2): not masked, not compressed."""
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2) + text
    return b"\x81\x7f" + size.to_bytes(8) + text
