"""Fields of packed records, copied to lines of numbers.

numpy calculates with aligned numbers in a row several times faster than with fields of packed records. What
is needed of the records is copied first: `Fields` copies and converts any fields in one call, `levels` those
that repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.schema import FEED_FLOATS

__all__ = [
    "LINE",
    "Fields",
    "Records",
    "levels",
    "records_at",
    "room_for",
    "runs",
    "silent",
    "zero_is_none",
]

#: Packets of one size, each with no more structure than its bytes.
Records = npt.NDArray[np.void]

#: The line of `batch.Ticks.values` for each column.
LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}


def runs(lines: Sequence[int]) -> list[tuple[slice, slice]]:
    """Return the lines as runs that follow each other, and where in `lines` each stands: numpy likes slices.

    Examples
    --------
    >>> runs([0, 2, 3, 4])
    [(slice(0, 1, None), slice(0, 1, None)), (slice(2, 5, None), slice(1, 4, None))]
    """
    found: list[tuple[slice, slice]] = []
    for place, line in enumerate(lines):
        if found and found[-1][0].stop == line:
            run, places = found.pop()
            found.append((slice(run.start, line + 1), slice(places.start, place + 1)))
        else:
            found.append((slice(line, line + 1), slice(place, place + 1)))
    return found


def silent(lines: Iterable[int]) -> list[slice]:
    """Return the lines of `Ticks.values` that are none of these."""
    spoken = set(lines)
    return [run for run, _ in runs([line for line in LINE.values() if line not in spoken])]


def zero_is_none(column: npt.NDArray[np.float64]) -> None:
    """Put NaN in the place of 0."""
    if np.count_nonzero(column) < column.size:
        column[column == 0] = np.nan


def records_at(joined: bytes, starts: npt.NDArray[np.int64], size: int) -> Records:
    """Return the records of this size that start at these bytes."""
    # A packet may start at any byte, so every byte is offered as the start of one.
    windows: Records = np.ndarray((len(joined) - size + 1,), f"V{size}", joined, strides=(1,))
    return windows[starts]


def levels(
    records: Records, first: int, shape: tuple[int, int], steps: tuple[int, int], sent: str
) -> npt.NDArray[Any]:
    """Return what repeats within the records, as a view, shape (sides, records, levels).

    Parameters
    ----------
    records : Records
    first : int
        Where the first of them is in a record.
    shape : (int, int)
        Number of sides, and of levels on each.
    steps : (int, int)
        Bytes from one side to the next, and from one level to the next.
    sent : str
        The numpy type.
    """
    (sides, each), (to_side, to_level) = shape, steps
    strides = (to_side, records.itemsize, to_level)
    return np.ndarray((sides, len(records), each), sent, records, first, strides)


def room_for(count: int) -> int:
    """Return how long to make lines for so many numbers: few lengths, as each has to be learned once."""
    return (1 << (count - 1).bit_length()) + 8


class Fields:
    """Some fields of packed records, for one call that copies them.

    Parameters
    ----------
    layout : numpy.dtype
        Of the records.
    lines : mapping of str to int
        Which fields, and the line that each goes to.
    ahead : int
        Bytes in front of the layout.
    """

    def __init__(self, layout: np.dtype[np.void], lines: Mapping[str, int], *, ahead: int = 0) -> None:
        fields = dict(layout.fields or {})
        self._lines = tuple(lines.values())
        self._records = np.dtype(
            {
                "names": list(lines),
                "formats": [fields[name][0] for name in lines],
                "offsets": [ahead + int(fields[name][1]) for name in lines],
                "itemsize": ahead + layout.itemsize,
            }
        )

    def __len__(self) -> int:
        return len(self._lines)

    def copy_to(self, block: npt.NDArray[Any], records: Records) -> None:
        """Copy the fields of the records to the first places of their lines of a block."""
        kind = _one_number_each(block.dtype, self._lines, block.shape[1])
        np.ndarray((len(records),), kind, block, strides=block.itemsize)[...] = records.view(self._records)


@cache
def _one_number_each(kind: np.dtype[Any], lines: Sequence[int], room: int) -> np.dtype[np.void]:
    """Return a record of one number from each of these lines, the lines of a block being so long."""
    return np.dtype(
        {
            "names": [str(line) for line in lines],
            "formats": [kind] * len(lines),
            "offsets": [line * room * kind.itemsize for line in lines],
            "itemsize": (max(lines) * room + 1) * kind.itemsize,
        }
    )
