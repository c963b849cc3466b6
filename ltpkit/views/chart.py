"""The chart: bars with volume that start with what is stored and go on live, several symbols overlaid."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import polars as pl

from ltpkit.bars import width_us
from ltpkit.errors import SettingError
from ltpkit.gaps import OF_A_BOOK
from ltpkit.instrument import symbols_of
from ltpkit.views.growing import NUMBERS, GrowingBars, check_history
from ltpkit.views.missed import Gaps, Row
from ltpkit.views.source import full_name, precision, stamp, zone_of
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["STYLES", "Chart"]

STYLES: Final = ("candles", "line", "area")

_MOST_COMPARED: Final = 11
_LONGEST_AVERAGE: Final = 1_000
_MOST_CHANGED: Final = 300  # bars in a frame, before they go into the base
_MOST_LATELY: Final = 16  # instruments and bar lengths that are kept, to go back to at once
_MOST_GAPS: Final = 200


class Chart(View):
    """Bars of one instrument, or of several as percent change, live.

    Parameters
    ----------
    source : Frames
    symbol : str or list of str
        Of several the first is the chart's own, the others are compared with it.
    every : str
        Bar length.
    history : str
        How far back the bars begin.
    style : str, optional
        ``"candles"``, ``"line"`` or ``"area"``; by default candles of one symbol and lines of several.
    averages : sequence of int
        Lengths of the moving averages, in bars.
    vwap : bool
        Whether the day's volume-weighted average price is drawn.
    height : int
        In pixels.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "chart"

    def __init__(
        self,
        source: Frames,
        symbol: str | Sequence[str],
        *,
        every: str = "1s",
        history: str = "1d",
        style: str | None = None,
        averages: Sequence[int] = (),
        vwap: bool = False,
        height: int = 420,
        palette: str = "classic",
    ) -> None:
        first, *others = symbols_of(symbol)
        self._bars: dict[str, GrowingBars] = {}
        self._lately: dict[tuple[str, str, str], GrowingBars] = {}
        self._gaps = Gaps(source, self._again)
        super().__init__(
            source,
            symbol=first,
            compare=others,
            every=every,
            history=history,
            style=style or ("line" if others else "candles"),
            averages=averages,
            vwap=vwap,
            height=height,
            palette=palette,
        )

    def _check(self, name: str, value: Any) -> Any:
        match name:
            case "symbol":
                return full_name(self.source, value)
            case "compare":
                names = list(dict.fromkeys(full_name(self.source, one) for one in value))
                if len(names) > _MOST_COMPARED:
                    raise SettingError(f"{len(names)} symbols to compare: at most {_MOST_COMPARED}.")
                return names
            case "every":
                width_us(value)
                return value
            case "history":
                return check_history(value)
            case "style":
                if value not in STYLES:
                    raise SettingError(f"style={value!r}: one of {', '.join(STYLES)}.")
                return value
            case "averages":
                lengths = sorted(set(value))
                if not all(isinstance(one, int) and 2 <= one <= _LONGEST_AVERAGE for one in lengths):
                    raise SettingError(
                        f"averages={value!r}: lengths in bars, from 2 to {_LONGEST_AVERAGE:,}."
                    )
                return lengths
            case "vwap":
                return bool(value)
            case "height":
                if not isinstance(value, int) or not 160 <= value <= 4_000:
                    raise SettingError(f"height={value!r}: pixels, from 160 to 4,000.")
                return value
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return bool(names & {"symbol", "compare", "every", "history"})

    def _outgrown(self) -> bool:
        return any(one.changed > _MOST_CHANGED for one in self._bars.values())

    def _version(self) -> Hashable:
        # Bars end without a tick as well.
        growing = tuple(int(one.grow().sum()) for one in tuple(self._bars.values()))
        return super()._version(), growing

    # -- messages -------------------------------------------------------------------------

    @property
    def _names(self) -> list[str]:
        """The symbols shown, the chart's own first."""
        symbol = self._options["symbol"]
        return [symbol, *(one for one in self._options["compare"] if one != symbol)]

    def _base(self) -> Message:
        names, every, history = self._names, self._options["every"], self._options["history"]
        self._bars = {name: self._bars_of(name, every, history) for name in names}
        for bars in self._bars.values():
            bars.follow()
        whole = [one.all() for one in self._bars.values()]
        for one in self._bars.values():
            one.settle()
        header = {
            "symbols": self.source.known(),
            "series": [
                {"name": name, "bars": len(columns["start"]), "decimals": precision(self.source, name)}
                for name, columns in zip(names, whole, strict=True)
            ],
            "zone": zone_of(names[0]),
            "width": width_us(every) / 1000,
        }
        return header, {name: np.concatenate([one[name] for one in whole]) for name in NUMBERS}

    def _bars_of(self, name: str, every: str, history: str) -> GrowingBars:
        """Return bars that follow the source; those that were shown lately go on where they were."""
        found = self._lately.pop((name, every, history), None)
        if found is None:
            found = GrowingBars(self.source, name, every, history)
        self._lately[name, every, history] = found
        if len(self._lately) > _MOST_LATELY:
            del self._lately[next(iter(self._lately))]
        return found

    def _frame(self) -> Message:
        tails, growing = [], []
        for one in self._bars.values():
            one.follow()
            tail, grows = one.tail()
            tails.append(tail)
            growing.append(grows)
        newest = max(self._bars.values(), key=lambda one: one.seq or 0)
        header = {
            "seq": newest.seq,
            "stamp": newest.stamp,
            "tails": [len(tail["start"]) for tail in tails],
            "gaps": self._gaps.shown(self._options["symbol"], _missed),
        }
        columns = {name: np.concatenate([tail[name] for tail in tails]) for name in NUMBERS}
        columns["growing"] = np.concatenate(growing).astype(np.uint8)
        return header, columns

    def _text(self) -> str:
        every, lines = self._options["every"], []
        for name in self._names:
            bars = GrowingBars(self.source, name, every, self._options["history"]).all()
            zone = zone_of(name)
            newest = pl.DataFrame(
                {one: bars[one][-8:] for one in ("start", "open", "high", "low", "close", "volume")}
            )
            start = pl.from_epoch(newest["start"].cast(pl.Int64), "ms").dt.replace_time_zone("UTC")
            shown = newest.with_columns(
                start.dt.convert_time_zone(zone).dt.strftime("%d %b %H:%M:%S")
            ).fill_nan(None)
            with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_rows=8):
                lines.append(f"{name}, {len(bars['start']):,} bars of {every}, {zone}\n{shown}")
        return "\n".join(lines)


def _missed(gaps: list[Row], name: str) -> list[list[Any]]:
    """Return what was missed of an instrument's ticks: begin, end, why, how many, what came back."""
    found = [
        gap
        for gap in gaps
        if gap["why"] not in OF_A_BOOK
        and gap["symbol"] in (name, None)
        and (name in gap["symbols"] or not gap["symbols"])
    ]
    return [
        [stamp(gap["start"] or gap["at"]), stamp(gap["end"]), gap["why"], gap["missing"], gap["recovered"]]
        for gap in found[-_MOST_GAPS:]
    ]
