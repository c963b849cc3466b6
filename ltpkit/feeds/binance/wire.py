"""Binance's messages as typed structures. What they mean is left to `decoder`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from ltpkit.batch import BookUpdate

__all__ = [
    "MISSING",
    "SYMBOL",
    "UNREADABLE",
    "Combined",
    "Message",
    "Payload",
    "Refusal",
    "WholeBook",
    "aggregate_id",
    "lacking",
    "micro",
    "read_many",
    "read_one",
    "snapshot",
]

# A time below this is in ms (until the year 5138), one above in µs (since 1973).
_FIRST_MICROSECOND: Final = 10**14
#: A number that was not sent; the wire cannot say NaN, see `Number`.
MISSING: Final = math.nan
#: What may be a symbol; letters of any script, as some symbols are Chinese.
SYMBOL: Final = re.compile(r"\w{2,40}")
#: What msgspec raises for bytes that are not what was expected.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

Number = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]  # the bounds also keep "nan" and "inf" out
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999_999)]  # until the year 9999 in µs
Levels = list[tuple[Number, Number]]


class Payload(msgspec.Struct, gc=False):
    """The fields of trade, aggTrade, bookTicker and depthUpdate; many differ only by case."""

    e: str = ""
    E: Time = 0
    s: str = ""
    t: Count = -1
    T: Time = 0
    p: Number = MISSING
    q: Number = MISSING
    b: Number | Levels = MISSING  # best bid price, or changed levels
    B: Number = MISSING
    a: Number | Levels = MISSING  # best ask price, changed levels, or the id of an aggTrade
    A: Number = MISSING
    u: Count = -1
    U: Count = -1
    pu: Count = -1
    X: str = "MARKET"


class WholeBook(Payload, gc=False):
    """A payload, or a whole book: the REST answer and the partial depth stream."""

    lastUpdateId: Count = -1
    bids: Levels | None = None
    asks: Levels | None = None


class Refusal(msgspec.Struct):
    """An error in an answer to a request."""

    code: int = 0
    msg: str = ""


class Message(WholeBook, gc=False):
    """Any message: in the wrapping of a combined stream, bare, or an answer to a request."""

    stream: str = ""
    data: WholeBook | None = None
    id: object = msgspec.UNSET
    result: object = msgspec.UNSET
    code: int | None = None
    msg: str = ""
    error: Refusal | None = None


class Combined(msgspec.Struct, gc=False):
    """What a combined stream sends nearly always, and the quicker to read."""

    stream: str
    data: Payload


# `strict=False` reads decimal text as float in the same pass; the result is what float(text) gives.
read_many: Callable[[bytes], Sequence[Combined]]
read_many = msgspec.json.Decoder(list[Combined], strict=False).decode
read_one: Callable[[bytes], Message]
read_one = msgspec.json.Decoder(Message, strict=False).decode


def micro(time: int) -> int:
    """Return a time of Binance's in µs; both units are sent."""
    return time * 1000 if time < _FIRST_MICROSECOND else time


def snapshot(said: WholeBook, instrument: int | None, received_at: int) -> BookUpdate | None:
    """Return the whole book in a message, or None when it holds none."""
    if said.lastUpdateId < 0 or said.bids is None or said.asks is None:
        return None
    return BookUpdate(
        instrument=instrument,
        timestamp=micro(said.T or said.E) or received_at,
        received_at=received_at,
        bids=said.bids,
        asks=said.asks,
        last_id=said.lastUpdateId,
        snapshot=True,
    )


def aggregate_id(trade: Payload) -> int:
    """Return the id of an aggTrade, -1 without one."""
    # About 1e10 by now; the float it was read as holds whole numbers exactly up to 2**53.
    a = trade.a
    return -1 if isinstance(a, list) or a is MISSING else int(a)


def lacking(payload: Payload) -> str:
    """Return what a quote or trade lacks to be a tick, or nothing."""
    if not SYMBOL.fullmatch(payload.s):
        return "symbol"
    if payload.e not in ("trade", "aggTrade"):
        sides = {"bid": payload.b, "bid quantity": payload.B, "ask": payload.a, "ask quantity": payload.A}
        return next((name for name, n in sides.items() if n is MISSING or isinstance(n, list)), "")
    if payload.p is MISSING:
        return "price"
    if payload.q is MISSING:
        return "quantity"
    return "id" if (payload.t if payload.e == "trade" else aggregate_id(payload)) == -1 else ""
