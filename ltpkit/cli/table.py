"""The live table, drawn for a terminal from what a `Board` read.

A change is told by arrow, sign and colour, so that none of them alone has to be seen. A narrow
terminal gets fewer columns rather than cut ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ltpkit.cli.board import CURVE, SAMPLE_S, Board, Shown
from ltpkit.cli.terminal import direction
from ltpkit.status import Status, age

__all__ = ["draw", "headline", "line", "short", "sparkline"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LEAST_CURVE: Final = 8
_OLD_S: Final = 10.0
_ROOMY: Final = 100  # characters that leave room for wider gaps


class _Column(NamedTuple):
    title: str
    least: int  # so that the table keeps its shape while its numbers grow and shrink
    left_out: int = 0  # where there is little room, the highest first; 0 never is


_CURVE_COLUMN: Final = ""
_COLUMNS: Final = (
    _Column("symbol", 8),
    _Column("LTP", 8),
    _Column("change", 7),
    _Column("change %", 8),
    _Column("day %", 7, 1),
    _Column("volume", 7, 3),
    _Column(_CURVE_COLUMN, _LEAST_CURVE, 4),
    _Column("ticks/s", 7, 2),
    _Column("age", 6),
)


def sparkline(prices: Iterable[float | None], width: int) -> str:
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
    if not known:
        return " " * width
    low, span = min(known), max(known) - min(known)

    def block(price: float | None) -> str:
        if price is None:
            return " "
        if not span:
            return _BLOCKS[3]
        return _BLOCKS[min(int((price - low) / span * len(_BLOCKS)), len(_BLOCKS) - 1)]

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
    unit = "k"
    number /= 1e3
    for larger in "MBT":
        if number < 999.5:
            break
        number, unit = number / 1e3, larger
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f} {unit}"


def draw(board: Board, *, width: int, rows: int, title: str = "", note: str = "") -> Group:
    """Return the status and the table.

    Parameters
    ----------
    board : Board
    width : int
        Characters there are.
    rows : int
        Instruments that may be shown, the busiest of them.
    title : str
        In place of the feed's name.
    note : str
        Stands at the end of the status: the time that is left, how to end it.
    """
    parts: list[RenderableType] = [headline(board, title=title, note=note)]
    if board.status.last_error:
        parts.append(Text(f"error: {board.status.last_error}", style="red"))
    shown = board.rows(max(rows, 1))
    if shown:
        table, curve = _table(shown, width)
        parts += [Text(), table, _legend(board, len(shown), curve)]
    return Group(*parts)


def headline(board: Board, *, title: str = "", note: str = "") -> Text:
    """Return the status in two lines."""
    status = board.status
    style = "green" if status.state in ("live", "playing", "finished") else "red"
    count = len(status.symbols)
    text = Text()
    text.append("● ", style=style)
    text.append(f"{title or status.feed} ", style="bold")
    text.append(status.state.replace("_", " "), style=f"bold {style}")
    text.append(f" · {count} symbol{'' if count == 1 else 's'} · {status.rate:,.0f} ticks/s")
    if not board.replayed:
        seen = status.last_tick_age_s
        text.append(" · no tick yet" if seen is None else f" · last tick {age(seen)} ago")
    for trouble in _troubles(status):
        text.append(" · ").append(trouble)
    rows = f"{status.rows_in_memory:,} rows in memory, {status.rows_stored:,} stored"
    text.append(f"\n  {rows}{f' · {note}' if note else ''}", style="dim")
    return text


def line(board: Board, *, title: str = "") -> str:
    """Return the status in one line, for a log."""
    parts = [part.strip() for part in headline(board, title=title).plain.split("\n")]
    if board.status.last_error:
        parts.append(f"error: {board.status.last_error}")
    return " · ".join(parts)


def _troubles(status: Status) -> list[Text]:
    counts = {"gap": status.gaps, "reject": status.rejects, "reconnect": status.reconnects}
    found = [Text(f"{n:,} {word}{'' if n == 1 else 's'}", style="yellow") for word, n in counts.items() if n]
    if status.lost_rows:
        found.append(Text(f"{status.lost_rows:,} rows LOST unstored", style="bold red"))
    return found


def _table(shown: Sequence[Shown], width: int) -> tuple[Table, int]:
    """Return the table, and the length of its curves."""
    gap = 2 if width >= _ROOMY else 1
    rows = [_cells(row, symbol) for row, symbol in zip(shown, _symbols(shown), strict=True)]
    needs = {
        column.title: max(column.least, *(row[column.title].cell_len for row in rows)) for column in _COLUMNS
    }
    kept = list(_COLUMNS)
    for column in sorted(_COLUMNS, key=lambda column: -column.left_out):
        if not column.left_out or _taken(kept, needs, gap) <= width:
            break
        kept.remove(column)
    drawn = any(column.title == _CURVE_COLUMN for column in kept)
    curve = min(_LEAST_CURVE + width - _taken(kept, needs, gap), CURVE) if drawn else 0
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap - 1, 0, 0))
    for column in kept:
        justify: Literal["left", "right"] = "left" if column.title in ("symbol", _CURVE_COLUMN) else "right"
        table.add_column(column.title, justify=justify, no_wrap=True, min_width=needs[column.title])
    for row, cells in zip(shown, rows, strict=True):
        cells[_CURVE_COLUMN] = _curve(row, curve)
        table.add_row(*(cells[column.title] for column in kept))
    return table, curve


def _taken(columns: Sequence[_Column], needs: dict[str, int], gap: int) -> int:
    return sum(needs[column.title] + gap for column in columns) - gap


def _symbols(shown: Sequence[Shown]) -> list[str]:
    """Return the symbols, with their exchanges where there is more than one."""
    several = len({row.exchange for row in shown}) > 1
    return [f"{row.exchange}:{row.symbol}" if several else row.symbol for row in shown]


def _curve(row: Shown, width: int) -> Text:
    known = [price for price in row.prices[-width:] if price is not None] if width else []
    return Text(sparkline(row.prices, width), style=direction(known[-1] - known[0] if known else None))


def _cells(row: Shown, symbol: str) -> dict[str, Text]:
    ltp = "–" if row.ltp is None else f"{row.ltp:,.{row.digits}f}"
    return {
        "symbol": Text(symbol, style="bold"),
        "LTP": Text(ltp, style=f"bold {direction(row.change)}" if row.fresh and row.change else ""),
        "change": _signed(row.change, row.digits),
        "change %": _signed(row.change_percent, 3),
        "day %": _signed(row.day_percent, 2),
        "volume": Text(short(row.volume)),
        _CURVE_COLUMN: Text(),
        "ticks/s": Text(f"{row.rate:,.1f}"),
        "age": Text(age(row.age_s), style="dim" if row.age_s < _OLD_S else "yellow"),
    }


def _legend(board: Board, shown: int, curve: int) -> Text:
    parts = ["change, change %: from the tick before", "day %: from the previous close"]
    if shown < len(board):
        parts.insert(0, f"the {shown} busiest of {len(board)}")
    if curve:
        parts.append(f"curve: {curve * SAMPLE_S:.0f} s")
    if board.sums_trades:
        parts.append("volume: traded since the start")
    return Text(" · ".join(parts), style="dim")


def _signed(change: float | None, digits: int) -> Text:
    if change is None:
        return Text("–", style="dim")
    written = f"{change:+,.{digits}f}"
    if not written.strip("+-0.,"):
        return Text(written.strip("+-"), style="dim")
    arrow = "▲" if change > 0 else "▼"
    return Text(f"{arrow}{written}", style=direction(change))
