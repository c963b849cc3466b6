"""One persistent WebSocket: connect, log in, keep alive, back off, connect again.

What to send after connecting is asked each time, so a reconnect restores the wanted state, not old
calls. A line is given up when it is closed or breaks, when it answers no ping, and when it is mute
while its market is open. How long is mute: the feed's own limit, doubled (up to 16 times) while
connecting again does not help, and at least twice the longest silence that rows came after, because
thin instruments are quiet without the line being dead.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec

from ltpkit.aside import aside
from ltpkit.batch import Event, Goodbye, Received
from ltpkit.credentials import hidden
from ltpkit.errors import ConnectionFailed, LoginRefused, LtpkitError, SettingError
from ltpkit.schema import now_us
from ltpkit.sockets import Closed, Ending, NotOpened, Socket, open_socket

__all__ = ["Connection", "Policy", "State"]

State = Literal["connecting", "live", "stale", "backing_off", "refused", "stopped"]

#: What shows that a line is alive: rows; any message, a broker's heartbeats included; or pongs too.
Life = Literal["rows", "messages", "pongs"]

#: Its own, because a notebook that has seeded `random` must not get other numbers for our waits.
_dice: Final = random.Random()

_RENEWED_WITHIN_S: Final = 60.0  # for a function that is asked for a token
_MOST_PATIENCE: Final = 4  # doublings
_ROWS_PATIENCE: Final = 4  # without rows, however alive: so many times longer than without life
_WORDS: Final = 300  # characters of a server's own words


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection waits and tries.

    Attributes
    ----------
    attempts : int or None
        Tries in a row without a healthy connection before giving up; None never gives up.
    heartbeat_s : float
        Time between our pings, and the time a pong may take.
    silence_s : float or None
        While the market is open: without a row for half of this a line is shown as stale; without
        `life` for all of it the line is dead although pings are answered.
    life : {"rows", "messages", "pongs"}
        What counts against `silence_s`. Without rows a line is left after four times as long, even so.
    gather_s : float
        Frames of reads that follow each other within this time are handed over together.
    open_s, close_s : float
        Limits for connecting, the handshake included, and for closing.
    first_wait_s, longest_wait_s : float
        The backoff doubles from the first to the longest; the wait is a random part of it.
    healthy_s : float
        A connection that brought rows for this long resets the backoff, and so does one that was
        open for so long and was not mute.
    max_bytes : int
        The largest message taken: a whole book of many thousand levels comes in one.
    messages_per_second : float or None
        What the broker takes from us.
    """

    attempts: int | None = None
    heartbeat_s: float = 30.0
    silence_s: float | None = None
    life: Life = "rows"
    gather_s: float = 0.001
    open_s: float = 10.0
    close_s: float = 0.5
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    healthy_s: float = 60.0
    max_bytes: int = 16 << 20
    messages_per_second: float | None = None


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
    headers : callable, optional
        Returns the handshake's headers, asked again for each try.
    keep_alive : (message, seconds), optional
        What to send while connected, and how often, besides our pings.
    trading : callable, optional
        Returns whether rows are to be expected now. It may take seconds, and is asked only of a
        silent line. By default always.
    renew : callable, optional
        Has a good token at hand before each try; its argument says whether the last was refused.
        It may take its time. With it, a refusal is final only when a fresh token is refused too.
    secrets : callable, optional
        Returns the texts to hide in what a server says.
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
        headers: Callable[[], Mapping[str, str]] | None = None,
        keep_alive: tuple[str | bytes, float] | None = None,
        trading: Callable[[], bool] | None = None,
        renew: Callable[[bool], None] | None = None,
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.name = name
        self.state: State = "connecting"
        self.opened = 0  # handshakes that worked
        self.last_error: Exception | None = None
        self.last_frame_at: int | None = None  # µs UTC
        self._last_rows_at: int | None = None
        self._address, self._greet, self._judge, self._note = address, greet, judge, note
        self._keep_alive = keep_alive
        self._headers, self._trading, self._renew, self._secrets = headers, trading, renew, secrets
        self._deliver_rows, self._policy = deliver, policy
        self._socket: Socket | None = None
        self._goodbye: Goodbye | None = None
        # Event loop times, of the line there is now.
        self._opened_at: float | None = None
        self._last_message = self._last_rows = 0.0
        self._first_rows: float | None = None
        self._silent_since = 0.0  # silence counts from here at the earliest: opened, or the market opened
        self._lasted = 0.0  # how long the line before was open
        self._usual_s = 0.0  # the longest silence within the market's hours that rows came after
        self._mute = 0  # lines in a row that were left for their silence and had brought little
        self._left_mute = False
        self._refusals = 0
        self._token_refused = False
        self._connected_to = ""  # holds the token: for hiding it, never for showing
        self._sending = asyncio.Lock()

    @property
    def sure_until(self) -> int | None:
        """When the last frame came, µs UTC; of a line that went mute, when the last row did."""
        return self._last_rows_at if self._left_mute else self.last_frame_at

    @property
    def open(self) -> bool:
        """Whether there is a line to send on."""
        return self._socket is not None

    @property
    def socket(self) -> Socket | None:
        """The line there is now."""
        return self._socket

    async def run(self) -> None:
        """Keep the connection until it is refused for good, gives up, or the task is cancelled."""
        attempt = 0
        try:
            while True:
                self._set("connecting")
                wait = await self._once()
                if self.state == "refused":
                    return
                attempt = 0 if self._was_healthy() else attempt + 1
                if self._policy.attempts is not None and attempt > self._policy.attempts:
                    self._refuse(
                        ConnectionFailed(
                            f"{self.name} was given up after {attempt} tries in a row. "
                            f"The last: {self.last_error or 'the line closed'}"
                        )
                    )
                    return
                backoff = self._policy.first_wait_s * 2 ** min(attempt, 16)
                wait = max(wait, _dice.random() * min(self._policy.longest_wait_s, backoff))
                self._set("backing_off", wait_s=round(wait, 3), attempt=attempt)
                await asyncio.sleep(wait)
        finally:
            if self.state != "refused":
                self._set("stopped")

    async def send(self, messages: Iterable[str | bytes]) -> None:
        """Send in order, no faster than the broker takes them.

        Without a line, or when it ends meanwhile, the rest is dropped: the next line's greeting says
        what is wanted then.
        """
        try:
            await self._send(messages, self._socket)
        except Closed:
            return

    async def _send(self, messages: Iterable[str | bytes], socket: Socket | None) -> None:
        async with self._sending:
            for message in messages:
                if socket is None or self._socket is not socket:
                    return
                await socket.send(message)
                if self._policy.messages_per_second:
                    await asyncio.sleep(1 / self._policy.messages_per_second)

    def take_leave(self, goodbye: Goodbye) -> None:
        """Note that the broker said it is closing, in its own protocol; the line is closed."""
        self._goodbye = goodbye
        if self._socket is not None:
            self._socket.let_go()

    # -- one line -------------------------------------------------------------------------

    async def _once(self) -> float:
        """Connect once and stay until the line ends; return how long to wait at least."""
        self._first_rows, self._opened_at, self._left_mute = None, None, False
        wait, verdict = 0.0, "retry"
        try:
            ending = await self._stay()
        except NotOpened as error:
            if error.address_is_wrong:
                self._refuse(
                    SettingError(f"The address of {self.name} cannot be used: {self._hide(error.reason)}.")
                )
                return 0
            ending, wait = Ending(error.code, self._hide(error.reason)), error.wait_s
            if error.answered:
                verdict = self._judge(ending.code, ending.reason)
                self.last_error = ConnectionFailed(
                    f"{self.name} answered HTTP {ending.code}: {ending.reason}"
                )
            else:
                self.last_error = ConnectionFailed(f"{self.name}: {ending.reason}.")
        except LtpkitError as error:  # the feed has no address, or the function gave no token
            self._refuse(error)
            return 0
        else:
            ending = Ending(ending.code, self._hide(ending.reason), ending.ours)
            goodbye, self._goodbye = self._goodbye, None
            if goodbye is not None:
                ending, verdict = Ending(goodbye.code, self._hide(goodbye.reason)), goodbye.then
            elif not ending.ours:
                verdict = self._judge(ending.code, ending.reason)
            self.last_error = ConnectionFailed(f"{self.name} {_said(ending)}")
        self._opened_at, opened_at = None, self._opened_at
        self._lasted = 0.0 if opened_at is None else asyncio.get_running_loop().time() - opened_at
        self._event("disconnected", code=ending.code, reason=ending.reason)
        if verdict == "stop" and self._renew is not None and self._refusals == 0:
            verdict = "login"
        if verdict == "login":
            self._refusals += 1
            self._token_refused = True
            if self._refusals > 2:
                verdict = "stop"
        if verdict == "stop":
            self._refuse(LoginRefused(self.name, ending.code, ending.reason))
        return wait

    async def _stay(self) -> Ending:
        """Return how the line ended."""
        policy = self._policy
        await self._have_token()
        self._connected_to = self._address()
        socket = await open_socket(
            self._connected_to,
            deliver=self._deliver,
            headers=None if self._headers is None else self._headers(),
            gather_s=policy.gather_s,
            open_s=policy.open_s,
            close_s=policy.close_s,
            ping_s=policy.heartbeat_s,
            max_bytes=policy.max_bytes,
        )
        try:
            self._socket, self._sending = socket, asyncio.Lock()
            self.opened += 1
            now = asyncio.get_running_loop().time()
            self._opened_at = self._last_message = self._last_rows = self._silent_since = now
            self._set("live")
            if self._goodbye is None:  # it may have come with the answer to the handshake
                saying = asyncio.ensure_future(self._say(self._greet()))
                try:
                    muted = await self._watch(socket)
                finally:
                    saying.cancel()
                if muted is not None:
                    return muted
        finally:
            self._socket = None
            await socket.leave()
        await socket.wait_closed()
        return socket.ending()

    async def _say(self, greeting: Iterable[str | bytes]) -> None:
        """Send what is to be sent on a new line, then what keeps it, as long as there is one."""
        await self.send(greeting)
        while self._keep_alive is not None:
            message, every_s = self._keep_alive
            await asyncio.sleep(every_s)
            await self.send([message])

    async def _have_token(self) -> None:
        renew, refused = self._renew, self._token_refused
        if renew is None:
            return
        try:
            async with asyncio.timeout(_RENEWED_WITHIN_S):
                await aside(lambda: renew(refused), name="token")
        except LtpkitError:
            raise
        except Exception as error:  # noqa: BLE001 - a user's own function may raise anything
            # The name only: what a login says when it fails may repeat what it was given.
            raise NotOpened(f"the function that gives the token failed with {type(error).__name__}") from None
        self._token_refused = False

    async def _watch(self, socket: Socket) -> Ending | None:
        """Return when the line has ended, or has been silent for longer than it may: then, how that ends."""
        loop, silence_s = asyncio.get_running_loop(), self._policy.silence_s
        closed = asyncio.ensure_future(socket.wait_closed())
        wait = None if silence_s is None else silence_s / 2
        try:
            while True:
                await asyncio.wait((closed,), timeout=wait)
                if closed.done():
                    return None
                if silence_s is None:
                    continue
                wait = self._left(loop.time(), silence_s / 2)
                if wait > 0:
                    continue
                if not await self._expecting():
                    self._silent_since, wait = loop.time(), silence_s / 2
                    self._show_life()
                    continue
                doubled = silence_s * 2.0 ** min(self._mute, _MOST_PATIENCE)
                patience = min(max(doubled, 2 * self._usual_s), silence_s * 2.0**_MOST_PATIENCE)
                now, wait = loop.time(), patience / 10
                without_rows = now - max(self._last_rows, self._silent_since)
                without_life = now - max(self._alive_at(socket), self._silent_since)
                if without_life >= patience or without_rows >= _ROWS_PATIENCE * patience:
                    self._mute, self._left_mute = self._mute + 1, True
                    silent_s = round(without_rows, 3)
                    self._set("stale", silent_s=silent_s)
                    return Ending(
                        1006, f"sent no rows for {silent_s:g} s while the market is open", ours=True
                    )
                if without_rows >= silence_s / 2:
                    self._set("stale", silent_s=round(without_rows, 3))
                    words = f"{self.name} sends no rows, though the line answers and the market is open"
                    self.last_error = ConnectionFailed(words)
                wait = max(0.001, min(wait, patience - without_life))
        finally:
            closed.cancel()

    def _left(self, now: float, within_s: float) -> float:
        """Return how long until the line has been without rows for `within_s`."""
        return max(self._last_rows, self._silent_since) + within_s - now

    def _alive_at(self, socket: Socket) -> float:
        if self._policy.life == "rows":
            return self._last_rows
        return self._last_message if self._policy.life == "messages" else socket.heard_at

    async def _expecting(self) -> bool:
        if self._trading is None:
            return True
        return await aside(self._trading, name="calendar")

    def _was_healthy(self) -> bool:
        """Return whether the line that ended was one to begin afresh from."""
        healthy_s = self._policy.healthy_s
        brought = self._first_rows is not None and self._last_rows - self._first_rows >= healthy_s
        if brought:
            self._mute = 0
        return brought or (self._lasted >= healthy_s and not self._left_mute)

    def _deliver(self, frames: list[bytes], received_at: Received) -> None:
        self.last_frame_at = int(received_at if isinstance(received_at, int) else received_at[-1])
        self._last_message = asyncio.get_running_loop().time()
        if not self._deliver_rows(frames, received_at):
            return
        if self._first_rows is None:
            self._first_rows = self._last_message
        else:
            quiet_s = self._last_message - max(self._last_rows, self._silent_since)
            self._usual_s = max(self._usual_s, quiet_s)
        self._last_rows, self._last_rows_at = self._last_message, self.last_frame_at
        self._refusals = 0
        self._show_life()

    def _show_life(self) -> None:
        if self.state == "stale":
            self._set("live")

    # -- what is told ---------------------------------------------------------------------

    def _refuse(self, error: Exception) -> None:
        self.last_error = error
        self._set("refused", error=str(error))

    def _set(self, state: State, **detail: object) -> None:
        if state != self.state or state == "connecting":
            self.state = state
            self._event(state, **detail)

    def _event(self, kind: str, **detail: object) -> None:
        self._note(Event(at=now_us(), kind=kind, detail=detail))

    def _hide(self, text: str) -> str:
        """Return a server's words cut short, without our secrets: servers repeat what they refuse."""
        query = self._connected_to.partition("?")[2]
        in_address = [value for _, value in parse_qsl(query) if len(value) >= 8]
        return hidden(text, [*self._secrets(), *in_address])[:_WORDS]

    def __repr__(self) -> str:
        return f"<Connection to {self.name}: {self.state}>"


def _said(ending: Ending) -> str:
    if ending.ours:
        return ending.reason if ending.code == 1006 else f"was left: {ending.code} {ending.reason}".rstrip()
    return f"closed the line: {ending.code} {ending.reason}".rstrip()
