"""The view pump: one thread that sends each visible view its newest picture, at the view's own rate.

Nothing is drawn where ticks are received. The pump takes what is newest when a view's turn comes; what
came and went between two turns is not shown. Views whose turns are near each other are sent together, the
one that waits longest first: a page that gets them so paints once for all, and not once for each. A tick that
comes when there was no news for a while is sent at once, and not when the next turn would have been.

A page answers what it has painted, every third frame at least: after six without an answer a view is left
alone until the page speaks again, so a hung tab costs nothing.
"""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

from ltpkit.ending import before_exit

__all__ = ["UNANSWERED", "Pump", "Pumped", "pump"]

#: Frames a page may leave unanswered before it gets no more.
UNANSWERED: Final = 6

_LOOK_S: Final = 0.02  # a view whose turn came before anything new did is looked at again so soon
_TOGETHER_S: Final = 0.045  # more than half of the time between two turns of most views
_END_S: Final = 1.0
_IDLE_S: Final = 5.0  # the thread waits no longer at once


class Pumped(Protocol):
    """What the pump drives: a view."""

    @property
    def fps(self) -> float:
        """Frames a second, at most."""

    @property
    def watched(self) -> bool:
        """Whether somebody would see what is sent."""

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

    def end(self) -> None:
        """Serve nobody any more, and have the thread end."""
        with self._lock:
            self._views.clear()
            thread = self._thread
        self.wake()
        if thread is not None:
            thread.join(_END_S)

    def __len__(self) -> int:
        return len(self._views)

    def _run(self) -> None:
        while True:
            self._woken.clear()
            with self._lock:
                if not self._views:
                    self._thread = None
                    return
                now = time.monotonic()
                turns = sorted(self._views.items(), key=_turn)
                first = turns[0][1]
                turns = [one for one in turns if first <= now and one[1] <= now + _TOGETHER_S]
                for view, at in turns:
                    # A turn that came late is made up for, as far as half of the next wait goes.
                    period = 1.0 / view.fps
                    self._views[view] = max(at + period, now + period / 2) if 0 < at < now else now + period
            for view, _ in turns:
                if view.due():
                    view.push()
                elif view.watched:
                    with self._lock:
                        if self._views.get(view):  # unless it was woken meanwhile
                            self._views[view] = now + _LOOK_S
            if not turns:
                self._woken.wait(min(first - now, _IDLE_S))


def _turn(one: tuple[Pumped, float]) -> float:
    return one[1]


#: The one of this process. A thread that goes on while the interpreter ends would keep things alive.
pump: Final = Pump()
before_exit(pump.end)
