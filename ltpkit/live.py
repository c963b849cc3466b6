"""The objects a user holds: a live stream, a replay, an opened store; and the calls that make them.

A `Stream` puts the parts together (feed, rings, flush worker, feed thread) and answers the reading
methods over memory and store as one. Running the cell that made it again gives the same one back.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from ltpkit import feeds, settings
from ltpkit.book import Books
from ltpkit.connection import Policy
from ltpkit.errors import LoginRefused, RecordingError, SettingError, StoreError, StreamStopped
from ltpkit.flush import FlushWorker
from ltpkit.frames import Frames, Name, Table
from ltpkit.instruments import Instrument, Instruments
from ltpkit.intake import Intake
from ltpkit.recording import Recorder, Recording
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.schema import code_of
from ltpkit.status import Status
from ltpkit.store import Store
from ltpkit.streamer import Streamer

if TYPE_CHECKING:
    import polars as pl
    from pydantic import SecretStr

    from ltpkit.simulator import SimulatedExchange

__all__ = ["Archive", "Replay", "Stream", "open_store", "replay", "stream"]

_FIRST_TICK_S: Final = 2.0  # how long `stream` waits for the first tick before it returns all the same


class _Held(Frames):
    """Rows in rings, with or without a store behind them: what a stream and a replay share."""

    def __init__(
        self,
        feed: feeds.Feed,
        instruments: Instruments,
        *,
        store: str | Path | None,
        chosen: settings.Settings,
        capacity_rows: int | None,
        depth_capacity_rows: int | None,
    ) -> None:
        self._feed, self._instruments, self._settings = feed, instruments, chosen
        self._store_path = None if store is None else Path(store)
        self._store: Store | None = Store(self._store_path)
        self._already_stored = self._store.rows("ticks")
        positions = self._store.positions()
        self._first_seq = positions["ticks"] + 1
        self._prices_before = self._last_prices() if self._already_stored else {}
        self._events = EventLog(first_seq=positions["events"] + 1)
        self._ring = TickRing(
            instruments,
            capacity_rows=capacity_rows,
            first_seq=self._first_seq,
            on_loss=self._rows_lost,
        )
        self._depth_ring = DepthRing(
            instruments, capacity_rows=depth_capacity_rows, first_seq=positions["depth"] + 1
        )
        self._intake = Intake(
            feed,
            instruments,
            self._ring,
            self._depth_ring,
            self._events,
            Books(levels=chosen.depth_levels),
            appended=self._nudge,
        )
        self._flusher: FlushWorker | None = None
        self._recorder: Recorder | None = None
        self._streamer: Streamer
        self._store_error: Exception | None = None

    def _last_prices(self) -> dict[str, float]:
        assert self._store is not None
        found = self._store.sql(
            "SELECT exchange || ':' || symbol AS name, ltp FROM latest_ltp WHERE ltp IS NOT NULL"
        )
        return dict(found.iter_rows())

    def _start_flushing(self) -> None:
        if self._store is None:
            self._store = Store(self._store_path)
        self._flusher = FlushWorker(
            self._store,
            self._ring,
            self._depth_ring,
            self._events,
            recorder=self._recorder,
            flush_interval_s=self._settings.flush_interval_s,
            buffer_size=self._settings.buffer_size,
            failed=self._store_failed,
        )
        self._flusher.start()

    def _nudge(self) -> None:
        if self._flusher is not None:
            self._flusher.nudge()

    def _rows_lost(self, first: int, last: int) -> None:
        from ltpkit.gaps import gap

        now = int(datetime.now(UTC).timestamp() * 1e6)
        lost = gap(
            now,
            "memory full before rows were stored",
            missing=last - first + 1,
            first_seq=first,
            last_seq=last,
        )
        self._events.append([lost])

    def _store_failed(self, error: Exception | None) -> None:
        from ltpkit.batch import Event

        self._store_error = error
        kind = "store_works" if error is None else "store_failed"
        detail: dict[str, object] = {} if error is None else {"error": str(error)}
        self._events.append([Event(at=int(datetime.now(UTC).timestamp() * 1e6), kind=kind, detail=detail)])

    def stop(self) -> None:
        """Stop receiving, store what waits, close the files. A second call does nothing.

        What is in memory stays readable; so does an in-memory store. A DuckDB file is let go, for
        other programs to open.
        """
        self._streamer.stop()
        if self._flusher is not None:
            stored = self._flusher.stop()
            self._flusher = None
            if not stored and self._store_error is None:
                self._store_error = StoreError(
                    self._store_path or "the in-memory store",
                    "Rows still waited for the store when it was stopped.",
                )
        if self._recorder is not None:
            self._recorder.close()
        if self._store is not None and self._store_path is not None:
            self._store.close()
            self._store = None

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Have everything received so far stored; return whether it was within the time."""
        return self._flusher is not None and self._flusher.flush(timeout_s)

    def wait(self, *, rows: int = 1, timeout_s: float = 10.0) -> bool:
        """Return True once `rows` ticks more than now were received, False after the time."""
        goal = self._ring.last_seq + rows
        return (
            self._intake.wait_until(
                lambda: self._ring.last_seq >= goal or not self._streamer.running, timeout_s
            )
            and self._ring.last_seq >= goal
        )

    def rejects(self) -> pl.DataFrame:
        """Return the newest frames that could not be decoded, shape (up to 1000, 3).

        Returns
        -------
        polars.DataFrame
            ``received_at, reason, frame`` (the raw bytes), oldest first.
        """
        return self._intake.rejects()

    @property
    def symbols(self) -> list[str]:
        """Subscribed now, as ``EXCHANGE:SYMBOL``."""
        return [one.name for one in self._streamer.subscribed]

    def status(self) -> Status:
        """Return how the stream is doing. Cheap enough to call as often as you like."""
        ring = self._ring
        newest = ring.latest()["received_at"].max() if ring.rows else None
        now = datetime.now(UTC)
        error = self._store_error or self._intake.last_error or self._streamer.error
        return Status(
            state=self._state(),
            feed=f"{self._feed.name}"
            if self._feed.kind in ("live", "spot")
            else f"{self._feed.name} {self._feed.kind}",
            symbols=self.symbols,
            rows_in_memory=ring.rows,
            rows_stored=self._already_stored + ring.stored_seq - self._first_seq + 1,
            received_seq=ring.last_seq,
            stored_seq=ring.stored_seq,
            depth_rows=self._depth_ring.rows,
            rate=self._intake.rate(),
            last_tick_age_s=(now - newest).total_seconds() if isinstance(newest, datetime) else None,
            rejects=self._intake.rejected,
            gaps=self.gaps().height,
            reconnects=self._streamer.reconnects,
            lost_rows=ring.lost_rows + self._depth_ring.lost_rows,
            store="in memory" if self._store_path is None else str(self._store_path),
            recording=None if self._recorder is None else str(self._recorder.path),
            last_error=None if error is None else str(error),
            at=now,
        )

    def _state(self) -> str:
        return self._streamer.state

    # -- what Frames asks for -------------------------------------------------------------

    def _ring_of(self, table: Table) -> TickRing | DepthRing | EventLog:
        return {"ticks": self._ring, "depth": self._depth_ring, "events": self._events}[table]

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        import polars as pl

        ring = self._ring_of(table)
        if names is None or isinstance(ring, EventLog):
            frame = ring.frame()
        elif len(names) == 1:
            frame = ring.pick(*_codes(names[0]))
        else:
            parts = [ring.pick(*_codes(name)) for name in names]
            frame = pl.concat(parts, rechunk=False).unique("seq").sort("seq")
        return frame if last is None else frame.tail(last)

    def _latest(self) -> pl.DataFrame:
        return self._ring.latest()

    def _newest_book(self, name: Name) -> pl.DataFrame:
        return self._depth_ring.newest(*_codes(name))

    def _memory(self) -> dict[str, pl.DataFrame]:
        return {
            "ticks": self._ring.frame(),
            "depth": self._depth_ring.frame(),
            "events": self._events.frame(),
        }

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        return self._open_store().sql(query, params, memory=self._memory(), frames=frames)

    def _scan(self) -> pl.LazyFrame:
        return self._open_store().scan(self._memory)

    def _open_store(self) -> Store:
        if self._store is None:
            raise StreamStopped(
                f"The stream is stopped and {self._store_path} closed. "
                f"Read it with lk.open({str(self._store_path)!r})."
            )
        return self._store

    def _known(self) -> list[str]:
        return self._instruments.names()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status().line()}>"

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()


