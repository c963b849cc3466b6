"""One persistent WebSocket: connect, log in, keep alive, back off, connect again.

Frames that one socket read brought are handed over together, and reads that follow each other
within a millisecond are gathered, because what follows (decoding, appending) costs by the call
more than by the row. The WebSocket library, `websockets`, is known to this module only. What to
send after connecting is asked each time, so a reconnect restores the wanted state, not old calls.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)
from websockets.frames import BINARY, CONT, TEXT, Frame

from ltpkit.batch import Event, Goodbye, Received
from ltpkit.errors import ConnectionFailed, LoginRefused, SettingError

__all__ = ["Connection", "Policy", "State"]

State = Literal["connecting", "live", "stale", "backing_off", "refused", "stopped"]

_MAX_GATHERED: Final = 4096  # frames; beyond this they are handed over without waiting for company
_MAX_FRAGMENTED: Final = 8 << 20  # bytes of one message sent in fragments
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

# The library's DEBUG lines hold the request line and all headers, where brokers put tokens.
_library_log = logging.getLogger("ltpkit.websockets")
_library_log.setLevel(logging.INFO)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection waits and tries.

    Attributes
    ----------
    attempts : int or None
        Tries in a row without a healthy connection before giving up; None never gives up.
    heartbeat_s : float
        Time between our pings, and the time a pong may take.
    silence_s : float or None
        Without a row for this long the connection is dead although pings are answered.
    gather_s : float
        Frames of reads that follow each other within this time are handed over together.
    open_s, close_s : float
        Limits for the handshake and for the closing handshake.
    first_wait_s, longest_wait_s : float
        The backoff doubles from the first to the longest; the wait is a random part of it.
    healthy_s : float
        A connection that brought rows for this long resets the backoff.
    max_bytes : int
        The largest message taken.
    messages_per_second : float or None
        What the broker takes from us.
    """

    attempts: int | None = None
    heartbeat_s: float = 30.0
    silence_s: float | None = None
    gather_s: float = 0.001
    open_s: float = 10.0
    close_s: float = 1.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    healthy_s: float = 30.0
    max_bytes: int = 4 << 20
    messages_per_second: float | None = None


class _GatheringSocket(ClientConnection):
    """A `websockets` connection that hands frames on in lists instead of queueing them one by one."""

    deliver: Callable[[list[bytes], Received], None]
    gather_s: float = 0.001

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames: list[bytes] = []
        self._reads: list[tuple[int, int]] = []  # when a read came, and how many frames it brought
        self._fragments: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._delivered = 0.0

    def data_received(self, data: bytes) -> None:
        at, before = time.time_ns() // 1000, len(self._frames)
        super().data_received(data)
        brought = len(self._frames) - before
        if not brought:
            return
        self._reads.append((at, brought))
        waited = self.loop.time() - self._delivered
        if waited >= self.gather_s or len(self._frames) >= _MAX_GATHERED:
            self._hand_over()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.gather_s - waited, self._hand_over)

    def process_event(self, event: Any) -> None:
        if self.response is None or not isinstance(event, Frame) or event.opcode not in (TEXT, BINARY, CONT):
            super().process_event(event)
        elif event.fin and event.opcode is not CONT:
            self._frames.append(bytes(event.data))
        else:
            self._fragments.append(bytes(event.data))
            if sum(map(len, self._fragments)) > _MAX_FRAGMENTED:
                self._fragments.clear()
                self.protocol.fail(1009, "fragmented message too large")
                self.send_data()
            elif event.fin:
                self._frames.append(b"".join(self._fragments))
                self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
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


