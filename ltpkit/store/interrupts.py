"""Queries that Ctrl-C, or JupyterLab's stop button, ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final, TypeVar

import duckdb

__all__ = ["interruptible"]

_LOOK_S: Final = 0.05

Answer = TypeVar("Answer")


def interruptible(cursor: duckdb.DuckDBPyConnection, ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` returns; an interrupt ends the query it has running.

    Only a process's main thread is told of Ctrl-C. DuckDB looks for it between the tasks that this thread
    does itself, and so never where another of its threads took a query's only task. Hence the main thread
    waits here while another asks.

    Parameters
    ----------
    cursor : duckdb.DuckDBPyConnection
        What `ask` uses, and nothing else meanwhile.
    ask : callable
        Runs the query.

    Raises
    ------
    KeyboardInterrupt
        The user has interrupted it; the query has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        return ask()
    with ThreadPoolExecutor(1, "ltpkit-query") as asking:
        try:
            asked = asking.submit(ask)
        except RuntimeError:  # the interpreter is ending, and starts no thread any more
            return ask()
        try:
            # Not without a limit: on Windows such a wait does not hear Ctrl-C.
            while not wait([asked], _LOOK_S).done:
                pass
        except KeyboardInterrupt:
            while not asked.done():
                cursor.interrupt()
                wait([asked], _LOOK_S)  # an interrupt just before a query begins is lost
            raise
        return asked.result()
