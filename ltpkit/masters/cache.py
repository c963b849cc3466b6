"""The newest list of a broker that can be had: today's, an older one, or the sample that ships.

A list is fetched once a day, in the first call that needs it, and kept in the user's cache folder. What
stands in for today's list is never handed out in silence: it comes with its reason.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx
import msgspec
import platformdirs
import polars as pl

from ltpkit.errors import ConnectionFailed, SettingError, near_misses
from ltpkit.masters.brokers import BROKERS, COLUMNS, Broker

__all__ = ["Master", "broker_of", "cache_folder", "load", "refresh", "sample"]

#: Brokers write their lists in the early morning, Indian time; Kite's comes last, at about 08:30.
#: What is fetched before that is still the day before's.
_NEW_LIST_AT: Final = timedelta(hours=8, minutes=30)
_IST: Final = timedelta(hours=5, minutes=30)

#: A list older than so many newer ones is removed.
_KEPT: Final = 5
#: The largest list is about 100 MB unpacked; more than this is something else.
_MOST_BYTES: Final = 400_000_000
#: After a fetch that failed, so long without another try: each may wait for a timeout.
_PAUSE_S: Final = 300.0

_failed: dict[tuple[str, str], tuple[float, str]] = {}


class Master(msgspec.Struct, frozen=True):
    """One broker's list, and where it comes from.

    Attributes
    ----------
    feed : str
        Whose ids these are.
    frame : polars.DataFrame
        Columns of `COLUMNS`, sorted by exchange and symbol.
    origin : {"fetched", "cached", "sample"}
        Just fetched, read from the cache folder, or the sample that ships.
    day : date or None
        The trading day it was made for; None for the sample.
    problem : str
        Why this is not today's list, a sentence; empty where it is.
    """

    feed: str
    frame: pl.DataFrame
    origin: Literal["fetched", "cached", "sample"]
    day: date | None
    problem: str = ""


def broker_of(feed: str) -> Broker:
    """Return the broker behind a feed's name.

    Raises
    ------
    SettingError
        No list of instruments is known for it.
    """
    if feed not in BROKERS:
        near = near_misses(feed, BROKERS)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise SettingError(
            f"There is no list of instruments for {feed!r}.{hint} "
            f"There is one for {', '.join(sorted(BROKERS))}."
        )
    return BROKERS[feed]


def cache_folder() -> Path:
    """Return where lists are kept: ``LTPKIT_CACHE_DIR``, else the user's own cache folder."""
    own = os.environ.get("LTPKIT_CACHE_DIR")
    return Path(own) if own else platformdirs.user_cache_path("ltpkit", appauthor=False)


def load(feed: str = "dhan", *, url: str | None = None, now: datetime | None = None) -> Master:
    """Return today's list, fetched if it is not in the cache; else the newest there is.

    Parameters
    ----------
    feed : str
        ``"dhan"``, ``"kite"``, ``"upstox"``, ``"angelone"``.
    url : str, optional
        Where the list is, in place of the broker's own address or ``DHAN_INSTRUMENTS_URL``
        (``KITE_INSTRUMENTS_URL``, …).
    now : datetime, optional
        The time that decides what "today" is.

    Raises
    ------
    SettingError
        No list is known for that feed.
    ConnectionFailed
        It cannot be fetched, none is cached, and this broker has no sample.
    """
    broker_of(feed)
    today, kept = _list_day(now), _kept(feed)
    if kept and kept[-1][0] >= today:
        day, path = kept[-1]
        frame = _read(path)
        if frame is not None:
            return Master(feed, frame, "cached", day)
        kept.pop()
    try:
        return refresh(feed, url=url, now=now, patient=False)
    except ConnectionFailed as error:
        for day, path in reversed(kept):
            frame = _read(path)
            if frame is not None:
                return Master(feed, frame, "cached", day, f"{error} This is the list of {day}.")
        found = sample(feed)
        if found is None:
            raise
        what = " and ".join(
            f"{count} {name}"
            for name, of in (("shares", "equity"), ("indices", "index"))
            if (count := found.filter(type=of).height)
        )
        problem = f"{error} This is the sample that ships with ltpkit: {what}."
        return Master(feed, found, "sample", None, problem)