def _codes(name: Name) -> tuple[int, int | None]:
    exchange, symbol = name
    return code_of("symbol", symbol), code_of("exchange", exchange) if exchange else None


class Stream(_Held):
    """The market, live in this process. Made by `stream`.

    Everything is asked of this one object: the reading methods of `Frames`, and what follows.
    """

    def __init__(
        self,
        feed: feeds.Feed,
        instruments: Instruments,
        *,
        store: str | Path | None,
        chosen: settings.Settings,
        record: str | Path | None = None,
        exchange: SimulatedExchange | None = None,
    ) -> None:
        super().__init__(
            feed,
            instruments,
            store=store,
            chosen=chosen,
            capacity_rows=chosen.capacity_rows,
            depth_capacity_rows=chosen.depth_capacity_rows,
        )
        self._exchange = exchange
        self._record = record
        self._wanted: list[Instrument] = []

    def start(self, symbols: Iterable[str] = ()) -> None:
        """Start, or start again after `stop`, with the symbols subscribed before and these.

        Raises
        ------
        UnknownInstrument
            The feed does not know a symbol; nothing is started.
        PlanError
            More symbols than the broker's limits allow.
        """
        if self._running():
            self.subscribe(list(symbols))
            return
        self._wanted = list({one.name: one for one in (*self._wanted, *self._resolve(symbols))}.values())
        if self._record is not None and self._recorder is None:
            self._recorder = Recorder(self._record, feed=self._feed.name, kind=self._feed.kind)
        limits, chosen = self._feed.limits, self._settings
        policy = Policy(
            attempts=chosen.reconnect_attempts,
            heartbeat_s=chosen.heartbeat_interval_s,
            silence_s=limits.silence_s,
            gather_s=chosen.gather_s,
            messages_per_second=limits.messages_per_second,
        )
        self._streamer = Streamer(self._intake, policy, recorder=self._recorder)
        self._start_flushing()
        self._streamer.start(self._wanted)

    def stop(self) -> None:  # noqa: D102 - as in the base
        self._wanted = self._streamer.subscribed or self._wanted
        super().stop()
        if self._exchange is not None:
            self._exchange.stop()
        _forget(self)

    def subscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols too.

        Raises
        ------
        UnknownInstrument
            The feed does not know one; the close matches are named and nothing is changed.
        PlanError
            The broker's limits leave no room; nothing is changed.
        StreamStopped
            The stream is not running.
        """
        self._streamer.subscribe(self._resolve([symbols] if isinstance(symbols, str) else symbols))

    def unsubscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols no more; their rows stay.

        Raises
        ------
        UnknownInstrument
            One was never subscribed.
        StreamStopped
            The stream is not running.
        """
        names = self._names([symbols] if isinstance(symbols, str) else list(symbols)) or []
        gone = [
            one
            for one in self._streamer.subscribed
            if ("", one.symbol) in names or (one.exchange, one.symbol) in names
        ]
        self._streamer.unsubscribe(gone)

    def drain(self, timeout_s: float = 10.0) -> bool:
        """Have everything received so far stored; return whether it was within the time."""
        return self.flush(timeout_s)

    def _abandon(self) -> None:
        """Let go of everything after a start that failed."""
        if hasattr(self, "_streamer"):
            self.stop()
            return
        if self._recorder is not None:
            self._recorder.close()
        if self._store is not None:
            self._store.close()
        if self._exchange is not None:
            self._exchange.stop()

    def _resolve(self, symbols: Iterable[str]) -> list[Instrument]:
        found = [self._feed.resolve(symbol) for symbol in symbols]
        most = self._settings.max_symbols
        if most is not None and len({one.name for one in (*self._wanted, *found)}) > most:
            raise SettingError(f"{len(found)} symbols were asked for and MAX_CONCURRENT_SYMBOLS is {most}.")
        for one in found:
            self._instruments.add(one)
            if one.name in self._prices_before:
                self._ring.seed(one.name, self._prices_before.pop(one.name))
        return found

    def _running(self) -> bool:
        return getattr(self, "_streamer", None) is not None and self._streamer.running

    def _now(self) -> datetime:
        return datetime.now(UTC)


