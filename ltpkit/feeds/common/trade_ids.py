"""Which trades are new, told by the ids an exchange gives them.

For feeds that send every trade with an id that rises by one per instrument. A trade seen before
(sent again after a reconnect) is told apart and counted; a jump is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Event
from ltpkit.feeds.common.plain import Series
from ltpkit.feeds.common.rows.loops import follow_ids
from ltpkit.instrument import Instruments

__all__ = ["TradeIds"]

_Integers = npt.NDArray[np.int64]

_UNKNOWN: Final = -1  # in the place of an id


class TradeIds:
    """The trade ids of a stream.

    Parameters
    ----------
    instruments : Instruments
        Gives the events their symbols.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        #: Id and time of the newest trade, and of the newest aggregate, of each instrument.
        self._newest: _Integers = np.full((64, 2), _UNKNOWN, np.int64)
        self._again: dict[int, tuple[int, int, int, int]] = {}  # count, lowest and highest id, receipt time
        self._gaps: list[Event] = []

    def seen(self, instrument: int) -> bool:
        """Return whether a trade of this instrument was seen."""
        return bool(self._room_for(instrument)[2 * instrument, 0] != _UNKNOWN)

    def follow(
        self, rows: _Integers, order: _Integers, arrivals: _Integers, new: Mapping[int, Event] | None = None
    ) -> npt.NDArray[np.bool_]:
        """Return which rows are trades that were seen before, in their order, and remember the others.

        Parameters
        ----------
        rows : ndarray of int64, shape (rows, 6)
            As in `plain.Plain`.
        order : ndarray of int64, shape (rows,)
            The rows in the order they were traded.
        arrivals : ndarray of int64
            When each frame arrived, a single time where it is the same for all.
        new : mapping of int to Event, optional
            What is to be told of rows that were not seen before.

        Returns
        -------
        ndarray of bool, shape (rows,) or (0,)
            Shape (0,) for none at all.
        """
        repeated: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        at = 0
        while (at := follow_ids(rows, order, at, self._newest)) < len(order):
            row = int(order[at])
            place, instrument, moment, trade_id, series, _ = rows[row].tolist()
            arrived = int(arrivals[place if len(arrivals) > 1 else 0])
            if series == Series.BEFORE:
                self._told_of(instrument, trade_id, moment, arrived)
            elif not self._is_new(instrument, series, trade_id, moment, arrived):
                if not len(repeated):
                    repeated = np.zeros(len(order), np.bool_)
                repeated[at] = True
            elif new and row in new:
                self._gaps.append(new[row])
            at += 1
        return repeated

    def _room_for(self, instrument: int) -> _Integers:
        """Return the newest ids, with room for this instrument's."""
        known = len(self._newest)
        if 2 * instrument + 1 >= known:
            more = np.full((max(known, 2 * instrument + 2 - known), 2), _UNKNOWN, np.int64)
            self._newest = np.concatenate([self._newest, more])
        return self._newest

    def _is_new(self, instrument: int, series: int, trade_id: int, moment: int, at: int) -> bool:
        newest = self._room_for(instrument)[2 * instrument + series]
        known_id, known_moment = newest.tolist()
        if known_id == _UNKNOWN:
            newest[:] = trade_id, moment
            return True
        if trade_id <= known_id and moment <= known_moment:
            self._seen_again(instrument, trade_id, at)
            return False
        if trade_id != known_id + 1:
            missing = trade_id - known_id - 1
            self._gap(instrument, (known_id, known_moment), trade_id, moment, at, missing=missing)
        newest[:] = trade_id, max(moment, known_moment)
        return True

    def _told_of(self, instrument: int, trade_id: int, moment: int, at: int) -> None:
        """Note the last trade before a subscription: what came between it and the last seen is missed.

        It is itself no new trade, and missed where it was not seen.
        """
        newest = self._room_for(instrument)[2 * instrument]
        known_id, known_moment = newest.tolist()
        if known_id != _UNKNOWN:
            if trade_id <= known_id and moment <= known_moment:
                return
            missing = trade_id - known_id
            self._gap(instrument, (known_id, known_moment), trade_id + 1, moment, at, missing=missing)
        newest[:] = trade_id, moment

    def forget(self, instrument: int) -> None:
        """Begin anew: what trades until it is subscribed again was not asked for, and is no gap."""
        self._room_for(instrument)[2 * instrument : 2 * instrument + 2] = _UNKNOWN

    def events(self) -> list[Event]:
        """Return the gaps since the last call, and one event ``duplicate`` per instrument with repeats."""
        found, self._gaps = self._gaps, []
        for instrument, (count, lowest, highest, at) in self._again.items():
            detail: dict[str, object] = {
                "count": count,
                "from_id": lowest,
                "to_id": highest,
                "why": "trade ids",
            }
            symbol = self._instruments[instrument].name
            found.append(Event(at=at, kind="duplicate", symbol=symbol, detail=detail))
        self._again.clear()
        return found

    def _seen_again(self, instrument: int, trade_id: int, at: int) -> None:
        count, lowest, highest, _ = self._again.get(instrument, (0, trade_id, trade_id, at))
        self._again[instrument] = (count + 1, min(lowest, trade_id), max(highest, trade_id), at)

    def _gap(
        self, instrument: int, known: tuple[int, int], next_id: int, moment: int, at: int, *, missing: int
    ) -> None:
        known_id, start = known
        detail: dict[str, object] = {"start": start, "end": moment, "from_id": known_id + 1}
        if missing > 0:
            detail = {"why": "trade ids", **detail, "to_id": next_id - 1, "missing": missing}
        else:  # lower, and a later trade
            detail = {"why": "trade ids began anew", **detail}
        symbol = self._instruments[instrument].name
        self._gaps.append(Event(at=at, kind="gap", symbol=symbol, detail=detail))
