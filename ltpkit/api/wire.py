"""Our own end of uvicorn's WebSockets: many frames in one write, and no line that lingers for ever.

An application may send ``{"type": "websocket.send", "frames": …}``, frames made already and joined, where
the scope's extensions hold `EXTENSION`. Written one by one, the frames of a beat cost fifty times as much.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["EXTENSION", "FramesProtocol"]

EXTENSION: Final = "ltpkit.frames"

_LINGER_S: Final = 1.0


class FramesProtocol(WebSocketsSansIOProtocol):
    """One WebSocket of the service."""

    async def run_asgi(self) -> None:
        """Run the application, and see that the connection ends with it."""
        cast("dict[str, Any]", self.scope["extensions"])[EXTENSION] = {}
        await super().run_asgi()
        self._end_soon()

    async def send(self, message: Any) -> None:
        """Send what the application has, as soon as the connection takes it."""
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
                self.handshake_complete = True  # refused in full: uvicorn would log it as an error of ours
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(frames)

    def keepalive_timeout(self) -> None:
        """End a connection that answers no ping."""
        super().keepalive_timeout()
        self.transport.abort()  # closing would wait for the peer to read what was written

    def shutdown(self) -> None:
        """End the connection with the server."""
        super().shutdown()
        self._end_soon()

    def _end_soon(self) -> None:
        asyncio.get_running_loop().call_later(_LINGER_S, self.transport.abort)
