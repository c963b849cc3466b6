"""The gaps of a source as plain rows, looked up beside the pump.

Polars works them out, and while a query of the user's has all its threads that takes as long as the query.
The views go on meanwhile with the gaps that were known before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Gaps", "Row"]

_EVERY_S: Final = 1.0

#: A gap by column, as `Frames.gaps` has them.
Row = dict[str, Any]
Shown = TypeVar("Shown")


class Gaps:
    """What `Frames.gaps` says, the newest last.

    Parameters
    ----------
    source : Frames
    found : callable
        Called, on a thread of its own, when there are other gaps than before, or may be.
    """

    def __init__(self, source: Frames, found: Callable[[], None]) -> None:
        self._source, self._found = source, found
        self._rows: list[Row] = []
        self._of: tuple[int, int] | None = None  # what the rows were worked out from
        self._looked_at = -_EVERY_S
        self._looks = threading.Lock()
        self._shown: tuple[list[Row], str, Any] = [], "", None  # gaps, instrument, and what was made of them

    def rows(self) -> list[Row]:
        """Return the gaps; has them looked up anew where there may be others, once a second at most.

        The first time, and where the source went back in time, they are waited for.
        """
        wanted = self._wanted()
        if self._of is None or self._of[0] != wanted[0]:
            self._look()
        elif wanted != self._of and self._looks.acquire(blocking=False):
            threading.Thread(target=self._look_aside, name="ltpkit-gaps", daemon=True).start()
        return self._rows

    def shown(self, name: str, show: Callable[[list[Row], str], Shown]) -> Shown:
        """Return what `show` makes of the gaps for ``EXCHANGE:SYMBOL``: made once while they are the same.

        Each gap may name thousands of instruments: to look through them costs more than a picture does.
        """
        rows = self.rows()
        if self._shown[0] is not rows or self._shown[1] != name:
            self._shown = rows, name, show(rows, name)
        shown: Shown = self._shown[2]
        return shown

    def _wanted(self) -> tuple[int, int]:
        return self._source.rewound(), self._source.newest_event()

    def _look(self) -> None:
        wanted = self._wanted()
        self._rows, self._of = self._source.gaps().to_dicts(), wanted

    def _look_aside(self) -> None:
        before = self._rows
        try:
            time.sleep(max(0.0, self._looked_at + _EVERY_S - time.monotonic()))
            self._looked_at = time.monotonic()
            self._look()
        finally:
            self._looks.release()
        # What happened meanwhile nobody looks up, unless `rows` is asked for again.
        if self._rows != before or self._wanted() != self._of:
            self._found()
