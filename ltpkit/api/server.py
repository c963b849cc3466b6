"""A service on a port: uvicorn in a thread of its own, beside whatever else the process does."""

from __future__ import annotations

import os
import socket
import threading
from typing import Final

import uvicorn

from ltpkit.api.app import App, create_app
from ltpkit.api.guard import Limits, is_loopback
from ltpkit.api.wire import FramesProtocol
from ltpkit.errors import AddressTaken, SettingError
from ltpkit.service import RealTimeSyncService

__all__ = ["Server"]

_START_S: Final = 10.0
_STOP_S: Final = 3.0
_GRACE_S: Final = 1
_MESSAGE_BYTES: Final = 65_536
_SENDING_BYTES: Final = 131_072


class Server:
    """Serves a service until it is stopped.

    Parameters
    ----------
    service : RealTimeSyncService
    host, port : str, int
        Where to listen; port 0 takes any free one. By default as the stream's settings say.
    limits : Limits, optional

    Attributes
    ----------
    host, port : str, int
        Where it listens.
    asked : (str, int)
        Where it was asked to, whatever port was free.

    Raises
    ------
    SettingError
        Other machines would reach it, and there is no token for them to show.
    """

    def __init__(
        self,
        service: RealTimeSyncService,
        *,
        host: str | None = None,
        port: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.service = service
        chosen = service.stream._settings
        self.host = chosen.service_host if host is None else host
        self.port = chosen.service_port if port is None else port
        self.asked = self.host, self.port
        self._token, self._limits = chosen.api_token, limits or Limits()
        self._origins = chosen.service_origins.split(",") if chosen.service_origins else []
        if not is_loopback(self.host) and self._token is None:
            raise SettingError(
                f"Listening at {self.host} lets other machines in, and that needs a token: set "
                "LTPKIT_API_TOKEN. host='127.0.0.1' is for this machine alone."
            )
        self._thread: threading.Thread | None = None
        self._uvicorn: _Uvicorn | None = None

    def start(self) -> Server:
        """Listen, and return once requests are answered. Again does nothing.

        Raises
        ------
        AddressTaken
            Something else listens there, or the address is none of this machine's.
        """
        if self.running:
            return self
        self.service.start_sync()
        listener = _listener(self.host, self.port)
        self.port = listener.getsockname()[1]
        hosts = [] if is_loopback(self.host) else [self.host, socket.gethostname()]
        app = create_app(
            self.service, token=self._token, hosts=hosts, origins=self._origins, limits=self._limits
        )
        config = uvicorn.Config(
            app,
            http="h11",
            ws=FramesProtocol,
            ws_max_size=_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # the same bytes go to everybody, and soon
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",  # its lines hold whole addresses, and what they tell is in ours
            proxy_headers=False,
            server_header=False,
            limit_concurrency=2 * self._limits.sockets,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._uvicorn = _Uvicorn(config, app)
        self._thread = threading.Thread(
            target=self._uvicorn.run, args=([listener],), name="ltpkit-api", daemon=True
        )
        self._thread.start()
        self._uvicorn.listening.wait(_START_S)
        return self

    def stop(self) -> None:
        """Accept nobody any more, tell the clients, and end. A second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is None or self._uvicorn is None:
            return
        self._uvicorn.should_exit = True
        thread.join(_STOP_S)
        self.service.stop_sync()

    @property
    def running(self) -> bool:
        """Whether requests are answered."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def url(self) -> str:
        """Where to ask, as ``http://127.0.0.1:8001``."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.url if self.running else 'stopped'} · {self.service!r}>"


class _Uvicorn(uvicorn.Server):
    """uvicorn, which tells the clients before it closes their connections."""

    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._app.delivery.close()
        await super().shutdown(sockets)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressTaken(host, port, error.strerror or str(error)) from None
    try:
        if os.name == "posix":  # elsewhere it would let two programs listen at one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What the system may hold for a client that does not read; prices that wait there grow old.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENDING_BYTES)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressTaken(host, port, error.strerror or str(error)) from None
    return listener
