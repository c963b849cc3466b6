"""From SmartStream's exchange types and tokens to the stream's own instrument numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.angelone.wire import SEGMENT_CODES, SEGMENTS, TOKEN
from ltpkit.feeds.common.lookup import Lookup
from ltpkit.feeds.common.places import Places
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Key", "Numbers", "key_of"]

#: Exchange type and token.
Key = tuple[int, str]


class Numbers(Lookup[Key]):
    """From packets' exchange types and tokens to their instruments' numbers, many at a time."""

    def __init__(self, table: Instruments, listing: Iterable[Instrument]) -> None:
        super().__init__(table, listing, key_of=key_of, unlisted=_unlisted)
        self._places = Places()

    def of(
        self, keys: npt.NDArray[np.int64], said: Callable[[npt.NDArray[np.intp]], Iterable[Key]]
    ) -> npt.NDArray[np.int32]:
        """Return the numbers of packets' instruments, giving the new ones one.

        Parameters
        ----------
        keys : ndarray of int64
            As `loops.read_ticks` returns them.
        said : callable
            Returns exchange type and token of these packets, to be asked where the key does not tell.
        """
        numbers, missing = self._places.find(keys)
        if missing:
            rows = np.flatnonzero(numbers < 0)
            met: dict[int, int] = {}
            for row, key in zip(rows.tolist(), said(rows), strict=True):
                numbers[row] = self.number(key)
                if keys[row] >= 0 and key in self._by_key:
                    met[int(keys[row])] = int(numbers[row])
            self._places.add(np.array([*met], np.int64), np.array([*met.values()], np.int64))
        return numbers


def key_of(instrument: Instrument) -> Key | None:
    """Return exchange type and token of an instrument, None for one of another broker."""
    code = SEGMENT_CODES.get(instrument.segment or instrument.exchange)
    if code is None or not TOKEN.fullmatch(instrument.broker_id):
        return None
    return code, instrument.broker_id


def _unlisted(key: Key) -> Instrument:
    name, exchange, _ = SEGMENTS.get(key[0], (f"segment_{key[0]}", f"SEGMENT_{key[0]}", 0))
    return Instrument(exchange=exchange, symbol=key[1], segment=name, broker_id=key[1])
