"""The live table: the newest prices of a stream, drawn for a terminal.

`Board` reads anything with the methods of `Held` a few times a second and keeps what a table needs
and a single reading cannot tell: recent prices for the sparklines, and how many ticks came when.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ltpkit.cli.terminal import direction
from ltpkit.status import Status, age

if TYPE_CHECKING:
    from ltpkit.held import Held

__all__ = ["Board", "short", "sparkline"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS: Final = "_.-=+*#@"
_SAMPLE_S: Final = 0.5  # one character of a sparkline
_CURVE: Final = 30  # characters at most
_RATE_S: Final = 5.0  # as in the status
_REVIEW_S: Final = 5.0  # rows that change places more often cannot be read
_FRESH_S: Final = 0.3
_OLD_S: Final = 10.0
_WIDE: Final = 100
_TITLES: Final = ("symbol", "LTP", "change", "change %", "day %", "volume", "", "ticks/s", "age")

Name = tuple[str, str]


class _Newest(NamedTuple):
    """The newest values of one instrument."""

    ltp: float | None
    change: float | None
    change_percent: float | None
    close_price: float | None
    volume: float | None
    received_at: datetime


_COLUMNS: Final = _Newest._fields


def sparkline(prices: Iterable[float | None], width: int, *, plain: bool = False) -> str:
    """Return the last `width` prices as block characters, lowest to highest; gaps stay blank.

    Examples
    --------
    >>> sparkline([1, 2, 3, None, 8], 6)
    ' ▁▂▃ █'
    >>> sparkline([5, 5, 5], 3)
    '▄▄▄'
    """
    shown = list(prices)[-width:] if width > 0 else []
    known = [price for price in shown if price is not None]
    blocks = _PLAIN_BLOCKS if plain else _BLOCKS
    if not known:
        return " " * width
    low, span = min(known), max(known) - min(known)

    def block(price: float | None) -> str:
        if price is None:
            return " "
        if not span:
            return blocks[3]
        return blocks[min(int((price - low) / span * len(blocks)), len(blocks) - 1)]

    return "".join(map(block, shown)).rjust(width)


def short(number: float | None) -> str:
    """Return a quantity in at most seven characters.

    Examples
    --------
    >>> [short(n) for n in (None, 0.25, 950, 12_345, 1_234_567, 2.5e9)]
    ['–', '0.25', '950', '12,345', '1.23 M', '2.50 B']
    """
    if number is None:
        return "–"
    if number < 100 and number != int(number):
        return f"{number:.4g}"
    if number < 99_999.5:
        return f"{number:,.0f}"
    unit = " k"
    number /= 1e3
    for larger in (" M", " B", " T"):
        if number < 999.5:
            break
        number, unit = number / 1e3, larger
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}{unit}"


def _decimals(price: float) -> int:
    """Return the digits after the point that `price` needs, from 2 to 8."""
    return max(2, len(f"{price:.8f}".rstrip("0").partition(".")[2]))


class Board:
    """The table of one stream.

    Parameters
    ----------
    live : Stream or Replay
        What is shown.
    title : str
        Stands before the status.
    replayed : bool
        Ages are counted from the newest tick: a recording's own clock has long passed.
    """

    def __init__(self, live: Held, *, title: str = "", replayed: bool = False) -> None:
        self._live, self._title, self._replayed = live, title, replayed
        self._started = time.monotonic()
        self._seen = 0  # seq up to which ticks were counted
        self._newest: dict[Name, _Newest] = {}
        self._fresh: dict[Name, float] = {}
        self._recent: deque[tuple[float, dict[Name, int]]] = deque()
        self._total: Counter[Name] = Counter()
        self._traded: Counter[Name] = Counter()
        self._prices: dict[Name, deque[float | None]] = {}
        self._digits: dict[Name, int] = {}
        self._sampled = float("-inf")
        self._chosen: list[Name] = []
        self._chosen_at = float("-inf")
        self.status: Status = live.status()

    # -- reading --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the stream once."""
        now = time.monotonic()
        self.status = self._live.status()
        self._count(now)
        latest = self._live.latest()
        names = zip(latest["exchange"].to_list(), latest["symbol"].to_list(), strict=True)
        for name, values in zip(names, latest.select(_COLUMNS).iter_rows(), strict=True):
            row = _Newest(*values)
            before = self._newest.get(name)
            if row.ltp is not None:
                if before is None or before.ltp != row.ltp:
                    self._fresh[name] = now
                self._digits[name] = max(self._digits.get(name, 2), _decimals(row.ltp))
            self._newest[name] = row
        if now - self._sampled >= _SAMPLE_S:
            self._sampled = now
            for name, row in self._newest.items():
                self._prices.setdefault(name, deque(maxlen=_CURVE)).append(row.ltp)

    def _count(self, now: float) -> None:
        """Count the ticks that came since the last look, by instrument."""
        import polars as pl

        ticks = self._live.ticks()
        if ticks.height:
            newest = ticks["seq"][-1]
            new = ticks.tail(min(newest - self._seen, ticks.height))
            self._seen = newest
            counted = new.group_by("exchange", "symbol").agg(pl.len(), pl.col("ltq").sum())
            counts = {(exchange, symbol): n for exchange, symbol, n, _ in counted.iter_rows()}
            self._total.update(counts)
            for exchange, symbol, _, quantity in counted.iter_rows():
                self._traded[exchange, symbol] += quantity
            self._recent.append((now, counts))
        while self._recent and now - self._recent[0][0] > _RATE_S:
            self._recent.popleft()

    def _rate(self, name: Name) -> float:
        span = min(_RATE_S, max(time.monotonic() - self._started, 0.5))
        return sum(counts.get(name, 0) for _, counts in self._recent) / span

    def _rows(self, most: int) -> list[Name]:
        """Return what to show: everything in the order asked for, or the busiest where all do not fit."""
        names = list(self._newest)
        if len(names) <= most:
            return names
        now = time.monotonic()
        if len(self._chosen) != most or now - self._chosen_at >= _REVIEW_S:
            self._chosen = [
                name for name, _ in sorted(((n, self._total[n]) for n in names), key=lambda one: -one[1])
            ][:most]
            self._chosen_at = now
        return self._chosen

    # -- drawing --------------------------------------------------------------------------

    def draw(self, *, width: int, rows: int, note: str = "", plain: bool = False) -> RenderableType:
        """Return the status and the table.

        Parameters
        ----------
        width : int
            Characters there are.
        rows : int
            Instruments that may be shown, the busiest of them.
        note : str
            Stands at the end of the status: the time that is left, how to end it.
        plain : bool
            Use no character outside ASCII.
        """
        names = self._rows(max(rows, 1))
        gap = 1 if width >= _WIDE else 0
        taken = sum(self._widths(names)) + len(_TITLES) * (1 + gap)
        spark = max(min(width - taken, _CURVE), 8)
        parts: list[RenderableType] = [self.headline(note)]
        if self.status.last_error:
            parts.append(Text(f"error: {self.status.last_error}", style="red"))
        if names:
            parts += [Text(), self._table(names, spark, gap, plain=plain), self._legend(names, spark)]
        return Group(*parts)

    def line(self) -> str:
        """Return the status in one line, for a log."""
        return " · ".join(part.strip() for part in self.headline().plain.split("\n"))

    def headline(self, note: str = "") -> Text:
        """Return the status, in two lines."""
        status = self.status
        good = status.state in ("live", "playing", "finished")
        text = Text(overflow="fold")
        text.append("● ", style="green" if good else "red")
        text.append(f"{self._title or status.feed} ", style="bold")
        text.append(status.state.replace("_", " "), style="bold green" if good else "bold red")
        count = len(status.symbols)
        text.append(f" · {count} symbol{'' if count == 1 else 's'} · {status.rate:,.0f} ticks/s")
        if not self._replayed:
            seen = status.last_tick_age_s
            text.append(" · no tick yet" if seen is None else f" · last tick {age(seen)} ago")
        for word in ("gap", "reject", "reconnect"):
            if number := getattr(status, f"{word}s"):
                text.append(f" · {number:,} {word}{'' if number == 1 else 's'}", style="yellow")
        if status.lost_rows:
            text.append(f" · {status.lost_rows:,} rows LOST unstored", style="bold red")
        text.append(
            f"\n  {status.rows_in_memory:,} rows in memory, {status.rows_stored:,} stored", style="dim"
        )
        if note:
            text.append(f" · {note}", style="dim")
        return text

    def _widths(self, names: Sequence[Name]) -> list[int]:
        """Return the least widths of all columns but the curve's, for a table that keeps its shape."""
        one_exchange = self._one_exchange()
        symbol = max((len(self._written(name, one_exchange=one_exchange)) for name in names), default=0)
        ltp = max(
            (len(f"{row.ltp:,.{self._digits[name]}f}") for name in names if (row := self._newest[name]).ltp),
            default=0,
        )
        return [max(symbol, 8), max(ltp, 8), 7, 8, 7, 7, 7, 6]

    def _one_exchange(self) -> bool:
        return len({exchange for exchange, _ in self._newest}) == 1

    @staticmethod
    def _written(name: Name, *, one_exchange: bool) -> str:
        return name[1] if one_exchange else f"{name[0]}:{name[1]}"

    def _table(self, names: Sequence[Name], spark: int, gap: int, *, plain: bool) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap, 0, 0))
        one_exchange = self._one_exchange()
        widths = self._widths(names)
        for title, least in zip(_TITLES, [*widths[:6], spark, *widths[6:]], strict=True):
            justify: Literal["left", "right"] = "left" if title in ("symbol", "") else "right"
            table.add_column(title, justify=justify, no_wrap=True, min_width=least)
        now = datetime.now(UTC)
        if self._replayed:
            now = max(row.received_at for row in self._newest.values())
        for name in names:
            table.add_row(*self._cells(name, now, spark, one_exchange=one_exchange, plain=plain))
        return table

    def _cells(self, name: Name, now: datetime, spark: int, *, one_exchange: bool, plain: bool) -> list[Text]:
        row, digits = self._newest[name], self._digits.get(name, 2)
        day = None if row.ltp is None or not row.close_price else (row.ltp / row.close_price - 1) * 100
        prices = list(self._prices.get(name, ()))[-spark:]
        known = [price for price in prices if price is not None]
        trend = known[-1] - known[0] if known else None
        seconds = max((now - row.received_at).total_seconds(), 0.0)
        fresh = time.monotonic() - self._fresh.get(name, float("-inf")) < _FRESH_S
        volume = row.volume if row.volume is not None else self._traded[name] or None
        return [
            Text(self._written(name, one_exchange=one_exchange), style="bold"),
            Text(
                "–" if row.ltp is None else f"{row.ltp:,.{digits}f}",
                style=f"bold {direction(row.change)}" if fresh and row.change else "",
            ),
            _signed(row.change, digits, plain=plain),
            _signed(row.change_percent, 3, plain=plain),
            _signed(day, 2, plain=plain),
            Text(short(volume)),
            Text(sparkline(prices, spark, plain=plain), style=direction(trend)),
            Text(f"{self._rate(name):,.1f}"),
            Text(age(seconds), style="dim" if seconds < _OLD_S else "yellow"),
        ]

    def _legend(self, names: Sequence[Name], spark: int) -> Text:
        others = len(self._newest) - len(names)
        parts = [
            "change, change %: from the tick before",
            "day %: from the previous close",
            f"curve: {spark * _SAMPLE_S:.0f} s",
        ]
        if any(self._newest[name].volume is None and self._traded[name] for name in names):
            parts.append("volume: traded since the start")
        if others:
            parts.insert(0, f"the {len(names)} busiest of {len(self._newest)}")
        return Text(" · ".join(parts), style="dim")


def _signed(change: float | None, digits: int, *, plain: bool) -> Text:
    """Return a change with arrow, sign and colour: none of them alone has to be seen."""
    if change is None:
        return Text("–", style="dim")
    up, down = ("", "") if plain else ("▲", "▼")
    written = f"{change:+,.{digits}f}"
    if not written.strip("+-0.,"):
        return Text(written.strip("+-"), style="dim")
    return Text(f"{up if change > 0 else down}{written}", style=direction(change))
