"""The view pump: one thread that sends each visible view its newest picture, at the view's own rate.

Nothing is drawn where ticks are received. The pump takes what is newest when a view's turn comes; what
came and went between two turns is not shown. A page answers each frame it has painted: after three
without an answer a view is left alone until the page speaks again, so a hung tab costs nothing.
"""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

__all__ = ["UNANSWERED", "Pump", "Pumped", "pump"]

#: Frames a page may leave unanswered before it gets no more.
UNANSWERED: Final = 3

_IDLE_S: Final = 5.0  # with nothing to show, the thread looks about this often, and ends when it has no views


class Pumped(Protocol):
    """What the pump drives: a view."""

    @property
    def fps(self) -> float:
        """Frames a second, at most."""

    def due(self) -> bool:
        """Return whether there is something to send and somebody to see it."""

    def push(self) -> None:
        """Send the newest picture. Never raises."""


class Pump:
    """Gives each view its turn. `add` and `discard` from any thread."""

    def __init__(self) -> None:
        self._views: dict[Pumped, float] = {}  # → monotonic time of its next turn
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()

    def add(self, view: Pumped) -> None:
        """Have a view served; starts the thread with the first."""
        with self._lock:
            self._views[view] = 0.0
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ltpkit-views", daemon=True)
                self._thread.start()
        self.wake()

    def discard(self, view: Pumped) -> None:
        """Serve a view no more. One that is not there is no matter."""
        with self._lock:
            self._views.pop(view, None)
        self.wake()

    def wake(self, view: Pumped | None = None) -> None:
        """Have the thread look now; `view` gets its turn at once."""
        if view is not None:
            with self._lock:
                if view in self._views:
                    self._views[view] = 0.0
        self._woken.set()

    def __len__(self) -> int:
        return len(self._views)

    def _run(self) -> None:
        while True:
            self._woken.clear()
            now = time.monotonic()
            with self._lock:
                if not self._views:
                    self._thread = None
                    return
                turns = [view for view, at in self._views.items() if at <= now]
                for view in turns:
                    self._views[view] = now + 1.0 / view.fps
            for view in turns:
                if view.due():
                    view.push()
            with self._lock:
                following = min(self._views.values(), default=now + _IDLE_S)
            self._woken.wait(max(0.0, following - time.monotonic()))


#: The one of this process.
pump: Final = Pump()
