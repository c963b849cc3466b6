"""Brokers' lists of instruments: which symbol is which id, on which exchange, in what steps.

>>> import ltpkit as lk
>>> lk.find("reliance")                     # doctest: +SKIP
>>> lk.instruments("dhan").filter(type="option", exchange="NFO")    # doctest: +SKIP

A list is fetched once a day and cached; offline the newest cached one stands in, else a small sample
that ships, and a warning says which.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from ltpkit.errors import SettingError
from ltpkit.masters.brokers import BROKERS, COLUMNS
from ltpkit.masters.cache import Master, cache_folder, load, refresh, sample
from ltpkit.masters.search import Listing, as_instruments, matching

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "COLUMNS",
    "Listing",
    "Master",
    "OldInstruments",
    "as_instruments",
    "cache_folder",
    "find",
    "instruments",
    "listing",
    "load",
    "refresh",
    "sample",
]


class OldInstruments(UserWarning):
    """A list of instruments is not today's: an older one or the sample stands in for it."""


def instruments(feed: str = "dhan", *, fresh: bool = False, url: str | None = None) -> pl.DataFrame:
    """Return a broker's list of instruments.

    Parameters
    ----------
    feed : str
        ``"dhan"``, ``"kite"``, ``"upstox"``, ``"angelone"``.
    fresh : bool
        Fetch it now, also where today's is cached; then nothing stands in for it.
    url : str, optional
        Where the list is, in place of the broker's own address.

    Returns
    -------
    polars.DataFrame, shape (instruments, 12)
        Sorted by ``exchange`` (NSE, BSE, NFO, BFO, CDS, BCD, MCX, INDEX) and ``symbol``, which together
        are one row; ``name``, ``type`` (equity, index, future, option), ``series``, ``expiry``, ``strike``
        and ``option_type`` where they apply, ``lot`` in units, ``tick_size`` in rupees, and the broker's
        ``segment`` and ``broker_id``, unique within the segment.

    Raises
    ------
    SettingError
        No list is known for that feed.
    ConnectionFailed
        There is none to be had: not fetched, not cached, no sample.

    Warns
    -----
    OldInstruments
        It could not be fetched: this is an older one, or the sample, and the warning says which. Once.
    """
    master = refresh(feed, url=url) if fresh else load(feed, url=url)
    _warn(master.problem)
    return master.frame


def find(
    text: str, feed: str = "dhan", *, exchange: str | None = None, limit: int | None = 20
) -> pl.DataFrame:
    """Return the instruments that `text` may mean, best first.

    Parameters
    ----------
    text : str
        Words of the symbol, the name, the expiry, the strike: ``"reliance"``, ``"nifty 24900 ce"``; a word
        before a colon is an exchange: ``"NSE:tata"``.
    feed : str
        Whose list.
    exchange : str, optional
        Only this one.
    limit : int, optional
        At most so many rows, 1 or more; None for all.

    Returns
    -------
    polars.DataFrame, shape (found, 12)
        Columns as of `instruments`. The symbol itself comes first, then what begins with it; shares
        before contracts, NSE before the others, the nearest expiry first. Where nothing holds all the
        words, the shares and indices whose symbols come nearest: ``"relaince"`` finds RELIANCE.

    Raises
    ------
    SettingError
        `limit` is below 1.

    Warns
    -----
    OldInstruments
        As `instruments` does.

    Examples
    --------
    >>> lk.find("reliance")["symbol", 0]        # doctest: +SKIP
    'RELIANCE'
    """
    if limit is not None and limit < 1:
        raise SettingError(f"limit={limit}: give the number of rows, 1 or more, or None for all.")
    frame = instruments(feed)
    return matching(frame if exchange is None else frame.filter(exchange=exchange.upper()), text, limit=limit)


def listing(feed: str) -> Listing | None:
    """Return what looks symbols up in a feed's list, None for a feed without one. Nothing is read yet."""
    return Listing(lambda: load(feed), _warn) if feed in BROKERS else None


_told: set[str] = set()


def _warn(problem: str) -> None:
    """Warn, once of the same, and blame the line that called into ltpkit."""
    if problem and problem not in _told:
        _told.add(problem)
        frame, level = sys._getframe(1), 2
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "ltpkit":
            frame, level = frame.f_back, level + 1
        warnings.warn(problem, OldInstruments, stacklevel=level)