class Replay(_Held):
    """A recording, played through the same decoder into the same rings. Made by `replay`."""

    def __init__(
        self, recording: Recording, feed: feeds.Feed, instruments: Instruments, chosen: settings.Settings
    ) -> None:
        super().__init__(
            feed, instruments, store=None, chosen=chosen, capacity_rows=None, depth_capacity_rows=None
        )
        self._recording = recording
        self._streamer = Streamer(self._intake, Policy())

    def _play(self, speed: float) -> None:
        self._start_flushing()
        self._streamer.play(self._recording, speed)

    def drain(self, timeout_s: float | None = None) -> bool:
        """Return True once the whole recording was played, False after the time."""
        return self._streamer.finished.wait(timeout_s)

    @property
    def symbols(self) -> list[str]:
        """What the recording speaks of, as ``EXCHANGE:SYMBOL``."""
        return self._instruments.names()

    def _state(self) -> str:
        if not self._streamer.running:
            return "stopped"
        return "finished" if self._streamer.finished.is_set() else "playing"


class Archive(Frames):
    """A DuckDB store, opened to read. Made by `open`. The same reading methods as a stream.

    Raises
    ------
    StreamStopped
        It was closed.
    """

    def __init__(self, store: Store, *, shared: bool) -> None:
        self._store, self._shared = store, shared

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        return self._store.read(table, symbols=names, last=last)

    def _latest(self) -> pl.DataFrame:
        return self._store.latest()

    def _newest_book(self, name: Name) -> pl.DataFrame:
        return self._store.read("depth", symbols=[name], last=1)

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        return self._store.sql(query, params, frames=frames)

    def _scan(self) -> pl.LazyFrame:
        return self._store.scan()

    def _known(self) -> list[str]:
        return self._store.names()

    def export(self, directory: str | Path) -> list[Path]:
        """Write the ticks as Parquet files partitioned by date; return their paths."""
        return self._store.export(directory)

    def close(self) -> None:
        """Let the file go. A second call does nothing."""
        if not self._shared:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Archive {self._store.path}: {self._store.rows('ticks'):,} ticks>"


