"""Which rows of a batch are odd, and why; the rules stand in the package's docstring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
_FEW: Final = 128  # up to here one by one is faster

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
        #: Price and time of the last jump, and how many rows with other times were there in a row.
        self._doubted: dict[int, tuple[float, int, int]] = {}
        self._lead = 0  # how far the feed's time is ahead of the clock here
        self._ahead_rows = 0  # in a row
        self._subscribed: set[int] = set()  # no row with a price came since

    def subscribed(self, numbers: Iterable[int]) -> None:
        """Expect a picture of each of these instruments, which may say again what was known."""
        self._subscribed.update(numbers)

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
        if len(ticks) <= _FEW and self._plain(ticks, prices):
            return None
        if order is None:
            order = np.zeros(1, np.intp)
        pictures = self._pictures(ticks) if self._subscribed else ()
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
        if len(ltp) and (ltp.min() <= 0 or times.min() < _EARLIEST):
            odd |= (ltp <= 0) | (times < _EARLIEST)
        same = (times == time_before) & (ltp == price_before)
        found: dict[str, list[int]] = {}
        if any_ahead:
            found["future"] = np.flatnonzero(ahead).tolist()
            odd |= ahead[order]
        if self._doubted:
            odd |= np.isin(who, list(self._doubted))
        if odd.any():
            plain = ~np.isin(who, who[odd])
            self._newest[who[plain]] = times[plain]
            self._look_closely(ticks, order[~plain], ahead, prices, known, found)
            same &= plain
        else:
            self._newest[who] = times  # of repeated instruments the last one stays
        if same.any():
            self._find_repeated(ticks.values, order, who, same, again, known, found)
        if pictures and "repeated" in found:
            found["repeated"] = [place for place in found["repeated"] if place not in pictures]
            found = {why: places for why, places in found.items() if places}
        return self._suspects(found, len(ticks)) if found else None

    def _plain(self, ticks: Ticks, prices: npt.NDArray[np.float64]) -> bool:
        """Return whether a few ticks are all beyond doubt; one by one costs less than arrays do."""
        if self._doubted or self._ahead_rows:
            return False
        latest, newest, price = _AHEAD_US + self._lead, self._newest, dict[int, float]()
        times: dict[int, int] = {}
        columns = (ticks.instrument, ticks.timestamp, ticks.received_at, ticks.values[_LTP])
        for place, (number, time, received, ltp) in enumerate(
            zip(*(c.tolist() for c in columns), strict=True)
        ):
            if time - received > latest:
                return False
            if ltp != ltp:
                continue
            time_before, before = times.get(number), price.get(number)
            if time_before is None:
                time_before, before = int(newest[number]), float(prices[number])
            if time < time_before or time < _EARLIEST or ltp <= 0:
                return False
            if before is not None and (ltp >= _JUMP * before or _JUMP * ltp <= before):
                return False
            if ltp == before and time == time_before and not np.isnan(ticks.values[_VOLUME, place]):
                return False
            times[number], price[number] = time, ltp
        for number, time in times.items():
            newest[number] = time
        if self._subscribed:
            self._subscribed.difference_update(times)
        return True

    def _pictures(self, ticks: Ticks) -> Sequence[int]:
        """Return the places of the first rows with a price since their instruments were subscribed."""
        priced = ~np.isnan(ticks.values[_LTP])
        places = np.flatnonzero(priced & np.isin(ticks.instrument, list(self._subscribed)))
        numbers, first = np.unique(ticks.instrument[places], return_index=True)
        self._subscribed.difference_update(numbers.tolist())
        found: list[int] = places[first].tolist()
        return found

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

    def _find_repeated(
        self,
        values: npt.NDArray[np.float64],
        order: npt.NDArray[np.intp],
        who: npt.NDArray[np.int32],
        same: npt.NDArray[np.bool_],
        again: npt.NDArray[np.bool_],
        known: npt.NDArray[np.float64],
        found: dict[str, list[int]],
    ) -> None:
        """Find the rows that say what was known, among those of the `same` time and price as before."""
        places = np.flatnonzero(same)
        places = places[~np.isnan(values[_VOLUME, order[places]])]
        if not len(places):
            return
        before = known[: len(FEED_FLOATS), who[places]]
        within = np.flatnonzero(again[places])  # the row before is in this batch
        before[:, within] = values[:, order[places[within] - 1]]
        repeated = places[_says_nothing_new(values[:, order[places]], before)]
        if len(repeated):
            found["repeated"] = sorted(found.get("repeated", []) + order[repeated].tolist())

    def _look_closely(
        self,
        ticks: Ticks,
        order: npt.NDArray[np.intp],
        ahead: npt.NDArray[np.bool_],
        prices: npt.NDArray[np.float64],
        known: npt.NDArray[np.float64],
        found: dict[str, list[int]],
    ) -> None:
        """Judge the rows of instruments that have an odd one, row by row."""
        before: dict[int, npt.NDArray[np.float64]] = {}  # the last row that was believed
        for place in order.tolist():
            if ahead[place]:
                continue
            number, row = int(ticks.instrument[place]), ticks.values[:, place]
            last = before.get(number)
            if last is None:
                last = known[: len(FEED_FLOATS), number].copy()
                last[_LTP] = prices[number]  # which may be from before this start
            why = self._why(number, int(ticks.timestamp[place]), row, last)
            if why:
                found.setdefault(why, []).append(place)
            if why not in LEFT_OUT:
                before[number] = row
        for places in found.values():
            places.sort()

    def _why(
        self, number: int, time: int, row: npt.NDArray[np.float64], last: npt.NDArray[np.float64]
    ) -> str:
        """Return why a row is odd, empty where it is not, and remember it where it is believed."""
        newest, ltp = int(self._newest[number]), float(row[_LTP])
        if ltp == 0 or (ltp < 0 and self._instruments[number].exchange not in _NEGATIVE_PRICES):
            return "price"
        if time < _EARLIEST or (newest != _NEVER and time < newest - _DAY_US):
            return "another day"
        first_of_day = newest == _NEVER or time > newest + _DAY_US
        if self._jumps(number, time, row, float(row[_CLOSE] if first_of_day else last[_LTP])):
            return "jump"
        if time < newest:
            return "late"
        self._newest[number] = time
        same = time == newest and ltp == last[_LTP] and row[_VOLUME] == row[_VOLUME]
        return "repeated" if same and _says_nothing_new(row, last) else ""

    def _jumps(self, number: int, time: int, row: npt.NDArray[np.float64], before: float) -> bool:
        ltp = float(row[_LTP])
        if not (before > 0 and ltp > 0 and (ltp >= _JUMP * before or _JUMP * ltp <= before)):
            self._doubted.pop(number, None)
            return False
        if (
            row[_LOW] <= ltp <= row[_HIGH]
            or row[_BID] / _NEAR <= ltp <= row[_ASK] * _NEAR
            or _is_option(self._instruments[number])
        ):
            return False
        at, since, rows = self._doubted.pop(number, (ltp, _NEVER, 0))
        if not at / _NEAR <= ltp <= at * _NEAR:
            rows = 1
        elif time > since:  # one trade that is told again and again is one
            rows += 1
        if rows == _BELIEVED:
            return False
        self._doubted[number] = ltp, time, rows
        return True

    def _suspects(self, found: dict[str, list[int]], rows: int) -> Suspects:
        left_out = np.zeros(rows, np.bool_)
        for why, places in found.items():
            self.counts[why] += len(places)
            if why in LEFT_OUT:
                left_out[places] = True
        return Suspects(found, left_out if left_out.any() else None)


def _says_nothing_new(row: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return whether a row, or each of several in columns, has nothing that was otherwise before."""
    alike: npt.NDArray[np.bool_] = ((row == before) | np.isnan(row)).all(axis=0)
    return alike


def _is_option(instrument: Instrument) -> bool:
    """Return whether this is an option, by how exchanges write them: ``NIFTY24AUG24000CE``."""
    ends = ("CE", "PE") if instrument.exchange in INDIAN_EXCHANGES else ("-C", "-P")
    return instrument.symbol.endswith(ends) and any(map(str.isdigit, instrument.symbol))
