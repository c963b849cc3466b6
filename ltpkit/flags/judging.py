"""Which rows of a batch are odd, by what is remembered of each instrument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Ticks
from ltpkit.flags.suspects import REASONS, Suspects
from ltpkit.instrument import INDIAN_EXCHANGES, Instrument, Instruments

__all__ = ["Flags"]

_NEGATIVE_PRICES: Final = ("MCX",)  # crude oil's were, on 20 April 2020
_DUPLICATE: Final = REASONS.index("duplicate")


class Flags:
    """What is known of each instrument, to judge its next rows by.

    Parameters
    ----------
    instruments : Instruments
        What the numbers in a batch stand for.

    Attributes
    ----------
    counts : Counter of str
        Rows flagged so far, by reason.
    """

    def __init__(self, instruments: Instruments) -> None:
        from ltpkit.flags import loops

        self.counts: Counter[str] = Counter()
        self._instruments = instruments
        self._loops = loops
        self._feed = np.zeros(len(loops.FEED), np.int64)
        self._states = np.zeros(0, loops.INSTRUMENT)
        self._met = 0  # instruments that have a state

    def subscribed(self, numbers: Iterable[int]) -> None:
        """Expect a picture of each of these instruments, which may say again what was known."""
        self._meet()
        for number in numbers:
            self._states["picture"][number] = True

    def judge(
        self, ticks: Ticks, prices: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> Suspects | None:
        """Return the odd rows of a batch, None where there are none, and remember the others.

        Parameters
        ----------
        ticks : Ticks
        prices : ndarray of float64, shape (instruments,)
            The last price of each instrument that was believed, NaN where there was none.
        known : ndarray of float64, shape (12 or more, instruments)
            The newest value of each column, in the order of `schema.FEED_FLOATS`.
        """
        if self._met < len(self._instruments):
            self._meet()
        codes = np.zeros(len(ticks), np.uint8)
        if ticks.duplicate is not None:
            codes[ticks.duplicate] = _DUPLICATE
        if not self._loops.judge(
            ticks.instrument,
            ticks.timestamp,
            ticks.received_at,
            ticks.values,
            prices,
            known,
            self._states,
            self._feed,
            codes,
        ):
            return None
        suspects = Suspects.of(codes)
        for why, places in suspects.rows.items():
            self.counts[why] += len(places)
        return suspects

    def _meet(self) -> None:
        """Give each instrument that came since a state."""
        known = len(self._instruments)
        if known > len(self._states):
            states = np.zeros(max(64, 2 * known), self._states.dtype)
            states["newest"], states["row"] = self._loops.NEVER, -1
            states[: self._met] = self._states[: self._met]
            self._states = states
        for number in range(self._met, known):
            instrument = self._instruments[number]
            self._states["negative"][number] = instrument.exchange in _NEGATIVE_PRICES
            self._states["option"][number] = _is_option(instrument)
        self._met = known


def _is_option(instrument: Instrument) -> bool:
    """Return whether this is an option, by how exchanges write them: ``NIFTY24AUG24000CE``."""
    ends = ("CE", "PE") if instrument.exchange in INDIAN_EXCHANGES else ("-C", "-P")
    return instrument.symbol.endswith(ends) and any(map(str.isdigit, instrument.symbol))
