"""The depth ladder: bids and asks around the touch, with what is cumulated towards the far levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from ltpkit.errors import SettingError
from ltpkit.views.source import full_name, precision, stamp, zone_of
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Ladder"]

_MOST_LEVELS = 1_000


class Ladder(View):
    """The book of one instrument, live.

    Parameters
    ----------
    source : Frames
    symbol : str
    levels : int
        On each side, at most.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "ladder"

    def __init__(self, source: Frames, symbol: str, *, levels: int = 5, palette: str = "classic") -> None:
        super().__init__(source, symbol=symbol, levels=levels, palette=palette)

    def _check(self, name: str, value: Any) -> Any:
        if name == "symbol":
            return full_name(self.source, value)
        if name == "levels":
            if not isinstance(value, int) or not 1 <= value <= _MOST_LEVELS:
                raise SettingError(f"levels={value!r}: a whole number from 1 to {_MOST_LEVELS:,}.")
            return value
        return super()._check(name, value)

    def _base(self) -> Message:
        name = self._options["symbol"]
        return {
            "symbols": self.source.known(),
            "decimals": precision(self.source, name),
            "zone": zone_of(name),
        }, {}

    def _frame(self) -> Message:
        name, levels = self._options["symbol"], self._options["levels"]
        book = self.source.depth(name, levels=levels)
        newest = self.source.latest(name)
        row = newest.row(0, named=True) if newest.height else {}
        header = {
            "seq": row.get("seq"),
            "stamp": stamp(row.get("received_at")),
            "at": stamp(row.get("timestamp")),
            "ltp": row.get("ltp"),
            "ltq": row.get("ltq"),
            "change": row.get("change"),
        }
        columns = ("bid_price", "bid_qty", "bid_orders", "ask_price", "ask_qty", "ask_orders")
        return header, {one: book[one].cast(pl.Float64).fill_null(np.nan).to_numpy() for one in columns}

    def _text(self) -> str:
        name, levels = self._options["symbol"], self._options["levels"]
        return f"{name}, {levels} levels\n{self.source.depth(name, levels=levels)}"
