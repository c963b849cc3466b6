"""What every command writes with: a console, one red line for an error, frames as tables.

Knows nothing of streams or stores. Rich is loaded when something is written, not before.
"""

from __future__ import annotations

import codecs
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from ltpkit.errors import LtpkitError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "Commands",
    "cell",
    "console",
    "fail",
    "frame_table",
    "is_screen",
    "own_command",
    "shown_path",
    "size",
    "words_for_bytes",
    "write_any_sign",
]

#: Wide enough that no table is cut where nobody looks at it: in a file, a pipe, a log.
_NO_EDGE: Final = 10_000


#: What stands for our signs where an encoding has none, each as wide as what it stands for.
_STAND_INS: Final = str.maketrans("▁▂▃▄▅▆▇█▲▼●·–…→✓✗─", "_.-=+*#@^v*--.>+x-")


def write_any_sign() -> None:
    """Have standard output and error write a sign they cannot encode as one that they can."""
    codecs.register_error("ltpkit", _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="ltpkit")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_STAND_INS)
    return "".join(sign if sign.isascii() else "?" for sign in text), error.end


def console(*, stderr: bool = False, uncut: bool = False) -> Console:
    """Return a console on standard output or error.

    Parameters
    ----------
    stderr : bool
        Standard error.
    uncut : bool
        Where the output is no terminal, take all the width a table wants.
    """
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, emoji=False)
    if uncut and not made.is_terminal:
        made.width = _NO_EDGE
    return made


def is_screen(out: Console) -> bool:
    """Return whether `out` is a terminal that can be redrawn.

    Rich believes FORCE_COLOR, which continuous integration sets; colours may go to a log, a moving
    cursor may not.
    """
    isatty = getattr(out.file, "isatty", None)
    return out.is_terminal and not out.is_dumb_terminal and isatty is not None and bool(isatty())


def fail(message: str) -> None:
    """Write an error to standard error: its first line red, any that follow as they are."""
    from rich.text import Text

    first, _, rest = message.strip().partition("\n")
    text = Text(first, style="red")
    if rest.strip():
        text.append(f"\n{rest.rstrip()}", style="not red")
    console(stderr=True).print(text, soft_wrap=True)


class Commands(typer.core.TyperGroup):
    """The commands; an expected error ends any of them with one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except LtpkitError as error:
            fail(str(error))
        except OSError as error:
            # A file the user named: not there, not allowed, no room. A closed pipe is for typer.
            if error.filename is None or isinstance(error, BrokenPipeError):
                raise
            fail(f"{error.filename}: {error.strerror}.")
        raise typer.Exit(1)


def own_command() -> str:
    """Return how this command can be called again from here."""
    called, found = Path(sys.argv[0]), shutil.which("ltpkit")
    if called.name != "ltpkit" or not called.is_file():
        return f"{shown_path(sys.executable)} -m ltpkit.cli"
    return "ltpkit" if found is not None and called.samefile(found) else shown_path(called)


def shown_path(path: str | Path) -> str:
    """Return the path as short as it can be written from here."""
    place = Path(path)
    if not place.is_absolute():
        return str(place)
    try:
        return str(place.relative_to(Path.cwd()))
    except ValueError:
        return str(place)


def size(path: str | Path) -> str:
    """Return the size of a file, or what a disk has, in words."""
    return words_for_bytes(Path(path).stat().st_size)


def words_for_bytes(count: float) -> str:
    """Return a number of bytes in the unit that suits it.

    Examples
    --------
    >>> words_for_bytes(812), words_for_bytes(5_400_000), words_for_bytes(71_000_000_000)
    ('812 bytes', '5.4 MB', '71 GB')
    """
    units = iter(("bytes", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= 999.5 and unit != "TB":
        count, unit = count / 1000, next(units)
    return f"{count:.1f} {unit}" if count < 9.95 and unit != "bytes" else f"{count:,.0f} {unit}"


def cell(value: object, *, zone: tzinfo = UTC, clock: bool = False, decimals: int | None = None) -> str:
    """Return one value of a frame as text: numbers grouped, to eight decimals; times in `zone`.

    Parameters
    ----------
    value : object
    zone : tzinfo
        For times.
    clock : bool
        Leave the date out.
    decimals : int, optional
        Digits after the point of a float; else as many as it has.

    Examples
    --------
    >>> cell(1234567), cell(0.1 + 0.2), cell(None), cell([1.5, 2.0]), cell(99.5, decimals=2)
    ('1,234,567', '0.3', '–', '[1.5, 2]', '99.50')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{_said(value):,.15g}" if decimals is None else f"{value:,.{decimals}f}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(zone)
        part = f".{value:%f}".rstrip("0") if value.microsecond else ""
        return f"{value:%H:%M:%S}{part}" if clock else f"{value:%Y-%m-%d %H:%M:%S}{part}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(cell(one, zone=zone) for one in value)}]"
    return str(value)


