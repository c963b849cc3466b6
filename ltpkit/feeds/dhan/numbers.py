"""From Dhan's segments and ids to the stream's own instrument numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.dhan.prices import Floats, steps_of
from ltpkit.feeds.dhan.wire import SEGMENT_CODES, SEGMENTS
from ltpkit.instruments import Instrument, Instruments

__all__ = ["Numbers", "key_of"]


def key_of(segment: int, security_id: int) -> int:
    """As in `Split.keys`."""
    return segment | security_id << 8


class Numbers:
    """From a packet's segment and id to the instrument's number, many at a time."""

    def __init__(self, table: Instruments, listing: Iterable[Instrument]) -> None:
        self._table = table
        self._listing: dict[int, Instrument] = {}
        for instrument in listing:
            key = self._key_of(instrument)
            if key is not None:
                self._listing.setdefault(key, instrument)
        self._by_key: dict[int, int] = {}
        self._seen = 0
        # A key that no packet has ends the sorted keys, so that a search never runs past them.
        self._keys = np.array([2**64 - 1], np.uint64)
        self._numbers = np.array([-1], np.int32)
        self._steps, self._lines = np.zeros((3, 0)), 1

    @staticmethod
    def _key_of(instrument: Instrument) -> int | None:
        segment = SEGMENT_CODES.get(instrument.segment)
        if segment is None or not instrument.broker_id.isdecimal():
            return None
        security_id = int(instrument.broker_id)
        return key_of(segment, security_id) if security_id < 2**32 else None

    def _refresh(self) -> None:
        """Take in what was added to the table since the last time."""
        fresh = range(self._seen, len(self._table))
        for number in fresh:
            key = self._key_of(self._table[number])
            if key is not None:
                self._by_key.setdefault(key, number)
        self._seen = fresh.stop
        added = [steps_of(float(self._table.tick_sizes[number])) for number in fresh]
        self._steps = np.concatenate([self._steps, np.array(added).reshape(-1, 3).T], axis=1)
        # A tick that goes into 1, as nearly all do, needs no more than the first line.
        self._lines = 1 if (self._steps[1] > 1).sum() == 0 else 3
        keys = np.fromiter(self._by_key, np.uint64, len(self._by_key))
        numbers = np.fromiter(self._by_key.values(), np.int32, len(self._by_key))
        order = keys.argsort()
        self._keys = np.append(keys[order], np.uint64(2**64 - 1))
        self._numbers = np.append(numbers[order], np.int32(-1))

    def of(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the numbers of these instruments, giving the unknown ones one."""
        if len(self._table) != self._seen:
            self._refresh()
        at = self._keys.searchsorted(keys)
        unknown = self._keys[at] != keys
        if np.count_nonzero(unknown):
            for key in dict.fromkeys(keys[unknown].tolist()):
                self._by_key[key] = self._table.add(self.instrument(key))
            self._refresh()
            at = self._keys.searchsorted(keys)
        return self._numbers[at]

    def instrument(self, key: int) -> Instrument:
        """Return the instrument as the table or the listing has it, else one named after its id."""
        if len(self._table) != self._seen:
            self._refresh()
        if key in self._by_key:
            return self._table[self._by_key[key]]
        if key in self._listing:
            return self._listing[key]
        segment, security_id = key & 0xFF, str(key >> 8)
        name, exchange = SEGMENTS.get(segment, (f"SEGMENT_{segment}",) * 2)
        return Instrument(exchange=exchange, symbol=security_id, segment=name, broker_id=security_id)

    def steps(self, numbers: npt.NDArray[np.int32]) -> Floats:
        """Return the instruments' tick sizes as `steps_of` has them; its first line where that will do."""
        found: Floats = self._steps[: self._lines].take(numbers, axis=1)
        return found[:, :, None]
