"""One WebSocket: opened, read in lists of frames, left within a time limit.

The WebSocket library, `websockets`, is known to this module only. Frames that one socket read brought
are handed over together, and reads that follow each other within a millisecond are gathered, because
what follows (decoding, appending) costs by the call more than by the row.

Nothing a server does is believed to be well meant: messages and their pieces are bounded, compression
is not offered (so there is no bomb to unpack), a redirect does not carry a login elsewhere, and a
peer that does not take part in closing is cut off.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from socket import SO_RCVBUF, SOL_SOCKET
from types import ModuleType
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as Closed
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import OPEN

from ltpkit.batch import Received
from ltpkit.schema import now_us

fcntl: ModuleType | None
try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = None

__all__ = ["Closed", "Ending", "NotOpened", "Socket", "open_socket", "place"]

_MAX_GATHERED: Final = 4096  # frames; beyond this they are handed over without waiting for company
_MAX_FRAGMENTS: Final = 4096  # of one message; each costs us an object, whatever its size
_NO_ADDRESS: Final = "it is not a WebSocket address (ws://, wss://)"
#: First bytes of a text and of a binary message in one frame, without extensions.
_WHOLE: Final = (0x81, 0x82)
#: What may be in the low half of a first byte: pieces and whole messages; close, ping, pong.
_KINDS: Final = (0, 1, 2, 8, 9, 10)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_LONGEST_ASKED_S: Final = 3600.0  # a longer Retry-After is asked again after this

#: Second labels under which a country's registry gives out names: ``co.in`` is nobody's.
_REGISTRY: Final = ("ac", "co", "com", "edu", "firm", "gen", "gov", "ind", "mil", "net", "nic", "org", "res")


class _NoHeaders(logging.Filter):
    """Lets no DEBUG line through: those hold the request line and all headers, where tokens are."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_library_log = logging.getLogger("ltpkit.websockets")
_library_log.setLevel(logging.INFO)
_library_log.addFilter(_NoHeaders())  # also where somebody sets the level to DEBUG


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


class NotOpened(Exception):
    """A line that could not be opened, in words without the address.

    Attributes
    ----------
    code : int
        The HTTP status, 1006 where there was no answer.
    reason : str
        The server's words, or ours.
    wait_s : float
        How long the server asked to wait.
    answered : bool
        Whether the server answered in HTTP, so that `code` is its verdict.
    address_is_wrong : bool
        No other try can help.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: int = 1006,
        wait_s: float = 0.0,
        answered: bool = False,
        address_is_wrong: bool = False,
    ) -> None:
        self.reason, self.code, self.wait_s = reason, code, wait_s
        self.answered, self.address_is_wrong = answered, address_is_wrong
        super().__init__(reason)


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
        return Ending(1006, "the line broke without a close frame" if cause is None else _words(cause))


async def open_socket(
    address: str,
    *,
    deliver: Callable[[list[bytes], Received], object],
    headers: Mapping[str, str] | None = None,
    gather_s: float = 0.001,
    open_s: float = 10.0,
    close_s: float = 0.5,
    ping_s: float = 30.0,
    max_bytes: int = 4 << 20,
) -> Socket:
    """Return an open line; frames may be delivered before it is returned.

    Parameters
    ----------
    address : str
    deliver : callable
        Takes the frames that arrived together and their receive times.
    headers : mapping, optional
        Of the handshake. ``Authorization`` is not sent on to another host.
    gather_s : float
        Frames of reads that follow each other within this time are handed over together.
    open_s, close_s : float
        Limits for all of connecting, TLS and the handshake; and for closing.
    ping_s : float
        Time between our pings, and the time a pong may take.
    max_bytes : int
        The largest message taken, in one frame or in pieces.

    Raises
    ------
    NotOpened
        With the server's words or ours, and never the address.
    """
    settings = {"deliver": staticmethod(deliver), "gather_s": gather_s}
    settings |= {"close_s": close_s, "max_bytes": max_bytes}
    # The library takes a type and frames may come with the handshake's answer, so they are on the class.
    kind = type("Socket", (Socket,), settings)
    try:
        # Nothing that the library raises is kept: its words and its requests hold the address.
        socket = await _Connect(
            address,
            create_connection=kind,
            additional_headers=dict(headers) if headers else None,
            compression=None,
            open_timeout=open_s,
            close_timeout=close_s,
            ping_interval=ping_s,
            ping_timeout=ping_s,
            max_size=max_bytes,
            logger=_library_log,
            proxy=None if urlsplit(address).hostname in _LOOPBACK else True,
        )
    except InvalidStatus as error:
        raise _refused(address, error) from None
    except InvalidURI:
        raise NotOpened(_NO_ADDRESS, address_is_wrong=True) from None
    except (OSError, TimeoutError, InvalidMessage, InvalidHandshake) as error:
        raise NotOpened(f"{place(address)} cannot be reached: {_words(error)}") from None
    except ValueError:  # from `urlsplit`; a refused certificate is one too, and an OSError
        raise NotOpened(_NO_ADDRESS, address_is_wrong=True) from None
    assert isinstance(socket, Socket)
    return socket


class _Connect(connect):
    """`websockets.connect`, but a redirect is followed only within one site.

    What is sent after connecting (a login, the subscriptions) would go to wherever it leads.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        found = super().process_redirect(exc)
        if isinstance(found, str) and not _same_site(self.uri, found):
            return exc
        return found


def _same_site(here: str, there: str) -> bool:
    """Return whether both hosts are one, or names of one domain: ``api.upstox.com``, ``ws.upstox.com``."""
    old, new = (urlsplit(one).hostname or "" for one in (here, there))
    if old == new:
        return True
    domain = old.partition(".")[2]
    labels = domain.split(".")
    shared = len(labels) > 2 or (len(labels) == 2 and not (len(labels[1]) == 2 and labels[0] in _REGISTRY))
    return shared and not labels[-1].isdecimal() and (new == domain or new.endswith(f".{domain}"))


def _refused(address: str, error: InvalidStatus) -> NotOpened:
    answer = error.response
    status, target = answer.status_code, answer.headers.get("Location")
    if 300 <= status < 400 and target:
        to = urlsplit(urljoin(address, target))
        return NotOpened(
            f"{place(address)} redirects to {to.hostname}, which was not followed: the login would go there. "
            "If the broker has moved, give its new address as url='wss://…'",
            code=status,
            answered=True,
            address_is_wrong=status in (301, 308),  # the others are said to be for a time
        )
    body = (answer.body or b"")[:4000].decode("utf-8", "replace").strip()
    return NotOpened(
        f"{answer.reason_phrase} {body}".strip(),
        code=status,
        wait_s=_retry_after(answer.headers.get("Retry-After")),
        answered=True,
    )


def place(address: str) -> str:
    """Return scheme, host and port of an address: what of it may be shown."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "the address"


def _retry_after(header: str | None) -> float:
    """Return the seconds a Retry-After header asks for: a number, or an HTTP date. An hour at most."""
    if not header:
        return 0.0
    try:
        wait = float(header)
    except ValueError:
        try:
            wait = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(wait, 0.0), _LONGEST_ASKED_S) if wait == wait else 0.0


def _words(error: BaseException) -> str:
    """Return the error in words that cannot hold an address: the query may carry a token."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate was not accepted ({error.verify_message}). Certificates are always verified; "
            "for an authority of your own, name its file in SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({(error.reason or 'no reason given').lower().replace('_', ' ')})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, InvalidMessage | EOFError):
        return "it does not speak WebSocket"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
