"""The pieces of Dhan's messages: packets as they were sent, and why others cannot be read."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.common.gathered import at_any_byte
from ltpkit.feeds.dhan import loops
from ltpkit.feeds.dhan.wire import CODES, HEADER, PACKET, PACKETS

__all__ = ["packet_at", "packets", "why"]

_NAMES: Final = {code: name for name, code in CODES.items()}

_WHY: Final = {
    loops.EMPTY: "empty message",
    loops.NO_HEADER: "cut short: {left} bytes where a header has {header}",
    loops.UNKNOWN_CODE: "unknown response code {code}",
    loops.WRONG_LENGTH: "length field says {length}, a packet of code {code} has {size}",
    loops.CUT: "cut short: {left} of the {size} bytes of code {code}",
    loops.UNKNOWN_SEGMENT: "unknown exchange segment {segment}",
}


def packet_at(messages: npt.NDArray[np.void], start: int) -> np.void:
    """Return the packet that starts at this byte, field by field."""
    found: np.void = messages[start]
    return found[_NAMES[int(found["header"]["code"])]]  # type: ignore[no-any-return]


def why(kind: int, octets: bytes) -> str:
    """Return why a piece of this kind, see `loops`, cannot be read."""
    # What its header says is asked for only where it has one.
    header = np.frombuffer(octets.ljust(HEADER.itemsize, b"\0"), HEADER, 1)[0]
    said = {name: int(header[name]) for name in HEADER.names or ()}
    size = PACKETS[said["code"]].itemsize if said["code"] in PACKETS else 0
    return _WHY[kind].format(left=len(octets), size=size, header=HEADER.itemsize, **said)


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
    messages = at_any_byte(frame + bytes(PACKET.itemsize), PACKET)
    found: list[np.void] = []
    rejects: list[Reject] = []
    start, whole = 0, False
    while not whole:
        kind, stop = loops.next_piece(messages, start, len(frame))
        if kind in (loops.ROW, loops.NO_ROW):
            found.append(packet_at(messages, start))
        else:
            octets = frame[start:stop]
            rejects.append(Reject(received_at=0, reason=why(kind, octets), frame=octets))
        start, whole = stop, stop == len(frame)
    return found, rejects
