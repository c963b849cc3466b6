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

from ltpkit.batch import Batch, Depth, Received, Reject, Side
from ltpkit.feeds.common.gathered import at_any_byte, gathered
from ltpkit.feeds.common.pieces import receipt
from ltpkit.feeds.common.places import Places
from ltpkit.feeds.dhan import depth_loops as loops
from ltpkit.feeds.dhan.decoder import say_goodbye
from ltpkit.feeds.dhan.depth_wire import DEEP_HEADER, DEEP_LEVEL, Deep
from ltpkit.feeds.dhan.numbers import Numbers, key_of
from ltpkit.instrument import MOST_MET, Instrument

__all__ = ["DeepDecoder"]

_SPARE: Final = max(DEEP_HEADER.itemsize, DEEP_LEVEL.itemsize)

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
        # How many levels the newest bids and asks in each place have, and the levels.
        self._counts = np.zeros((64, 2), np.int64)
        self._kept = np.zeros(self._counts.size * deep.levels, DEEP_LEVEL)

    def forget(self, instruments: Iterable[Instrument]) -> None:
        """Let go of these books: what was before a subscription says nothing about what comes after."""
        keys = [key for one in instruments if (key := key_of(one)) is not None]
        places, _ = self._places.find(np.array(keys, np.int64))
        self._counts[places[places > 0]] = 0

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say: depth, an event ``goodbye``, rejects."""
        batch = Batch()
        if not frames:
            return batch
        joined, first = gathered(frames, _SPARE)
        headers, levels = at_any_byte(joined, DEEP_HEADER), at_any_byte(joined, DEEP_LEVEL)
        sides, others = loops.find_sides(
            joined, headers, first, len(frames), self._deep.levels, int(self._deep.counted)
        )
        if sides.shape[1]:
            batch.depth = self._rows(levels, sides, np.full(len(frames), received_at, np.int64))
        for start, stop, message, kind in others.T.tolist():
            at, piece = receipt(received_at, message), joined[start:stop]
            if kind == loops.DISCONNECT:
                say_goodbye(_reason(piece, int(headers[start]["word"])), at, batch)
                continue
            said = dict(zip(DEEP_HEADER.names or (), headers[start].item(), strict=True))
            facts = {"left": len(piece), "header": DEEP_HEADER.itemsize, "most": self._deep.levels}
            batch.rejects.append(
                Reject(received_at=at, reason=_WHY[kind].format(**said, **facts), frame=piece)
            )
        return batch

    def _rows(
        self, levels: npt.NDArray[np.void], sides: npt.NDArray[np.int64], received_at: npt.NDArray[np.int64]
    ) -> Depth:
        """Return a row for each side, and remember the newest of each book."""
        _, keys, message_of, _, _ = sides
        places, ends = self._places_of(keys), np.empty((2, len(keys)), np.int64)
        loops.count_levels(levels, sides, places, self._counts, ends)
        bids, asks = ends[:, -1].tolist()
        price, qty = np.empty((2, bids + asks))
        orders = np.empty(bids + asks, np.int32)
        loops.write_books(levels, sides, places, ends, self._deep.levels, self._kept, price, qty, orders)
        at = received_at[message_of]
        return Depth.of(
            self._numbers.of(keys),
            at,
            at,
            Side(ends[0], price[:bids], qty[:bids], orders[:bids]),
            Side(ends[1], price[bids:], qty[bids:], orders[bids:]),
        )

    def _places_of(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return where the books with these keys are kept, finding a place for the new ones."""
        places, missing = self._places.find(keys)
        if missing:
            new = np.unique(keys[places < 0])[: MOST_MET - self._used]
            first, self._used = self._used, self._used + len(new)
            self._places.add(new, np.arange(first, self._used))
            while self._used > len(self._counts):
                self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
                self._kept = np.concatenate([self._kept, np.zeros_like(self._kept)])
            places, _ = self._places.find(keys)
        return np.maximum(places, 0)


def _reason(packet: bytes, word: int) -> int:
    """Return a disconnect packet's reason."""
    # The documentation has it behind the header, the package reads the header's last word.
    return int.from_bytes(packet[12:14], "little") if len(packet) == 14 else word
