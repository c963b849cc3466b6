"""Tokens as they are given to a stream: a text, a secret, or a function that is asked for one.

A feed sees one kind only, an object with ``get_secret_value()`` that prints as stars. What must not be
shown can be hidden in a text that came from outside. Tokens can be kept in the system's own keyring,
under the service ``ltpkit`` and the name of their environment variable.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any, Final
from urllib.parse import quote, quote_plus

from ltpkit.errors import SettingError

__all__ = [
    "AskedToken",
    "forget_kept",
    "hidden",
    "keep",
    "kept",
    "keyring_trouble",
    "masked",
    "secret",
    "secret_values",
]


#: Tokens of Indian brokers end between 03:30 and 06:00 IST (00:30 UTC); their day is counted from here.
_DAY_BEGINS: Final = timedelta(minutes=30)

#: What the keyring files our tokens under.
_SERVICE: Final = "ltpkit"

_SHORTEST: Final = 4  # a shorter text is no secret, and would be found everywhere
_SHORTEST_PIECE: Final = 8
_SHORTEST_IN_FRAMES: Final = 8  # a shorter one could be the digits of a price
_REMEMBERED: Final = 8


class AskedToken:
    """A token that a function gives: asked for when first needed, when refused, and on a new trading day.

    Parameters
    ----------
    ask : callable
        Returns the token as text or as a secret. It may take its time; it is not called on the feed thread
        but from where the stream is started and, later, from a thread of its own.
    now : callable
        Returns the time of day.
    """

    def __init__(
        self, ask: Callable[[], Any], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._ask, self._now = ask, now
        self._lock = threading.Lock()
        self._value, self._day = "", date.min
        self._given: tuple[str, ...] = ()

    def get_secret_value(self) -> str:
        """Return the token, asking for it where the one at hand is of another trading day."""
        with self._lock:
            day = (self._now().astimezone(UTC) - _DAY_BEGINS).date()
            if not self._value or day != self._day:
                self._value, self._day = _text(self._ask()), day
                self._given = (*self._given, self._value)[-_REMEMBERED:]
            return self._value

    def renew(self, *, refused: bool = False) -> None:
        """Have a token that is good for now; another one where the broker has refused this."""
        if refused:
            with self._lock:
                self._value = ""
        self.get_secret_value()

    @property
    def given(self) -> tuple[str, ...]:
        """The tokens last given, without asking: a server may still speak of the one that it refused."""
        return self._given

    def __eq__(self, other: object) -> bool:
        # The same cell run again defines the same function anew.
        return isinstance(other, AskedToken) and _name(self._ask) == _name(other._ask)

    def __hash__(self) -> int:
        return hash(_name(self._ask))

    def __repr__(self) -> str:
        return "AskedToken('**********')"


def _name(ask: Callable[[], Any]) -> object:
    name = (getattr(ask, "__module__", None), getattr(ask, "__qualname__", None))
    return ask if None in name else name


def _text(given: Any) -> str:
    found = given if isinstance(given, str) else getattr(given, "get_secret_value", lambda: None)()
    if not isinstance(found, str) or not found.strip():
        what = "an empty text" if isinstance(found, str) else f"a {type(given).__name__}"
        raise SettingError(f"The function given as token= returned {what}; it must return the token as text.")
    return found.strip()


def secret(given: Any) -> Any:
    """Return what a feed takes for a token that a user gave: never a bare text, which any repr would show."""
    if isinstance(given, str):
        from pydantic import SecretStr

        return SecretStr(given)
    if callable(given):
        return AskedToken(given)
    return given


def secret_values(credentials: Iterable[Any]) -> list[str]:
    """Return the texts inside those of `credentials` that are secrets, without asking for any."""
    found: list[str] = []
    for one in credentials:
        if isinstance(one, AskedToken):
            found += one.given
        elif hasattr(one, "get_secret_value"):
            found.append(one.get_secret_value())
    return [value for value in found if len(value) >= _SHORTEST]


def hidden(text: str, values: Iterable[str]) -> str:
    """Return `text` without these values, also where they stand as in an address.

    Examples
    --------
    >>> hidden("token eyJh.x is not valid", ["eyJh.x"])
    'token … is not valid'
    """
    for form in _forms(value for value in values if len(value) >= _SHORTEST):
        text = text.replace(form, "…")
        # Close reasons end after 123 bytes, in the middle of a long token if need be.
        for length in range(len(form) - 1, _SHORTEST_PIECE - 1, -1):
            if text.endswith(form[:length]):
                text = f"{text[:-length]}…"
                break
    return text


def masked(frames: Sequence[bytes], values: Iterable[str]) -> list[bytes]:
    """Return frames with stars in the place of these values, as many as they have bytes.

    So what a length in a frame counts stays where it is. Values shorter than eight characters are left: they
    could be the digits of a price.

    Examples
    --------
    >>> masked([b'{"msg": "eyJh.long is no token"}'], ["eyJh.long"])
    [b'{"msg": "********* is no token"}']
    """
    found = list(frames)
    forms = [form.encode() for form in _forms(one for one in values if len(one) >= _SHORTEST_IN_FRAMES)]
    together = b"\n".join(found) if forms else b""
    for form in forms:
        if form in together:  # hardly ever; looking through all at once costs little
            stars = b"*" * len(form)
            found = [frame.replace(form, stars) for frame in found]
    return found


def _forms(values: Iterable[str]) -> list[str]:
    """Return how values may stand in a text: as they are, in an address, in JSON; the longest first."""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        partial(quote, safe=""),
        quote_plus,
        lambda value: json.dumps(value)[1:-1],
        lambda value: value.replace("/", "\\/"),
    )
    return sorted({way(value) for value in values for way in ways}, key=len, reverse=True)


def kept(variable: str) -> str | None:
    """Return what the system's keyring has under the name of an environment variable, None for nothing.

    Never raises: without the package ``keyring``, or a system that has one, there is nothing.
    `keyring_trouble` says why.
    """
    try:
        import keyring

        found = keyring.get_password(_SERVICE, variable)
    except Exception:  # noqa: BLE001 - a keyring is a convenience; each system's fails in ways of its own
        return None
    return (found or "").strip() or None


def keep(variable: str, value: str) -> None:
    """Put a token in the system's keyring, under the name of its environment variable.

    Raises
    ------
    SettingError
        There is no keyring here, or it refuses.
    """
    keyring = _keyring()
    try:
        keyring.set_password(_SERVICE, variable, value)
    except Exception as error:  # noqa: BLE001 - as above
        problem = f"The keyring did not take {variable}: {hidden(str(error), [value])}"
    else:
        return
    raise SettingError(problem)  # out here, so that no error which may hold the value comes along


def forget_kept(variable: str) -> bool:
    """Take a token out of the system's keyring; return whether it was there.

    Raises
    ------
    SettingError
        There is no keyring here, or it refuses.
    """
    keyring = _keyring()
    try:
        keyring.delete_password(_SERVICE, variable)
    except keyring.errors.PasswordDeleteError:
        return False
    except Exception as error:
        raise SettingError(f"The keyring did not let go of {variable}: {error}") from error
    return True


def _keyring() -> ModuleType:
    """Return the package keyring, or raise why no token can be kept here."""
    if trouble := keyring_trouble():
        raise SettingError(trouble)
    import keyring
    import keyring.errors

    return keyring


def keyring_trouble() -> str | None:
    """Return why no token can be kept in a keyring here, None where it can."""
    try:
        import keyring
        import keyring.backends.fail
    except ImportError:
        return 'Tokens are kept by the package keyring: python -m pip install "ltpkit[keyring]"'
    try:
        found = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001 - as above
        return f"This system's keyring cannot be used: {error}"
    if isinstance(found, keyring.backends.fail.Keyring):
        return (
            "This system has no keyring that could be used. A desktop has one, and keyrings.alt makes one of "
            "a file."
        )
    return None
