"""When markets trade, so that a quiet market is not taken for a dead line, nor the other way round.

Indian exchanges have hours and holidays; everything else is taken to be open always, as crypto is. The
holidays are those of `exchange_calendars` (calendar XBOM; BSE and NSE keep the same). Reading them takes
two seconds, so it happens when first needed: within the hours of a weekday. Where the package is
not installed, or its calendar ends before the day in question, every weekday counts as a trading day.

A doubtful hour counts as closed, because what follows from "closed" is milder: no Muhurat session, no
trading Saturday, no evening session of MCX on a holiday.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import date, datetime, time
from functools import cache
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo

from ltpkit.instrument import INDIAN_EXCHANGES, market_open

__all__ = ["is_trading_day", "trading"]

_INDIA: Final = ZoneInfo("Asia/Kolkata")

#: As the exchanges publish them; MCX closes at 23:30 or 23:55, with the clocks of the United States.
_CLOSES: Final = {"CDS": time(17, 0), "BCD": time(17, 0), "MCX": time(23, 30)}


def trading(exchanges: Iterable[str], at: datetime) -> bool:
    """Return whether one of these exchanges is open. May take seconds the first time.

    Examples
    --------
    >>> from datetime import UTC
    >>> trading(["BINANCE"], datetime(2026, 1, 4, 3, 0, tzinfo=UTC))  # a Sunday
    True
    >>> trading(["NSE", "MCX"], datetime(2026, 1, 4, 6, 0, tzinfo=UTC))
    False
    """
    return any(_open(exchange, at) for exchange in set(exchanges))


def _open(exchange: str, at: datetime) -> bool:
    if exchange not in INDIAN_EXCHANGES:
        return True
    here = at.astimezone(_INDIA)
    opens, _ = market_open(exchange)
    closes = _CLOSES.get(exchange, time(15, 30))
    return opens <= here.time() < closes and is_trading_day(here.date())


def is_trading_day(day: date) -> bool:
    """Return whether India's exchanges trade on this day."""
    if day.weekday() >= 5:
        return False
    calendar = _calendar()
    if calendar is None or not calendar.first_session.date() <= day <= calendar.last_session.date():
        return True
    return bool(calendar.is_session(day.isoformat()))


@cache
def _calendar() -> Any | None:
    try:
        package = import_module("exchange_calendars")
    except ImportError:
        return None
    with warnings.catch_warnings():
        # 4.13 does what pandas 3.1 deprecates; that is between those two.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return package.get_calendar("XBOM")
        except Exception:  # noqa: BLE001 - it stands on pandas' fine points, and a line must not end for it
            return None
