"""The market, live: the `Stream` a user holds, and the call that makes it.

Running the cell that made a stream again gives the same one back; the interpreter's end stops it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ltpkit import credentials, feeds, settings
from ltpkit.backfill import Backfiller, Hook
from ltpkit.batch import Ticks
from ltpkit.connection import Policy
from ltpkit.ending import before_exit, end_at_sigterm, in_forks
from ltpkit.errors import (
    LoginRefused,
    SettingError,
    StoreError,
    StreamStopped,
    TooManySymbols,
    UnknownInstrument,
)
from ltpkit.feeds.common.history import Historical, History
from ltpkit.gaps import gap
from ltpkit.held import Held, check_days
from ltpkit.instrument import Instrument, Instruments
from ltpkit.recording import Recorder
from ltpkit.schema import BACKFILL, now_us
from ltpkit.store import Store
from ltpkit.streamer import Streamer

if TYPE_CHECKING:
    import polars as pl
    from pydantic import SecretStr

    from ltpkit.api import Server
    from ltpkit.masters import Listing
    from ltpkit.simulator import SimulatedExchange
    from ltpkit.views.controls import Controls

__all__ = ["Stream", "store_being_written", "stream"]

#: Options of feeds that are never shown.
_LOGINS: Final = ("api_key", "api_secret", "feed_token", "jwt")

_MOST_WAITING_ROWS: Final = 50_000

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
        listing: Listing | None = None,
        keep_days: int | None = None,
        logins: Iterable[object] = (),
        backfill: bool | Hook = False,
    ) -> None:
        _check_history(feed, backfill)
        self._logins = tuple(logins)
        super().__init__(
            feed,
            instruments,
            store=store,
            chosen=chosen,
            capacity_rows=chosen.capacity_rows,
            depth_capacity_rows=chosen.depth_capacity_rows,
            keep_days=keep_days,
        )
        self._exchange = exchange
        self._listing = listing
        self._record = record
        self._wanted: list[Instrument] = []
        self._own: set[str] = set()  # what the user asked for, and
        self._lent: Counter[str] = Counter()  # how often each was asked for through `hold`
        self._choosing = threading.RLock()
        self._server: Server | None = None
        self._stopped_at: int | None = None  # µs UTC
        self._fills_gaps = backfill is not False
        self._backfiller = Backfiller(
            _history(feed),
            None if isinstance(backfill, bool) else backfill,
            instruments=instruments,
            sql=self.sql,
            append=self._append_past,
            note=lambda event: self._events.append([event]),
            secrets=partial(credentials.secret_values, self._logins),
        )

    def _hidden(self, text: str) -> str:
        return credentials.hidden(text, credentials.secret_values(self._logins))

    def start(self, symbols: Iterable[str] = ()) -> None:
        """Start, or start again after `stop`, with the symbols subscribed before and these.

        Raises
        ------
        UnknownInstrument
            The feed does not know a symbol; nothing is started.
        PlanError
            More symbols than the broker's limits allow.
        SettingError
            The feed has no address to connect to: credentials are missing, or `url` is none.
        """
        self._check_process()
        if self._running():
            self.subscribe(list(symbols))
            return
        self._feed.address()  # refused here, where it is read, and not in the feed thread
        found = self._resolve(symbols)
        self._own.update(one.name for one in found)
        self._wanted = list({one.name: one for one in (*self._wanted, *found)}.values())
        if self._exchange is not None:
            self._exchange.start()
        if self._record is not None and self._recorder is None:
            self._recorder = Recorder(self._record, feed=self._feed.name, kind=self._feed.kind)
        limits, chosen = self._feed.limits, self._settings
        policy = Policy(
            attempts=chosen.reconnect_attempts,
            heartbeat_s=chosen.heartbeat_interval_s,
            silence_s=limits.silence_s,
            life=limits.life,
            gather_s=chosen.gather_s,
            messages_per_second=limits.messages_per_second,
        )
        asked = [one for one in self._logins if isinstance(one, credentials.AskedToken)]
        self._streamer = Streamer(
            self._intake,
            policy,
            recorder=self._recorder,
            renew=partial(_renew, asked) if asked else None,
            secrets=partial(credentials.secret_values, self._logins),
        )
        self._start_flushing()
        if self._stopped_at is not None:
            at, names = now_us(), [one.name for one in self._wanted]
            self._events.append([gap(at, "stopped", start=self._stopped_at, end=at, symbols=names)])
            self._stopped_at = None
        self._streamer.start(self._wanted)
        if self._fills_gaps:
            self._backfiller.start(lambda: self._events.last_seq, since=now_us())

    def stop(self) -> None:  # noqa: D102 - as in the base
        if os.getpid() != self._pid:
            return
        if self._server is not None:
            self._server.stop()
        self._backfiller.stop()
        if self._streamer.started:
            self._wanted = self._streamer.subscribed
        if self._streamer.running:
            self._stopped_at = now_us()
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
        self._check_process()
        with self._choosing:
            found = self._resolve([symbols] if isinstance(symbols, str) else symbols)
            self._streamer.subscribe(found)
            self._own.update(one.name for one in found)

    def unsubscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols no more; their rows stay, and so do symbols that a service's clients hold.

        Raises
        ------
        UnknownInstrument
            One was never subscribed.
        StreamStopped
            The stream is not running.
        """
        self._check_process()
        try:
            names = self._names([symbols] if isinstance(symbols, str) else list(symbols)) or []
        except UnknownInstrument as error:
            raise UnknownInstrument(error.symbol, error.where, self.symbols) from None
        with self._choosing:
            gone = [
                one
                for one in self._streamer.subscribed
                if ("", one.symbol) in names or (one.exchange, one.symbol) in names
            ]
            self._streamer.unsubscribe([one for one in gone if not self._lent[one.name]])
            self._own.difference_update(one.name for one in gone)

    def hold(self, symbols: Iterable[str]) -> list[str]:
        """Have these symbols for somebody else, until `release`; return them as ``EXCHANGE:SYMBOL``.

        Each call counts: a symbol leaves when it was released as often as held and is none of the user's own.

        Raises
        ------
        UnknownInstrument, TooManySymbols, PlanError, StreamStopped
            As of `subscribe`; nothing is held then.
        """
        self._check_process()
        with self._choosing:
            found = {one.name: one for one in self._resolve(symbols)}
            if new := [one for name, one in found.items() if name not in self.symbols]:
                self._streamer.subscribe(new)
            self._lent.update(found.keys())
        return list(found)

    def release(self, names: Iterable[str]) -> None:
        """Let go of what `hold` returned, once each."""
        with self._choosing:
            self._lent.subtract(names)
            self._lent = +self._lent
            gone = {name for name in names if not self._lent[name] and name not in self._own}
            if self._running():
                self._streamer.unsubscribe([one for one in self._streamer.subscribed if one.name in gone])
            else:
                self._wanted = [one for one in self._wanted if one.name not in gone]

    def backfill(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        symbols: str | Iterable[str] | None = None,
    ) -> pl.DataFrame:
        """Fill gaps from the broker's history, and wait for it.

        Parameters
        ----------
        since, until : datetime, optional
            With a time zone. Gaps between these times, and what was traded from `since` to the first tick
            of each symbol after it. By default the gaps noticed in the last 24 hours.
        symbols : str or iterable of str, optional
            Only these. By default all that are subscribed.

        Returns
        -------
        polars.DataFrame, shape (gaps × symbols, 6)
            ``gap`` (its `seq` in `gaps`, null for what was before the first tick), ``symbol``, ``start``,
            ``end``, ``rows`` that came, and the ``error`` where none could be had.

        Raises
        ------
        SettingError
            The feed has no history (Binance, Dhan and Kite have), or a time has no zone.
        UnknownInstrument
            A symbol was never subscribed.
        StreamStopped
            The stream is not running.

        Notes
        -----
        The rows are ticks like others: with `source` ``"backfill"``, a `seq` of their own and the exchange's
        time in `timestamp`. They have no `change`, and `latest` does not look at them. From Binance they
        are trades (USD-M: trades of one taker at one price added up); from Dhan and Kite the open, high, low
        and close of each minute, with the day's running `volume` on its last row. What was filled once is
        not filled again.
        """
        if not self._running():
            raise StreamStopped(
                "The stream is stopped; only a running one can be filled. Its start() goes on with it."
            )
        names = (
            None if symbols is None else self._names([symbols] if isinstance(symbols, str) else list(symbols))
        )
        wanted = [
            one
            for one in self._streamer.subscribed
            if names is None or ("", one.symbol) in names or (one.exchange, one.symbol) in names
        ]
        return self._backfiller.fill(_in_us("since", since), _in_us("until", until), wanted)

    def _append_past(self, ticks: Ticks) -> None:
        self._streamer.append_past(ticks, BACKFILL)
        if self._flusher is not None and self._flusher.waiting_rows > _MOST_WAITING_ROWS:
            self.flush()  # a long history must not fill the memory faster than it can be stored

    def serve(self, *, host: str | None = None, port: int | None = None) -> Server:
        """Let other programs have this stream, over REST and WebSockets; return where.

        It has a thread of its own and ends with the stream. The same cell run again returns the same server.

        Parameters
        ----------
        host, port : str, int, optional
            Where to listen; port 0 takes any free one. By default ``SERVICE_HOST`` and ``SERVICE_PORT``,
            else ``127.0.0.1:8001``, which only this machine reaches.

        Returns
        -------
        Server
            With ``url`` and ``stop()``; the API's own page is at ``/docs``.

        Raises
        ------
        AddressTaken
            Something else listens there.
        SettingError
            Other machines would reach it and ``LTPKIT_API_TOKEN`` is not set; or the packages of
            ``ltpkit[server]`` are not installed.
        """
        try:
            from ltpkit.api import Server
            from ltpkit.service import RealTimeSyncService
        except ImportError as error:
            raise SettingError("Serving needs more packages: pip install 'ltpkit[server]'") from error
        server, before = Server(RealTimeSyncService(self), host=host, port=port), self._server
        if before is not None and before.running:
            if before.asked == server.asked:
                return before
            before.stop()
        self._server = server.start()
        return server

    def reconnect(self) -> None:
        """Leave the broker and connect anew, also after a refusal; what is subscribed stays.

        Raises
        ------
        SettingError
            The feed has no address to connect to.
        """
        self.stop()
        self.start()

    def search(self, text: str, *, limit: int = 20) -> list[str]:
        """Return the ``EXCHANGE:SYMBOL`` that `text` may mean and that can be subscribed, best first.

        Raises
        ------
        ConnectionFailed
            The broker's list of instruments could not be had.
        """
        sought = text.strip().casefold()
        offered = self._feed.offers() if isinstance(self._feed, feeds.Offering) else ()
        known = dict.fromkeys([*self._known(), *offered])
        near = [name for name in known if sought in name.casefold()]
        near.sort(key=lambda name: (not name.partition(":")[2].casefold().startswith(sought), name))
        listed = [] if self._listing is None else self._listing.search(text, limit=limit)
        return list(dict.fromkeys([*near, *listed]))[:limit]

    def controls(self, *, palette: str = "classic") -> Controls:
        """Return the stream's controls: a symbol picker, what is subscribed, start, stop, reconnect.

        Parameters
        ----------
        palette : str
            ``"classic"`` for green and red, ``"safe"`` for blue and orange.
        """
        from ltpkit.views.controls import Controls

        return self._drawn(Controls, palette=palette)

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
        found = [self._resolve_one(symbol) for symbol in symbols]
        most = self._settings.max_symbols
        held = self._streamer.subscribed if self._running() else self._wanted
        if most is not None and len({one.name for one in (*held, *found)}) > most:
            raise TooManySymbols(len(found), len(held), most)
        for one in found:
            self._instruments.add(one)
            if one.name in self._prices_before:
                self._ring.seed(one.name, self._prices_before.pop(one.name))
        return found

    def _resolve_one(self, symbol: str) -> Instrument:
        """Return what `symbol` means to the feed, else to the broker's list, which is read only then."""
        try:
            return self._feed.resolve(symbol)
        except UnknownInstrument:
            if self._listing is None:
                raise
        listed = self._listing.resolve(symbol)
        self._instruments.add(listed)
        return self._feed.resolve(listed.name)  # which may have its own reasons to refuse it

    def _running(self) -> bool:
        return getattr(self, "_streamer", None) is not None and self._streamer.running

    def _now(self) -> datetime:
        return datetime.now(UTC)


