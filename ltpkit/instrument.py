"""What can be traded, and the stream's own table of it.

An `Instrument` is written ``EXCHANGE:SYMBOL``. An `Instruments` table numbers the ones a stream
has met, so that decoders pass small integers and the ring turns them into columns in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import time
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit import schema
from ltpkit.errors import SettingError

__all__ = ["INDIAN_EXCHANGES", "Instrument", "Instruments", "market_open", "split_symbol", "symbols_of"]

#: Exchange codes as analysts write them. Their day opens at 09:15 in Asia/Kolkata.
INDIAN_EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "INDEX")

#: As many as five connections of a broker with the widest limits carry.
MOST_MET: Final = 25_000

_OPENS: Final = {"CDS": time(9, 0), "BCD": time(9, 0), "MCX": time(9, 0)}
_INDIA: Final = ZoneInfo("Asia/Kolkata")
_UTC: Final = ZoneInfo("UTC")


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is traded.

    Attributes
    ----------
    exchange, symbol : str
        Together ``NSE:RELIANCE``.
    segment : str
        The broker's name for the exchange's part, ``NSE_EQ``; empty where a broker has none.
    broker_id : str
        The broker's id, unique within `segment`.
    tick_size : float
        Smallest price step in the instrument's currency; 0 where unknown.
    lot : float
        Units in one lot.
    sector : str
        The business of the company; empty where unknown, as brokers do not say.
    """

    exchange: str
    symbol: str
    segment: str = ""
    broker_id: str = ""
    tick_size: float = 0.0
    lot: float = 1.0
    sector: str = ""

    @property
    def name(self) -> str:
        """``EXCHANGE:SYMBOL``."""
        return f"{self.exchange}:{self.symbol}"


def symbols_of(given: str | Iterable[str], *, least: int = 1) -> list[str]:
    """Return the symbols that a user gave as one text or as several, `least` of them or more.

    Raises
    ------
    SettingError
        There are fewer, or something is no text.
    """
    several: Any = [given] if isinstance(given, str) else given
    found = list(several) if isinstance(several, Iterable) else [several]
    if len(found) < least or not all(isinstance(one, str) for one in found):
        raise SettingError(f'{given!r}: give a symbol, "RELIANCE", or a list of one or more.')
    return found


def split_symbol(text: str, *, exchange: str = "") -> tuple[str, str]:
    """Return the exchange and symbol written in `text`; `exchange` where it names none.

    Examples
    --------
    >>> split_symbol("NSE:RELIANCE"), split_symbol("TCS", exchange="NSE")
    (('NSE', 'RELIANCE'), ('NSE', 'TCS'))
    """
    left, colon, right = text.strip().partition(":")
    return (left.upper(), right) if colon else (exchange, left)


def market_open(exchange: str) -> tuple[time, ZoneInfo]:
    """Return when the exchange's day opens, in its own time zone.

    Notes
    -----
    NSE and BSE equity: 09:15 IST; currency and commodity segments: 09:00 IST; anything else
    counts its day from midnight UTC, as the crypto exchanges do.
    """
    if exchange in INDIAN_EXCHANGES:
        return _OPENS.get(exchange, time(9, 15)), _INDIA
    return time(0, 0), _UTC


_UNLISTED: Final = Instrument(exchange="", symbol="UNLISTED")


class Instruments:
    """The instruments a stream has met, each with a small number.

    Only the feed thread adds once a stream runs; any thread may read. An instrument is never
    taken out: rows that carry its number may still be in memory.

    Parameters
    ----------
    known : iterable of Instrument
    most_met : int
        How many may come up in a feed that nobody asked for; what comes beyond that is one instrument.

    Attributes
    ----------
    full : bool
        Whether so many were met.
    """

    def __init__(self, known: Iterable[Instrument] = (), *, most_met: int = MOST_MET) -> None:
        self.full, self.most_met = False, most_met
        self._met = 0
        self._all: list[Instrument] = []
        self._by_name: dict[str, int] = {}
        self.symbol_codes: npt.NDArray[np.uint32] = np.zeros(64, np.uint32)
        self.exchange_codes: npt.NDArray[np.uint8] = np.zeros(64, np.uint8)
        self.tick_sizes: npt.NDArray[np.float64] = np.zeros(64)
        for instrument in known:
            self.add(instrument)

    def add(self, instrument: Instrument) -> int:
        """Return the instrument's number, giving it one when it is new."""
        found = self._by_name.get(instrument.name)
        if found is not None:
            return found
        number = len(self._all)
        if number == len(self.symbol_codes):
            for column in ("symbol_codes", "exchange_codes", "tick_sizes"):
                old = getattr(self, column)
                setattr(self, column, np.concatenate([old, np.zeros_like(old)]))
        self.symbol_codes[number] = schema.code_of("symbol", instrument.symbol)
        self.exchange_codes[number] = schema.code_of("exchange", instrument.exchange)
        self.tick_sizes[number] = instrument.tick_size
        self._all.append(instrument)
        self._by_name[instrument.name] = number
        return number

    def meet(self, instrument: Instrument) -> int | None:
        """Return the number of an instrument that a feed speaks of, None where too many were met for another.

        Its rows then go under `rest`, and its id is not to be kept: there may be no end of them.
        """
        found = self._by_name.get(instrument.name)
        if found is not None:
            return found
        if self._met >= self.most_met:
            self.full = True
            return None
        self._met += 1
        return self.add(instrument)

    def rest(self) -> int:
        """Return the number of the one instrument that stands for all that are too many, ``:UNLISTED``."""
        return self.add(_UNLISTED)

    def number(self, name: str) -> int | None:
        """Return the number of ``EXCHANGE:SYMBOL``, or None."""
        return self._by_name.get(name)

    def names(self) -> list[str]:
        """Return every ``EXCHANGE:SYMBOL``, in the order of the numbers."""
        return list(self._by_name)

    def __getitem__(self, number: int) -> Instrument:
        return self._all[number]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(tuple(self._all))

    def __repr__(self) -> str:
        return f"<Instruments: {len(self)}, {', '.join(self.names()[:4])}{', …' if len(self) > 4 else ''}>"
