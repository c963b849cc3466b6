"""Fifty large NSE shares as plain data: what the built-in exchange trades.

Names, sectors and security ids are those of the NIFTY 50 companies of late 2025; prices and
weights are round figures of that time, good enough to look right and for nothing else. Tick sizes
follow the exchange's price bands of April 2025 (0.01 below 250, 0.05 to 1000, 0.10 to 5000, 0.50 to
10,000, 1 to 20,000, 5 above). No network, no clock, no state.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ltpkit.instrument import Instrument

__all__ = ["LISTING", "Listed", "instruments", "tick_size_at"]

#: Dhan's name for the part of the exchange that trades them.
SEGMENT: Final = "NSE_EQ"

_BANDS: Final = ((250.0, 0.01), (1_000.0, 0.05), (5_000.0, 0.10), (10_000.0, 0.50), (20_000.0, 1.0))


def tick_size_at(price: float) -> float:
    """Return the smallest price step of an NSE share that trades near `price`.

    Examples
    --------
    >>> tick_size_at(99.5), tick_size_at(1411.0), tick_size_at(152_000.0)
    (0.01, 0.1, 5.0)
    """
    return next((tick for below, tick in _BANDS if price < below), 5.0)


class Listed(msgspec.Struct, frozen=True):
    """One share of the listing.

    Attributes
    ----------
    symbol : str
        As the exchange writes it.
    security_id : int
        The exchange's token, which Dhan uses as its id.
    price : float
        A plausible price, in rupees: the previous close on the simulator's first day.
    sector : str
        Shares of a sector move together.
    weight : float
        How often it trades, relative to the others.
    """

    symbol: str
    security_id: int
    price: float
    sector: str
    weight: float = 1.0

    @property
    def tick_size(self) -> float:
        """Smallest price step, in rupees."""
        return tick_size_at(self.price)


#: In the alphabet's order.
LISTING: Final = (
    Listed("ADANIENT", 25, 2411.0, "metals", 1.0),
    Listed("ADANIPORTS", 15083, 1478.0, "transport", 1.0),
    Listed("APOLLOHOSP", 157, 7420.0, "health", 0.7),
    Listed("ASIANPAINT", 236, 2889.0, "consumer", 1.1),
    Listed("AXISBANK", 5900, 1268.0, "banks", 2.2),
    Listed("BAJAJ-AUTO", 16669, 8905.0, "autos", 0.9),
    Listed("BAJAJFINSV", 16675, 2064.0, "finance", 1.0),
    Listed("BAJFINANCE", 317, 1018.0, "finance", 2.0),
    Listed("BEL", 383, 418.0, "industry", 1.6),
    Listed("BHARTIARTL", 10604, 2149.0, "telecom", 2.2),
    Listed("CIPLA", 694, 1521.0, "health", 0.9),
    Listed("COALINDIA", 20374, 381.0, "energy", 1.2),
    Listed("DRREDDY", 881, 1244.0, "health", 0.9),
    Listed("EICHERMOT", 910, 7088.0, "autos", 0.8),
    Listed("ETERNAL", 5097, 303.0, "consumer", 2.0),
    Listed("GRASIM", 1232, 2725.0, "materials", 0.7),
    Listed("HCLTECH", 7229, 1601.0, "technology", 1.4),
    Listed("HDFCBANK", 1333, 995.0, "banks", 4.2),
    Listed("HDFCLIFE", 467, 765.0, "finance", 0.9),
    Listed("HINDALCO", 1363, 797.0, "metals", 1.2),
    Listed("HINDUNILVR", 1394, 2432.0, "consumer", 1.3),
    Listed("ICICIBANK", 4963, 1372.0, "banks", 3.6),
    Listed("INDIGO", 11195, 5806.0, "transport", 0.9),
    Listed("INFY", 1594, 1541.0, "technology", 2.8),
    Listed("ITC", 1660, 407.0, "consumer", 1.9),
    Listed("JIOFIN", 18143, 305.0, "finance", 1.4),
    Listed("JSWSTEEL", 11723, 1166.0, "metals", 1.0),
    Listed("KOTAKBANK", 1922, 2087.0, "banks", 1.8),
    Listed("LT", 11483, 4022.0, "industry", 1.8),
    Listed("M&M", 2031, 3746.0, "autos", 1.7),
    Listed("MARUTI", 10999, 15985.0, "autos", 1.1),
    Listed("MAXHEALTH", 22377, 1162.0, "health", 0.8),
    Listed("NESTLEIND", 17963, 1263.0, "consumer", 0.7),
    Listed("NTPC", 11630, 327.0, "power", 1.4),
    Listed("ONGC", 2475, 247.5, "energy", 1.2),
    Listed("POWERGRID", 14977, 276.0, "power", 1.2),
    Listed("RELIANCE", 2885, 1546.0, "energy", 4.0),
    Listed("SBILIFE", 21808, 2032.0, "finance", 0.8),
    Listed("SBIN", 3045, 972.0, "banks", 2.6),
    Listed("SHRIRAMFIN", 4306, 817.0, "finance", 1.2),
    Listed("SUNPHARMA", 3351, 1779.0, "health", 1.3),
    Listed("TATACONSUM", 3432, 1174.0, "consumer", 0.8),
    Listed("TATASTEEL", 3499, 168.2, "metals", 1.8),
    Listed("TCS", 11536, 3150.0, "technology", 2.3),
    Listed("TECHM", 13538, 1457.0, "technology", 1.0),
    Listed("TITAN", 3506, 3906.0, "consumer", 1.2),
    Listed("TMPV", 3456, 360.0, "autos", 1.6),
    Listed("TRENT", 1964, 4341.0, "consumer", 1.2),
    Listed("ULTRACEMCO", 11532, 11642.0, "materials", 0.8),
    Listed("WIPRO", 3787, 243.9, "technology", 1.3),
)


def instruments() -> tuple[Instrument, ...]:
    """Return the listing as instruments, ``NSE:RELIANCE`` and so on."""
    return tuple(
        Instrument(
            exchange="NSE",
            symbol=share.symbol,
            segment=SEGMENT,
            broker_id=str(share.security_id),
            tick_size=share.tick_size,
            sector=share.sector,
        )
        for share in LISTING
    )