def _renew(tokens: Iterable[credentials.AskedToken], refused: bool) -> None:  # noqa: FBT001 - a callback
    for token in tokens:
        token.renew(refused=refused)


def _history(feed: feeds.Feed) -> History | None:
    return feed.history() if isinstance(feed, Historical) else None


def _check_history(feed: feeds.Feed, backfill: bool | Hook) -> None:  # noqa: FBT001 - as it was given
    """Raise `SettingError` where gaps are to be filled from a history that there is not."""
    if backfill is True and _history(feed) is None:
        raise SettingError(
            f"backfill=True: the {feed.name} feed has no history to ask (Binance, Dhan and Kite have). "
            "Give a function in its place, which takes a gap and returns a frame with timestamp and ltp."
        )


def _in_us(name: str, moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise SettingError(f"{name}={moment} has no time zone; give an aware datetime.")
    return round(moment.timestamp() * 1e6)


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream was asked to be. Of the same key there is one at a time."""

    feed: str
    kind: str | None
    url: str | None
    rest_url: str | None
    store: Path | None
    token: SecretStr | credentials.AskedToken | None
    client_id: SecretStr | None
    record: bool | str | Path
    name: str
    rate: float
    seed: int
    keep_days: int | None
    backfill: bool | Hook
    options: dict[str, Any]

    @property
    def key(self) -> tuple[object, ...]:
        return self.feed, self.kind, self.url, self.store, self.name

    def changed(self, other: _Asked) -> list[str]:
        """Return the names of what differs."""
        names = [name for name in self.__struct_fields__ if getattr(self, name) != getattr(other, name)]
        if "options" in names:
            names.remove("options")
            both = {**other.options, **self.options}
            names += [name for name in both if self.options.get(name) != other.options.get(name)]
        return names


_streams: dict[tuple[object, ...], tuple[_Asked, Stream]] = {}
_streams_lock = threading.RLock()


def stream(
    symbols: str | Iterable[str],
    *,
    feed: str = "simulated",
    kind: str | None = None,
    url: str | None = None,
    rest_url: str | None = None,
    store: str | Path | None = None,
    token: str | SecretStr | Callable[[], str | SecretStr] | None = None,
    client_id: str | SecretStr | None = None,
    record: bool | str | Path = False,
    name: str = "",
    rate: float = 500.0,
    seed: int = 7,
    keep_days: int | None = None,
    backfill: bool | Hook = False,
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
        Credentials; by default from the environment, ``.env`` or the system's keyring. Never shown.
        `token` may be a function that returns one: it is asked when the stream starts, when the broker
        refuses the token at hand, and on a new trading day (from 06:00 IST) before connecting again.
    record : bool or path
        Keep the raw frames too; True names the file after feed and time.
    name : str
        Tells two streams of the same feed apart.
    rate, seed : float, int
        Of the simulated market: ticks per second over all its names, and which market it is. Each start
        begins a new day of it, so its `volume` counts from nothing again, also in a store that has more.
    keep_days : int, optional
        Full days of history to keep in the store besides today's (UTC); by default all.
    backfill : bool or callable
        Fill gaps as they end, in a thread of its own: from the broker's history where there is one (Binance,
        Dhan, Kite), or from a function that takes a dict with ``symbol``, ``start``, ``end``, ``why`` and
        ``missing`` and returns a frame with at least ``timestamp`` and ``ltp``. See `Stream.backfill`.
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

    Warns
    -----
    UserWarning
        A stream of this feed, store and name was running with other arguments: it was stopped, and
        its rows in memory stay with the object that held them.
    """
    wanted = [symbols] if isinstance(symbols, str) else list(symbols)
    asked = _Asked(
        feed=feed,
        kind=kind,
        url=url,
        rest_url=rest_url,
        store=None if store is None else Path(store).resolve(),
        token=credentials.secret(token),
        client_id=credentials.secret(client_id),
        record=record,
        name=name,
        rate=rate,
        seed=seed,
        keep_days=keep_days,
        backfill=backfill,
        options={key: credentials.secret(v) if key in _LOGINS else v for key, v in options.items()},
    )
    with _streams_lock:
        before, running = _streams.get(asked.key, (asked, None))
        if running is not None and running._running():
            changed = asked.changed(before)
            if not changed:
                running.subscribe(wanted)
                return running
            wanted = [*running.symbols, *wanted]
            _check(asked, wanted)  # what cannot be had must not cost what is running
            running.stop()
            warnings.warn(
                f"The {feed} stream was running with other arguments ({', '.join(changed)}): it was stopped "
                "and a new one started.",
                stacklevel=2,
            )
        for other, _ in _streams.values():
            if asked.store is not None and other.store == asked.store:
                sentence = f"{asked.store} is being written by the {other.feed} stream of this process."
                raise StoreError(asked.store, sentence)
        live = _make(asked)
        try:
            live.start(wanted)
        except BaseException:
            live._abandon()
            raise
        _streams[asked.key] = asked, live
        end_at_sigterm(wanted=True)
    if wanted:
        live._intake.wait_until(
            lambda: live._ring.rows > 0 or live._depth_ring.rows > 0 or live._streamer.state == "refused",
            _FIRST_TICK_S,
        )
    if live._streamer.state == "refused":
        error = live._streamer.error
        live.stop()
        raise error if error is not None else LoginRefused(feed, None, "no reason was given")
    return live


def _sorted_out(asked: _Asked) -> tuple[settings.Settings, dict[str, Any]]:
    """Return the settings, and what the feed is made with."""
    known = settings.Settings.model_fields
    chosen = settings.load(**{key: value for key, value in asked.options.items() if key in known})
    own = {key: value for key, value in asked.options.items() if key not in known}
    own |= {"kind": asked.kind, "rest_url": asked.rest_url, "url": asked.url}
    own |= {"token": asked.token, "client_id": asked.client_id}
    if asked.feed != "simulated":
        given = [key for key, value in own.items() if value is not None]
        own |= chosen.credentials(asked.feed, given=given, elsewhere=credentials.kept)
        if own["url"] is None:
            own["url"] = chosen.url
    return chosen, {key: value for key, value in own.items() if value is not None}


def _check(asked: _Asked, wanted: Iterable[str]) -> None:
    """Raise what making such a stream would raise, and start nothing."""
    _, own = _sorted_out(asked)
    if asked.feed == "simulated" and asked.url is None:
        from ltpkit.simulator import SimulatedExchange

        SimulatedExchange(seed=asked.seed, rate=asked.rate)
        own["url"] = "ws://127.0.0.1:1/"
    check_days(asked.keep_days)
    feed = feeds.make(asked.feed, Instruments(), **own)
    feed.address()
    _check_history(feed, asked.backfill)
    if "known" in own or _listing(asked.feed) is None:  # else the broker's list decides, later
        for symbol in wanted:
            feed.resolve(symbol)


def _make(asked: _Asked) -> Stream:
    """Return a stream that is not started yet."""
    chosen, own = _sorted_out(asked)
    exchange: SimulatedExchange | None = None
    if asked.feed == "simulated" and asked.url is None:
        from ltpkit.simulator import SimulatedExchange

        exchange = SimulatedExchange(seed=asked.seed, rate=asked.rate)
        exchange.start()
        own["url"] = exchange.url
    instruments = Instruments()
    try:
        made = feeds.make(asked.feed, instruments, **own)
        record = _recording_path(asked.feed, asked.store) if asked.record is True else asked.record or None
        return Stream(
            made,
            instruments,
            store=asked.store,
            chosen=chosen,
            record=record,
            exchange=exchange,
            listing=None if "known" in own else _listing(asked.feed),
            keep_days=asked.keep_days,
            backfill=asked.backfill,
            logins=own.values(),
        )
    except BaseException:
        if exchange is not None:
            exchange.stop()
        raise


def _listing(feed: str) -> Listing | None:
    """Return what knows a broker's symbols, None for a feed that has no public list of them."""
    from ltpkit import masters

    return masters.listing(feed)


def _recording_path(feed: str, store: Path | None) -> Path:
    folder = Path() if store is None else store.parent
    return folder / f"{feed}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.parquet"


def _forget(live: Stream) -> None:
    with _streams_lock:
        for key in [key for key, (_, one) in _streams.items() if one is live]:
            del _streams[key]
        if not _streams:
            end_at_sigterm(wanted=False)


def store_being_written(path: Path) -> Store | None:
    """Return the store of the stream in this process that writes this file, if there is one."""
    for asked, live in tuple(_streams.values()):
        if asked.store == path.resolve():
            return live._store
    return None


def _stop_all() -> None:
    """Stop what still runs when the interpreter ends, so that nothing received is lost."""
    for _, live in tuple(_streams.values()):
        live.stop()


def _begin_without() -> None:
    """Know of no stream in a fork: they are the other process's, and so is what is to be done at its end."""
    global _streams_lock
    _streams_lock = threading.RLock()
    _streams.clear()
    end_at_sigterm(wanted=False)


before_exit(_stop_all)
in_forks(_begin_without)
