"""Small numbers for large keys, many found in one call.

A hash table in one array, read and written by compiled loops. Its length is drawn at random, so that nobody
can choose keys which all fall on one place.
"""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int32, int64

from ltpkit.compiled import compiled, reads

__all__ = ["Places"]

_FREE: Final = -1
_KEY, _NUMBER = 0, 1


@compiled()
def _place(key: int, table: npt.NDArray[np.int64]) -> int:
    """Return where a key is in the table, or where it would be; some places are always free."""
    place = key % len(table)
    while table[place, _KEY] != key and table[place, _KEY] != _FREE:
        place += 1
        if place == len(table):
            place = 0
    return place


@compiled(reads(int64), int64[:, ::1], int32[::1])
def _find(keys: npt.NDArray[np.int64], table: npt.NDArray[np.int64], numbers: npt.NDArray[np.int32]) -> int:
    """Write the number of each key; return how many have none."""
    missing = 0
    for row in range(len(keys)):
        number = table[_place(keys[row], table), _NUMBER]
        numbers[row] = number
        missing += number == _FREE
    return missing


@compiled(reads(int64), reads(int64), int64[:, ::1])
def _add(keys: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64], table: npt.NDArray[np.int64]) -> None:
    """Write the numbers of keys to the table, in the place of those they had."""
    for row in range(len(keys)):
        place = _place(keys[row], table)
        table[place, _KEY], table[place, _NUMBER] = keys[row], numbers[row]


class Places:
    """Numbers from 0 on, each for a key from 0 on."""

    def __init__(self) -> None:
        self._table = _room_for(8)
        self._most = 0  # keys in the table, if none was added twice

    def add(self, keys: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> None:
        """Set the numbers of these keys."""
        self._most += len(keys)
        if 2 * self._most > len(self._table):
            kept = self._table[self._table[:, _KEY] != _FREE]
            self._table = _room_for(self._most)
            _add(kept[:, _KEY], kept[:, _NUMBER], self._table)
        _add(keys, numbers, self._table)

    def find(self, keys: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], int]:
        """Return the number of each key, -1 where it has none; and how many have none."""
        numbers = np.empty(len(keys), np.int32)
        return numbers, _find(keys, self._table, numbers)


def _room_for(count: int) -> npt.NDArray[np.int64]:
    """Return an empty table, which so many keys fill by a quarter at most."""
    return np.full((4 * count + 2 * secrets.randbelow(count) + 1, 2), _FREE)
