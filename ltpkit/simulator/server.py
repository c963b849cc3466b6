"""The built-in exchange: a `Market` behind a real WebSocket that speaks Dhan's protocol.

It behaves as Dhan does where Dhan's behaviour is known: requests are not answered, unknown
instruments are silent, a packet is a message, each subscription starts with the previous close and
one packet of the newest values, the sixth connection of a client costs the oldest its own, and a
disconnect packet says why before the line closes.

All clients watch one market. It stands still while nobody is subscribed, so what a first client
sees depends on the seed alone. A client that reads too slowly is not buffered for: while every
subscriber is behind, the market waits for the first that is not; while some are, those miss packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
import numpy.typing as npt
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ltpkit import nifty
from ltpkit.errors import SettingError
from ltpkit.feeds.dhan import IST_OFFSET_S
from ltpkit.simulator.client import Client, Packets, request
from ltpkit.simulator.market import Market

__all__ = ["SimulatedExchange", "run"]

_CONNECTIONS = 5
_PING_EVERY_S, _PONG_WITHIN_S = 10, 40

#: The pause between two portions of a paced market, and between two looks at `rate`.
_SLICE_S, _LOOK_S = 0.005, 0.05
#: Events sent at once at most: what a client may be given beyond its full buffer.
_PORTION: Final = 1024
_BUFFER_BYTES: Final = 1 << 18
#: A market that was held up catches up with at most this much.
_CATCH_UP_S: Final = 1.0
#: How long a client may take over a goodbye; `stop` must be done within two seconds.
_PATIENCE_S: Final = 0.5

_DAY_S: Final = 86_400


class SimulatedExchange:
    """An exchange on a loopback socket, in a thread of its own.

    Parameters
    ----------
    seed : int
        Which market.
    rate : float or None
        Ticks per second of the whole market, on average; None or infinity for as many as the socket
        takes. May be set while it runs.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    clock : callable
        The time of day in seconds since 1970, which trades are stamped with.
    symbols : iterable of str, optional
        Only these shares of `nifty.LISTING`.
    volatility : float
        Multiplies every price move.
    tokens : mapping of str to str, optional
        Client ids and their tokens. By default anybody may come in.
    expired_tokens : collection of str
        Tokens that are answered with 807, "access token expired".

    Attributes
    ----------
    sent, skipped : int
        Packets sent so far, and portions that a slow client missed.
    bad_requests : int
        Messages that were no request.

    Examples
    --------
    >>> with SimulatedExchange(rate=1000) as exchange:
    ...     exchange.url.startswith("ws://127.0.0.1:")
    True
    """

    def __init__(
        self,
        seed: int = 7,
        *,
        rate: float | None = 250.0,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
        symbols: Iterable[str] | None = None,
        volatility: float = 1.0,
        tokens: Mapping[str, str] | None = None,
        expired_tokens: Collection[str] = (),
    ) -> None:
        self.seed = seed
        self.rate = rate
        self.sent = self.skipped = self.bad_requests = 0
        self._host, self._port = host, port
        self._clock = clock
        self._symbols = None if symbols is None else tuple(symbols)
        self._volatility = volatility
        self._tokens = None if tokens is None else dict(tokens)
        self._expired = frozenset(expired_tokens)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failed: BaseException | None = None
        self._url = ""
        self._clients: list[Client] = []
        self._new_market()

    @property
    def rate(self) -> float | None:
        """Ticks per second of the whole market; None for as many as the socket takes."""
        return self._rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        if rate is not None and not rate > 0:
            raise SettingError(f"rate= must be above 0 ticks a second, or None for no limit; it is {rate}.")
        self._rate = None if rate is None or math.isinf(rate) else float(rate)

    @property
    def url(self) -> str:
        """Address of the running exchange; empty before `start`."""
        return self._url

    @property
    def clients(self) -> int:
        """How many connections there are."""
        return len(self._clients)

    @property
    def subscriptions(self) -> list[frozenset[str]]:
        """What each connection gets now, as ``NSE:RELIANCE``; the oldest connection first."""
        listing = self._market.listing
        return [
            frozenset(f"NSE:{listing[place].symbol}" for place in client.shares)
            for client in tuple(self._clients)
        ]

    def __repr__(self) -> str:
        pace = "as fast as the socket takes them" if self.rate is None else f"{self.rate:g} ticks/s"
        where = self._url if self._thread is not None else "stopped"
        return f"<SimulatedExchange: {where}, {len(self._market.listing)} shares, {pace}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the thread

    def start(self) -> Self:
        """Listen, and return once clients can connect. Started again, the market goes on where it stood.

        Raises
        ------
        SettingError
            The address cannot be listened on.
        """
        if self._thread is not None:
            return self
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="ltpkit-simulated-exchange", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failed is not None:
            self._thread.join()
            self._thread = None
            raise SettingError(f"{self._host}:{self._port} cannot be listened on: {self._failed}.")
        return self

    def stop(self, timeout_s: float = 2.0) -> None:
        """Close all connections and end the thread; again does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._on_loop(lambda: self._stopping.set() if self._stopping else None)
        thread.join(timeout_s)
        self._url = ""

    def hang_up(self) -> None:
        """Cut all connections without a word, as a broken network does."""

        def cut() -> None:
            for client in self._clients:
                client.connection.transport.abort()

        self._on_loop(cut)

    def disconnect(self, code: int = 805) -> None:
        """Send all clients a disconnect packet with this reason code, and close."""

        def part() -> None:
            for client in self._clients:
                self._later(self._goodbye(client, code))

        self._on_loop(part)

    def _on_loop(self, call: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile, and so did all clients
                loop.call_soon_threadsafe(call)

    def _new_market(self) -> None:
        self._market = Market(self.seed, self._symbols, volatility=self._volatility)
        self._places = {
            (nifty.SEGMENT, str(share.security_id)): place for place, share in enumerate(self._market.listing)
        }

    def _run(self, ready: threading.Event) -> None:
        self._failed = None
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:
            if ready.is_set():
                raise
            self._failed = error
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._someone, self._changed = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients = []
        async with serve(
            self._client,
            self._host,
            self._port,
            compression=None,  # as Dhan; packets of numbers do not shrink
            origins=[None],  # programs only: a web page may not listen in
            ping_interval=_PING_EVERY_S,
            ping_timeout=_PONG_WITHIN_S,
            close_timeout=_PATIENCE_S,
            write_limit=_BUFFER_BYTES,
        ) as server:
            host, port = server.sockets[0].getsockname()[:2]
            self._port = port  # started again, it is found where it was
            self._url = f"ws://[{host}]:{port}/" if ":" in host else f"ws://{host}:{port}/"
            self._later(self._trade())
            ready.set()
            await self._stopping.wait()
            for task in self._tasks:
                task.cancel()
            for client in self._clients:
                if client.connection.paused:  # its close frame would wait behind what it does not read
                    client.connection.transport.abort()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    def _later(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            # Kept among the tasks for `_serve` to raise: an exchange that trades no more must not
            # look like a quiet one.
            assert self._stopping is not None
            self._stopping.set()
        else:
            self._tasks.discard(task)

    # --- the market

    def _trade_time(self) -> int:
        return int(self._clock()) + IST_OFFSET_S

    async def _trade(self) -> None:
        loop, market = asyncio.get_running_loop(), self._market
        clock, then = 0.0, loop.time()  # market time, in events; when it was brought up to date
        today = self._trade_time() // _DAY_S
        while True:
            if not self._someone.is_set():
                await self._someone.wait()
                then = loop.time()
            trade_time = self._trade_time()
            if trade_time // _DAY_S != today:
                today = trade_time // _DAY_S
                market.new_day()

            rate, now = self._rate, loop.time()
            if rate is None:
                await self._send(*market.take(_PORTION, trade_time))
                clock, then = market.next_time, loop.time()  # a pace set later counts from here
                await asyncio.sleep(0)
                continue
            clock = min(clock + (now - then) * rate, market.next_time + _CATCH_UP_S * rate)
            then = now
            due = min(market.due(clock), _PORTION)
            if due:
                await self._send(*market.take(due, trade_time))
            behind = due == _PORTION
            wait = (market.next_time - clock) / rate
            await asyncio.sleep(0 if behind else min(max(wait, _SLICE_S), _LOOK_S))

    async def _send(self, packets: Packets, shares: npt.NDArray[np.int64]) -> None:
        """Give every subscriber that keeps up its part, waiting until at least one does."""
        while subscribers := [client for client in self._clients if client.subscribed]:
            writable = [client for client in subscribers if not client.connection.paused]
            if writable:
                for client in writable:
                    self.sent += client.write_part(packets, shares)
                self.skipped += len(subscribers) - len(writable)
                return
            self._changed.clear()
            waits = [asyncio.ensure_future(client.connection.drain()) for client in subscribers]
            news = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait([*waits, news], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in (*waits, news):
                    wait.cancel()
                # A client that left meanwhile ends its wait with an error, which says nothing new.
                await asyncio.gather(*waits, news, return_exceptions=True)

    # --- clients

    async def _client(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        name, token = query.get("clientId", [""])[0], query.get("token", [""])[0]
        client = Client(connection, name, len(self._market.listing))
        refusal = self._refusal(name, token)
        if refusal is not None:
            await self._goodbye(client, refusal)
            return
        same = [other for other in self._clients if other.name == name]
        self._clients.append(client)
        if name and len(same) >= _CONNECTIONS:
            self._later(self._goodbye(same[0], 805))
        try:
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    await self._request(client, message)
        finally:
            if client in self._clients:
                self._clients.remove(client)
                self._count_subscribers()

    def _refusal(self, name: str, token: str) -> int | None:
        if token in self._expired:
            return 807
        if self._tokens is None:
            return None
        right = self._tokens.get(name)
        if right is None or not hmac.compare_digest(right.encode(), token.encode()):
            return 808
        return None

    async def _goodbye(self, client: Client, code: int) -> None:
        """Say why, then close; a client that does not take it in is cut off."""
        if client in self._clients:
            self._clients.remove(client)
            self._count_subscribers()
        client.write_reason(code)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await client.connection.close()
        except TimeoutError:
            client.connection.transport.abort()

    def _count_subscribers(self) -> None:
        self._changed.set()
        if any(client.subscribed for client in self._clients):
            self._someone.set()
        else:
            self._someone.clear()

    async def _request(self, client: Client, message: str | bytes) -> None:
        asked = request(message)
        if asked is None:
            self.bad_requests += 1
        elif asked == "close":
            await client.connection.close()
        elif (which := client.change(asked, self._places)) is None:
            await self._goodbye(client, 804)
        else:
            if asked.subscribe:
                self._welcome(client, which, asked.mode)
            self._count_subscribers()

    def _welcome(self, client: Client, which: npt.NDArray[np.int64], mode: str) -> None:
        """Send the previous close and the newest values of what was just subscribed."""
        newest = self._market.snapshot(which)
        newest["ltt"][newest["ltt"] == 0] = self._trade_time()  # the opening auction is now
        self.sent += client.write(self._market.previous_closes(which))
        self.sent += client.write(newest, mode)


def run(
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    rate: float | None = 250.0,
    seed: int = 7,
    on_ready: Callable[[SimulatedExchange], object] | None = None,
    until: threading.Event | None = None,
) -> None:
    """Run the exchange until interrupted, or until `until` is set.

    Parameters
    ----------
    host, port, rate, seed
        As for `SimulatedExchange`.
    on_ready : callable, optional
        Called with the exchange once clients can connect.
    until : threading.Event, optional
        Ends it from another thread.
    """
    with SimulatedExchange(seed, rate=rate, host=host, port=port) as exchange:
        if on_ready is not None:
            on_ready(exchange)
        with contextlib.suppress(KeyboardInterrupt):
            (until or threading.Event()).wait()
