"""Looking at Kite's messages: their packets as they were sent, and why the rest is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.common.gathered import gathered
from ltpkit.feeds.common.pieces import Odd
from ltpkit.feeds.kite import loops
from ltpkit.feeds.kite.wire import PACKETS

__all__ = ["packets", "told_apart"]


def packets(message: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packets in one binary message, field by field as they were sent.

    For looking at bytes: nothing is divided or left out. `kite.Kite.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        Records of the layouts in `wire.PACKETS`; what could not be read, received at 0.

    Examples
    --------
    >>> sent = bytes([0, 1, 0, 8]) + np.array((408065, 157370), PACKETS[8]).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> int(packet["token"]), int(packet["ltp"]), rejects
    (408065, 157370, [])
    """
    joined, start = gathered([message], 0)
    found, odd = loops.find_packets(joined, start, 1)
    records = [np.frombuffer(joined, PACKETS[size], 1, first)[0] for _, _, first, size in found.T.tolist()]
    rejects, texts = told_apart(joined, odd)
    rejects += [(0, "text", message) for _ in texts]
    return records, [Reject(received_at=0, reason=reason, frame=piece) for _, reason, piece in rejects]


def told_apart(joined: bytes, odd: npt.NDArray[np.int64]) -> tuple[list[Odd], list[int]]:
    """Return why pieces hold no packet, and the numbers of the messages that are text.

    Parameters
    ----------
    joined, odd
        As `loops.find_packets` takes and returns them.
    """
    rejects: list[Odd] = []
    texts: list[int] = []
    for message, kind, first, end, said, before in odd.T.tolist():
        if kind == loops.TEXT:
            texts.append(message)
        else:
            piece = joined[first:end]
            rejects.append((message, _reason(kind, piece, said, before), piece))
    return rejects, texts


def _reason(kind: int, piece: bytes, said: int, before: int) -> str:
    there = len(piece)
    match kind:
        case loops.EMPTY:
            return "empty message"
        case loops.MISSING:
            more = f" and {there} more byte" if there else ""
            return f"cut short: {before} of {said} packets{more}"
        case loops.CUT:
            return f"cut short: {there} of the {said} bytes of a packet"
        case loops.LENGTH:
            return f"unknown packet length {said}"
        case loops.SEGMENT:
            return f"unknown segment {piece[3]}"
        case loops.NO_INDEX:
            return f"an index packet for segment {piece[3]}"
        case _:
            return f"{there} bytes behind the last of {said} packets"
