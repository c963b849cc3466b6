"""The feed thread's pulse: how long it was held up, and whether the clock was set meanwhile.

The feed shares the interpreter with the notebook. A cell that keeps the interpreter to itself (one long call
into C, such as a backtracking regex) holds up every thread; what arrives waits in the system's buffers.
That cannot be prevented from inside, so it is measured and shown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from ltpkit.batch import Event
from ltpkit.schema import now_us

__all__ = ["Pulse"]

_BEAT_S: Final = 0.1
_PAUSE_S: Final = 0.5  # shorter ones are everyday life
_JUMP_S: Final = 1.0  # of the clock against the monotonic one


class Pulse:
    """Comes back every tenth of a second, and notes when it could not.

    Parameters
    ----------
    note : callable
        Takes an `Event`: ``paused`` with ``seconds`` and ``why``, or ``clock`` with ``by_s``.

    Attributes
    ----------
    longest_pause_s : float
        0 while none was longer than half a second.
    """

    def __init__(self, note: Callable[[Event], None]) -> None:
        self._note = note
        self.longest_pause_s = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            before = (time.monotonic(), time.time(), time.thread_time(), time.process_time())
            await asyncio.sleep(_BEAT_S)
            after = (time.monotonic(), time.time(), time.thread_time(), time.process_time())
            passed, wall, ours, process = (new - old for new, old in zip(after, before, strict=True))
            self.beat(passed, wall_s=wall, ours_s=ours, process_s=process)

    def beat(self, passed_s: float, *, wall_s: float, ours_s: float, process_s: float) -> None:
        """Judge one beat by what passed: on both clocks, and of CPU time here and in the process."""
        pause = passed_s - _BEAT_S
        if pause > _PAUSE_S:
            self.longest_pause_s = max(self.longest_pause_s, pause)
            if ours_s > pause / 2:
                by = "its own work"
            elif process_s > pause / 2:
                by = "the kernel: a call there kept the interpreter to itself"
            else:
                by = "the machine: other programs had it, or it slept"
            why = f"feed paused {pause:.1f} s by {by}"
            self._event("paused", seconds=round(pause, 3), why=why)
        jump = wall_s - passed_s
        if abs(jump) > _JUMP_S:
            why = f"the clock went {jump:+.1f} s against the time that passed"
            self._event("clock", by_s=round(jump, 3), why=why)

    def _event(self, kind: str, **detail: object) -> None:
        self._note(Event(at=now_us(), kind=kind, detail=detail))
