"""When markets trade: nights, weekends, holidays; what happens where no calendar is to be had."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from ltpkit import hours


def india(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Kolkata")).astimezone(UTC)


@pytest.mark.parametrize(
    ("exchange", "at", "is_open"),
    [
        ("NSE", "2026-11-18T09:14:59", False),
        ("NSE", "2026-11-18T09:15:00", True),
        ("NFO", "2026-11-18T15:29:59", True),
        ("BSE", "2026-11-18T15:30:00", False),
        ("INDEX", "2026-11-18T03:00:00", False),
        ("CDS", "2026-11-18T16:30:00", True),
        ("CDS", "2026-11-18T17:00:00", False),
        ("MCX", "2026-11-18T23:00:00", True),
        ("MCX", "2026-11-18T08:59:00", False),
        ("NSE", "2026-11-22T11:00:00", False),  # a Sunday
        ("NSE", "2026-11-21T11:00:00", False),  # a Saturday
        ("BINANCE", "2026-11-22T03:00:00", True),
        ("KRAKEN", "2026-11-21T23:59:00", True),
    ],
)
def test_each_exchange_has_its_hours_and_crypto_has_none(exchange: str, at: str, *, is_open: bool) -> None:
    assert hours.trading([exchange], india(at)) is is_open


def test_one_open_exchange_is_enough_and_none_is_closed() -> None:
    at = india("2026-11-18T20:00:00")
    assert not hours.trading(["NSE", "CDS"], at)
    assert hours.trading(["NSE", "MCX"], at)
    assert not hours.trading([], at)


def test_the_exchanges_holidays_are_known_from_the_calendar() -> None:
    pytest.importorskip("exchange_calendars")
    assert not hours.is_trading_day(date(2026, 1, 26))  # Republic Day, a Monday
    assert not hours.is_trading_day(date(2026, 10, 2))  # Gandhi Jayanti, a Friday
    assert hours.is_trading_day(date(2026, 1, 27))
    assert not hours.trading(["NSE"], india("2026-01-26T11:00:00"))


def test_beyond_the_calendars_end_a_weekday_counts_as_a_trading_day() -> None:
    assert hours.is_trading_day(date(2090, 1, 26))  # a Thursday
    assert not hours.is_trading_day(date(2090, 1, 28))  # a Saturday


def test_without_the_calendar_package_weekdays_are_trading_days(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(hours, "import_module", absent)
    hours._calendar.cache_clear()
    try:
        assert hours.is_trading_day(date(2026, 1, 26))
        assert not hours.is_trading_day(date(2026, 1, 25))
    finally:
        hours._calendar.cache_clear()


def test_a_calendar_that_cannot_be_made_costs_the_holidays_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise TypeError(name)

    monkeypatch.setattr(hours, "import_module", lambda name: SimpleNamespace(get_calendar=broken))
    hours._calendar.cache_clear()
    try:
        assert hours.is_trading_day(date(2026, 1, 26))
    finally:
        hours._calendar.cache_clear()


def test_the_calendar_is_not_loaded_for_crypto_nor_at_night() -> None:
    code = (
        "import sys\nfrom datetime import UTC, datetime\nfrom ltpkit import hours\n"
        "hours.trading(['BINANCE'], datetime(2026, 11, 18, 6, tzinfo=UTC))\n"
        "hours.trading(['NSE'], datetime(2026, 11, 18, 20, tzinfo=UTC))\n"
        "hours.trading(['NSE'], datetime(2026, 11, 22, 6, tzinfo=UTC))\n"
        "print('exchange_calendars' in sys.modules or 'pandas' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"
