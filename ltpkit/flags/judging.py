"""Which rows of a batch are odd, and why; the rules stand in the package's docstring."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Ticks
from ltpkit.instrument import INDIAN_EXCHANGES, Instrument, Instruments
from ltpkit.schema import FEED_FLOATS

__all__ = ["LEFT_OUT", "Flags", "Suspects"]

#: What keeps a row out of bars, changes and the newest values. The view ``believed_ticks`` says the same.
LEFT_OUT: Final = ("price", "future", "another day", "jump")

_NEGATIVE_PRICES: Final = ("MCX",)  # crude oil's were, on 20 April 2020
_JUMP: Final = 10.0
_NEAR: Final = 2.0  # a quote, or another row, within this factor of a price speaks for it
_BELIEVED: Final = 3  # rows in a row at the new level
_AHEAD_US: Final = 60_000_000
_FEED_ROWS: Final = 20  # in a row ahead of the clock here: then it is the clock
_DAY_US: Final = 8 * 3_600_000_000  # no market is shut for less between two of its days
_EARLIEST: Final = 946_684_800_000_000  # 1 January 2000: zeros and other epochs come out before it
_NEVER: Final = -(2**62)

_LTP, _VOLUME, _CLOSE = (FEED_FLOATS.index(name) for name in ("ltp", "volume", "close_price"))
_LOW, _HIGH, _BID, _ASK = (FEED_FLOATS.index(name) for name in ("low_price", "high_price", "bid", "ask"))


class Suspects(msgspec.Struct):
    """The odd rows of a batch.

    Attributes
    ----------
    rows : dict of str to list of int
        Places in the batch for each reason, rising.
    left_out : ndarray of bool, shape (n,), or None
        Which rows bars, changes and the newest values leave out; None where none.
    """

    rows: dict[str, list[int]]
    left_out: npt.NDArray[np.bool_] | None


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
        self.counts: Counter[str] = Counter()
        self._instruments = instruments
        self._newest = np.full(64, _NEVER)  # time of each instrument's newest price that was believed
        self._doubted: dict[int, tuple[float, int]] = {}  # price of the last jump, and rows in a row there
        self._lead = 0  # how far the feed's time is ahead of the clock here
        self._ahead_rows = 0  # in a row

    def judge(
        self,
        ticks: Ticks,
        order: npt.NDArray[np.intp] | None,
        prices: npt.NDArray[np.float64],
        known: npt.NDArray[np.float64],
    ) -> Suspects | None:
        """Return the odd rows of a batch, None where there are none, and remember the others.

        Parameters
        ----------
        ticks : Ticks
            At least one.
        order : ndarray of intp, shape (n,), or None
            What sorts `ticks.instrument` and keeps the order of equal ones; of a tick alone None.
        prices : ndarray of float64, shape (instruments,)
            The last price of each instrument that was believed, NaN where there was none.
        known : ndarray of float64, shape (12 or more, instruments)
            The newest value of each column, in the order of `schema.FEED_FLOATS`.
        """
        if len(self._newest) < len(prices):
            more = np.full(len(prices) - len(self._newest), _NEVER)
            self._newest = np.concatenate([self._newest, more])
        if order is None:
            if self._plain(ticks, prices):
                return None
            order = np.zeros(1, np.intp)
        ahead = ticks.timestamp - ticks.received_at > _AHEAD_US + self._lead
        any_ahead = bool(ahead.any())
        if any_ahead or self._ahead_rows:
            any_ahead = self._still_ahead(ticks, ahead)

        who, times, ltp = ticks.instrument[order], ticks.timestamp[order], ticks.values[_LTP][order]
        priced = ltp == ltp
        if not priced.all():
            order, who, times, ltp = order[priced], who[priced], times[priced], ltp[priced]
        time_before, price_before = self._newest[who], prices[who]
        again = np.zeros(len(who), np.bool_)  # where its instrument has an earlier row in this batch
        np.equal(who[1:], who[:-1], out=again[1:])
        np.copyto(time_before[1:], times[:-1], where=again[1:])
        np.copyto(price_before[1:], ltp[:-1], where=again[1:])
        odd = (ltp >= _JUMP * price_before) | (_JUMP * ltp <= price_before)
        odd |= times < time_before
        odd |= (ltp <= 0) | (times < _EARLIEST)
        repeated = (times == time_before) & (ltp == price_before)
        found: dict[str, list[int]] = {}
        if repeated.any():
            self._repeated(ticks.values, order, who, repeated, again, known, found)
        if any_ahead:
            found["future"] = np.flatnonzero(ahead).tolist()
            odd |= ahead[order]
        if self._doubted:
            odd |= np.isin(who, list(self._doubted))
        if odd.any():
            self._look_closely(ticks, order, who, odd, ahead, prices, found)
        else:
            self._newest[who] = times  # of repeated instruments the last one stays
        return self._suspects(found, len(ticks)) if found else None

    def _plain(self, ticks: Ticks, prices: npt.NDArray[np.float64]) -> bool:
        """Return whether a tick that came alone is beyond doubt: most of them, at a tenth of the cost."""
        number, time = int(ticks.instrument[0]), int(ticks.timestamp[0])
        if time - int(ticks.received_at[0]) > _AHEAD_US + self._lead or self._doubted or self._ahead_rows:
            return False
        ltp, before = float(ticks.values[_LTP, 0]), float(prices[number])
        if ltp != ltp:
            return True
        if ltp <= 0 or time < _EARLIEST or time < self._newest[number]:
            return False
        if ltp >= _JUMP * before or _JUMP * ltp <= before:
            return False
        if ltp == before and time == self._newest[number]:
            return False
        self._newest[number] = time
        return True

    def _still_ahead(self, ticks: Ticks, ahead: npt.NDArray[np.bool_]) -> bool:
        """Return whether rows are ahead of the clock here, having set it right where all of them are."""
        if not ahead.all():
            self._ahead_rows = 0
            return bool(ahead.any())
        self._ahead_rows += len(ticks)
        if self._ahead_rows < _FEED_ROWS:
            return True
        self._lead = int((ticks.timestamp - ticks.received_at).min())
        self._ahead_rows = 0
        np.greater(ticks.timestamp - ticks.received_at, _AHEAD_US + self._lead, out=ahead)
        return bool(ahead.any())

    def _repeated(
        self,
        values: npt.NDArray[np.float64],
        order: npt.NDArray[np.intp],
        who: npt.NDArray[np.int32],
        candidates: npt.NDArray[np.bool_],
        again: npt.NDArray[np.bool_],
        known: npt.NDArray[np.float64],
        found: dict[str, list[int]],
    ) -> None:
        """Find rows that say only what is known; `candidates` have the time and price of the row before."""
        places = np.flatnonzero(candidates)
        places = places[~np.isnan(values[_VOLUME, order[places]])]
        if not len(places):
            return
        row = values[:, order[places]]
        before = known[: len(FEED_FLOATS), who[places]]
        within = np.flatnonzero(again[places])  # the row before is in this batch
        before[:, within] = values[:, order[places[within] - 1]]
        alike = ((row == before) | np.isnan(row)).all(axis=0)
        if alike.any():
            found["repeated"] = sorted(order[places[alike]].tolist())

    def _look_closely(
        self,
        ticks: Ticks,
        order: npt.NDArray[np.intp],
        who: npt.NDArray[np.int32],
        odd: npt.NDArray[np.bool_],
        ahead: npt.NDArray[np.bool_],
        prices: npt.NDArray[np.float64],
        found: dict[str, list[int]],
    ) -> None:
        """Judge the instruments with an odd row, row by row; take the others' times as they are."""
        doubtful = np.isin(who, who[odd])
        self._newest[who[~doubtful]] = ticks.timestamp[order[~doubtful]]
        price: dict[int, float] = {}
        for place in order[doubtful].tolist():
            if ahead[place]:
                continue
            number = int(ticks.instrument[place])
            before = price.get(number, float(prices[number]))
            why = self._why(number, int(ticks.timestamp[place]), ticks.values[:, place], before)
            if why:
                found.setdefault(why, []).append(place)
            if why not in LEFT_OUT:
                price[number] = float(ticks.values[_LTP, place])
        for places in found.values():
            places.sort()

    def _why(self, number: int, time: int, row: npt.NDArray[np.float64], before: float) -> str:
        """Return why a row is odd, empty where it is not, and remember it where it is believed."""
        newest, ltp = int(self._newest[number]), float(row[_LTP])
        if ltp == 0 or (ltp < 0 and self._instruments[number].exchange not in _NEGATIVE_PRICES):
            return "price"
        if time < _EARLIEST or (newest != _NEVER and time < newest - _DAY_US):
            return "another day"
        if newest == _NEVER or time > newest + _DAY_US:  # the first one of its day
            before = float(row[_CLOSE])
        if self._jumps(number, ltp, before, row):
            return "jump"
        if time < newest:
            return "late"
        self._newest[number] = time
        return ""

    def _jumps(self, number: int, ltp: float, before: float, row: npt.NDArray[np.float64]) -> bool:
        if not (before > 0 and (ltp >= _JUMP * before or _JUMP * ltp <= before)):
            self._doubted.pop(number, None)
            return False
        if (
            row[_LOW] <= ltp <= row[_HIGH]
            or row[_BID] / _NEAR <= ltp <= row[_ASK] * _NEAR
            or _is_option(self._instruments[number])
        ):
            return False
        at, rows = self._doubted.pop(number, (ltp, 0))
        rows = rows + 1 if at / _NEAR <= ltp <= at * _NEAR else 1
        if rows == _BELIEVED:
            return False
        self._doubted[number] = ltp, rows
        return True

    def _suspects(self, found: dict[str, list[int]], rows: int) -> Suspects:
        left_out = np.zeros(rows, np.bool_)
        for why, places in found.items():
            self.counts[why] += len(places)
            if why in LEFT_OUT:
                left_out[places] = True
        return Suspects(found, left_out if left_out.any() else None)


def _is_option(instrument: Instrument) -> bool:
    """Return whether this is an option, by how exchanges write them: ``NIFTY24AUG24000CE``."""
    ends = ("CE", "PE") if instrument.exchange in INDIAN_EXCHANGES else ("-C", "-P")
    return instrument.symbol.endswith(ends) and any(map(str.isdigit, instrument.symbol))
