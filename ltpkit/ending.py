"""The process's end: what streams must do before it, at a normal exit and at SIGTERM, and not in a fork.

A script that gets SIGTERM (a service being stopped, a container being replaced) would otherwise end on
the spot, with rows still in memory.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

__all__ = ["before_exit", "end_at_sigterm", "in_forks"]

_SIGTERM: Final = int(signal.SIGTERM)

_installed_by = 0  # the process whose handler it is


def before_exit(call: Callable[[], None]) -> None:
    """Have this called when the interpreter ends."""
    atexit.register(call)


def in_forks(call: Callable[[], None]) -> None:
    """Have this called first thing in a fork of this process."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=call)


def end_at_sigterm(*, wanted: bool) -> None:
    """Make SIGTERM an ordinary exit (status 143) where nobody has decided otherwise; or undo that.

    Only the main thread can; elsewhere this does nothing. A handler that somebody else has set stays.
    """
    global _installed_by
    if threading.current_thread() is not threading.main_thread():
        return
    now = signal.getsignal(_SIGTERM)
    # An interpreter that is embedded may have a main thread which is not the program's.
    with contextlib.suppress(ValueError):
        if wanted and now is signal.SIG_DFL:
            _installed_by = os.getpid()
            signal.signal(_SIGTERM, _exit)
        elif not wanted and now is _exit:
            signal.signal(_SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    if os.getpid() != _installed_by:
        # A fork, terminated before it could undo this; an exception there, among what Python does first
        # in a fork, would be lost.
        signal.signal(_SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    # Raised, not done here: a handler runs in the middle of whatever the thread does, locks held.
    raise SystemExit(128 + number)
