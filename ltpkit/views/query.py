"""The SQL box: a query over what is held, its answer as a table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import duckdb
import polars as pl

from ltpkit.errors import LtpkitError, SettingError
from ltpkit.views.pump import pump
from ltpkit.views.source import stamp
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["EXAMPLES", "QueryView"]

_MOST_ROWS: Final = 500  # shown; an answer may have more
_LONGEST: Final = 20_000

EXAMPLES: Final = {
    "Ticks by symbol": "SELECT symbol, count(*) AS ticks, min(ltp) AS low, max(ltp) AS high\n"
    "FROM ticks WHERE ltp IS NOT NULL GROUP BY ALL ORDER BY ticks DESC",
    "Bars of a minute": "FROM bars_1m ORDER BY start DESC, symbol LIMIT 50",
    "Largest changes": "SELECT timestamp, symbol, ltp, change, change_percent\n"
    "FROM ltp_changes ORDER BY abs(change_percent) DESC LIMIT 20",
    "What happened": "FROM feed_events ORDER BY seq DESC LIMIT 50",
}


class QueryView(View):
    """A box for SQL and the answer under it.

    Besides its options, ``choose(run=True)`` has the query answered, as its button does.

    Parameters
    ----------
    source : Frames
    ask : callable
        Answers a query; what it raises is shown. `Frames.sql` for the user's own notebook,
        `store.sandbox.Sandbox.query` where others may ask.
    query : str
        What stands in the box.
    palette : str
        ``"classic"`` or ``"safe"``.
    """

    kind: ClassVar[str] = "query"
    fps = 4.0

    def __init__(
        self,
        source: Frames,
        ask: Callable[[str], pl.DataFrame],
        *,
        query: str = EXAMPLES["Ticks by symbol"],
        palette: str = "classic",
    ) -> None:
        self._ask = ask
        self._answer: pl.DataFrame | None = None
        self._refusal: str | None = None
        self._took_s = 0.0
        self._asked = 0  # runs begun; an answer counts where no later one has begun
        self._running = False
        super().__init__(source, query=query, palette=palette)

    def choose(self, **choices: Any) -> Self:  # noqa: D102 - as in the class
        run = choices.pop("run", False)
        super().choose(**choices)
        if run:
            threading.Thread(target=self.run, name="ltpkit-query", daemon=True).start()
        return self

    def _check(self, name: str, value: Any) -> Any:
        if name == "query":
            if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
                raise SettingError(f"query: a text of 1 to {_LONGEST:,} characters is needed.")
            return value
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return False

    def run(self) -> pl.DataFrame | None:
        """Answer what stands in the box; None where it cannot be, and the view says why."""
        with self._lock:
            self._asked += 1
            mine, query = self._asked, self._options["query"]
            self._running = True
        started = time.perf_counter()
        answer, refusal = None, None
        try:
            answer = self._ask(query)
        except (LtpkitError, duckdb.Error) as error:
            refusal = str(error)
        with self._lock:
            if mine == self._asked:
                self._answer, self._refusal = answer, refusal
                self._took_s = time.perf_counter() - started
                self._running = False
                self._base_due = True
        pump.wake(self)
        return answer

    def _base(self) -> Message:
        shown = pl.DataFrame() if self._answer is None else self._answer.head(_MOST_ROWS)
        return {
            "examples": EXAMPLES,
            "names": shown.columns,
            "numbers": [kind.is_numeric() for kind in shown.dtypes],
            "cells": [_written(column) for column in shown],
            "rows": None if self._answer is None else self._answer.height,
            "shown": shown.height,
            "refusal": self._refusal,
            "took": self._took_s * 1000,
        }, {}

    def _frame(self) -> Message:
        newest = self.source.latest()
        return {
            "seq": newest["seq"].max(),
            "stamp": stamp(newest["received_at"].max()),  # type: ignore[arg-type]  # a time or None
            "running": self._running,
        }, {}

    def _text(self) -> str:
        answer = self.run()
        return f"{self._options['query']}\n{self._refusal if answer is None else answer}"


def _written(column: pl.Series) -> list[str | None]:
    """Return a column's values as text."""
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.to_string("%Y-%m-%d %H:%M:%S%.3f").to_list()
    if column.dtype.is_float():
        return [None if value is None else f"{value:.10g}" for value in column]
    return [None if value is None else str(value) for value in column]
