"""What the user chose: keyword, environment variable, `.env` file or default, in that order.

Promises that a value which cannot be used is refused with the variable's name and what would do, and
that no secret is ever shown: not in a `repr`, not in an error, not in an address. What the settings mean
is the business of those who take them.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import reprlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ltpkit.errors import SettingError, near_misses

__all__ = ["Settings", "listed", "load", "shown_address", "variables"]

#: A number that may be absent: what people write for that, where an empty line means "not set".
_NONE: Final = ("none", "null", "unlimited")

#: A longer text than this in the place of a number or a word is something pasted by mistake, maybe a token.
_LONGEST_SHOWN: Final = 24


def shown_address(address: str) -> str:
    """Return `address` without what may be secret in it: the query, a user's name, a token in the path.

    Examples
    --------
    >>> shown_address("wss://me:pw@api-feed.dhan.co/?version=2&token=s3cret")
    'wss://api-feed.dhan.co/?…'
    """
    bare = re.split(r"[?#]", address, maxsplit=1)[0]
    scheme, slashes, rest = bare.rpartition("://")
    host, slash, path = rest.partition("/")
    # Listen keys and redirect codes are long; the paths that brokers publish are words.
    path = re.sub(r"[^/]{24,}", "…", path)
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}{'?…' if bare != address else ''}"


def _a_websocket(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = urlsplit(value.strip())
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("not a WebSocket address")
    _ = parts.port  # raises ValueError where it is no port
    return value.strip()


def _or_none(value: object) -> object:
    return None if isinstance(value, str) and value.strip().casefold() in _NONE else value


def _a_host(value: object) -> object:
    if not isinstance(value, str):
        return value
    host = value.strip()
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        ipaddress.ip_address(host)  # raises ValueError; only an IPv6 address may hold colons
    return host


def _a_level(value: object) -> object:
    if not isinstance(value, str):
        return value
    levels = logging.getLevelNamesMapping()
    name = value.strip().upper()
    if name not in levels:
        raise ValueError("not a level")
    return logging.getLevelName(levels[name])  # WARN is WARNING


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = [one.strip().rstrip("/") for one in value.split(",") if one.strip()]
    for one in origins:
        parts = urlsplit(one)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or one != f"{parts.scheme}://{parts.netloc}"
        ):
            raise ValueError("not an origin")
    return ",".join(origins) or None


def _a_secret(value: object) -> object:
    # Tokens are pasted, and a pasted line ends in a newline.
    return (value.strip() or None) if isinstance(value, str) else value


_Secret = Annotated[SecretStr | None, BeforeValidator(_a_secret)]


def _secret(variable: str) -> Any:
    return Field(default=None, validation_alias=variable, description="the text the broker gave you")


class Settings(BaseSettings):
    """Everything that can be set from outside. Make one with `load`; it does not change.

    Attributes
    ----------
    url : str or None
        The feed's address in place of its own. ``WEBSOCKET_URL``.
    reconnect_attempts : int or None
        Attempts in a row before giving up; None never does. ``WEBSOCKET_RECONNECT_ATTEMPTS``.
    heartbeat_interval_s : float
        Between our pings. ``WEBSOCKET_HEARTBEAT_INTERVAL``.
    buffer_size : int
        Rows that are flushed to DuckDB without waiting for `flush_interval_s`. ``REALTIME_BUFFER_SIZE``.
    flush_interval_s : float
        The longest a row waits for DuckDB. ``BUFFER_FLUSH_INTERVAL``.
    max_symbols : int or None
        Symbols at a time; None leaves it to the feed's own limits. ``MAX_CONCURRENT_SYMBOLS``.
    service_host, service_port : str, int
        Where the API listens; port 0 is any free one. ``SERVICE_HOST``, ``SERVICE_PORT``.
    service_origins : str or None
        Addresses of web pages, besides the service's own, that may read it; with commas between.
        ``LTPKIT_SERVICE_ORIGINS``.
    service_sql : bool
        Whether the service answers SQL. ``LTPKIT_SERVICE_SQL``.
    api_token : SecretStr or None
        What who asks the service must show; needed to listen beyond this machine. ``LTPKIT_API_TOKEN``.
    log_level : str
        ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR`` or ``CRITICAL``. ``LOG_LEVEL``.
    log_format : str
        ``console`` or ``json``. ``LOG_FORMAT``.
    capacity_rows, depth_capacity_rows : int
        Ticks and books kept in memory. ``LTPKIT_CAPACITY_ROWS``, ``LTPKIT_DEPTH_CAPACITY_ROWS``.
    journal : bool
        Whether rows on their way into a store's file are kept safe in a journal. ``LTPKIT_JOURNAL``.
    journal_interval_s, fsync_interval_s : float
        The longest a row waits to be in the journal, and then to be on the disk itself.
        ``LTPKIT_JOURNAL_INTERVAL``, ``LTPKIT_FSYNC_INTERVAL``.
    depth_levels : int
        Levels a side kept of each book. ``LTPKIT_DEPTH_LEVELS``.
    gather_s : float
        How long frames that arrive singly are gathered, to be decoded together. ``LTPKIT_GATHER_S``.
    dhan_client_id, dhan_access_token, kite_api_key, kite_access_token : SecretStr or None
        Credentials, each from the variable of its name in capitals.
    upstox_access_token : SecretStr or None
        The same.
    angelone_client_id, angelone_api_key, angelone_feed_token, angelone_access_token : SecretStr or None
        The same.

    Notes
    -----
    `max_symbols` has no default of its own: brokers publish limits, each feed carries its broker's, and one
    number for all would be too small for the simulated market (50 names) and too large for some depth feeds.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        env_file_encoding="utf-8-sig",  # editors on Windows put a mark before the first name
        hide_input_in_errors=True,
    )

    url: Annotated[str, BeforeValidator(_a_websocket)] | None = Field(
        default=None, validation_alias="WEBSOCKET_URL", description="an address such as wss://host/path"
    )
    reconnect_attempts: Annotated[int | None, BeforeValidator(_or_none)] = Field(
        default=None,
        ge=0,
        validation_alias="WEBSOCKET_RECONNECT_ATTEMPTS",
        description="a whole number from 0, or none for no end",
    )
    heartbeat_interval_s: float = Field(
        default=30,
        gt=0,
        allow_inf_nan=False,
        validation_alias="WEBSOCKET_HEARTBEAT_INTERVAL",
        description="seconds, more than 0",
    )
    buffer_size: int = Field(
        default=1000,
        ge=1,
        validation_alias="REALTIME_BUFFER_SIZE",
        description="a whole number of rows from 1",
    )
    flush_interval_s: float = Field(
        default=5,
        gt=0,
        allow_inf_nan=False,
        validation_alias="BUFFER_FLUSH_INTERVAL",
        description="seconds, more than 0",
    )
    max_symbols: Annotated[int | None, BeforeValidator(_or_none)] = Field(
        default=None,
        ge=1,
        validation_alias="MAX_CONCURRENT_SYMBOLS",
        description="a whole number from 1, or none for the feed's own limits",
    )
    service_host: Annotated[str, BeforeValidator(_a_host)] = Field(
        default="127.0.0.1",
        validation_alias="SERVICE_HOST",
        description="a name or address such as 127.0.0.1, without scheme or port",
    )
    service_port: int = Field(
        default=8001,
        ge=0,
        le=65535,
        validation_alias="SERVICE_PORT",
        description="a whole number from 0 to 65535",
    )
    service_origins: Annotated[str, BeforeValidator(_origins)] | None = Field(
        default=None,
        validation_alias="LTPKIT_SERVICE_ORIGINS",
        description="addresses such as https://ticks.example, with commas between",
    )
    service_sql: bool = Field(
        default=False, validation_alias="LTPKIT_SERVICE_SQL", description="true or false"
    )
    api_token: _Secret = Field(
        default=None, validation_alias="LTPKIT_API_TOKEN", description="a text of your own choice"
    )
    log_level: Annotated[str, BeforeValidator(_a_level)] = Field(
        default="INFO", validation_alias="LOG_LEVEL", description="DEBUG, INFO, WARNING, ERROR or CRITICAL"
    )
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = Field(
        default="console", validation_alias="LOG_FORMAT", description="console or json"
    )

    capacity_rows: int = Field(
        default=2_000_000,
        ge=1,
        validation_alias="LTPKIT_CAPACITY_ROWS",
        description="a whole number of rows from 1",
    )
    # A book of 20 levels is about 1 kB, six times a tick, so a tenth as many fit beside the ticks.
    depth_capacity_rows: int = Field(
        default=200_000,
        ge=1,
        validation_alias="LTPKIT_DEPTH_CAPACITY_ROWS",
        description="a whole number of rows from 1",
    )
    journal: bool = Field(default=True, validation_alias="LTPKIT_JOURNAL", description="true or false")
    journal_interval_s: float = Field(
        default=0.05,
        gt=0,
        le=60,
        validation_alias="LTPKIT_JOURNAL_INTERVAL",
        description="seconds, more than 0 and up to 60",
    )
    fsync_interval_s: float = Field(
        default=0.1,
        gt=0,
        le=60,
        validation_alias="LTPKIT_FSYNC_INTERVAL",
        description="seconds, more than 0 and up to 60",
    )
    depth_levels: int = Field(
        default=20,
        ge=1,
        le=200,
        validation_alias="LTPKIT_DEPTH_LEVELS",
        description="a whole number from 1 to 200",
    )
    gather_s: float = Field(
        default=0.001, ge=0, le=1, validation_alias="LTPKIT_GATHER_S", description="seconds, from 0 to 1"
    )

    dhan_client_id: _Secret = _secret("DHAN_CLIENT_ID")
    dhan_access_token: _Secret = _secret("DHAN_ACCESS_TOKEN")
    kite_api_key: _Secret = _secret("KITE_API_KEY")
    kite_access_token: _Secret = _secret("KITE_ACCESS_TOKEN")
    upstox_access_token: _Secret = _secret("UPSTOX_ACCESS_TOKEN")
    angelone_client_id: _Secret = _secret("ANGELONE_CLIENT_ID")
    angelone_api_key: _Secret = _secret("ANGELONE_API_KEY")
    angelone_feed_token: _Secret = _secret("ANGELONE_FEED_TOKEN")
    angelone_access_token: _Secret = _secret("ANGELONE_ACCESS_TOKEN")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Yield what differs from the defaults, an address without its token, a secret as stars."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value != field.default:
                yield name, shown_address(value) if name == "url" else value

    def credentials(
        self,
        broker: str,
        *,
        given: Container[str] = (),
        elsewhere: Callable[[str], str | None] = lambda variable: None,
    ) -> dict[str, SecretStr]:
        """Return the broker's credentials that are set, by the keywords its feed takes.

        They are the settings' names without the broker's, and the access token is `token`.

        Parameters
        ----------
        broker : str
            The feed's name.
        given : collection of str
            Keywords that need not be looked for.
        elsewhere : callable, optional
            Asked by the name of its variable for each one that is not set: a keyring.

        Examples
        --------
        >>> load(env_file=None, upstox_access_token="s3cret").credentials("upstox")
        {'token': SecretStr('**********')}
        """
        found = {}
        for name, variable in variables(broker).items():
            keyword = name.removeprefix(f"{broker}_")
            keyword = "token" if keyword == "access_token" else keyword
            if keyword in given:
                continue
            value = getattr(self, name)
            if value is None and (text := elsewhere(variable)):
                value = SecretStr(text)
            if value is not None:
                found[keyword] = value
        return found


