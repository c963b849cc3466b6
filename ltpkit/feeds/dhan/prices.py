"""From the float32 prices on Dhan's wire to the decimals the exchange meant."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "as_quoted", "steps_of"]

Floats = npt.NDArray[np.float64]


@cache
def steps_of(tick_size: float) -> tuple[float, float, float]:
    """Return the ticks in 1, and whole numbers whose quotient is a tick: 0.05 is (20, 1, 20).

    NaN where the tick size is unknown: then no price is a multiple of it.
    """
    for scale in (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000):
        step = round(tick_size * scale)
        if step >= 1 and abs(tick_size * scale - step) < 1e-6 * step:
            common = math.gcd(step, scale)
            return scale / step, step / common, scale / common
    return math.nan, math.nan, math.nan


def as_quoted(sent: npt.NDArray[np.float32], steps: Floats) -> tuple[Floats, bool]:
    """Return the prices the exchange meant, NaN where there is none; and if all are there.

    The multiple of the tick size nearest to what was sent is the price, if float32 would write that
    multiple so. Otherwise the tick size is not believed: exchanges change them and instrument lists
    lag behind.

    Parameters
    ----------
    sent : ndarray of float32, shape (m, n)
        Of n instruments.
    steps : ndarray of float64, shape (3, n) or (1, n)
        Their tick sizes as `steps_of` has them; the first line is enough where a tick goes into 1.
    """
    prices: Floats = sent.astype(np.float64)
    prices *= steps[0]
    np.rint(prices, out=prices)
    # Whole numbers until the division, so its result is the double nearest to the decimal.
    if len(steps) == 1:
        prices /= steps[0]
    else:
        prices *= steps[1]
        prices /= steps[2]
    explained = prices.astype(np.float32) == sent
    if np.count_nonzero(explained) == explained.size:
        # NaN, which compares as False, has not been explained; the infinite has.
        lowest, highest = np.minimum.reduce(sent, axis=None), np.maximum.reduce(sent, axis=None)
        if lowest > 0 and highest < math.inf:
            return prices, True
    odd = ~explained | ~np.isfinite(prices)
    raw = sent[odd].astype(np.float64)
    size = np.abs(raw)
    # Steps of float32 reach 0.0001 at 1024 and 0.001 at 16384: further decimals are its own.
    places = np.where(size < 1024, 1e4, np.where(size < 16_384, 1e3, 1e2))
    short = np.rint(raw * places) / places
    short[~np.isfinite(short)] = np.nan
    prices[odd] = short
    prices[prices == 0] = np.nan
    return prices, not np.isnan(prices).any()
