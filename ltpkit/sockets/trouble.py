"""What may go wrong with a line, in words that hold no address: its query may carry a token."""

from __future__ import annotations

import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import InvalidMessage

__all__ = ["NotOpened", "place", "retry_after", "words"]

_LONGEST_ASKED_S: Final = 3600.0  # a longer Retry-After is asked again after this


class NotOpened(Exception):
    """A line that could not be opened, in words without the address.

    Attributes
    ----------
    code : int
        The HTTP status, 1006 where there was no answer.
    reason : str
        The server's words, or ours.
    wait_s : float
        How long the server asked to wait.
    answered : bool
        Whether the server answered in HTTP, so that `code` is its verdict.
    address_is_wrong : bool
        No other try can help.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: int = 1006,
        wait_s: float = 0.0,
        answered: bool = False,
        address_is_wrong: bool = False,
    ) -> None:
        self.reason, self.code, self.wait_s = reason, code, wait_s
        self.answered, self.address_is_wrong = answered, address_is_wrong
        super().__init__(reason)


def place(address: str) -> str:
    """Return scheme, host and port of an address: what of it may be shown."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "the address"


def retry_after(header: str | None) -> float:
    """Return the seconds a Retry-After header asks for: a number, or an HTTP date. An hour at most."""
    if not header:
        return 0.0
    try:
        wait = float(header)
    except ValueError:
        try:
            wait = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(wait, 0.0), _LONGEST_ASKED_S) if wait == wait else 0.0


def words(error: BaseException) -> str:
    """Return the error in words that cannot hold an address: the query may carry a token."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate was not accepted ({error.verify_message}). Certificates are always verified; "
            "for an authority of your own, name its file in SSL_CERT_FILE"
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({(error.reason or 'no reason given').lower().replace('_', ' ')})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, InvalidMessage | EOFError):
        return "it does not speak WebSocket"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
