"""Every exception ltpkit raises, drawn as a tree.

::

    LtpkitError
    ├── UnknownFeed            (ValueError)    no feed of that name
    ├── UnknownInstrument      (LookupError)   the feed or the stream does not know the symbol
    ├── UnknownSubscription    (LookupError)   the service has no subscription of that id
    ├── SettingError           (ValueError)    an argument or environment value cannot be used
    │   └── TooManySymbols                     more than MAX_CONCURRENT_SYMBOLS
    ├── TooManySubscriptions   (RuntimeError)  the service has as many as it takes
    ├── AddressTaken           (OSError)       the service cannot listen there
    ├── PlanError              (ValueError)    more symbols than the broker's limits allow
    ├── ConnectionFailed       (ConnectionError)  the feed's address cannot be reached
    │   └── LoginRefused                       the broker said no, in its own words; not retried
    ├── StoreError             (OSError)
    │   ├── StoreLocked                        another process holds the file
    │   ├── NotAStore                          the file is no DuckDB database, or not one of ours
    │   └── StoreTooNew                        written by a newer ltpkit
    ├── RecordingError         (ValueError)    a recording cannot be read, or not to its end
    ├── QueryError             (ValueError)    a query asked from outside gave no answer
    │   ├── QueryRefused                       it asks for more than to read the tables
    │   ├── QueryTooLarge                      its answer or its work goes beyond the limits
    │   ├── QueryTooLong                       it was stopped when its time was over
    │   └── TooManyQueries                     as many as may run at once do
    ├── StreamStopped          (RuntimeError)  the stream was stopped before the call
    ├── WrongThread            (RuntimeError)  a blocking call on the feed's own thread would wait for itself
    └── WrongProcess           (RuntimeError)  a stream of the process that this one is a fork of

Each carries its facts as attributes and builds its sentence from them: what was asked, what was
found, what to try. None ever holds an address with a token in it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "AddressTaken",
    "ConnectionFailed",
    "LoginRefused",
    "LtpkitError",
    "NotAStore",
    "PlanError",
    "QueryError",
    "QueryRefused",
    "QueryTooLarge",
    "QueryTooLong",
    "RecordingError",
    "SettingError",
    "StoreError",
    "StoreLocked",
    "StoreTooNew",
    "StreamStopped",
    "TooManySubscriptions",
    "TooManySymbols",
    "UnknownFeed",
    "UnknownInstrument",
    "UnknownSubscription",
    "WrongProcess",
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

    def __init__(
        self,
        symbol: str,
        where: str,
        known: Iterable[str],
        *,
        try_: str = "",
        told: tuple[str, str] = ("is not known to", "It knows"),
    ) -> None:
        self.symbol, self.where = symbol, where
        known = list(known)
        tails = {name.partition(":")[2] or name: name for name in known}
        near = near_misses(symbol, known) or [
            tails[tail] for tail in near_misses(symbol.partition(":")[2] or symbol, tails)
        ]
        self.near = near
        is_not, it_has = told
        sentence = f"{symbol} {is_not} {where}."
        if near:
            sentence += f" Close matches: {', '.join(near)}."
        elif known:
            sentence += f" {it_has} {', '.join(known[:6])}{', …' if len(known) > 6 else ''}."
        super().__init__(f"{sentence} {try_}".strip())


class SettingError(LtpkitError, ValueError):
    """An argument or an environment value that cannot be used."""


class TooManySymbols(SettingError):
    """More symbols at a time than ``MAX_CONCURRENT_SYMBOLS`` allows.

    Attributes
    ----------
    asked, held, most : int
        Symbols asked for, there already, and allowed.
    """

    def __init__(self, asked: int, held: int, most: int) -> None:
        self.asked, self.held, self.most = asked, held, most
        super().__init__(
            f"{asked} symbols were asked for beside {held} and MAX_CONCURRENT_SYMBOLS is {most}. "
            "Unsubscribe some, or raise it."
        )


class UnknownSubscription(LtpkitError, LookupError):
    """The service has no subscription of that id: it was never made, or was ended.

    Attributes
    ----------
    subscription_id : str
        What was asked for.
    """

    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"There is no subscription {subscription_id!r}. Subscribe again for a new id.")


class TooManySubscriptions(LtpkitError, RuntimeError):
    """The service has as many subscriptions as it takes.

    Attributes
    ----------
    most : int
        How many it takes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"There are {most:,} subscriptions, the most this service takes. Unsubscribe some.")


class AddressTaken(LtpkitError, OSError):
    """The service cannot listen at an address.

    Attributes
    ----------
    host, port : str, int
        Where it was to listen.
    """

    def __init__(self, host: str, port: int, why: str) -> None:
        self.host, self.port = host, port
        super().__init__(
            f"{host}:{port} cannot be listened at ({why}). Stop what listens there, or choose another port: "
            "port=0 takes any free one, --port 0 in a terminal; SERVICE_PORT sets it."
        )


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
            f"{path} is in use by {holder}. Stop that process to read the file here, or ask it: live.sql(…) "
            f"there, the address of its service, Parquet of its live.export(…). To stream, take another "
            f"file (store=…).",
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


class QueryError(LtpkitError, ValueError):
    """A query asked from outside gave no answer: it is wrong, in DuckDB's own words."""


class QueryRefused(QueryError):
    """The query asks for more than to read the tables.

    Attributes
    ----------
    why : str
        What it asks for.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"The query was not run: {why}. One SELECT over the tables and views of the store is allowed, "
            f"without files, settings or other statements."
        )


class QueryTooLarge(QueryError):
    """The answer has too many rows, or finding it takes too much memory.

    Attributes
    ----------
    why : str
        Which limit, and what it is.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"The query was stopped: {why}. Ask for fewer rows: add a WHERE, GROUP BY or LIMIT.")


class QueryTooLong(QueryError):
    """The query was stopped when its time was over.

    Attributes
    ----------
    limit_s : float
        How long it may take.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(
            f"The query was stopped after {limit_s:g} s. Ask for less: fewer columns, one symbol, less time."
        )


class TooManyQueries(QueryError):
    """As many queries as may run at once did, for as long as a query may take.

    Attributes
    ----------
    at_once : int
        How many may.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        super().__init__(f"The limit of {at_once} queries at once was reached. Ask again in a moment.")


class StreamStopped(LtpkitError, RuntimeError):
    """The call needs a running stream and this one was stopped."""


class WrongThread(LtpkitError, RuntimeError):
    """A blocking call was made on the feed's own thread, where it would wait for itself."""


class WrongProcess(LtpkitError, RuntimeError):
    """A stream was used in a fork of the process that made it: its threads are not there.

    Attributes
    ----------
    owner : int
        The number of the process that runs it.
    """

    def __init__(self, owner: int) -> None:
        self.owner = owner
        super().__init__(
            f"This stream belongs to process {owner}, and this is a fork of it without the stream's threads. "
            f"Hand it the rows it needs, or start processes with the 'spawn' method and use lk.open there."
        )
