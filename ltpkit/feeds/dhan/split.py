"""Where the packets are in some messages, and why the rest cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.common.gathered import at_any_byte, gathered
from ltpkit.feeds.dhan import loops
from ltpkit.feeds.dhan.wire import CODES, HEADER, PACKET, PACKETS

__all__ = ["Piece", "Split", "packets", "split"]

_NAMES: Final = {code: name for name, code in CODES.items()}
_SIZES: Final = np.zeros(256, np.int64)
for _code, _layout in PACKETS.items():
    _SIZES[_code] = _layout.itemsize

_WHY: Final = {
    loops.NO_ROW: "",
    loops.EMPTY: "empty message",
    loops.NO_HEADER: "cut short: {left} bytes where a header has {header}",
    loops.UNKNOWN_CODE: "unknown response code {code}",
    loops.WRONG_LENGTH: "length field says {length}, a packet of code {code} has {size}",
    loops.CUT: "cut short: {left} of the {size} bytes of code {code}",
    loops.UNKNOWN_SEGMENT: "unknown exchange segment {segment}",
}


class Piece(NamedTuple):
    """A piece of a message that makes no row.

    Attributes
    ----------
    message : int
        The message's number.
    start : int
        First byte, in all messages.
    octets : bytes
    why : str
        Why it cannot be read; empty for a sound packet about something else than an instrument.
    """

    message: int
    start: int
    octets: bytes
    why: str


class Split(NamedTuple):
    """Where the packets of some messages are, in arrival order.

    Attributes
    ----------
    packets : ndarray of `wire.PACKET`
        The messages as in `gathered`: a packet may start at any of their bytes.
    starts, keys, message_of : ndarray of int64, shape (n,)
        First byte, `lookup.key` of the instrument, and number of the message of each packet that makes a row.
    books : int
        How many of them have a book.
    others : list of Piece
        All else.
    """

    packets: npt.NDArray[np.void]
    starts: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    message_of: npt.NDArray[np.int64]
    books: int
    others: list[Piece]

    def packet(self, start: int) -> np.void:
        """Return the packet that starts at this byte, field by field."""
        found: np.void = self.packets[start]
        return found[_NAMES[int(found["header"]["code"])]]  # type: ignore[no-any-return]


def split(messages: Sequence[bytes]) -> Split:
    """Return where the packets in these messages are."""
    joined, first = gathered(messages, PACKET.itemsize)
    windows = at_any_byte(joined, PACKET)
    (starts, keys, message_of), books, others = loops.find_packets(
        joined, windows, first, len(messages), _SIZES
    )
    pieces = [
        Piece(message, start, joined[start:stop], _why(kind, joined, start, stop))
        for start, stop, message, kind in others.T.tolist()
    ]
    return Split(windows, starts, keys, message_of, books, pieces)


def _why(kind: int, joined: bytes, start: int, stop: int) -> str:
    """Return why a piece cannot be read; what its header says is asked for only where it has one."""
    header = np.frombuffer(joined, HEADER, 1, start)[0]
    facts = {name: int(header[name]) for name in HEADER.names or ()}
    return _WHY[kind].format(left=stop - start, size=_SIZES[facts["code"]], header=HEADER.itemsize, **facts)


def packets(frame: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packets in one message, field by field as they were sent.

    For looking at bytes: nothing is rounded, converted or left out. `Dhan.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        Records of the layouts in `PACKETS`; what could not be read, received at 0.

    Examples
    --------
    >>> sent = np.array((2, 16, 1, 2885, 1411.5, 1753455192), PACKETS[2]).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> int(packet["security_id"]), float(packet["ltp"]), rejects
    (2885, 1411.5, [])
    """
    found = split([frame])
    starts = sorted([*found.starts.tolist(), *(one.start for one in found.others if not one.why)])
    rejects = [Reject(received_at=0, reason=one.why, frame=one.octets) for one in found.others if one.why]
    return [found.packet(start) for start in starts], rejects
