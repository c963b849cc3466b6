"""The heatmap: the whole market at a glance, a tile for each instrument within its sector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ltpkit.changes import percent
from ltpkit.errors import SettingError
from ltpkit.views.many import ManyView, newest_of
from ltpkit.views.newest import Newest
from ltpkit.views.source import precision
from ltpkit.views.view import Message

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Heatmap"]

#: What a change is counted from.
_BASES: Final = ("close", "tick", "open")
_SIZES: Final = ("turnover", "equal")

_WORDS: Final = {"close": "the previous close", "tick": "the previous tick", "open": "the opening"}

_READ: Final = ("seq", "received_at", "ltp", "change", "close_price", "open_price", "volume")


class Heatmap(ManyView):
    """Changes of many instruments as coloured tiles, live.

    Parameters
    ----------
    source : Frames
    symbols : sequence of str, optional
        By default everything subscribed, whenever that changes too.
    basis : {"close", "tick", "open"}
        What the change is counted from.
    size : {"turnover", "equal"}
        What a tile's area stands for.
    sectors : mapping of str to str, optional
        Sector by symbol, before what the source says. Without either: the exchange.
    symbol : str, optional
        The one that is selected; `link` makes other views follow it.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "heatmap"

    def __init__(
        self,
        source: Frames,
        symbols: str | Sequence[str] | None = None,
        *,
        basis: str = "close",
        size: str = "turnover",
        sectors: Mapping[str, str] | None = None,
        symbol: str | None = None,
        palette: str = "classic",
    ) -> None:
        self._sectors = {name.casefold(): sector for name, sector in (sectors or {}).items()}
        super().__init__(source, symbols=symbols, basis=basis, size=size, symbol=symbol, palette=palette)

    def _check(self, name: str, value: Any) -> Any:
        if name in ("basis", "size"):
            known = _BASES if name == "basis" else _SIZES
            if value not in known:
                raise SettingError(f"{name}={value!r}: one of {', '.join(known)}.")
            return value
        return super()._check(name, value)

    def _sector(self, name: str) -> str:
        exchange, _, symbol = name.partition(":")
        own = self._sectors.get(name.casefold()) or self._sectors.get(symbol.casefold())
        return own or self.source.sector(name) or exchange

    def _base(self) -> Message:
        header, columns = super()._base()
        header["sectors"] = [self._sector(name) for name in self._names]
        header["decimals"] = [precision(self.source, name) for name in self._names]
        return header, columns

    def _changes(self, values: Mapping[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        """Return the changes from what they are counted from, in percent."""
        ltp = values["ltp"]
        starts = {
            "close": values["close_price"],
            "tick": ltp - values["change"],
            "open": values["open_price"],
        }
        start = starts[self._options["basis"]]
        return percent(ltp - start, start)

    def _frame(self) -> Message:
        values = self._newest.read(self.source, *_READ)
        return newest_of(values), {
            "ltp": values["ltp"],
            "percent": self._changes(values),
            "volume": values["volume"],
            "turnover": values["volume"] * values["ltp"],
        }

    def _text(self) -> str:
        names = self._wanted()
        values = Newest(names).read(self.source, *_READ)
        frame = pl.DataFrame(
            {
                "sector": [self._sector(name) for name in names],
                "symbol": names,
                "change_percent": self._changes(values).round(2),
                "turnover": values["volume"] * values["ltp"],
            },
            schema_overrides={"sector": pl.String, "symbol": pl.String},
        ).fill_nan(None)
        frame = frame.sort("sector", "change_percent", descending=[False, True], nulls_last=True)
        with pl.Config(tbl_rows=60, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
            return f"{self._count()}; change: since {_WORDS[self._options['basis']]}\n{frame}"
