"""The board: a watchlist with the newest values, changes and recent prices of many instruments."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import polars as pl

from ltpkit.changes import percent
from ltpkit.errors import SettingError
from ltpkit.views.many import ManyView, newest_of
from ltpkit.views.newest import Newest
from ltpkit.views.source import Subscribing, full_name, precision, zone_of
from ltpkit.views.tails import Curves
from ltpkit.views.view import Message

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Board"]

#: What the rows can be sorted by; with a minus in front, the largest first.
_COLUMNS: Final = (
    "symbol", "ltp", "change", "change_percent", "day_change", "day_change_percent", "range", "recent",
    "volume", "age",
)  # fmt: skip

_READ: Final = (
    "seq", "received_at", "ltp", "change", "change_percent", "close_price", "open_price", "low_price",
    "high_price", "volume",
)  # fmt: skip


class Board(ManyView):
    """Many instruments at a glance, live.

    Parameters
    ----------
    source : Frames
    symbols : sequence of str, optional
        By default everything subscribed, whenever that changes too.
    symbol : str, optional
        The one that is selected; `link` makes other views follow it.
    sort : str
        A column, with a minus in front for the largest first; empty for the order of `symbols`.
    find : str
        Only rows with this text in their name.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "board"

    def __init__(
        self,
        source: Frames,
        symbols: str | Sequence[str] | None = None,
        *,
        symbol: str | None = None,
        sort: str = "",
        find: str = "",
        palette: str = "classic",
    ) -> None:
        self._curves = Curves(source, ())
        super().__init__(source, symbols=symbols, symbol=symbol, sort=sort, find=find, palette=palette)

    # -- what is chosen -------------------------------------------------------------------

    def choose(self, **choices: Any) -> Self:
        """Change what the board shows, as a click on it would; return the board.

        Besides its options, ``subscribe="INFY"`` has a running stream take up a symbol and the board show
        it; ``unsubscribe="INFY"`` is the reverse.

        Raises
        ------
        SettingError
            There is no such choice, or not this value; or the source takes no subscriptions.
        UnknownInstrument
            The close matches are named; nothing is changed.
        """
        for name in ("subscribe", "unsubscribe"):
            if name in choices:
                choices |= self._have(choices.pop(name), wanted=name == "subscribe")
        return super().choose(**choices)

    def _have(self, symbol: str, *, wanted: bool) -> dict[str, Any]:
        """Subscribe or unsubscribe; return what is chosen by that."""
        source, chosen = self.source, self._options["symbols"]
        if not isinstance(source, Subscribing):
            raise SettingError("What is shown here takes no subscriptions: it is not a live stream.")
        if wanted:
            source.subscribe(symbol)
            name = full_name(self.source, symbol)
            return {"symbol": name} if chosen is None else {"symbols": [*chosen, name], "symbol": name}
        name = full_name(self.source, symbol)
        source.unsubscribe(name)
        rest: dict[str, Any] = {"symbol": None} if self._options["symbol"] == name else {}
        return rest if chosen is None else {**rest, "symbols": [one for one in chosen if one != name]}

    def try_choose(self, choices: Mapping[str, Any]) -> None:  # noqa: D102 - as in the base
        if choices.keys() & {"subscribe", "unsubscribe"}:
            # It may have to read a broker's list: not on the thread that answers the page.
            threading.Thread(
                target=super().try_choose, args=(choices,), name="ltpkit-board", daemon=True
            ).start()
        else:
            super().try_choose(choices)

    def _check(self, name: str, value: Any) -> Any:
        if name == "sort":
            if value and value.removeprefix("-") not in _COLUMNS:
                raise SettingError(
                    f"sort={value!r}: one of {', '.join(_COLUMNS)}, with a minus for the largest first."
                )
            return value
        if name == "find":
            return str(value)
        return super()._check(name, value)

    # -- what is shown --------------------------------------------------------------------

    def _base(self) -> Message:
        before = self._names
        header, columns = super()._base()
        if self._names != before:
            self._curves = Curves(self.source, self._names)
        header["decimals"] = [precision(self.source, name) for name in self._names]
        header["zones"] = [zone_of(name) for name in self._names]
        header["subscribing"] = isinstance(self.source, Subscribing)
        return header, columns

    def _frame(self) -> Message:
        self._curves.refresh()
        values = self._newest.read(self.source, *_READ)
        ltp, close = values["ltp"], values["close_price"]
        day_change = ltp - close
        return {**newest_of(values), "points": self._curves.length}, {
            "ltp": ltp,
            "change": values["change"],
            "change_percent": values["change_percent"],
            "day_change": day_change,
            "day_change_percent": percent(day_change, close),
            "open": values["open_price"],
            "low": values["low_price"],
            "high": values["high_price"],
            "volume": values["volume"],
            "at": values["received_at"] / 1000,
            "curves": self._curves.heights().ravel(),
        }

    def _text(self) -> str:
        names = self._wanted()
        columns = ("ltp", "change", "change_percent", "close_price", "volume")
        values = Newest(names).read(self.source, *columns)
        day_change = values["ltp"] - values["close_price"]
        frame = pl.DataFrame(
            {
                "symbol": names,
                "ltp": values["ltp"],
                "change": values["change"],
                "change_percent": values["change_percent"].round(3),
                "day_change": day_change.round(4),
                "day_change_percent": percent(day_change, values["close_price"]).round(2),
                "volume": values["volume"],
            },
            schema_overrides={"symbol": pl.String},
        ).fill_nan(None)
        told = f"{self._count()}; change: since the previous tick, "
        with pl.Config(tbl_rows=60, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
            return f"{told}day_change: since the previous close\n{frame}"
