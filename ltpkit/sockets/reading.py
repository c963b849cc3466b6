"""A line that is open: what it brings is handed on in lists of frames, as it came.

Frames that one socket read brought are handed over together, and reads that follow each other within a
millisecond are gathered, because what follows (decoding, appending) costs by the call more than by the row.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from socket import SO_RCVBUF, SOL_SOCKET
from types import ModuleType
from typing import Any, Final

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed as Closed
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import OPEN

from ltpkit.batch import Received
from ltpkit.schema import now_us
from ltpkit.sockets.trouble import words

fcntl: ModuleType | None
try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = None

__all__ = ["Closed", "Ending", "Socket"]

_MAX_GATHERED: Final = 4096  # frames; beyond this they are handed over without waiting for company
_MAX_FRAGMENTS: Final = 4096  # of one message; each costs us an object, whatever its size
#: First bytes of a text and of a binary message in one frame, without extensions.
_WHOLE: Final = (0x81, 0x82)
#: What may be in the low half of a first byte: pieces and whole messages; close, ping, pong.
_KINDS: Final = (0, 1, 2, 8, 9, 10)


class Ending(msgspec.Struct, frozen=True):
    """How a line ended.

    Attributes
    ----------
    code, reason : int, str
        The close code and its words; 1006 where the line broke without a close frame.
    ours : bool
        Whether it was us who found fault (a broken frame, an unanswered ping) and not the server.
    """

    code: int
    reason: str
    ours: bool = False


class Socket(ClientConnection):
    """A `websockets` connection that hands frames on in lists instead of queueing them one by one.

    Attributes
    ----------
    heard_at : float
        Event loop time of the last whole frame of any kind, pings and pongs included.
    received_bytes : int
        All that was read so far.
    """

    deliver: Callable[[list[bytes], Received], object]
    gather_s: float = 0.001
    close_s: float = 0.5
    max_bytes: int = 4 << 20

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames: list[bytes] = []
        self._reads: list[tuple[int, int]] = []  # when a read came, and how many frames it brought
        self._fragments: list[bytes] = []
        self._fragmented = 0  # bytes in `_fragments`
        self._timer: asyncio.TimerHandle | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._delivered = 0.0
        self._answer_end: bytes | None = b""  # the last bytes of the handshake's answer, None once it is over
        self._cutting = False  # whether plain frames are cut out here
        self._rest = bytearray()  # the beginning of a frame
        self.received_bytes = 0
        self._needed = 0  # bytes of `_rest` before another look is worth it
        self.heard_at = self.loop.time()

    def data_received(self, data: bytes) -> None:  # noqa: D102 - as in the base
        at, before = now_us(), len(self._frames)
        self.received_bytes += len(data)
        if self._answer_end is not None:
            data = self._take_answer(data)
        if data:
            if self._cutting:
                self._cut_out(data)
            else:
                super().data_received(data)
        if self._cut is None and self.protocol.close_expected():
            # The library waits for the peer to close, and looks at its own deadline only when something
            # is sent: a peer that sends garbage and stays would keep the line until the next ping.
            self._cut = self.loop.call_later(self.close_s, self.transport.abort)
        brought = len(self._frames) - before
        if not brought:
            return
        self._reads.append((at, brought))
        waited = self.loop.time() - self._delivered
        if waited >= self.gather_s or len(self._frames) >= _MAX_GATHERED:
            self._hand_over()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.gather_s - waited, self._hand_over)

    def _take_answer(self, data: bytes) -> bytes:
        """Give the library the handshake's answer; return what came behind it."""
        assert self._answer_end is not None
        seen = self._answer_end + data
        blank = seen.find(b"\r\n\r\n")
        split = len(data) if blank < 0 else blank + 4 - len(self._answer_end)
        self._answer_end = seen[-3:] if blank < 0 else None
        super().data_received(data[:split])
        self._cutting = self.protocol.state is OPEN  # else a refusal, and the rest is its body
        return data[split:]

    def _cut_out(self, data: bytes) -> None:
        """Take whole plain messages out of the stream, and give the library everything else.

        That is three quarters of the work of receiving, done here for a tenth of what the library's
        parser takes. The library gets whole frames and so stands at a frame's beginning between them: control
        frames, pieces of messages, and from anything it would object to on, all that follows.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        frames, at, end = self._frames, 0, len(data)
        before = len(frames)
        while self._cutting:
            payload = at + 2
            if payload > end:
                break
            kind, size = data[at], data[at + 1]
            if kind & 0x0F not in _KINDS:
                self._cutting = False
                break
            if size > 125:
                payload += {126: 2, 127: 8}.get(size, 0)
                if payload > end:
                    break
                # More than 127 is a masked frame, which only clients may send.
                size = int.from_bytes(data[at + 2 : payload], "big") if size < 128 else self.max_bytes + 1
            if size > self.max_bytes - self._fragmented:
                self._cutting = False
                break
            following = payload + size
            if following > end:
                payload = following
                break
            if kind in _WHOLE and not self._fragments:
                frames.append(data[payload:following])
            else:
                super().data_received(data[at:following])
                self._cutting = self.protocol.state is OPEN
            at = following
        if len(frames) > before:
            self.heard_at = self.loop.time()
        if self._cutting:
            self._rest += data[at:]
            self._needed = payload - at
        elif at < end:
            super().data_received(data[at:])

    def process_event(self, event: Any) -> None:  # noqa: D102 - as in the base
        self.heard_at = self.loop.time()
        if self.response is None or not isinstance(event, Frame) or event.opcode not in (TEXT, BINARY, CONT):
            super().process_event(event)
        elif event.fin and event.opcode is not CONT:
            self._frames.append(bytes(event.data))
        else:
            self._fragments.append(bytes(event.data))
            self._fragmented += len(event.data)
            if self._fragmented > self.max_bytes or len(self._fragments) > _MAX_FRAGMENTS:
                self._fragments.clear()
                self._fragmented = 0
                self.protocol.fail(1009, "a message in too many or too large pieces")
                self.send_data()
            elif event.fin:
                self._frames.append(b"".join(self._fragments))
                self._fragments.clear()
                self._fragmented = 0

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102 - as in the base
        if self._cut is not None:
            self._cut.cancel()
        self._hand_over()  # nothing that arrived is lost with the line
        super().connection_lost(exc)

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._frames:
            return
        frames, reads = self._frames, self._reads
        self._frames, self._reads = [], []
        self._delivered = self.loop.time()
        received: Received = reads[0][0]
        if len(reads) > 1:
            times, counts = zip(*reads, strict=True)
            received = np.repeat(np.array(times, np.int64), np.array(counts))
        self.deliver(frames, received)

    def backlog(self) -> tuple[int, bool]:
        """Return the bytes that wait in the system's buffer, and whether so many that the peer has to wait.

        Not known on Windows: none then.
        """
        line = self.transport.get_extra_info("socket")
        if fcntl is None or line is None or line.fileno() < 0:
            return 0, False
        waiting = int.from_bytes(fcntl.ioctl(line.fileno(), termios.FIONREAD, b"\0" * 4), sys.byteorder)
        # Linux counts its own overhead in the buffer's size, and stops the peer when about half is payload.
        return waiting, waiting > line.getsockopt(SOL_SOCKET, SO_RCVBUF) // 4

    def let_go(self) -> None:
        """End the line without a close frame, once what waits has been sent or `close_s` has passed."""
        self.transport.close()
        if self._cut is None:
            self._cut = self.loop.call_later(self.close_s, self.transport.abort)

    async def leave(self) -> None:
        """Close politely, and cut the line if the peer takes longer over it than `close_s`."""
        closing = asyncio.ensure_future(self.close())
        try:
            # The library's own limit begins after what waits to be sent has gone out, which a peer
            # that does not read never lets happen.
            await asyncio.wait((closing,), timeout=self.close_s)
        finally:
            self.transport.abort()
            closing.cancel()

    def ending(self) -> Ending:
        """Return how the line ended; once it has."""
        theirs, ours = self.protocol.close_rcvd, self.protocol.close_sent
        if theirs is not None:
            return Ending(theirs.code, theirs.reason)
        if ours is not None:
            return Ending(int(ours.code), ours.reason, ours=True)
        cause = self.connection_exc
        return Ending(1006, "the line broke without a close frame" if cause is None else words(cause))
