"""Which trades are new, told by the ids an exchange gives them.

For feeds that send every trade with an id that rises by one per instrument. A trade seen before
(sent again after a reconnect) is told apart and counted; a jump is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from ltpkit.batch import Event
from ltpkit.instrument import Instruments

__all__ = ["Trade", "TradeIds"]

#: Place among the frames, instrument, seconds since 1970, id, price, quantity. Sorted, those of an
#: instrument stand in the order they were traded, also where a message has the newest first.
Trade = tuple[int, int, float, int, float, float]


class _Newest:
    """The newest trade of an instrument."""

    __slots__ = ("id", "moment")

    def __init__(self, trade_id: int, moment: float) -> None:
        self.id, self.moment = trade_id, moment


class TradeIds:
    """The trade ids of a stream.

    Parameters
    ----------
    instruments : Instruments
        Gives the events their symbols.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._newest: dict[int, _Newest] = {}
        self._again: dict[int, tuple[int, int, int, int]] = {}  # count, lowest and highest id, receipt time
        self._gaps: list[Event] = []

    def seen(self, instrument: int) -> bool:
        """Return whether a trade of this instrument was seen."""
        return instrument in self._newest

    def duplicates(self, trades: Sequence[Trade], received_at: Sequence[int]) -> list[int]:
        """Return the places of those trades that were seen before, and remember the others.

        Parameters
        ----------
        trades : sequence of Trade
            In arrival order.
        received_at : sequence of int
            When each frame reached us, µs.
        """
        newest, again = self._newest, []
        for place, trade in enumerate(trades):
            known, trade_id = newest.get(trade[1]), trade[3]
            if known is not None and trade_id == known.id + 1:  # as nearly always
                known.id = trade_id
                if trade[2] > known.moment:
                    known.moment = trade[2]
            elif not self._is_new(trade, known, received_at[trade[0]]):
                again.append(place)
        return again

    def _is_new(self, trade: Trade, known: _Newest | None, at: int) -> bool:
        _, instrument, moment, trade_id, *_ = trade
        if known is None:
            self._newest[instrument] = _Newest(trade_id, moment)
            return True
        if trade_id <= known.id and moment <= known.moment:
            self._seen_again(instrument, trade_id, at)
            return False
        self._gap(instrument, known, trade_id, moment, at, missing=trade_id - known.id - 1)
        known.id, known.moment = trade_id, max(moment, known.moment)
        return True

    def told_of(self, instrument: int, trade_id: int, moment: float, at: int) -> None:
        """Note the last trade before a subscription: what came between it and the last seen is missed.

        It is itself no new trade, and missed where it was not seen. Trades that arrived before have to be
        known by now.
        """
        known = self._newest.get(instrument)
        if known is not None:
            if trade_id <= known.id and moment <= known.moment:
                return
            self._gap(instrument, known, trade_id + 1, moment, at, missing=trade_id - known.id)
        self._newest[instrument] = _Newest(trade_id, moment)

    def forget(self, instrument: int) -> None:
        """Begin anew: what trades until it is subscribed again was not asked for, and is no gap."""
        self._newest.pop(instrument, None)

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
        self, instrument: int, known: _Newest, next_id: int, moment: float, at: int, *, missing: int
    ) -> None:
        start, end = round(known.moment * 1e6), round(moment * 1e6)
        detail: dict[str, object] = {"start": start, "end": end, "from_id": known.id + 1}
        if missing > 0:
            detail = {"why": "trade ids", **detail, "to_id": next_id - 1, "missing": missing}
        else:  # lower, and a later trade
            detail = {"why": "trade ids began anew", **detail}
        symbol = self._instruments[instrument].name
        self._gaps.append(Event(at=at, kind="gap", symbol=symbol, detail=detail))
