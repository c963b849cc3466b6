"""From packets of one kind, or of several, to ticks and books in arrival order.

Each kind is read on its own, all its packets at once; `together` puts what they say in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Received, Ticks
from ltpkit.feeds.common.levels import Books, depth
from ltpkit.schema import NO_TIME

__all__ = ["Part", "receipts", "together"]


class Part(msgspec.Struct):
    """What the packets of one kind say.

    Attributes
    ----------
    values : ndarray of float64, shape (12, n)
        As in `Ticks`.
    times : ndarray of int64, shape (n,), or None
        The exchange's, µs UTC, `NO_TIME` where a packet has none; None where no packet of the kind does.
    books : Books or None
    """

    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.int64] | None
    books: Books | None


def receipts(
    received_at: Received, count: int, frame_of: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.int64]:
    """Return when so many packets arrived, those of these frames; one in each where `frame_of` is None."""
    if isinstance(received_at, int):
        return np.full(count, received_at, np.int64)
    return received_at if frame_of is None else received_at[frame_of]


def together(
    instrument: npt.NDArray[np.int32],
    received_at: npt.NDArray[np.int64],
    parts: Sequence[tuple[npt.NDArray[np.intp] | None, Part]],
) -> tuple[Ticks, Depth | None]:
    """Return ticks and books.

    Parameters
    ----------
    instrument, received_at : ndarray, shape (n,)
        Of all packets.
    parts : sequence of (ndarray of intp or None, Part)
        What those of each kind say, and which ones they are; None for all of them.
    """
    rows, part = parts[0]
    if rows is None:
        ticks = Ticks(
            instrument=instrument,
            timestamp=_times(part.times, received_at),
            received_at=received_at,
            values=part.values,
        )
        return ticks, depth(ticks, [part.books] if part.books is not None else [])
    ticks = Ticks.blank(len(instrument))
    ticks.instrument, ticks.received_at = instrument, received_at
    books: list[Books] = []
    for rows, part in parts:
        assert rows is not None
        ticks.values[:, rows] = part.values
        ticks.timestamp[rows] = _times(part.times, received_at[rows])
        if part.books is not None:
            part.books.rows = rows if part.books.rows is None else rows[part.books.rows]
            books.append(part.books)
    return ticks, depth(ticks, books)


def _times(times: npt.NDArray[np.int64] | None, received_at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if times is None:
        return received_at
    return times if np.minimum.reduce(times) != NO_TIME else np.where(times == NO_TIME, received_at, times)
