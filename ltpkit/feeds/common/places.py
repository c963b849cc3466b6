"""Small numbers for large keys, many found in one call.

A hash table in one array. Keys are multiplied by a number drawn at random, so that nobody can choose keys
which all fall on one place.
"""

from __future__ import annotations

import secrets

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.loops import FACTOR, FREE, KEY, NUMBER, SHIFT, add_numbers, find_numbers

__all__ = ["Places"]


class Places:
    """Numbers from 0 on, each for a key from 0 on.

    Attributes
    ----------
    table : ndarray of int64, shape (n, 2)
        For `loops.find_number`; another one once keys were added.
    """

    def __init__(self) -> None:
        self.table = _room_for(8)
        self._most = 0  # keys in the table, if none was added twice

    def add(self, keys: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> None:
        """Set the numbers of these keys."""
        self._most += len(keys)
        if 2 * self._most > len(self.table):
            kept = self.table[1:][self.table[1:, KEY] != FREE]
            self.table = _room_for(self._most)
            add_numbers(kept[:, KEY], kept[:, NUMBER], self.table)
        add_numbers(keys, numbers, self.table)

    def find(self, keys: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], int]:
        """Return the number of each key, -1 where it has none; and how many have none."""
        numbers = np.empty(len(keys), np.int32)
        return numbers, find_numbers(keys, self.table, numbers)


def _room_for(count: int) -> npt.NDArray[np.int64]:
    """Return an empty table, which so many keys fill by a quarter at most."""
    bits = (4 * count - 1).bit_length()
    table = np.full((1 + 2**bits, 2), FREE)
    table[0, FACTOR], table[0, SHIFT] = secrets.randbits(63) | 1, 64 - bits
    return table
