"""SmartStream's messages as the loops take them; and why one holds no packet, or what its packet is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.angelone import loops
from ltpkit.feeds.angelone.wire import PACKET, PACKETS
from ltpkit.feeds.common.gathered import gathered

__all__ = ["packets", "refusal", "said_by", "together"]


def together(messages: Sequence[bytes]) -> tuple[bytes, int, int]:
    """Return the messages as the loops take them: as in `gathered`, where the first is, and how many."""
    return *gathered(messages, PACKET.itemsize), len(messages)


def said_by(messages: Sequence[bytes], packets: npt.NDArray[np.intp]) -> Iterator[tuple[int, str]]:
    """Yield exchange type and token of these packets of the messages."""
    message_of, _ = loops.find_packets(*together(messages))
    for number in message_of[packets].tolist():
        yield messages[number][1], messages[number][2:27].partition(b"\0")[0].decode("ascii")


def packets(message: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packet in one binary message, field by field as it was sent.

    For looking at bytes: nothing is divided or left out. `angelone.AngelOne.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        One record of the layouts in `wire.PACKETS`, or why there is none, received at 0.

    Examples
    --------
    >>> sent = np.array((1, 1, b"2885", 7, 1722343024096, 453578), PACKETS[1]).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> packet["token"].item(), int(packet["ltp"]), rejects
    (b'2885', 453578, [])
    """
    _, odd = loops.find_packets(*together([message]))
    for _, kind in odd.T.tolist():
        if kind != loops.NO_TOKEN:
            return [], [Reject(received_at=0, reason=refusal(kind, message), frame=message)]
    return [np.frombuffer(message, PACKETS[message[0]], 1)[0]], []


def refusal(kind: int, message: bytes) -> str:
    """Return why a message holds no packet, of one of the kinds in `loops`."""
    match kind:
        case loops.EMPTY:
            return "empty message"
        case loops.CUT:
            size = PACKETS[message[0]].itemsize
            return f"cut short: {len(message)} of the {size} bytes of mode {message[0]}"
        case loops.SEGMENT:
            return f"unknown exchange type {message[1]}"
        case loops.FLAG:
            return "a level that is neither buy nor sell"
        case loops.NO_TOKEN:
            return "a token that is no text"
        case _:
            return f"unknown mode {message[0]}"
