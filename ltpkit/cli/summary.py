"""What a run leaves behind: asked of the store in SQL, shown with the SQL that asked it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ltpkit.cli.terminal import frame_table, own_command, shown_path, size

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.frames import Frames

__all__ = ["next_steps", "show_held", "show_store"]

_LATEST: Final = """\
SELECT symbol, ltp, bid, ask, volume, timestamp
FROM latest_ltp ORDER BY volume DESC LIMIT 6"""

_CHANGES: Final = """\
SELECT symbol, timestamp, ltp, round(change, 6) AS change,
    round(change_percent, 4) AS change_percent
FROM ltp_changes ORDER BY abs(change_percent) DESC LIMIT 6"""

_BARS: Final = """\
SELECT symbol, start, open, high, low, close, volume, ticks
FROM bars_1m ORDER BY start DESC, ticks DESC LIMIT 6"""

_TOTALS: Final = """\
SELECT
    (SELECT count(*) FROM ticks) AS ticks,
    (SELECT count(*) FROM realtime_depth) AS books,
    (SELECT count(*) FROM latest_ltp) AS symbols,
    (SELECT min(received_at) FROM ticks) AS first,
    (SELECT max(received_at) FROM ticks) AS last,
    (SELECT any_value(exchange) FROM latest_ltp) AS exchange"""

_SIGNED: Final = ("change", "change_percent")


def show_store(path: Path, out: Console) -> None:
    """Print what the DuckDB file holds."""
    import ltpkit as lk

    with lk.open(path) as held:
        show_held(held, out, where=f"{shown_path(path)} ({size(path)})")


def show_held(held: Frames, out: Console, *, where: str) -> None:
    """Print what anything that holds ticks holds: rows, newest prices, largest changes, bars.

    Parameters
    ----------
    held : Frames
    out : rich.console.Console
    where : str
        Where the rows are, for the sentence.
    """
    from rich.text import Text

    ticks, books, symbols, first, last, exchange = held.sql(_TOTALS).row(0)
    if not ticks:
        out.print(f"{where} holds no ticks.", soft_wrap=True)
        return
    zone, zone_name = _zone(exchange, last)
    many = "" if symbols == 1 else "s"
    span = f"{first.astimezone(zone):%Y-%m-%d %H:%M:%S} to {last.astimezone(zone):%H:%M:%S} {zone_name}"
    one_day = first.astimezone(zone).date() == last.astimezone(zone).date()
    text = Text(f"\n{where}", style="bold")
    text.append(
        f"\nholds {ticks:,} ticks and {books:,} books of {symbols} symbol{many},\nreceived {span}.",
        style="not bold",
    )
    out.print(text, soft_wrap=True)
    for title, query in (
        ("Latest prices", _LATEST),
        ("Largest changes from one tick to the next", _CHANGES),
        ("One-minute bars", _BARS),
    ):
        frame = held.sql(query)
        out.print(Text(f"\n{title}, times in {zone_name}", style="bold"))
        out.print(Text(query, style="cyan"), soft_wrap=True)
        out.print(frame_table(frame, width=out.width, signed=_SIGNED, zone=zone, clock=one_day))


def next_steps(path: Path, out: Console) -> None:
    """Print how to go on with a store: notebook, SQL, Python."""
    from rich.text import Text

    place = shown_path(path)
    quoted = f"'{place}'" if " " in place else place
    in_checkout = Path("Makefile").exists() and Path("notebooks").is_dir()
    lab = ("Open the notebook", "make lab") if in_checkout else ("Open a notebook", "jupyter lab")
    out.print(Text("\nGo on", style="bold"))
    for what, how in (
        lab,
        ("Ask SQL", f'{own_command()} sql {quoted} "FROM latest_ltp"'),
        ("From Python, after import ltpkit as lk", f'lk.open("{place}").bars("1m")'),
    ):
        out.print(Text(f"  {what}", style="dim"))
        out.print(Text(f"    {how}"), soft_wrap=True)  # in one piece, to be copied


def _zone(exchange: str | None, at: datetime) -> tuple[tzinfo, str]:
    """Return the exchange's own time zone, and what it is called."""
    from ltpkit.instrument import market_open

    zone = market_open(exchange or "")[1]
    return zone, at.astimezone(zone).tzname() or "UTC"
