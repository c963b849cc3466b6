"""From Dhan's segments and ids to the stream's own instrument numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.lookup import IntegerLookup, key
from ltpkit.feeds.dhan.wire import SEGMENT_CODES, SEGMENTS
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Numbers", "key_of", "keys_of", "steps_of"]


class Numbers(IntegerLookup):
    """From a packet's segment and id to the instrument's number and tick size, many at a time.

    Attributes
    ----------
    steps : ndarray of float64, shape (instruments, 3)
        The instruments' tick sizes as `steps_of` has them, by number.
    """

    def __init__(self, table: Instruments, listing: Iterable[Instrument]) -> None:
        super().__init__(table, listing, key_of=key_of, unlisted=_unlisted)
        self.steps = np.zeros((0, 3))

    def refresh(self) -> range:
        """Take in what was added to the table since the last time; return its numbers."""
        fresh = super().refresh()
        if fresh:
            added = [steps_of(float(self._table.tick_sizes[number])) for number in fresh]
            self.steps = np.concatenate([self.steps, added])
        return fresh


@cache
def steps_of(tick_size: float) -> tuple[float, float, float]:
    """Return the ticks in 1, and whole numbers whose quotient is a tick: 0.05 is (20, 1, 20).

    NaN where the tick size is unknown: then no price is a multiple of it.
    """
    for scale in (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000):
        step = round(tick_size * scale)
        if step >= 1 and abs(tick_size * scale - step) < 1e-6 * step:
            common = math.gcd(step, scale)
            return scale / step, step / common, scale / common
    return math.nan, math.nan, math.nan


def key_of(instrument: Instrument) -> int | None:
    """Return the key of an instrument, None for one that is not Dhan's."""
    segment = SEGMENT_CODES.get(instrument.segment)
    if segment is None or not instrument.broker_id.isdecimal():
        return None
    security_id = int(instrument.broker_id)
    return key(security_id, segment) if security_id < 2**32 else None


def keys_of(headers: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Return the keys of the instruments that packets with these headers are about."""
    keys: npt.NDArray[np.int64] = headers["security_id"].astype(np.int64) << 8 | headers["segment"]
    return keys


def _unlisted(of: int) -> Instrument:
    segment, security_id = of & 0xFF, str(of >> 8)
    name, exchange = SEGMENTS.get(segment, (f"SEGMENT_{segment}",) * 2)
    return Instrument(exchange=exchange, symbol=security_id, segment=name, broker_id=security_id)
