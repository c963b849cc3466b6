"""The gaps of a source as plain rows, looked up beside the pump.

Polars works them out, and while a query of the user's has all its threads that takes as long as the query.
The views go on meanwhile with the gaps that were known before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Gaps"]

_EVERY_S: Final = 1.0


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
        self._rows: list[dict[str, Any]] = []
        self._of: tuple[int, int] | None = None  # what the rows were worked out from
        self._looked_at = -_EVERY_S
        self._looks = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        """Return the gaps; has them looked up anew where there may be others, once a second at most.

        The first time, and where the source went back in time, they are waited for.
        """
        wanted = self._wanted()
        if self._of is None or self._of[0] != wanted[0]:
            self._look()
        elif wanted != self._of and self._looks.acquire(blocking=False):
            threading.Thread(target=self._look_aside, name="ltpkit-gaps", daemon=True).start()
        return self._rows

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
