"""The depth ladder: bids and asks around the touch, with what is cumulated towards the far levels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from ltpkit.errors import SettingError
from ltpkit.views.source import full_name, milliseconds, precision, zone_of
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
        # Numbers rather than frames: those wait for the interpreter many times, and for polars.
        newest = self.source.newest_numbers(name)
        header = {
            "seq": newest.get("seq"),
            "stamp": milliseconds(newest.get("received_at")),
            "at": milliseconds(newest.get("timestamp")),
            **{one: _known(newest.get(one)) for one in ("ltp", "ltq", "change")},
        }
        return header, {one: side[:levels] for one, side in self.source.book_numbers(name).items()}

    def _text(self) -> str:
        name, levels = self._options["symbol"], self._options["levels"]
        return f"{name}, {levels} levels\n{self.source.depth(name, levels=levels)}"


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
