"""The market, live: the `Stream` a user holds, and the call that makes it.

Running the cell that made a stream again gives the same one back; the interpreter's end stops it.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ltpkit import feeds, settings
from ltpkit.connection import Policy
from ltpkit.errors import LoginRefused, SettingError, StoreError
from ltpkit.held import Held
from ltpkit.instruments import Instrument, Instruments
from ltpkit.recording import Recorder
from ltpkit.store import Store
from ltpkit.streamer import Streamer

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ltpkit.simulator import SimulatedExchange

__all__ = ["Stream", "store_being_written", "stream"]

_FIRST_TICK_S: Final = 2.0  # how long `stream` waits for the first tick before it returns all the same


class Stream(Held):
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
        if self._exchange is not None:
            self._exchange.start()
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
    rate: float = 500.0,
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


def _forget(live: Stream) -> None:
    with _streams_lock:
        for key in [key for key, one in _streams.items() if one is live]:
            del _streams[key]


def store_being_written(path: Path) -> Store | None:
    """Return the store of the stream in this process that writes this file, if there is one."""
    for key, live in tuple(_streams.items()):
        if key[3] == str(path.resolve()):
            return live._store
    return None


def _stop_all() -> None:
    """Stop what still runs when the interpreter ends, so that nothing received is lost."""
    for live in tuple(_streams.values()):
        live.stop()


atexit.register(_stop_all)
