"""Ctrl-C and its relatives, noticed in order: a stream is stopped and its rows are stored."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

__all__ = ["Stop"]

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")


class Stop:
    """While entered, the first signal to stop is noted in `asked`; a second one interrupts.

    A signal that is ignored (``nohup``, a background job) stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in _SIGNALS:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._noticed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _noticed(self, number: int, frame: FrameType | None) -> None:
        # A flag and no Event: a handler runs in the thread it interrupts, which may hold the Event's lock.
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def pause(self, seconds: float) -> bool:
        """Wait so long, or until asked to stop; return whether that was asked."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return self.asked
