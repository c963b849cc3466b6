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


def before_exit(call: Callable[[], None]) -> None:
    """Have this called when the interpreter ends."""
    atexit.register(call)


_calls_in_forks: Final[list[Callable[[], None]]] = []


def in_forks(call: Callable[[], None]) -> None:
    """Have this called first thing in a fork of this process."""
    if not _calls_in_forks and hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_begin)
    _calls_in_forks.append(call)


def _hold() -> None:
    # A fork forgets the signals that reach it before it has begun: one that is terminated at once would
    # live on. Held back here, they reach it when it has undone our handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGTERM})


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {_SIGTERM})


def _begin() -> None:
    for call in _calls_in_forks:
        call()
    _let_go()


def end_at_sigterm(*, wanted: bool) -> None:
    """Make SIGTERM an ordinary exit (status 143) where nobody has decided otherwise; or undo that.

    Only the main thread can; elsewhere this does nothing. A handler that somebody else has set stays.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    now = signal.getsignal(_SIGTERM)
    # An interpreter that is embedded may have a main thread which is not the program's.
    with contextlib.suppress(ValueError):
        if wanted and now is signal.SIG_DFL:
            signal.signal(_SIGTERM, _exit)
        elif not wanted and now is _exit:
            signal.signal(_SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    # Raised, not done here: a handler runs in the middle of whatever the thread does, locks held.
    raise SystemExit(128 + number)