def refresh(
    feed: str = "dhan", *, url: str | None = None, now: datetime | None = None, patient: bool = True
) -> Master:
    """Fetch today's list and keep it.

    Parameters
    ----------
    feed, url, now
        As for `load`.
    patient : bool
        Try, even where a fetch failed a moment ago.

    Raises
    ------
    SettingError
        No list is known for that feed, or `url` is no address.
    ConnectionFailed
        It cannot be fetched, or what came is no list. What is cached stays.
    """
    broker, today = broker_of(feed), _list_day(now)
    address = url or os.environ.get(f"{feed.upper()}_INSTRUMENTS_URL") or broker.url
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"The address of {broker.title}'s list must start with http:// or https://.")
    failed_at, why = _failed.get((feed, address), (0.0, ""))
    if why and not patient and time.monotonic() - failed_at < _PAUSE_S:
        raise _no_list(broker, parts.hostname, why)
    try:
        frame = broker.read(_fetch(address))
        if frame.is_empty():
            raise ValueError("it holds no instrument")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # httpx's own sentence where it has one: "[Errno -2] Name or service not known".
        why = str(error) or type(error).__name__
    except (ValueError, pl.exceptions.PolarsError) as error:
        why = f"what came is no list of instruments: {error}"
    else:
        _failed.pop((feed, address), None)
        _keep(feed, today, frame)
        return Master(feed, frame, "fetched", today)
    _failed[feed, address] = time.monotonic(), why
    raise _no_list(broker, parts.hostname, why)


def sample(feed: str = "dhan") -> pl.DataFrame | None:
    """Return the sample that ships with ltpkit in this broker's ids; None where those are not known."""
    make = broker_of(feed).sample
    if make is None:
        return None
    text = files("ltpkit").joinpath("data", "instruments-sample.csv").read_bytes()
    return make(pl.read_csv(text, schema=COLUMNS))


def _no_list(broker: Broker, host: str | None, why: str) -> ConnectionFailed:
    return ConnectionFailed(
        f"{broker.title}'s list of instruments could not be fetched from {host} ({why.rstrip('.')})."
    )


def _fetch(address: str) -> bytes:
    """Return what the address answers; an answer other than 200 is an `httpx.HTTPError`."""
    timeout = httpx.Timeout(30.0, connect=10.0)
    with httpx.stream("GET", address, timeout=timeout, follow_redirects=True) as answer:
        if answer.status_code != 200:
            raise httpx.HTTPError(f"HTTP {answer.status_code} {answer.reason_phrase}".rstrip())
        parts: list[bytes] = []
        left = _MOST_BYTES
        for part in answer.iter_bytes():
            left -= len(part)
            if left < 0:
                raise ValueError(f"it is longer than {_MOST_BYTES / 1e6:.0f} MB")
            parts.append(part)
        return b"".join(parts)


def _list_day(now: datetime | None) -> date:
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return (moment + _IST - _NEW_LIST_AT).date()


# --- the cache folder ---------------------------------------------------------------------------


def _folder() -> Path:
    return cache_folder() / "instruments"


def _kept(feed: str) -> list[tuple[date, Path]]:
    """Return the lists in the cache, oldest first."""
    found = []
    for path in _folder().glob(f"{feed}-*.parquet"):
        try:
            found.append((date.fromisoformat(path.stem.removeprefix(f"{feed}-")), path))
        except ValueError:
            continue  # not one of ours
    return sorted(found)


def _read(path: Path) -> pl.DataFrame | None:
    """Return a list from the cache, None where the file is damaged or of another ltpkit's columns."""
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        return None
    return frame if dict(frame.schema) == COLUMNS else None


def _keep(feed: str, day: date, frame: pl.DataFrame) -> None:
    """Keep a list, and remove the oldest. A folder that cannot be written costs a fetch, no more."""
    path = _folder() / f"{feed}-{day}.parquet"
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(unfinished)
        unfinished.replace(path)
        for _, old in _kept(feed)[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
