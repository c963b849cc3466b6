"""The market live in your notebook.

>>> import ltpkit as lk
>>> live = lk.stream(["NSE:RELIANCE", "NSE:TCS"])       # doctest: +SKIP
>>> live.latest()                                       # doctest: +SKIP

Importing this starts no thread, opens no file and loads nothing heavy; names arrive when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltpkit.archive import Archive
    from ltpkit.archive import open_store as open
    from ltpkit.connection import Connection as WebSocketClient
    from ltpkit.decoding import Decoded, decode
    from ltpkit.errors import LtpkitError
    from ltpkit.live import Stream
    from ltpkit.masters import find, instruments
    from ltpkit.playback import Replay, replay
    from ltpkit.running import stream
    from ltpkit.service import LTPUpdate, RealTimeSyncService

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "Decoded",
    "LTPUpdate",
    "LtpkitError",
    "RealTimeSyncService",
    "Replay",
    "Stream",
    "WebSocketClient",
    "allow_nested",
    "decode",
    "find",
    "instruments",
    "open",
    "replay",
    "stream",
]

_HOMES = {
    "Archive": "archive:Archive",
    "Decoded": "decoding:Decoded",
    "LTPUpdate": "service:LTPUpdate",
    "LtpkitError": "errors:LtpkitError",
    "RealTimeSyncService": "service:RealTimeSyncService",
    "Replay": "playback:Replay",
    "Stream": "live:Stream",
    "WebSocketClient": "connection:Connection",
    "decode": "decoding:decode",
    "find": "masters:find",
    "instruments": "masters:instruments",
    "open": "archive:open_store",
    "replay": "playback:replay",
    "stream": "running:stream",
}


def allow_nested() -> None:
    """Let code in this thread call `asyncio.run` inside a running loop, as a notebook's cells do.

    ltpkit itself never needs it: its loop runs in a thread of its own. A broker's SDK that calls
    ``asyncio.run`` in a cell does. Applies `nest-asyncio2` where installed, else `nest-asyncio`.
    """
    try:
        import nest_asyncio2 as nest  # the maintained successor; ipykernel 7.4 brings it
    except ImportError:
        import nest_asyncio as nest
    nest.apply()


def load_ipython_extension(ipython: Any) -> None:
    """Bring the magics ``%ltp`` and ``%%ltp``: what ``%load_ext ltpkit`` calls."""
    from ltpkit.magics import load

    load(ipython)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ltpkit' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    value = getattr(import_module(f"ltpkit.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
