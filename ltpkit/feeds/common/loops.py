"""The loops of `places`: a hash table of keys and their numbers, read and written.

The first line of a table says how a key becomes a place: a factor, and by how much the product is shifted.
Behind it is a line for each key with its number, at the key's place or the next free one; and free lines,
more than there are keys.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int32, int64

from ltpkit.compiled import compiled, reads

__all__ = ["FACTOR", "FREE", "KEY", "NUMBER", "SHIFT", "add_numbers", "find_number", "find_numbers"]

#: What a free line has for key and number.
FREE: Final = -1
FACTOR, SHIFT = KEY, NUMBER = 0, 1


@compiled(inline=True)
def _place(key: int, table: npt.NDArray[np.int64]) -> int:
    """Return where a key is in the table, or where it would be; some places are always free."""
    # A product wraps in machine code and grows in Python: these of its bits are the same.
    place = 1 + (int(key) * int(table[0, FACTOR]) >> int(table[0, SHIFT]) & (len(table) - 2))
    while table[place, KEY] != key and table[place, KEY] != FREE:
        place += 1
        if place == len(table):
            place = 1
    return place


@compiled(inline=True)
def find_number(key: int, table: npt.NDArray[np.int64]) -> int:
    """Return the number of a key, `FREE` where it has none."""
    number: int = table[_place(key, table), NUMBER]
    return number


@compiled(reads(int64), int64[:, ::1], int32[::1])
def find_numbers(
    keys: npt.NDArray[np.int64], table: npt.NDArray[np.int64], numbers: npt.NDArray[np.int32]
) -> int:
    """Write the number of each key; return how many have none."""
    missing = 0
    for row in range(len(keys)):
        numbers[row] = number = find_number(keys[row], table)
        missing += number == FREE
    return missing


@compiled(reads(int64), reads(int64), int64[:, ::1])
def add_numbers(
    keys: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64], table: npt.NDArray[np.int64]
) -> None:
    """Write the numbers of keys to the table, in the place of those they had."""
    for row in range(len(keys)):
        place = _place(keys[row], table)
        table[place, KEY], table[place, NUMBER] = keys[row], numbers[row]
