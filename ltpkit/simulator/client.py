"""One client of the built-in exchange: what it asks for, and what it is sent.

Requests and packets are Dhan's; each packet is a WebSocket message of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from ltpkit.feeds.dhan.wire import DISCONNECT, QUOTE, TICKER

__all__ = ["Change", "Client", "framed", "request"]

_PER_MESSAGE, _PER_CONNECTION = 100, 5000

_CLOSE: Final = 12
_MODES: Final = {15: "ticker", 17: "quote", 21: "full"}
_NARROW: Final = {"ticker": (2, TICKER), "quote": (4, QUOTE)}

Packets: TypeAlias = npt.NDArray[Any]


class _Wanted(msgspec.Struct, rename="pascal"):
    exchange_segment: str
    security_id: str


class _Request(msgspec.Struct, rename="pascal"):
    request_code: int
    instrument_count: int | None = None
    instrument_list: list[_Wanted] = []


_REQUESTS: Final = msgspec.json.Decoder(_Request)


class Change(NamedTuple):
    """A subscription, or the end of one: segments and security ids, in one mode."""

    subscribe: bool
    mode: str
    instruments: list[tuple[str, str]]


def request(message: str | bytes) -> Change | Literal["close"] | None:
    """Return what a client asks for, None where it is no request."""
    try:
        found = _REQUESTS.decode(message)
    except msgspec.MsgspecError:
        return None
    code, wanted = found.request_code, found.instrument_list
    if code == _CLOSE:
        return "close"
    subscribe = code in _MODES
    mode = _MODES.get(code if subscribe else code - 1)
    if mode is None or found.instrument_count != len(wanted):
        return None
    return Change(subscribe, mode, [(one.exchange_segment, one.security_id) for one in wanted])


def framed(packets: Packets) -> bytes:
    """Return the packets as WebSocket messages, one each, ready for the socket.

    A server's frames are not masked, so all headers are equal and numpy writes them at once; sending
    one message at a time costs 20 times as much.
    """
    size = packets.dtype.itemsize
    head = struct.pack(">BB", 0x82, size) if size < 126 else struct.pack(">BBH", 0x82, 126, size)
    frames = np.empty(len(packets), [("head", f"V{len(head)}"), ("packet", packets.dtype)])
    frames["head"] = np.void(head)
    frames["packet"] = packets
    return frames.tobytes()


def _in_mode(packets: Packets, mode: str) -> Packets:
    """Return full packets as what a subscription in this mode gets."""
    if mode == "full":
        return packets
    code, layout = _NARROW[mode]
    narrow = np.empty(len(packets), layout)
    for name in layout.names or ():
        narrow[name] = packets[name]
    narrow["code"], narrow["length"] = code, layout.itemsize
    return narrow


class Client:
    """One connection: whose it is, and which shares it gets in which mode."""

    def __init__(self, connection: ServerConnection, name: str, shares: int) -> None:
        self.connection = connection
        self.name = name
        self._asked: set[tuple[str, str, str]] = set()
        self._gets = {mode: np.zeros(shares, np.bool_) for mode in _MODES.values()}

    @property
    def subscribed(self) -> bool:
        """Whether it gets anything."""
        return any(gets.any() for gets in self._gets.values())

    @property
    def shares(self) -> set[int]:
        """The places of the shares it gets."""
        return {int(place) for gets in self._gets.values() for place in gets.nonzero()[0]}

    def change(self, change: Change, places: Mapping[tuple[str, str], int]) -> npt.NDArray[np.int64] | None:
        """Subscribe or unsubscribe; return the places of the shares concerned, None where it is too much.

        Parameters
        ----------
        change : Change
        places : mapping of (str, str) to int
            The shares there are; others count as asked for, and bring nothing.
        """
        asked = {(change.mode, *one) for one in change.instruments}
        if not change.subscribe:
            self._asked -= asked
        elif len(change.instruments) > _PER_MESSAGE or len(self._asked | asked) > _PER_CONNECTION:
            return None
        else:
            self._asked |= asked
        known = dict.fromkeys(places[one] for one in change.instruments if one in places)
        which = np.array([*known], np.int64)
        self._gets[change.mode][which] = change.subscribe
        return which

    def write(self, packets: Packets, mode: str | None = None) -> int:
        """Write packets, one message each, unless the connection is closing; return how many.

        Parameters
        ----------
        packets : array
        mode : str, optional
            Full packets are narrowed to what a subscription in this mode gets.
        """
        # Past `send`, which takes one message at a time. No other frame can be cut in two by this:
        # nothing here sends in fragments, and the library writes each frame in one piece.
        if not len(packets) or self.connection.state is not State.OPEN:
            return 0
        self.connection.transport.write(framed(packets if mode is None else _in_mode(packets, mode)))
        return len(packets)

    def write_part(self, packets: Packets, shares: npt.NDArray[np.int64]) -> int:
        """Write what it gets of packets of these shares; return how many."""
        return sum(
            self.write(packets if gets.all() else packets[gets[shares]], mode)
            for mode, gets in self._gets.items()
            if gets.any()
        )

    def write_reason(self, code: int) -> None:
        """Write the packet that says why the connection will be closed."""
        packet = np.zeros(1, DISCONNECT)
        packet["code"], packet["length"], packet["reason"] = 50, DISCONNECT.itemsize, code
        self.write(packet)
