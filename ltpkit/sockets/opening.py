"""How a line is opened: within a time limit, without a word of the address in a log or an error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from ltpkit.batch import Received
from ltpkit.sockets.reading import Socket
from ltpkit.sockets.trouble import NotOpened, place, retry_after, words

__all__ = ["open_socket"]

_NO_ADDRESS: Final = "it is not a WebSocket address (ws://, wss://)"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

#: Second labels under which a country's registry gives out names: ``co.in`` is nobody's.
_REGISTRY: Final = ("ac", "co", "com", "edu", "firm", "gen", "gov", "ind", "mil", "net", "nic", "org", "res")


class _NoHeaders(logging.Filter):
    """Lets no DEBUG line through: those hold the request line and all headers, where tokens are."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_library_log = logging.getLogger("ltpkit.websockets")
_library_log.setLevel(logging.INFO)
_library_log.addFilter(_NoHeaders())  # also where somebody sets the level to DEBUG


async def open_socket(
    address: str,
    *,
    deliver: Callable[[list[bytes], Received], object],
    headers: Mapping[str, str] | None = None,
    gather_s: float = 0.001,
    open_s: float = 10.0,
    close_s: float = 0.5,
    ping_s: float = 30.0,
    max_bytes: int = 4 << 20,
) -> Socket:
    """Return an open line; frames may be delivered before it is returned.

    Parameters
    ----------
    address : str
    deliver : callable
        Takes the frames that arrived together and their receive times.
    headers : mapping, optional
        Of the handshake. ``Authorization`` is not sent on to another host.
    gather_s : float
        Frames of reads that follow each other within this time are handed over together.
    open_s, close_s : float
        Limits for all of connecting, TLS and the handshake; and for closing.
    ping_s : float
        Time between our pings, and the time a pong may take.
    max_bytes : int
        The largest message taken, in one frame or in pieces.

    Raises
    ------
    NotOpened
        With the server's words or ours, and never the address.
    """
    settings = {"deliver": staticmethod(deliver), "gather_s": gather_s}
    settings |= {"close_s": close_s, "max_bytes": max_bytes}
    # The library takes a type and frames may come with the handshake's answer, so they are on the class.
    kind = type("Socket", (Socket,), settings)
    try:
        # Nothing that the library raises is kept: its words and its requests hold the address.
        socket = await _Connect(
            address,
            create_connection=kind,
            additional_headers=dict(headers) if headers else None,
            compression=None,
            open_timeout=open_s,
            close_timeout=close_s,
            ping_interval=ping_s,
            ping_timeout=ping_s,
            max_size=max_bytes,
            logger=_library_log,
            proxy=None if urlsplit(address).hostname in _LOOPBACK else True,
        )
    except InvalidStatus as error:
        raise _refused(address, error) from None
    except InvalidURI:
        raise NotOpened(_NO_ADDRESS, address_is_wrong=True) from None
    except (OSError, TimeoutError, InvalidMessage, InvalidHandshake) as error:
        raise NotOpened(f"{place(address)} cannot be reached: {words(error)}") from None
    except ValueError:  # from `urlsplit`; a refused certificate is one too, and an OSError
        raise NotOpened(_NO_ADDRESS, address_is_wrong=True) from None
    assert isinstance(socket, Socket)
    return socket


class _Connect(connect):
    """`websockets.connect`, but a redirect is followed only within one site.

    What is sent after connecting (a login, the subscriptions) would go to wherever it leads.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        found = super().process_redirect(exc)
        if isinstance(found, str) and not _same_site(self.uri, found):
            return exc
        return found


def _same_site(here: str, there: str) -> bool:
    """Return whether both hosts are one, or names of one domain: ``api.upstox.com``, ``ws.upstox.com``."""
    old, new = (urlsplit(one).hostname or "" for one in (here, there))
    if old == new:
        return True
    domain = old.partition(".")[2]
    labels = domain.split(".")
    shared = len(labels) > 2 or (len(labels) == 2 and not (len(labels[1]) == 2 and labels[0] in _REGISTRY))
    return shared and not labels[-1].isdecimal() and (new == domain or new.endswith(f".{domain}"))


def _refused(address: str, error: InvalidStatus) -> NotOpened:
    answer = error.response
    status, target = answer.status_code, answer.headers.get("Location")
    if 300 <= status < 400 and target:
        to = urlsplit(urljoin(address, target))
        return NotOpened(
            f"{place(address)} redirects to {to.hostname}, which was not followed: the login would go there. "
            "If the broker has moved, give its new address as url='wss://…'",
            code=status,
            answered=True,
            address_is_wrong=status in (301, 308),  # the others are said to be for a time
        )
    body = (answer.body or b"")[:4000].decode("utf-8", "replace").strip()
    return NotOpened(
        f"{answer.reason_phrase} {body}".strip(),
        code=status,
        wait_s=retry_after(answer.headers.get("Retry-After")),
        answered=True,
    )
