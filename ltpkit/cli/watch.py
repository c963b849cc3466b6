"""Show a stream until it ends: redrawn in a terminal, a line now and then where there is none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ltpkit.cli.terminal import is_screen

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.cli.stop import Stop
    from ltpkit.held import Held
    from ltpkit.status import Status

__all__ = ["ENDED", "watch"]

#: States that nothing comes after.
ENDED: Final = ("refused", "stopped", "finished")

_FRAME_S: Final = 0.2
_LINE_S: Final = 5.0
_LINES_AROUND: Final = 9  # status, table head, legend, room for what the shell writes
_ROWS_IN_A_LOG: Final = 12


def watch(
    live: Held,
    out: Console,
    stop: Stop,
    *,
    title: str = "",
    seconds: float | None = None,
    most_rows: int | None = None,
    replayed: bool = False,
    table: bool = True,
    flush_s: float = 0.0,
) -> Status:
    """Show `live` until the time is over, it ends or the user ends it; return its last status.

    Parameters
    ----------
    live : Stream or Replay
    out : rich.console.Console
        Where it is no terminal, no control codes are written.
    stop : Stop
        Entered by the caller.
    title : str
        In place of the feed's name.
    seconds : float, optional
        For so long at most.
    most_rows : int, optional
        Instruments shown at most; else as many as fit.
    replayed : bool
        It is a recording: see `board.Board`.
    table : bool
        False shows the status alone.
    flush_s : float
        How long what waits may take to be stored, once it is over; the last status is shown after that.
    """
    from rich.live import Live

    from ltpkit.cli.board import Board
    from ltpkit.cli.table import draw, headline, line

    board = Board(live, replayed=replayed)
    started = time.monotonic()
    until = float("inf") if seconds is None else started + seconds

    def rows() -> int:
        fit = max(out.size.height - _LINES_AROUND, 1) if is_screen(out) else _ROWS_IN_A_LOG
        return fit if most_rows is None else min(fit, most_rows)

    def note() -> str:
        left = until - time.monotonic()
        if stop.asked or left <= 0:
            return ""
        return "Ctrl-C ends" if seconds is None else f"{left:.0f} s left, Ctrl-C ends"

    def ended() -> bool:
        return stop.asked or time.monotonic() >= until or board.status.state in ENDED

    if not is_screen(out):
        line_due = started
        while True:
            board.refresh()
            if ended():
                live.flush(flush_s)
                board.refresh()
                break
            if time.monotonic() >= line_due:
                out.print(line(board, title=title), soft_wrap=True)
                line_due += _LINE_S
            stop.pause(min(_FRAME_S, max(until - time.monotonic(), 0)))
        if table:
            out.print(draw(board, width=out.width, rows=rows(), title=title))
        else:
            out.print(line(board, title=title), soft_wrap=True)
        return board.status

    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as screen:
        while True:
            over = ended()
            if over:
                live.flush(flush_s)
            board.refresh()
            drawn = (
                draw(board, width=out.width, rows=rows(), title=title, note=note())
                if table
                else headline(board, title=title, note=note())
            )
            screen.update(drawn, refresh=True)
            if over:
                return board.status
            stop.pause(min(_FRAME_S, max(until - time.monotonic(), 0)))
