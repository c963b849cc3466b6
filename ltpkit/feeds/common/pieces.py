"""What was found in binary messages: packets of known layouts, and pieces that cannot be read.

For feeds whose messages hold packets one behind the other. A feed walks through a message and tells of
each piece; what is done with them is the same everywhere and stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Received, Reject

__all__ = ["Odd", "Piece", "in_order", "receipt", "records", "rejects", "told_apart"]

#: Offset and kind of a packet; or why there is none to read, and the bytes.
Piece = tuple[int, int] | tuple[str, bytes]
#: What could not be read: number of the message, reason, bytes.
Odd = tuple[int, str, bytes]

_Integers = npt.NDArray[np.int64]


def told_apart(pieces: Iterable[Piece]) -> tuple[list[tuple[int, int]], list[tuple[str, bytes]]]:
    """Return the packets among these pieces, and the others."""
    found: list[tuple[int, int]] = []
    odd: list[tuple[str, bytes]] = []
    for first, second in pieces:
        if isinstance(first, int):
            assert isinstance(second, int)
            found.append((first, second))
        else:
            assert isinstance(second, bytes)
            odd.append((first, second))
    return found, odd


def records(
    message: bytes, pieces: Iterable[Piece], layouts: Mapping[int, np.dtype[np.void]]
) -> tuple[list[np.void], list[Reject]]:
    """Return the packets in one message field by field, and what could not be read, received at 0."""
    found, odd = told_apart(pieces)
    return (
        [np.frombuffer(message, layouts[kind], 1, at)[0] for at, kind in found],
        [Reject(received_at=0, reason=reason, frame=piece) for reason, piece in odd],
    )


def in_order(
    starts: _Integers, kinds: _Integers, frame_of: _Integers, found: Sequence[tuple[int, int, int]]
) -> tuple[_Integers, _Integers, _Integers]:
    """Return first byte, kind and message of these packets and of those found one by one, in order."""
    odd = np.array(found, np.int64).reshape(-1, 3)
    starts = np.concatenate([starts, odd[:, 0]])
    order = starts.argsort()
    kinds, frame_of = np.concatenate([kinds, odd[:, 1]]), np.concatenate([frame_of, odd[:, 2]])
    return starts[order], kinds[order], frame_of[order]


def receipt(received_at: Received, frame: int) -> int:
    """Return when a frame arrived, µs UTC."""
    return received_at if isinstance(received_at, int) else int(received_at[frame])


def rejects(odd: Iterable[Odd], received_at: Received) -> list[Reject]:
    """Return what could not be read as it is handed over."""
    return [
        Reject(received_at=receipt(received_at, frame), reason=reason, frame=piece)
        for frame, reason, piece in odd
    ]
