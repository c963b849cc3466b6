"""Dhan's deep depth, 20 or 200 levels a side: packets of whole sides in, rows of depth out.

Another format than the live feed's: the header is 12 bytes and begins with the length, prices are
float64. Layouts as in Dhan's documentation (*Full market depth*) and its ``dhanhq`` 2.3.0 package.

* A packet is one side of one book, complete. Every packet gives a row of depth: that side as just
  received, and the newest of the other side, which may be a moment older; empty until there is one.
* A message stacks packets, those of one instrument behind each other or not. They are told apart by the
  length field; where it cannot be true, the rest of the message is one reject.
* The word behind the id is a message number for 20 levels, without use, and the count of valid rows for
  200, whose packets may be padded. A count beyond what is there is cut to what is there.
* No packet has a time: rows bear the time of receipt. A level without a price is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Depth, Received, Reject
from ltpkit.feeds.common.gathered import at_any_byte, gathered
from ltpkit.feeds.common.loops import FREE
from ltpkit.feeds.common.pieces import receipt
from ltpkit.feeds.common.places import Places
from ltpkit.feeds.common.room import both_sides
from ltpkit.feeds.dhan import depth_loops as loops
from ltpkit.feeds.dhan.decoder import say_goodbye
from ltpkit.feeds.dhan.depth_wire import DEEP_HEADER, DEEP_LEVEL, DEEP_PART, Deep
from ltpkit.feeds.dhan.numbers import Numbers, key_of, keys_of
from ltpkit.instrument import MOST_MET, Instrument

__all__ = ["DeepDecoder"]

_Written = tuple[
    npt.NDArray[np.int32],
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.int32],
    npt.NDArray[np.int64],
]

_NO_TIMES: Final = np.empty(0, np.int64)
_NO_OTHERS: Final = np.empty((4, 0), np.int64)

_WHY: Final = {
    loops.EMPTY: "empty message",
    loops.NO_HEADER: "cut short: {left} bytes where a header has {header}",
    loops.WRONG_LENGTH: "length field says {length}, {left} bytes are there",
    loops.UNKNOWN_CODE: "unknown response code {code}",
    loops.WRONG_SIZE: "length field says {length}, no side of up to {most} levels has that",
    loops.UNKNOWN_SEGMENT: "unknown exchange segment {segment}",
}


class DeepDecoder:
    """Reads the messages of one deep feed, and remembers the newest two sides of every book."""

    def __init__(self, numbers: Numbers, deep: Deep) -> None:
        self._numbers, self._deep = numbers, deep
        self._places, self._used = Places(), 1  # place 0 is for books that are too many to be remembered
        # The newest sides in each place, see `loops.read`, and the levels of the longest one so far.
        self._books = np.zeros((64, 3), np.int64)
        self._kept = np.zeros((2, 2, 64 * deep.levels))
        self._kept_orders = np.zeros((2, 64 * deep.levels), np.int32)
        self._longest = 0

    def forget(self, instruments: Iterable[Instrument]) -> None:
        """Let go of these books: what was before a subscription says nothing about what comes after."""
        keys = [key for one in instruments if (key := key_of(one)) is not None]
        places, _ = self._places.find(np.array(keys, np.int64))
        self._books[places[places > 0]] = 0

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say: depth, an event ``goodbye``, rejects."""
        batch = Batch()
        if not frames:
            return batch
        joined, first = gathered(frames, DEEP_PART.itemsize)
        parts, deep, known = at_any_byte(joined, DEEP_PART), self._deep, self._numbers
        once, each = (received_at, _NO_TIMES) if isinstance(received_at, int) else (0, received_at)
        # Room for sides as long as the longest so far. Where there is more, or something new, all is read
        # once more.
        messages, longest, others, rest = len(frames), self._longest, 0, FREE
        rows = max(messages, len(joined) // (DEEP_HEADER.itemsize + longest * DEEP_LEVEL.itemsize))
        while True:
            room = rows, longest, others
            no_place = FREE if self._used < MOST_MET else 0
            numbers, said, levels, orders, pieces = written = _written(*room)
            rows, longest, others = loops.read(
                joined, parts, first, messages, deep.levels, deep.counted,
                once, each, known.places.table, rest, self._places.table, no_place,
                self._books, self._kept, self._kept_orders, longest, *written,
            )  # fmt: skip
            if rows > room[0] or longest > room[1] or others > room[2]:
                continue
            new = pieces[0, :others][pieces[3, :others] == loops.NEW] if others else ()
            if not len(new):
                break
            keys = keys_of(parts[new]["header"])
            rest = known.meet(keys)
            self._find_places(keys)
        self._longest = longest
        if rows:
            if rows < room[0]:
                numbers, said = numbers[:rows], said[:, :rows]
            batch.depth = Depth.of(numbers, said[0], said[0], *both_sides(said[2:], levels, orders))
        for start, stop, message, kind in pieces[:, :others].T.tolist() if others else ():
            self._add(kind, parts[start]["header"], joined[start:stop], receipt(received_at, message), batch)
        return batch

    def _add(self, kind: int, header: np.void, piece: bytes, at: int, batch: Batch) -> None:
        """Add what a piece says that is no side."""
        said = dict(zip(DEEP_HEADER.names or (), header.item(), strict=True))
        if kind == loops.DISCONNECT:
            say_goodbye(_reason(piece, said["word"]), at, batch)
            return
        facts = {"left": len(piece), "header": DEEP_HEADER.itemsize, "most": self._deep.levels}
        batch.rejects.append(Reject(received_at=at, reason=_WHY[kind].format(**said, **facts), frame=piece))

    def _find_places(self, keys: npt.NDArray[np.int64]) -> None:
        """Find places for the books with these keys, as long as there are any."""
        places, _ = self._places.find(keys)
        new = np.unique(keys[places < 0])[: MOST_MET - self._used]
        first, self._used = self._used, self._used + len(new)
        self._places.add(new, np.arange(first, self._used))
        while self._used > len(self._books):
            self._books = np.concatenate([self._books, np.zeros_like(self._books)])
            self._kept = np.concatenate([self._kept, np.zeros_like(self._kept)], axis=2)
            more = np.zeros_like(self._kept_orders)
            self._kept_orders = np.concatenate([self._kept_orders, more], axis=1)


def _written(rows: int, longest: int, others: int) -> _Written:
    """Return what `loops.read` writes to, with room for so many."""
    levels = rows * longest
    return (
        np.empty(rows, np.int32),
        np.empty((4, rows), np.int64),
        np.empty((2, 2, levels)),
        np.empty((2, levels), np.int32),
        np.empty((4, others), np.int64) if others else _NO_OTHERS,
    )


def _reason(packet: bytes, word: int) -> int:
    """Return a disconnect packet's reason."""
    # The documentation has it behind the header, the package reads the header's last word.
    return int.from_bytes(packet[12:14], "little") if len(packet) == 14 else word