def frame_table(
    frame: pl.DataFrame,
    *,
    width: int,
    signed: Sequence[str] = (),
    zone: tzinfo = UTC,
    clock: bool = False,
) -> Table:
    """Return a frame as a table; columns in the middle give way where all do not fit.

    Parameters
    ----------
    frame : polars.DataFrame
        All of it is drawn.
    width : int
        Characters there are.
    signed : sequence of str
        Columns of changes, drawn with sign and colour.
    zone, clock
        For times, as in `cell`.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns: dict[str, list[Text]] = {}
    for name in frame.columns:
        values = frame[name].to_list()
        decimals = _decimals(values)
        columns[name] = texts = []
        for value in values:
            text = Text(cell(value, zone=zone, clock=clock, decimals=decimals))
            if value is None:
                text.stylize("dim")
            elif name in signed:
                text = Text("+" if value > 0 else "").append(text)
                text.stylize(direction(value))
            texts.append(text)
    needs = {
        name: max(len(name), *(text.cell_len for text in texts), 1) + 2 for name, texts in columns.items()
    }
    shown = _that_fit(needs, width + 2)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for place in shown:
        right = place is not None and frame[place].dtype.is_numeric()
        title = Text("…" if place is None else place)
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for i in range(frame.height):
        table.add_row(*(Text("…", style="dim") if place is None else columns[place][i] for place in shown))
    return table


def _decimals(values: Sequence[object]) -> int | None:
    """Return the digits after the point that bring a column's points under each other, if few do."""
    written = [f"{_said(value):.15g}" for value in values if isinstance(value, float)]
    most = max((len(text.partition(".")[2]) for text in written), default=0)
    plain = all(set(text) <= set("-.0123456789") for text in written)
    if not written or not plain or most > 8:
        return None
    return 2 if most == 1 else most  # prices have cents


def _said(value: float) -> float:
    """Return a number as it is meant, without the millionth of a paisa that a difference of prices is off by.

    For the rest, fifteen digits are what a float64 always keeps of a decimal number.
    """
    return round(value, 8) if abs(value) > 1e-6 else value


def direction(change: float | None) -> str:
    """Return the style of a change. Its sign or arrow says the same without colour."""
    if not change:
        return "dim"
    return "green" if change > 0 else "red"


def _that_fit(needs: dict[str, int], width: int) -> list[str | None]:
    """Return the columns to draw, first and last ones kept; None where some are left out."""
    names = list(needs)
    if sum(needs.values()) <= width or len(names) < 3:
        return list(names)
    left: list[str] = []
    right: list[str] = []
    room = width - 3
    while names:
        take_left = len(left) <= len(right) + 1
        name = names[0 if take_left else -1]
        if left and needs[name] > room:
            break
        room -= needs[name]
        names.remove(name)
        if take_left:
            left.append(name)
        else:
            right.insert(0, name)
    return [*left, None, *right]
