"""Which rows of a chunk are whose, and copies of rows that lie apart, as compiled loops.

Eight bytes of a column are a whole number here, whatever they mean elsewhere: equal is equal bit for bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import boolean, int64, uint32

from ltpkit.compiled import compiled, reads

__all__ = ["gather", "mark_changing", "sort_rows"]

_Symbols = npt.NDArray[np.uint32]
_Rows = npt.NDArray[np.uint32]
_Columns = npt.NDArray[np.int64]
_Marks = npt.NDArray[np.bool_]


@compiled(reads(uint32), uint32[::1], uint32[::1])
def sort_rows(symbol: _Symbols, starts: _Rows, order: _Rows) -> None:
    """Sort rows by symbol, those of one symbol as they came.

    Parameters
    ----------
    symbol : ndarray of uint32, shape (n,)
    starts : ndarray of uint32, shape (greatest code + 2,)
        Zeros. Afterwards a code's rows are ``order[starts[code] : starts[code + 1]]``.
    order : ndarray of uint32, shape (n,)
        Written to.
    """
    for row in range(len(symbol)):
        starts[symbol[row]] += 1
    end = 0
    for code in range(len(starts)):
        end += starts[code]
        starts[code] = end
    for row in range(len(symbol) - 1, -1, -1):
        code = symbol[row]
        starts[code] -= 1
        order[starts[code]] = row


@compiled(reads(int64, 2), reads(uint32), reads(uint32), boolean[:, ::1])
def mark_changing(columns: _Columns, order: _Rows, starts: _Rows, changing: _Marks) -> None:
    """Mark the columns that have more than one value among a symbol's rows.

    Parameters
    ----------
    columns : ndarray of int64, shape (columns, n)
    order : ndarray of uint32, shape (n,)
        Rows, those of one symbol together.
    starts : ndarray of uint32, shape (symbols + 1,)
        Where in `order` a symbol's rows start.
    changing : ndarray of bool, shape (symbols, columns)
        False. Written to.
    """
    for line in range(len(columns)):
        column = columns[line]
        for place in range(len(changing)):
            first = column[order[starts[place]]]
            for i in range(starts[place] + 1, starts[place + 1]):
                if column[order[i]] != first:
                    changing[place, line] = True
                    break


@compiled(reads(uint32), reads(boolean), int64[:, ::1], int64[:, ::1], int64, checked=False)
def gather(rows: _Rows, changing: _Marks, columns: _Columns, to: _Columns, start: int) -> None:
    """Copy one or more rows of columns to the same columns elsewhere, from `start` on.

    A column that is not `changing` has the same value in all of them, and is read once.

    Raises
    ------
    IndexError
        A row, or a place to write to, is not there.
    """
    if not len(rows) or len(changing) < len(columns) or len(to) < len(columns):
        raise IndexError("no rows, or fewer columns to write to than to read")
    if start < 0 or start + len(rows) > to.shape[1]:
        raise IndexError("more rows than there are places for")
    for i in range(len(rows)):
        if rows[i] >= columns.shape[1]:
            raise IndexError("a row that is not there")
    for line in range(len(columns)):
        if not changing[line]:
            value = columns[line, rows[0]]
            for i in range(len(rows)):
                to[line, start + i] = value
    # Each value lies in a cache line of its own: four columns at a time, as the processor then waits for more
    # of them at once. The last column may come several times.
    lines = np.flatnonzero(changing[: len(columns)])
    last = len(lines) - 1
    for k in range(0, len(lines), 4):
        a, b, c, d = lines[k], lines[min(k + 1, last)], lines[min(k + 2, last)], lines[min(k + 3, last)]
        from_a, from_b, from_c, from_d = columns[a], columns[b], columns[c], columns[d]
        to_a, to_b, to_c, to_d = to[a], to[b], to[c], to[d]
        for i in range(len(rows)):
            row = rows[i]
            to_a[start + i] = from_a[row]
            to_b[start + i] = from_b[row]
            to_c[start + i] = from_c[row]
            to_d[start + i] = from_d[row]