# -- the calls --------------------------------------------------------------------------------

_Key = tuple[str, str, str, str, str]
_streams: dict[_Key, Stream] = {}
_streams_lock = threading.RLock()


def stream(
    symbols: str | Iterable[str],
    *,
    feed: str = "simulated",
    kind: str | None = None,
    url: str | None = None,
    rest_url: str | None = None,
    store: str | Path | None = None,
    token: str | SecretStr | None = None,
    client_id: str | SecretStr | None = None,
    record: bool | str | Path = False,
    name: str = "",
    rate: float = 50.0,
    seed: int = 7,
    **options: Any,
) -> Stream:
    """Start streaming and return the live object; with the same arguments again, the same one.

    Parameters
    ----------
    symbols : str or iterable of str
        ``"NSE:RELIANCE"``, or ``"RELIANCE"`` where the feed knows which exchange is meant. Called
        again for a running stream, its symbols are added to what it has.
    feed : str
        ``"simulated"`` (the built-in exchange, needs no account), ``"dhan"``, ``"binance"``, ….
    kind : str, optional
        Which of the broker's streams: ``"usdm"`` for Binance's USD-M futures.
    url, rest_url : str, optional
        Base addresses in place of the feed's own: a test server, a proxy.
    store : path, optional
        DuckDB file for the history; without one history lives in memory, as the status card says.
    token, client_id : str or SecretStr, optional
        Credentials; by default from the environment or ``.env``. Never shown.
    record : bool or path
        Keep the raw frames too; True names the file after feed and time.
    name : str
        Tells two streams of the same feed apart.
    rate, seed : float, int
        Of the simulated market: ticks per second, and which market it is.
    **options
        The feed's own: ``mode="quote"`` for Dhan; or a setting of `settings.Settings`:
        ``capacity_rows``, ``flush_interval_s``, ``buffer_size``, ``depth_levels``, ….

    Returns
    -------
    Stream
        It returns when the first tick is there, or after two seconds without one.

    Raises
    ------
    UnknownFeed, UnknownInstrument, SettingError, PlanError
        What was asked for cannot be had; nothing was started.
    LoginRefused
        The broker refused at once, in its own words.
    StoreLocked, NotAStore, StoreTooNew, StoreError
        The file cannot be used.
    """
    asked = [symbols] if isinstance(symbols, str) else list(symbols)
    known_settings = settings.Settings.model_fields
    chosen = settings.load(**{key: options.pop(key) for key in list(options) if key in known_settings})
    place = "" if store is None else str(Path(store).resolve())
    key: _Key = (feed, kind or "", url or "", place, name)
    with _streams_lock:
        running = _streams.get(key)
        if running is not None and running._running():
            running.subscribe(asked)
            return running
        taken = [other for other in _streams if place and other[3] == place]
        if taken:
            raise StoreError(place, f"{place} is being written by the {taken[0][0]} stream of this process.")
        live = _make(feed, kind, url, rest_url, store, token, client_id, record, rate, seed, chosen, options)
        try:
            live.start(asked)
        except BaseException:
            live._abandon()
            raise
        _streams[key] = live
    live._intake.wait_until(lambda: live._ring.rows > 0 or live._streamer.state == "refused", _FIRST_TICK_S)
    if live._streamer.state == "refused":
        error = live._streamer.error
        live.stop()
        raise error if error is not None else LoginRefused(feed, None, "no reason was given")
    return live


