"""Every exception ltpkit raises, drawn as a tree.

::

    LtpkitError
    ├── UnknownFeed            (ValueError)    no feed of that name
    ├── UnknownInstrument      (LookupError)   the feed or the stream does not know the symbol
    ├── SettingError           (ValueError)    an argument or environment value cannot be used
    ├── PlanError              (ValueError)    more symbols than the broker's limits allow
    ├── ConnectionFailed       (ConnectionError)  the feed's address cannot be reached
    │   └── LoginRefused                       the broker said no, in its own words; not retried
    ├── StoreError             (OSError)
    │   ├── StoreLocked                        another process holds the file
    │   ├── NotAStore                          the file is no DuckDB database, or not one of ours
    │   └── StoreTooNew                        written by a newer ltpkit
    ├── RecordingError         (ValueError)    a recording cannot be read, or not to its end
    ├── StreamStopped          (RuntimeError)  the stream was stopped before the call
    └── WrongThread            (RuntimeError)  a blocking call on the feed's own thread would wait for itself

Each carries its facts as attributes and builds its sentence from them: what was asked, what was
found, what to try. None ever holds an address with a token in it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "ConnectionFailed",
    "LoginRefused",
    "LtpkitError",
    "NotAStore",
    "PlanError",
    "RecordingError",
    "SettingError",
    "StoreError",
    "StoreLocked",
    "StoreTooNew",
    "StreamStopped",
    "UnknownFeed",
    "UnknownInstrument",
    "WrongThread",
]


def near_misses(wanted: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the names in `known` that look most like `wanted`, best first."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(wanted.casefold(), by_folded, n=most, cutoff=0.6)
    return [by_folded[name] for name in found]


class LtpkitError(Exception):
    """Base of every error ltpkit raises on purpose."""


class UnknownFeed(LtpkitError, ValueError):
    """No feed of that name is installed.

    Attributes
    ----------
    name : str
        What was asked for.
    known : list of str
        The feeds there are.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, sorted(known)
        near = near_misses(name, self.known)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        super().__init__(f"There is no feed {name!r}.{hint} Feeds: {', '.join(self.known)}.")


class UnknownInstrument(LtpkitError, LookupError):
    """A symbol that the feed cannot trade, or that the stream does not hold.

    Attributes
    ----------
    symbol : str
        What was asked for.
    where : str
        Who does not know it, for the sentence: ``"the simulated feed"``, ``"this stream"``.
    near : list of str
        The closest names that are known.
    """

    def __init__(self, symbol: str, where: str, known: Iterable[str], *, try_: str = "") -> None:
        self.symbol, self.where = symbol, where
        known = list(known)
        tails = {name.partition(":")[2] or name: name for name in known}
        near = near_misses(symbol, known) or [
            tails[tail] for tail in near_misses(symbol.partition(":")[2] or symbol, tails)
        ]
        self.near = near
        sentence = f"{symbol} is not known to {where}."
        if near:
            sentence += f" Close matches: {', '.join(near)}."
        elif known:
            sentence += f" It knows {', '.join(known[:6])}{', …' if len(known) > 6 else ''}."
        super().__init__(f"{sentence} {try_}".strip())


class SettingError(LtpkitError, ValueError):
    """An argument or an environment value that cannot be used."""


class PlanError(LtpkitError, ValueError):
    """More symbols than the broker's limits allow.

    Attributes
    ----------
    asked, fits : int
        Instruments asked for, and how many the limits leave room for.
    """

    def __init__(self, asked: int, fits: int, why: str) -> None:
        self.asked, self.fits = asked, fits
        super().__init__(f"{asked} instruments were asked for and {fits} fit: {why}.")


class ConnectionFailed(LtpkitError, ConnectionError):
    """The feed's address cannot be reached, or does not speak WebSocket."""


class LoginRefused(ConnectionFailed):
    """The broker refused, and will refuse again: it is not retried.

    Attributes
    ----------
    code : int or None
        The broker's own code, a WebSocket close code, or the HTTP status.
    reason : str
        The broker's own words.
    """

    def __init__(self, feed: str, code: int | None, reason: str) -> None:
        self.feed, self.code, self.reason = feed, code, reason
        said = f"{code}: {reason}" if code is not None else reason
        super().__init__(f"{feed} refused the connection ({said}). It was not retried.")


class StoreError(LtpkitError, OSError):
    """The DuckDB file cannot be used.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: str | Path, sentence: str) -> None:
        self.path = Path(path)
        super().__init__(sentence)


class StoreLocked(StoreError):
    """Another process holds the file; DuckDB lets one process write, or many only read."""

    def __init__(self, path: str | Path, holder: str = "another process") -> None:
        self.holder = holder
        super().__init__(
            path,
            f"{path} is in use by {holder}. Stop that process, or stream into another file "
            f"(store=…), or read a copy made there with live.export(…).",
        )


class NotAStore(StoreError):
    """The file is no DuckDB database, or a DuckDB database that ltpkit did not make."""


class StoreTooNew(StoreError):
    """The file was written by a newer ltpkit than this one."""

    def __init__(self, path: str | Path, found: int, known: int) -> None:
        self.found, self.known = found, known
        super().__init__(
            path,
            f"{path} has schema version {found} and this ltpkit knows up to {known}. "
            f"Upgrade ltpkit, or stream into a new file.",
        )


class RecordingError(LtpkitError, ValueError):
    """A recording cannot be read, or its format or feed cannot be told."""


class StreamStopped(LtpkitError, RuntimeError):
    """The call needs a running stream and this one was stopped."""


class WrongThread(LtpkitError, RuntimeError):
    """A blocking call was made on the feed's own thread, where it would wait for itself."""