def variables(broker: str) -> dict[str, str]:
    """Return the settings that are a broker's credentials, each with the variable it is read from.

    Examples
    --------
    >>> variables("kite")
    {'kite_api_key': 'KITE_API_KEY', 'kite_access_token': 'KITE_ACCESS_TOKEN'}
    """
    return {
        name: str(field.validation_alias)
        for name, field in Settings.model_fields.items()
        if name.startswith(f"{broker}_")
    }


def listed(names: Sequence[str]) -> str:
    """Return names as they are told one after the other.

    Examples
    --------
    >>> listed(["A", "B", "C"])
    'A, B and C'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def load(*, env_file: str | Path | None = ".env", **chosen: Any) -> Settings:
    """Return the settings: what is `chosen` here, else the environment's, else the file's, else the default.

    Parameters
    ----------
    env_file : str or pathlib.Path or None
        A file of ``NAME=value`` lines; None reads none. Not being there is fine.
    **chosen
        Attributes of `Settings` by name. None means none, also where the environment says otherwise.

    Raises
    ------
    SettingError
        A name that is no setting, a value that cannot be used, or a file that cannot be read.

    Examples
    --------
    >>> load(env_file=None, buffer_size=5000).buffer_size
    5000
    """
    fields = Settings.model_fields
    for name in chosen:
        if name not in fields:
            near = near_misses(name, fields)
            hint = f"Close matches: {', '.join(near)}." if near else f"There are {', '.join(fields)}."
            raise SettingError(f"There is no setting {name!r}. {hint}")
    values = {str(fields[name].validation_alias): value for name, value in chosen.items()}
    try:
        return Settings(**{"_env_file": env_file, **values})
    except ValidationError as refused:
        wrong = {str(error["loc"][0]).upper(): error["input"] for error in refused.errors()}
        problem = " ".join(_refusal(variable, found, chosen, env_file) for variable, found in wrong.items())
    except (OSError, UnicodeError) as failed:
        why = failed.strerror if isinstance(failed, OSError) else "it is not UTF-8 text"
        problem = f"The settings file {env_file} cannot be read: {why}."
    # Raised out here because the errors above hold every value they were given, secrets too, and an
    # exception raised inside would carry them along.
    raise SettingError(problem)


def _refusal(variable: str, found: object, chosen: Mapping[str, Any], env_file: str | Path | None) -> str:
    """Say which setting cannot be used, where it came from, what it was and what would do."""
    name, field = next(
        (name, field) for name, field in Settings.model_fields.items() if field.validation_alias == variable
    )
    if name in chosen:
        subject = name
    elif any(key.upper() == variable for key in os.environ):
        subject = f"{variable} in the environment"
    else:
        subject = f"{variable} in {env_file}"
    if field.annotation == SecretStr | None:
        was = "cannot be used"
    elif isinstance(found, str) and name == "url":
        was = f"is {shown_address(found)!r}"
    elif isinstance(found, str) and len(found) > _LONGEST_SHOWN:
        was = f"is a text of {len(found)} characters"
    else:
        was = f"is {reprlib.repr(found)}"
    return f"{subject} {was}; it takes {field.description}."
