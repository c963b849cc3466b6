"""The background thread that joins the parts: connections or a recording in, rows in the rings.

`Streamer` owns the feed thread and its event loop. On it run the broker connections and whatever fetches
whole books, or the playing of a recording; everything they bring goes through one `Intake`. Calls from other
threads reach the loop with a time limit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from ltpkit import gaps, hours, plan, playing
from ltpkit.batch import Event, Received, Ticks
from ltpkit.connection import Connection, Policy, State
from ltpkit.errors import StreamStopped, WrongThread
from ltpkit.feeds import Beating, HeaderLogin
from ltpkit.instrument import Instrument
from ltpkit.intake import Intake
from ltpkit.pulse import Pulse
from ltpkit.recording import Recorder, Recording
from ltpkit.schema import now_us
from ltpkit.sockets import Socket
from ltpkit.turns import short_turns
from ltpkit.whole_books import WholeBooks

__all__ = ["Streamer"]

_T = TypeVar("_T")

_STOP_S: Final = 1.0
_LOAD_S: Final = 0.1  # between two looks at how much waits
_FULL_S: Final = 0.1  # at least, where a full buffer hides how much more waits at the peer


class Streamer:
    """The feed thread.

    Parameters
    ----------
    intake : Intake
    policy : Policy
        How connections wait and try; the feed's own limits are put into it.
    recorder : Recorder, optional
        Keeps the raw frames.
    renew : callable, optional
        Has a good token at hand, another one where its argument says that the last was refused.
    secrets : callable, optional
        Returns the texts to hide in what a server says.
    """

    def __init__(
        self,
        intake: Intake,
        policy: Policy,
        *,
        recorder: Recorder | None = None,
        renew: Callable[[bool], None] | None = None,
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._intake, self._policy, self._recorder = intake, policy, recorder
        self._renew, self._secrets = renew, secrets
        self._pulse = Pulse(self._note)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._held: list[list[Instrument]] = []
        self._connections: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: list[asyncio.Task[None]] = []
        self._down: dict[int, int] = {}  # connection number → µs when its last frame came before it broke
        self._books = WholeBooks(
            intake,
            lines=lambda: zip(self._connections, self._held, strict=False),
            out=self._out,
            note=self._note,
            recorder=recorder,
        )
        self._recorded_instruments = 0
        self.finished = threading.Event()  # a recording was played to its end
        self.last_error: Exception | None = None

    # -- any thread -----------------------------------------------------------------------

    def start(self, instruments: Sequence[Instrument] = ()) -> None:
        """Start the thread and subscribe.

        Raises
        ------
        PlanError
            The broker's limits do not leave room for so many.
        """
        self._held = plan.spread(instruments, [], self._intake.feed.limits)
        self._launch(self._keep_connections)

    def play(self, recording: Recording, speed: float) -> None:
        """Start the thread and play a recording: `speed` times as fast as it came, or at once."""
        self._launch(partial(playing.play, recording, self._intake, speed))

    def subscribe(self, instruments: Iterable[Instrument], *, timeout_s: float = 5.0) -> None:
        """Have these instruments too; only the difference is sent."""
        wanted = {one.name: one for one in (*self.subscribed, *instruments)}
        self._call(self._change(list(wanted.values())), timeout_s)

    def unsubscribe(self, instruments: Iterable[Instrument], *, timeout_s: float = 5.0) -> None:
        """Have these no more."""
        gone = {one.name for one in instruments}
        self._call(self._change([one for one in self.subscribed if one.name not in gone]), timeout_s)

    def append_past(self, ticks: Ticks, source: str, *, timeout_s: float = 10.0) -> None:
        """Append what happened earlier, as a history tells it; the newest values stay as they are."""
        self._call(self._append_past(ticks, source), timeout_s)

    def stop(self) -> None:
        """End the thread. A second call does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or threading.current_thread() is thread:
            return
        if loop is not None and self._stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop.set)
        thread.join(_STOP_S + 0.5)
        self._thread = None

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def started(self) -> bool:
        """Whether it was started and not stopped since; its thread may have ended with an error."""
        return self._thread is not None

    @property
    def subscribed(self) -> list[Instrument]:
        """What is wanted now, over all connections."""
        return [one for held in self._held for one in held]

    @property
    def state(self) -> State:
        """The state of the connections, the worst of them first."""
        if not self.running:
            return "refused" if any(c.state == "refused" for c in self._connections) else "stopped"
        states = {connection.state for connection in self._connections}
        worst: tuple[State, ...] = ("refused", "stopped", "backing_off", "connecting", "stale")
        return next((state for state in worst if state in states), "live")

    @property
    def reconnects(self) -> int:
        """Times a connection was opened again."""
        return sum(max(0, connection.opened - 1) for connection in self._connections)

    @property
    def error(self) -> Exception | None:
        """The newest error of the thread or of a connection that is not live."""
        if self.last_error is not None:
            return self.last_error
        found = [c.last_error for c in self._connections if c.state != "live" and c.last_error]
        return found[-1] if found else None

    @property
    def longest_pause_s(self) -> float:
        """The longest time the feed thread was held up; 0 while none was longer than half a second."""
        return self._pulse.longest_pause_s

    def _call(self, job: Coroutine[Any, Any, _T], timeout_s: float) -> _T:
        if self._loop is None or not self.running:
            job.close()
            raise StreamStopped("The stream is stopped. Its start() goes on with it.")
        if threading.current_thread() is self._thread:
            job.close()
            raise WrongThread("This call waits for the feed thread and was made on it; it would never end.")
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(timeout_s)

    def _launch(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._ready.clear()
        self.finished.clear()
        self._thread = threading.Thread(target=self._run, args=(job,), name="ltpkit-feed", daemon=True)
        self._thread.start()
        self._ready.wait(5)

    # -- the feed thread ------------------------------------------------------------------

    def _run(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            with short_turns():
                asyncio.run(self._main(job))
        except Exception as error:  # noqa: BLE001 - shown where people look: the status
            self.last_error = error
            self._note(Event(at=now_us(), kind="error", detail={"error": f"{type(error).__name__}: {error}"}))
        finally:
            self._ready.set()
            self.finished.set()
            self._intake.tell()

    async def _main(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(self._failed)
        self._record_instruments()
        working = asyncio.ensure_future(job())
        self._ready.set()
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()  # an error in our own code surfaces here
            self._intake.settle()
        self.finished.set()
        self._intake.tell()
        await stopping
        ending = [working, *self._lines, *self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.wait(ending, timeout=_STOP_S)
        self._intake.settle()
        for number in tuple(self._down):  # what is down when stopped was missed just as well
            self._lost(number)
        await self._books.close()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self.last_error = error
        self._note(Event(at=now_us(), kind="error", detail={"error": str(error or context.get("message"))}))

    async def _keep_connections(self) -> None:
        self._beside(self._pulse.run())
        self._beside(self._watch_load())
        for number in range(len(self._held)):
            self._open(number)

    async def _watch_load(self) -> None:
        load, clock = self._intake.overload, asyncio.get_running_loop().time
        while True:
            before, received = clock(), self._received_bytes()
            await asyncio.sleep(_LOAD_S)
            now = clock()
            load.beat(self._lag_s((self._received_bytes() - received) / (now - before)), now, now_us())

    def _sockets(self) -> list[Socket]:
        return [one.socket for one in self._connections if one.socket is not None]

    def _received_bytes(self) -> int:
        return sum(line.received_bytes for line in self._sockets())

    def _lag_s(self, bytes_per_second: float) -> float:
        """Return how many seconds' worth of what comes waits to be read."""
        backlogs = [line.backlog() for line in self._sockets()]
        waiting = sum(waiting for waiting, _ in backlogs)
        lag_s = waiting / bytes_per_second if bytes_per_second else 0.0
        return max(lag_s, _FULL_S) if any(full for _, full in backlogs) else lag_s

    def _open(self, number: int) -> None:
        feed = self._intake.feed
        connection = Connection(
            name=feed.name,
            address=feed.address,
            greet=lambda: [*feed.login(), *self._out(self._subscribing(self._held[number]))],
            deliver=partial(self._deliver, number),
            judge=feed.closed,
            note=partial(self._connection_event, number),
            policy=self._policy,
            headers=feed.headers if isinstance(feed, HeaderLogin) else None,
            keep_alive=feed.keep_alive() if isinstance(feed, Beating) else None,
            trading=partial(self._trading, number),
            renew=self._renew,
            secrets=self._secrets,
        )
        self._connections.append(connection)
        line = asyncio.ensure_future(connection.run())
        line.add_done_callback(self._line_ended)
        self._lines.append(line)

    def _subscribing(self, instruments: Sequence[Instrument]) -> Sequence[str | bytes]:
        """Return what subscribes these, whose first rows may then say again what is known."""
        known = self._intake.instruments
        numbers = (known.number(one.name) for one in instruments)
        self._intake.flags.subscribed(number for number in numbers if number is not None)
        return self._intake.feed.subscribe(instruments)

    def _trading(self, number: int) -> bool:
        """Return whether rows are to be expected on a connection now."""
        held, limits = self._held[number], self._intake.feed.limits
        if limits.hours == "always":
            return bool(held)
        return hours.trading({one.exchange for one in held}, datetime.now(UTC))

    def _line_ended(self, line: asyncio.Task[None]) -> None:
        # A line ends by itself when it is refused, which it says; an exception is an error of ours or
        # of the feed, and nobody waits for the task to hear of it.
        if not line.cancelled() and line.exception() is not None:
            self._failed(line.get_loop(), {"exception": line.exception()})

    async def _change(self, wanted: Sequence[Instrument]) -> None:
        feed, before = self._intake.feed, self._held
        after = plan.spread(wanted, before, feed.limits)
        self._held = after
        self._record_instruments()
        for number, held in enumerate(after):
            if number >= len(self._connections):
                self._open(number)
                continue
            old, new = {one.name for one in before[number]}, {one.name for one in held}
            gone = [one for one in before[number] if one.name not in new]
            come = [one for one in held if one.name not in old]
            for one in gone:
                known = self._intake.instruments.number(one.name)
                if known is not None:
                    self._intake.books.forget(known)
            messages = [
                *(feed.unsubscribe(gone) if gone else ()),
                *(self._subscribing(come) if come else ()),
            ]
            if messages and self._connections[number].open:
                # Not waited for: a broker that takes five messages a second, or none, is no reason to
                # hold up the caller. Sends keep their order; a line that ends drops them.
                self._beside(self._connections[number].send(self._out(messages)))

    async def _append_past(self, ticks: Ticks, source: str) -> None:
        self._intake.append_past(ticks, source)

    def _beside(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _deliver(self, number: int, frames: list[bytes], received_at: Received) -> bool:
        if self._recorder is not None:
            self._recorder.add(frames, received_at, connection=number)
        batch = self._intake.take(frames, received_at)
        rows = batch.ticks is not None or batch.depth is not None or bool(batch.book_updates)
        if rows and number in self._down:
            self._lost(number)
        for job in self._books.jobs():
            self._beside(job)
        if batch.goodbye is not None:
            self._connections[number].take_leave(batch.goodbye)
        self._record_instruments()
        return rows

    def _lost(self, number: int) -> None:
        """Record the gap of a connection that was down until now."""
        start, at = self._down.pop(number), now_us()
        names = [one.name for one in self._held[number]]
        # The clock may have been set back meanwhile.
        self._note(gaps.gap(at, "connection lost", start=start, end=max(start, at), symbols=names))

    def _connection_event(self, number: int, event: Event) -> None:
        if event.kind == "disconnected" and number < len(self._connections):
            seen = self._connections[number].sure_until
            if seen is not None:
                self._down.setdefault(number, seen)
            numbers = (self._intake.instruments.number(one.name) for one in self._held[number])
            self._intake.books.disconnected([one for one in numbers if one is not None])
        event.detail = {"connection": number, **event.detail}
        self._note(event)

    def _note(self, event: Event) -> None:
        self._intake.events.append([event])
        self._intake.tell()

    def _out(self, messages: Sequence[str | bytes]) -> Sequence[str | bytes]:
        """Return the messages, kept in the recording on the way. Log-in messages never come here."""
        if self._recorder is not None and messages:
            raw = [one.encode() if isinstance(one, str) else one for one in messages]
            self._recorder.add(raw, now_us(), direction="out")
        return messages

    def _record_instruments(self) -> None:
        known = self._intake.instruments
        if self._recorder is not None and len(known) > self._recorded_instruments:
            new = [known[number] for number in range(self._recorded_instruments, len(known))]
            self._recorder.add_instruments(new, now_us())
            self._recorded_instruments = len(known)
