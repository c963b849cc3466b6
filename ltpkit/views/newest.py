"""The newest values of some instruments as arrays, in an order of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ltpkit.instrument import split_symbol
from ltpkit.schema import code_of

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Newest", "keys_in", "keys_of"]


def keys_of(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a number for each ``EXCHANGE:SYMBOL``, the one that `keys_in` finds in its rows."""
    keys = []
    for name in names:
        exchange, symbol = split_symbol(name)
        keys.append(code_of("symbol", symbol) << 8 | code_of("exchange", exchange))
    return np.array(keys, np.int64)


def keys_in(rows: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return the number of each row's instrument, of its codes."""
    keys: npt.NDArray[np.int64] = rows["symbol"].astype(np.int64) << 8 | rows["exchange"]
    return keys


class Newest:
    """What `Frames.latest` says of some instruments, in the order of their names.

    Parameters
    ----------
    names : sequence of str
        ``EXCHANGE:SYMBOL``.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._keys = keys_of(names)

    def read(self, source: Frames, *columns: str) -> dict[str, npt.NDArray[np.float64]]:
        """Return columns of `schema.TICKS`, numbers and times in µs; NaN for what is not known yet."""
        rows = source.latest_numbers(("symbol", "exchange", *columns))
        keys = keys_in(rows)
        order = np.argsort(keys)
        place = np.minimum(np.searchsorted(keys, self._keys, sorter=order), max(len(keys) - 1, 0))
        found: dict[str, npt.NDArray[np.float64]] = {}
        there = np.flatnonzero(keys[order][place] == self._keys) if len(keys) else place[:0]
        where = order[place[there]] if len(keys) else place[:0]
        for name in columns:
            values = np.full(len(self._keys), np.nan)
            values[there] = rows[name][where]
            found[name] = values
        return found
