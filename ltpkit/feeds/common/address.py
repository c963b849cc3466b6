"""Addresses with credentials in them, put together without ever showing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ltpkit.errors import SettingError

__all__ = ["Secret", "missing_login", "revealed", "websocket_address"]


class Secret(Protocol):
    """A token in a wrapper that prints as stars, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str:
        """Return the token itself."""
        ...


def revealed(secret: str | Secret | None) -> str:
    """Return the token itself, empty where there is none."""
    if secret is None or isinstance(secret, str):
        return secret or ""
    return secret.get_secret_value()


def missing_login(broker: str, title: str, arguments: str) -> SettingError:
    """Return the refusal of a broker's feed without credentials: every place where they may be.

    Examples
    --------
    >>> str(missing_login("upstox", "Upstox", "token=")).partition(" `")[0]
    'Upstox needs token=, or UPSTOX_ACCESS_TOKEN in the environment or in .env.'
    """
    from ltpkit.settings import listed, variables

    names = list(variables(broker).values())
    return SettingError(
        f"{title} needs {arguments}, or {listed(names)} in the environment or in .env. "
        f"`ltpkit login {broker}` keeps {'it' if len(names) == 1 else 'them'} in the system's keyring."
    )


def websocket_address(url: str, query: Mapping[str, str]) -> str:
    """Return `url` with these parameters added to its own; empty ones are left out.

    Raises
    ------
    SettingError
        It is no WebSocket address. The sentence shows scheme and host only.

    Examples
    --------
    >>> websocket_address("ws://127.0.0.1:9?room=5", {"token": "a&b", "id": ""})
    'ws://127.0.0.1:9/?room=5&token=a%26b'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        said = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else "no scheme"
        raise SettingError(f"url= must start with ws:// or wss:// and name a host; this has {said}.")
    own = dict(parse_qsl(parts.query, keep_blank_values=True))
    own.update({name: value for name, value in query.items() if value})
    # Some servers answer 400 when the path before the query is empty.
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(own), ""))
