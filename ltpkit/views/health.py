"""Health and gaps: whether the stream is well, check by check, and what it knows it missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ltpkit.live import Stream
from ltpkit.service import RealTimeSyncService
from ltpkit.service.health import Check, check
from ltpkit.views.missed import Gaps
from ltpkit.views.source import stamp, zone_of
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["HealthView"]

_EVERY_S: Final = 5.0
_MOST_GAPS: Final = 50
_TIMES: Final = ("at", "start", "end")
_SHOWN: Final = ("symbols", "why", "missing", "recovered")


class HealthView(View):
    """Checks of a stream, and its gaps, the newest first.

    One picture a second: checks are made every five, and gaps are looked up once a second.

    Parameters
    ----------
    source : Frames
        Of anything but a stream the gaps alone.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "health"
    fps = 1.0

    def __init__(self, source: Frames, *, palette: str = "classic") -> None:
        self._service: RealTimeSyncService | None = None
        if isinstance(source, Stream):
            self._service = RealTimeSyncService(source)
            # Not by its `start`, which would start a stream that the user has stopped.
            self._service.started_at = datetime.now(UTC)
        self._checks: list[Check] = []
        self._checked_at = -float("inf")
        self._looks = threading.Lock()
        self._gaps = Gaps(source, self._again)
        super().__init__(source, palette=palette)

    def _version(self) -> Hashable:
        turn = None if self._service is None else int(time.monotonic() / _EVERY_S)
        return self.source.version(), len(self._checks), turn

    def _look(self) -> None:
        """Check, one at a time: it reads the store, which the other views must not wait for."""
        if self._service is None or not self._looks.acquire(blocking=False):
            return
        try:
            self._checks = check(self._service).checks
        finally:
            self._looks.release()

    def _base(self) -> Message:
        return {}, {}

    def _frame(self) -> Message:
        now = time.monotonic()
        if now - self._checked_at >= _EVERY_S:
            self._checked_at = now
            threading.Thread(target=self._look, name="ltpkit-health", daemon=True).start()
        known = self.source.known()
        found = self._gaps.rows()
        return {
            "seq": None,
            "zone": zone_of(known[0]) if known else "UTC",
            "checks": [msgspec.structs.asdict(one) for one in self._checks],
            "gaps": [
                {name: gap[name] for name in _SHOWN} | {name: stamp(gap[name]) for name in _TIMES}
                for gap in found[: -_MOST_GAPS - 1 : -1]
            ],
            "count": len(found),
        }, {}

    def _text(self) -> str:
        self._look()
        lines = [f"  {one.status:<9} {one.name:<14} {one.reason}" for one in self._checks]
        found = self.source.gaps().select(*_TIMES, *_SHOWN).reverse()
        lines.append(f"{found.height} gap{'' if found.height == 1 else 's'}")
        return "\n".join([*lines, *([str(found.head(10))] if found.height else [])])
