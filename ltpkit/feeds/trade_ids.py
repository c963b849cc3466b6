"""Which trades are new, told by the ids an exchange gives them.

For feeds that send every trade with an id that rises by one per instrument. A trade seen before
(sent again after a reconnect) is counted and left out; a jump is a gap.
"""

from __future__ import annotations

from ltpkit.batch import Event
from ltpkit.instruments import Instruments

__all__ = ["TradeIds"]


class TradeIds:
    """The trade ids of a stream.

    Parameters
    ----------
    instruments : Instruments
        Gives the events their symbols.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._last: dict[int, tuple[int, int]] = {}  # id and time of the newest trade
        self._again: dict[int, tuple[int, int, int, int]] = {}  # count, lowest and highest id, receipt time
        self._gaps: list[Event] = []

    def last(self, instrument: int) -> int | None:
        """Return the id of the newest trade, None before the first."""
        found = self._last.get(instrument)
        return None if found is None else found[0]

    def is_new(self, instrument: int, trade_id: int, moment: int, at: int) -> bool:
        """Return whether this trade was not seen before, and remember it.

        Parameters
        ----------
        instrument, trade_id : int
        moment, at : int
            When it was traded and when it reached us, µs.
        """
        before = self._last.get(instrument)
        if before is None:
            self._last[instrument] = (trade_id, moment)
            return True
        last, newest = before
        if trade_id != last + 1:
            if trade_id <= last and moment <= newest:
                self._seen_again(instrument, trade_id, at)
                return False
            self._gap(instrument, before, trade_id, moment, at, missing=trade_id - last - 1)
        self._last[instrument] = (trade_id, max(moment, newest))
        return True

    def told_of(self, instrument: int, trade_id: int, moment: int, at: int) -> None:
        """Note the last trade before a subscription: what came between it and the last seen is missed.

        It is itself no new trade, and missed where it was not seen.
        """
        before = self._last.get(instrument)
        if before is not None:
            if trade_id <= before[0] and moment <= before[1]:
                return
            self._gap(instrument, before, trade_id + 1, moment, at, missing=trade_id - before[0])
        self._last[instrument] = (trade_id, moment)

    def forget(self, instrument: int) -> None:
        """Begin anew: what trades until it is subscribed again was not asked for, and is no gap."""
        self._last.pop(instrument, None)

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
        self, instrument: int, before: tuple[int, int], next_id: int, moment: int, at: int, *, missing: int
    ) -> None:
        detail: dict[str, object] = {"start": before[1], "end": moment, "from_id": before[0] + 1}
        if missing > 0:
            detail = {"why": "trade ids", **detail, "to_id": next_id - 1, "missing": missing}
        else:  # lower, and a later trade
            detail = {"why": "trade ids began anew", **detail}
        symbol = self._instruments[instrument].name
        self._gaps.append(Event(at=at, kind="gap", symbol=symbol, detail=detail))
