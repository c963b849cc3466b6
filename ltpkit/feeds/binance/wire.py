"""Binance's messages as typed structures, and frames read into them.

Frames that arrived together are joined into one JSON array and read in one typed msgspec pass; when
that fails each is read on its own, so that a bad one costs only itself. What the messages mean
is left to `ltpkit.feeds.binance`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from ltpkit.batch import Batch, BookUpdate, Received, Reject

__all__ = [
    "FIRST_MICROSECOND",
    "MISSING",
    "SYMBOL",
    "UNREADABLE",
    "Arrived",
    "Message",
    "Payload",
    "Refusal",
    "WholeBook",
    "aggregate_id",
    "lacking",
    "micro",
    "read_one",
    "snapshot",
]

#: A time below this is in ms (until the year 5138), one above in µs (since 1973).
FIRST_MICROSECOND: Final = 10**14
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
_MANY: Final = msgspec.json.Decoder(list[Combined], strict=False)
_ONE: Final = msgspec.json.Decoder(Message, strict=False)


def read_one(frame: bytes) -> Message:
    """Return one message; raise one of `UNREADABLE`."""
    return _ONE.decode(frame)


class Arrived:
    """Frames that arrived together, as messages, and the batch that they become.

    Attributes
    ----------
    messages : sequence of Combined or Message
        Those that could be read; the others are rejects of `batch` already.
    payloads : list of Payload
        What each of them carries.
    places : sequence of int
        Where each of them is among the frames.
    """

    __slots__ = ("batch", "frames", "messages", "payloads", "places", "received_at")

    def __init__(self, frames: Sequence[bytes], received_at: Received) -> None:
        self.frames, self.received_at, self.batch = frames, received_at, Batch()
        self.messages: Sequence[Combined | Message]
        self.places: Sequence[int] = range(len(frames))
        try:
            self.messages = _MANY.decode(b"[" + b",".join(frames) + b"]")
            whole = len(self.messages) == len(frames)  # else a frame was none, or several
        except UNREADABLE:
            whole = False
        if not whole:
            self._read_one_by_one()
        self.payloads: list[Payload] = [message.data or message for message in self.messages]  # type: ignore[misc]

    def _read_one_by_one(self) -> None:
        messages: list[Message] = []
        places: list[int] = []
        for place, frame in enumerate(self.frames):
            try:
                messages.append(_ONE.decode(frame))
            except UNREADABLE as error:
                self._reject(place, str(error))
            else:
                places.append(place)
        self.messages, self.places = messages, places

    def frame(self, i: int) -> bytes:
        """Return the frame of message `i`."""
        return self.frames[self.places[i]]

    def at(self, i: int) -> int:
        """Return when message `i` was received, µs UTC."""
        return self._at(self.places[i])

    def reject(self, i: int, reason: str) -> None:
        """Keep the frame of message `i` as a reject."""
        self._reject(self.places[i], reason)

    def _at(self, place: int) -> int:
        return self.received_at if isinstance(self.received_at, int) else int(self.received_at[place])

    def _reject(self, place: int, reason: str) -> None:
        reject = Reject(received_at=self._at(place), reason=reason, frame=self.frames[place])
        self.batch.rejects.append(reject)


def micro(time: int) -> int:
    """Return a time of Binance's in µs; both units are sent."""
    return time * 1000 if time < FIRST_MICROSECOND else time


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
