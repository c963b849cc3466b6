"""One WebSocket: opened, read in lists of frames, left within a time limit.

The WebSocket library, `websockets`, is known to this package only. `reading` has the line itself, `opening`
how one comes to be, `trouble` the words for what went wrong.

Nothing a server does is believed to be well meant: messages and their pieces are bounded, compression
is not offered (so there is no bomb to unpack), a redirect does not carry a login elsewhere, and a
peer that does not take part in closing is cut off.
"""

from __future__ import annotations

from ltpkit.sockets.opening import open_socket
from ltpkit.sockets.reading import Closed, Ending, Socket
from ltpkit.sockets.trouble import NotOpened, place, retry_after

__all__ = ["Closed", "Ending", "NotOpened", "Socket", "open_socket", "place", "retry_after"]