class Connection:
    """One broker connection that is kept open until it is stopped or refused.

    Parameters
    ----------
    name : str
        The feed's name, for events and errors.
    address : callable
        Returns the address to connect to, asked again for each try.
    greet : callable
        Returns the messages to send once connected: log in, then subscribe what is wanted now.
    deliver : callable
        Takes the frames that arrived together and their receive times; returns whether they held
        rows. Called on the event loop.
    judge : callable
        Returns ``"retry"``, ``"login"`` or ``"stop"`` for a close code or HTTP status.
    note : callable
        Takes the `Event` of each change.
    policy : Policy
    """

    def __init__(
        self,
        *,
        name: str,
        address: Callable[[], str],
        greet: Callable[[], Iterable[str | bytes]],
        deliver: Callable[[list[bytes], Received], bool],
        judge: Callable[[int, str], str],
        note: Callable[[Event], None],
        policy: Policy,
    ) -> None:
        self.name = name
        self.state: State = "connecting"
        self.opened = 0  # handshakes that worked
        self.last_error: Exception | None = None
        self.last_frame_at: int | None = None  # µs UTC
        self._address, self._greet, self._judge, self._note = address, greet, judge, note
        self._deliver_rows, self._policy = deliver, policy
        self._socket: _GatheringSocket | None = None
        self._goodbye: Goodbye | None = None
        self._last_rows = 0.0  # event loop time
        self._first_rows: float | None = None
        self._refusals = 0
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Keep the connection until it is refused for good, gives up, or the task is cancelled."""
        attempt = 0
        try:
            while True:
                self._set("connecting")
                wait = await self._once()
                if self.state == "refused":
                    return
                healthy = self._first_rows is not None and (
                    self._last_rows - self._first_rows >= self._policy.healthy_s
                )
                attempt = 0 if healthy else attempt + 1
                if self._policy.attempts is not None and attempt > self._policy.attempts:
                    self._refuse(
                        ConnectionFailed(
                            f"{self.name} was given up after {attempt} tries in a row. "
                            f"The last: {self.last_error or 'the line closed'}"
                        )
                    )
                    return
                backoff = self._policy.first_wait_s * 2 ** min(attempt, 16)
                wait = max(wait, random.random() * min(self._policy.longest_wait_s, backoff))
                self._set("backing_off", wait_s=round(wait, 3), attempt=attempt)
                await asyncio.sleep(wait)
        finally:
            if self.state != "refused":
                self._set("stopped")

    async def send(self, messages: Iterable[str | bytes]) -> None:
        """Send in order, no faster than the broker takes them. Without a line it does nothing."""
        async with self._sending:
            for message in messages:
                if self._socket is None:
                    return
                await self._socket.send(message)
                if self._policy.messages_per_second:
                    await asyncio.sleep(1 / self._policy.messages_per_second)

    def take_leave(self, goodbye: Goodbye) -> None:
        """Note that the broker said it is closing, in its own protocol; the line is closed."""
        self._goodbye = goodbye
        if self._socket is not None:
            self._socket.transport.close()

    async def _once(self) -> float:
        """Connect once and stay until the line ends; return how long to wait at least."""
        self._goodbye, self._first_rows = None, None
        code, reason, wait = 1006, "", 0.0
        verdict: str
        try:
            code, reason = await self._stay()
        except InvalidStatus as error:
            code = error.response.status_code
            body = (error.response.body or b"")[:200].decode("utf-8", "replace").strip()
            reason = f"{error.response.reason_phrase} {body}".strip()
            wait = _retry_after(error.response.headers.get("Retry-After"))
            self.last_error = ConnectionFailed(f"{self.name} answered HTTP {code}: {reason}")
        except ConnectionClosed as error:
            code, reason = _closing(error)
            self.last_error = ConnectionFailed(f"{self.name} closed the line: {code} {reason}".rstrip())
        except InvalidURI:
            self._refuse(
                SettingError(f"The address of {self.name} is not a WebSocket address (ws://, wss://).")
            )
            return 0
        except (OSError, TimeoutError, InvalidMessage, InvalidHandshake) as error:
            reason = _words(error)
            self.last_error = ConnectionFailed(f"{self.name} at {self._place()} cannot be reached: {reason}")
        finally:
            self._socket = None
        goodbye = self._taken_leave()
        if goodbye is not None:
            code, reason, verdict = goodbye.code, goodbye.reason, goodbye.then
        else:
            verdict = self._judge(code, reason)
        self._event("disconnected", code=code, reason=reason)
        if verdict == "login":
            self._refusals += 1
            if self._refusals > 2:
                verdict = "stop"
        if verdict == "stop":
            self._refuse(LoginRefused(self.name, code, reason))
        return wait

    def _taken_leave(self) -> Goodbye | None:
        return self._goodbye

    async def _stay(self) -> tuple[int, str]:
        """Return the close code and reason once the line has ended."""
        policy, address = self._policy, self._address()
        local = urlsplit(address).hostname in _LOOPBACK

        class Socket(_GatheringSocket):  # the library takes a type, and frames may come at once
            deliver = staticmethod(self._deliver)
            gather_s = policy.gather_s

        async with connect(
            address,
            create_connection=Socket,
            compression=None,
            open_timeout=policy.open_s,
            close_timeout=policy.close_s,
            ping_interval=policy.heartbeat_s,
            ping_timeout=policy.heartbeat_s,
            max_size=policy.max_bytes,
            logger=_library_log,
            proxy=None if local else True,
        ) as socket:
            assert isinstance(socket, _GatheringSocket)
            self._socket = socket
            self.opened += 1
            self._last_rows = asyncio.get_running_loop().time()
            self._set("live")
            if self._goodbye is None:  # it may have come with the answer to the handshake
                await self.send(self._greet())
                await self._watch(socket)
        return socket.close_code or 1006, socket.close_reason or ""

    async def _watch(self, socket: _GatheringSocket) -> None:
        """Return when the line has ended, or has been silent for longer than the feed allows."""
        loop, silence_s = asyncio.get_running_loop(), self._policy.silence_s
        closed = asyncio.ensure_future(socket.wait_closed())
        try:
            while not closed.done():
                left = None if silence_s is None else self._last_rows + silence_s - loop.time()
                if left is not None and left <= 0:
                    self._set("stale", silent_s=silence_s)
                    self.last_error = ConnectionFailed(f"{self.name} sent nothing for {silence_s:g} s")
                    return
                await asyncio.wait((closed,), timeout=left)
        finally:
            closed.cancel()

    def _deliver(self, frames: list[bytes], received_at: Received) -> None:
        self.last_frame_at = int(received_at if isinstance(received_at, int) else received_at[-1])
        if self._deliver_rows(frames, received_at):
            self._last_rows = asyncio.get_running_loop().time()
            self._refusals = 0
            if self._first_rows is None:
                self._first_rows = self._last_rows

    def _refuse(self, error: Exception) -> None:
        self.last_error = error
        self._set("refused", error=str(error))

    def _set(self, state: State, **detail: object) -> None:
        if state != self.state or state == "connecting":
            self.state = state
            self._event(state, **detail)

    def _event(self, kind: str, **detail: object) -> None:
        self._note(Event(at=time.time_ns() // 1000, kind=kind, detail=detail))

    def _place(self) -> str:
        parts = urlsplit(self._address())
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def __repr__(self) -> str:
        return f"<Connection to {self.name}: {self.state}>"


def _retry_after(header: str | None) -> float:
    """Return the seconds a Retry-After header asks for: a number, or an HTTP date."""
    if not header:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        try:
            return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
        except ValueError:
            return 0.0


def _closing(error: ConnectionClosed) -> tuple[int, str]:
    if error.rcvd is not None:
        return error.rcvd.code, error.rcvd.reason
    return 1006, _words(error.__cause__) if error.__cause__ else "no close frame"


def _words(error: BaseException) -> str:
    """Return the error in words that cannot hold an address: the query may carry a token."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
