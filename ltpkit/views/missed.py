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
        Called, on a thread of its own, when there are other gaps than before.
    """

    def __init__(self, source: Frames, found: Callable[[], None]) -> None:
        self._source, self._found = source, found
        self._rows: list[dict[str, Any]] = []
        self._of: tuple[int, int] | None = None  # what the rows were worked out from
        self._looked_at = 0.0
        self._looks = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        """Return the gaps; has them looked up anew where there may be others, once a second at most.

        The first time, and where the source went back in time, they are waited for.
        """
        wanted = self._source.rewound(), self._source.newest_event()
        if wanted == self._of:
            return self._rows
        if self._of is None or self._of[0] != wanted[0]:
            self._look(wanted)
        elif time.monotonic() - self._looked_at >= _EVERY_S and self._looks.acquire(blocking=False):
            self._looked_at = time.monotonic()
            threading.Thread(target=self._look_aside, args=(wanted,), name="ltpkit-gaps", daemon=True).start()
        return self._rows

    def _look(self, wanted: tuple[int, int]) -> None:
        self._rows, self._of = self._source.gaps().to_dicts(), wanted

    def _look_aside(self, wanted: tuple[int, int]) -> None:
        before = self._rows
        try:
            self._look(wanted)
        finally:
            self._looks.release()
        if self._rows != before:
            self._found()
