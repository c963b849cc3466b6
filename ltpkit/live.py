"""The market, live: the `Stream` a user holds. `ltpkit.running` makes it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ltpkit import credentials, feeds, settings
from ltpkit.backfill import Backfiller, Hook
from ltpkit.batch import Ticks
from ltpkit.connection import Policy
from ltpkit.errors import (
    SettingError,
    StreamStopped,
    TooManySymbols,
    UnknownInstrument,
)
from ltpkit.feeds.common.history import Historical, History
from ltpkit.gaps import gap
from ltpkit.held import Held
from ltpkit.instrument import Instrument, Instruments, symbols_of
from ltpkit.recording import Recorder
from ltpkit.schema import BACKFILL, now_us, us_of
from ltpkit.streamer import Streamer

if TYPE_CHECKING:
    import polars as pl

    from ltpkit.api import Server
    from ltpkit.masters import Listing
    from ltpkit.simulator import SimulatedExchange
    from ltpkit.views.controls import Controls

__all__ = ["Stream", "check_history"]

_MOST_WAITING_ROWS: Final = 50_000


class Stream(Held):
    """The market, live in this process. Made by `ltpkit.stream`.

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
        told: Callable[[Stream, bool], None] | None = None,
    ) -> None:
        check_history(feed, backfill)
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
        self._told = told  # that it runs, or does so no more
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

    def _masked(self, frames: Sequence[bytes]) -> list[bytes]:
        return credentials.masked(frames, credentials.secret_values(self._logins))

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
            self._recorder = Recorder(
                self._record, feed=self._feed.name, kind=self._feed.kind, mask=self._masked
            )
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
        if self._told is not None:
            self._told(self, True)

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
        if self._told is not None:
            self._told(self, False)

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
            found = self._resolve(symbols_of(symbols, least=0))
            self._streamer.subscribe(found)
            self._own.update(one.name for one in found)

    def unsubscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols no more; their rows and last values stay.

        So do symbols that a service's clients hold, until these let go of them.

        Raises
        ------
        UnknownInstrument
            One was never subscribed.
        StreamStopped
            The stream is not running.
        """
        self._check_process()
        wanted = symbols_of(symbols, least=0)
        try:
            names = self._names(wanted) or [] if wanted else []
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
        names = self._names(symbols)
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
        known = dict.fromkeys([*self.known(), *offered])
        near = [name for name in known if sought in name.casefold()]
        near.sort(key=lambda name: (not name.partition(":")[2].casefold().startswith(sought), name))
        listed = [] if self._listing is None else self._listing.search(text, limit=limit)
        return list(dict.fromkeys([*near, *listed]))[:limit]

    def controls(self, *, palette: str = "classic") -> Controls:
        """Return the stream's controls: a symbol picker, what is subscribed, start, stop, reconnect.

        Parameters
        ----------
        palette : {"classic", "safe"}
            Green and red, or blue and orange.
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


def check_history(feed: feeds.Feed, backfill: bool | Hook) -> None:  # noqa: FBT001 - as it was given
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
    return us_of(moment)
