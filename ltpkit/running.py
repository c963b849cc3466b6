"""The streams that run in this process, and the call that starts one.

Running the cell that made a stream again gives the same one back; the interpreter's end stops it.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ltpkit import credentials, feeds, settings
from ltpkit.backfill import Hook
from ltpkit.ending import before_exit, end_at_sigterm, in_forks
from ltpkit.errors import LoginRefused, StoreError
from ltpkit.held import check_days
from ltpkit.instrument import Instruments
from ltpkit.live import Stream, check_history
from ltpkit.store import Store

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ltpkit.masters import Listing
    from ltpkit.simulator import SimulatedExchange

__all__ = ["store_being_written", "stream"]

#: Options of feeds that are never shown.
_LOGINS: Final = ("api_key", "api_secret", "feed_token", "jwt")

_FIRST_TICK_S: Final = 2.0  # how long `stream` waits for the first tick before it returns all the same


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
    check_history(feed, asked.backfill)
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
            told=partial(_note, asked),
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


def _note(asked: _Asked, live: Stream, runs: bool) -> None:  # noqa: FBT001 - a callback
    """Know of a stream while it runs, also of one that was stopped and started again."""
    with _streams_lock:
        for key in [key for key, (_, one) in _streams.items() if one is live]:
            del _streams[key]
        if runs:
            taken = asked.key in _streams  # another was made of the same while this one was stopped
            _streams[(*asked.key, id(live)) if taken else asked.key] = asked, live
        end_at_sigterm(wanted=bool(_streams))


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