def _make(
    feed: str,
    kind: str | None,
    url: str | None,
    rest_url: str | None,
    store: str | Path | None,
    token: str | SecretStr | None,
    client_id: str | SecretStr | None,
    record: bool | str | Path,  # noqa: FBT001 - handed on from `stream`, where it is by keyword
    rate: float,
    seed: int,
    chosen: settings.Settings,
    options: Mapping[str, Any],
) -> Stream:
    """Return a stream that is not started yet."""
    exchange: SimulatedExchange | None = None
    asked: dict[str, Any] = {"kind": kind, "url": url, "rest_url": rest_url, **options}
    if feed == "simulated":
        if url is None:
            from ltpkit.simulator import SimulatedExchange

            exchange = SimulatedExchange(seed=seed, rate=rate)
            exchange.start()
            asked["url"] = exchange.url
    else:
        asked["url"] = url if url is not None else chosen.url
        own = chosen.credentials(feed)
        asked["client_id"] = client_id if client_id is not None else own.get("client_id")
        asked["token"] = token if token is not None else own.get("token")
    instruments = Instruments()
    try:
        made = feeds.make(feed, instruments, **{k: v for k, v in asked.items() if v is not None})
        path = _recording_path(feed, store) if record is True else (record or None)
        return Stream(made, instruments, store=store, chosen=chosen, record=path, exchange=exchange)
    except BaseException:
        if exchange is not None:
            exchange.stop()
        raise


def _recording_path(feed: str, store: str | Path | None) -> Path:
    folder = Path() if store is None else Path(store).parent
    return folder / f"{feed}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.parquet"


def replay(
    path: str | Path,
    *,
    speed: float | Literal["max"] = 1.0,
    feed: str | None = None,
    kind: str | None = None,
    **options: Any,
) -> Replay:
    """Play a recording and return an object with the same methods as a live stream.

    Parameters
    ----------
    path : path
        Made with ``record=True``, or a foreign capture: lines of ``recv_ns payload``, or JSON
        lines with ``kind, t, conn`` and ``data`` or ``b64``; also as ``.gz`` and ``.zst``.
    speed : float or "max"
        Times as fast as it was recorded. ``"max"`` plays it at once and returns when that is done;
        the rows are the same every time.
    feed, kind : str, optional
        Whose frames they are, where the file does not say.
    **options
        The feed's own, or a setting, as for `stream`.

    Raises
    ------
    RecordingError
        There is no such file, its format is not known, or its feed must be named.
    """
    factor = float("inf") if speed == "max" else float(speed)
    if not factor > 0:
        raise SettingError(f"speed was {speed!r}: a number above 0, or 'max'.")
    recording = Recording(path)
    feed, kind = feed or recording.feed, kind or recording.kind
    if feed is None:
        raise RecordingError(
            f"{recording.path.name} does not say whose frames it holds. Name the feed: "
            f"lk.replay(…, feed={feeds.names()[0]!r}); feeds: {', '.join(feeds.names())}."
        )
    known_settings = settings.Settings.model_fields
    chosen = settings.load(**{key: options.pop(key) for key in list(options) if key in known_settings})
    if kind is not None:
        options["kind"] = kind
    instruments = Instruments()
    played = Replay(recording, feeds.make(feed, instruments, **options), instruments, chosen)
    played._play(factor)
    if speed == "max":
        played.drain()
        if played._streamer.last_error is not None:
            raise played._streamer.last_error
    return played


def open_store(path: str | Path) -> Archive:
    """Open a DuckDB store to read it, with the same reading methods as a live stream.

    Raises
    ------
    StoreLocked
        Another process is writing it.
    NotAStore, StoreTooNew, StoreError
        The file is no store of ours, too new, or not there.
    """
    place = Path(path)
    for key, live in tuple(_streams.items()):
        if key[3] == str(place.resolve()) and live._store is not None:
            return Archive(live._store, shared=True)
    return Archive(Store(place, read_only=True), shared=False)


def _forget(live: Stream) -> None:
    with _streams_lock:
        for key in [key for key, one in _streams.items() if one is live]:
            del _streams[key]


def _stop_all() -> None:
    """Stop what still runs when the interpreter ends, so that nothing received is lost."""
    for live in tuple(_streams.values()):
        live.stop()


atexit.register(_stop_all)
