"""Text frames that arrived together, read in one typed pass, and the ticks they become.

For feeds that send JSON. The frames are joined into one array; when that cannot be read each is read
on its own, so that a bad one costs only itself. What a message means is left to the feed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

import msgspec
import numpy as np

from ltpkit.batch import Batch, Received, Reject, Ticks
from ltpkit.schema import FEED_FLOATS

__all__ = ["UNREADABLE", "Count", "Joined", "Number", "Price", "Rows", "Shape", "lines", "microseconds"]

#: What msgspec raises for bytes that are not what was expected.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)

#: A quantity, or a price that is 0 where there is none. The bounds also keep "nan" and "inf" out.
Number = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]
#: What something was traded at.
Price = Annotated[float, msgspec.Meta(gt=0.0, le=1e300)]
#: A number that counts or names.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]

M = TypeVar("M")

#: Which lines of `Ticks.values` a kind of message fills.
Shape = tuple[int, ...]


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
    messages : list of tuple
        Place among the frames, receipt time in µs and message. In the place of one that could not be
        read stands its `Reject`, which is in `batch` already: it may have been a change of a book.
    batch : Batch
        What is to be handed over, without the ticks of `rows`.
    rows : Rows
    """

    __slots__ = ("_frames", "_times", "batch", "messages", "rows")

    def __init__(
        self,
        frames: Sequence[bytes],
        received_at: Received,
        many: Callable[[bytes], Sequence[M]],
        one: Callable[[bytes], M],
    ) -> None:
        self.batch, self.rows = Batch(), Rows()
        self._frames = frames
        self._times: Sequence[int] = (
            [received_at] * len(frames) if isinstance(received_at, int) else received_at.tolist()
        )
        try:
            messages = many(b"[" + b",".join(frames) + b"]")
        except UNREADABLE:
            messages = ()
        self.messages: list[tuple[int, int, M | Reject]]
        if len(messages) == len(frames):
            self.messages = list(zip(range(len(frames)), self._times, messages, strict=True))
        else:  # a frame is damaged, of a rarer kind, or no message of its own
            self.messages = []
            for place, frame in enumerate(frames):
                message: M | Reject
                try:
                    message = one(frame)
                except UNREADABLE as error:
                    message = self.reject(place, str(error))
                self.messages.append((place, self._times[place], message))

    def reject(self, place: int, reason: str) -> Reject:
        """Keep the frame at this place as a reject."""
        reject = Reject(received_at=self._times[place], reason=reason, frame=self._frames[place])
        self.batch.rejects.append(reject)
        return reject

    def finished(self) -> Batch:
        """Return the batch, with its ticks."""
        self.batch.ticks = self.rows.ticks()
        return self.batch


class Rows:
    """Ticks in the making: added one by one, turned into arrays once."""

    __slots__ = ("_keys", "_shapes")

    def __init__(self) -> None:
        self._keys: list[tuple[int, int, int]] = []
        self._shapes: dict[Shape, tuple[list[int], list[tuple[float, ...]]]] = {}

    def add(
        self, shape: Shape, instrument: int, timestamp: int, received_at: int, values: tuple[float, ...]
    ) -> None:
        """Add a tick that fills the lines of `shape` with `values`."""
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = ([], [])
        known[0].append(len(self._keys))
        known[1].append(values)
        self._keys.append((instrument, timestamp, received_at))

    def ticks(self) -> Ticks | None:
        """Return the ticks in the order they were added; None for none."""
        n = len(self._keys)
        if not n:
            return None
        ticks = Ticks.blank(n)
        keys = np.array(self._keys, np.int64).T
        ticks.instrument[:], ticks.timestamp[:], ticks.received_at[:] = keys
        for shape, (rows, values) in self._shapes.items():
            columns = np.array(values, np.float64).T
            for line, column in zip(shape, columns, strict=True):
                if len(rows) == n:
                    ticks.values[line] = column
                else:
                    ticks.values[line, rows] = column
        return ticks


def lines(*names: str) -> Shape:
    """Return the lines of `Ticks.values` for these columns."""
    return tuple(FEED_FLOATS.index(name) for name in names)


def microseconds(text: str) -> int:
    """Return an RFC 3339 time as µs since 1970 in UTC; what is finer than that is cut off.

    Raises
    ------
    ValueError
        It is no such time, or names no offset from UTC.

    Examples
    --------
    >>> microseconds("2025-01-01T00:00:00.000001999Z"), microseconds("2025-01-01T05:30:00+05:30")
    (1735689600000001, 1735689600000000)
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text[:40]!r} names no offset from UTC")
    return round(moment.timestamp() * 1e6)
