"""From Dhan's segments and ids to the stream's own instrument numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.lookup import IntegerLookup, key
from ltpkit.feeds.dhan.prices import Floats, steps_of
from ltpkit.feeds.dhan.wire import SEGMENT_CODES, SEGMENTS
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Numbers"]


class Numbers(IntegerLookup):
    """From a packet's segment and id to the instrument's number and tick size, many at a time."""

    def __init__(self, table: Instruments, listing: Iterable[Instrument]) -> None:
        super().__init__(table, listing, key_of=_key, unlisted=_unlisted)
        self._steps, self._lines = np.zeros((3, 0)), 1

    def refresh(self) -> range:
        """Take in what was added to the table since the last time; return its numbers."""
        fresh = super().refresh()
        added = [steps_of(float(self._table.tick_sizes[number])) for number in fresh]
        self._steps = np.concatenate([self._steps, np.array(added).reshape(-1, 3).T], axis=1)
        # A tick that goes into 1, as nearly all do, needs no more than the first line.
        self._lines = 1 if (self._steps[1] > 1).sum() == 0 else 3
        return fresh

    def steps(self, numbers: npt.NDArray[np.int32]) -> Floats:
        """Return the instruments' tick sizes as `steps_of` has them; its first line where that will do."""
        found: Floats = self._steps[: self._lines].take(numbers, axis=1)
        return found


def _key(instrument: Instrument) -> int | None:
    segment = SEGMENT_CODES.get(instrument.segment)
    if segment is None or not instrument.broker_id.isdecimal():
        return None
    security_id = int(instrument.broker_id)
    return key(security_id, segment) if security_id < 2**32 else None


def _unlisted(of: int) -> Instrument:
    segment, security_id = of & 0xFF, str(of >> 8)
    name, exchange = SEGMENTS.get(segment, (f"SEGMENT_{segment}",) * 2)
    return Instrument(exchange=exchange, symbol=security_id, segment=name, broker_id=security_id)
