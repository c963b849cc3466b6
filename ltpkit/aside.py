"""A slow call beside an event loop, in a daemon thread of its own.

The loop's own executor would be waited for when the loop ends; a call to a broker's login, or an import that
takes seconds, must not hold up a stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, cast

__all__ = ["aside"]

_T = TypeVar("_T")


async def aside(call: Callable[[], _T], *, name: str) -> _T:
    """Return what `call` returns, or raise what it raises. Cancelled, it is left to itself."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_T] = loop.create_future()

    def tell(result: _T | None, error: Exception | None) -> None:
        if outcome.done():
            return  # nobody waits any more
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(cast("_T", result))

    def run() -> None:
        result: _T | None = None
        error: Exception | None = None
        try:
            result = call()
        except Exception as raised:  # noqa: BLE001 - handed to who waits for it
            error = raised
        except BaseException as raised:  # noqa: BLE001 - an exit asked for here must not end the loop
            error = RuntimeError(f"it ended with {type(raised).__name__}")
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name=f"ltpkit-{name}", daemon=True).start()
    return await outcome
