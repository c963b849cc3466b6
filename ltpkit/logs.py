"""Structured logs of the service, as JSON or for a console, each line with the request it belongs to.

`configure` sends what ltpkit, uvicorn and their kin log through one formatter that hides secrets: in
messages, fields, addresses and tracebacks. Nothing is set up until it is called, other loggers and
structlog's own global settings stay as they are, and structlog is loaded by then alone.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from ltpkit.errors import SettingError

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

__all__ = ["configure", "correlated", "correlation_id", "get_logger", "without_secrets"]

#: Whose records are ours to show. uvicorn's access lines and httpx' requests hold whole addresses.
_LOGGERS: Final = (
    "ltpkit",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "fastapi",
    "bokeh",
    "httpx",
    "asyncio",
)
_HIDDEN: Final = "…"

_SECRET: Final = (
    r"(?:token|secret|passw(?:or)?d|authori[sz]ation|api[_-]?key|cookie|credentials?|jwt|totp|client[_-]?id)"
    r"(?:[_-]?(?:key|value|header))?"
)
_SECRET_NAME: Final = re.compile(rf"[\w-]*{_SECRET}", re.IGNORECASE)
#: ``token=…`` in an address, ``"api_key": "…"`` in a body, ``Authorization: Bearer …`` among headers.
#: What stands before the name is not looked at: that would take a hostile address squared.
_ASSIGNED: Final = re.compile(
    rf"""({_SECRET}["']?\s*[=:]\s*["']?)(?:(?:bearer|basic|token)\s+)?[^\s"'&;,)}}\]]+""", re.IGNORECASE
)
_BEARER: Final = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_GIVEN_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)

_correlation: ContextVar[str | None] = ContextVar("ltpkit_correlation_id", default=None)


# -- which request a line belongs to ----------------------------------------------------------------


def correlation_id() -> str | None:
    """Return the id of the request or connection that is being answered here, None outside of any."""
    return _correlation.get()


@contextmanager
def correlated(given: str | None = None) -> Iterator[str]:
    """Give everything logged within one id; yield it.

    Parameters
    ----------
    given : str, optional
        The caller's own id, from a header say. Used where it is short and plain, otherwise replaced.

    Examples
    --------
    >>> with correlated("order-7") as id:
    ...     id, correlation_id()
    ('order-7', 'order-7')
    """
    id = given if given is not None and _GIVEN_ID.fullmatch(given) else uuid4().hex
    token = _correlation.set(id)
    try:
        yield id
    finally:
        _correlation.reset(token)


# -- what may not be shown --------------------------------------------------------------------------


def without_secrets(text: str) -> str:
    """Return a text without what stands behind names such as ``token`` or ``api_key``, as far as it shows.

    Examples
    --------
    >>> without_secrets('GET /ws/4?token=abc&depth=1 "Authorization: Bearer eyJh.e30"')
    'GET /ws/4?token=…&depth=1 "Authorization: …"'
    """
    text = _ASSIGNED.sub(rf"\1{_HIDDEN}", text)
    return _BEARER.sub(rf"\1 {_HIDDEN}", text)


def _shown(value: Any, hide: Callable[[str], str]) -> Any:
    """Return what may be shown of a value, made of nothing but plain types."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if hasattr(value, "get_secret_value"):
        return _HIDDEN
    if isinstance(value, Mapping):
        return {
            hide(str(name)): _HIDDEN
            if _SECRET_NAME.fullmatch(str(name)) and value is not None
            else _shown(value, hide)
            for name, value in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(one, hide) for one in value]
    return without_secrets(hide(value if isinstance(value, str) else _text(value)))


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


# -- setting up -------------------------------------------------------------------------------------


class _Handler(logging.StreamHandler[Any]):
    """Writes lines; one that cannot be formatted is told without its arguments, which may be secret."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        if isinstance(error, OSError | ValueError) and self.stream.closed:
            return
        try:
            self.stream.write(f"a line of {record.name} could not be logged: {type(error).__name__}\n")
        except (OSError, ValueError):  # there is nowhere left to say it
            return


def configure(
    level: str = "INFO",
    format: Literal["console", "json"] = "console",
    *,
    hide: Callable[[str], str] = str,
    stream: IO[str] | None = None,
) -> None:
    """Log to a stream, from `level` on; called again, the newer settings hold.

    Parameters
    ----------
    level : str
        ``DEBUG``, ``INFO``, ``WARNING``, ``ERROR`` or ``CRITICAL``.
    format : {"console", "json"}
        Lines to read, or a JSON object a line.
    hide : callable
        Returns a text without the secrets that are known, as `ltpkit.credentials.hidden` does. What stands
        behind a name such as ``token`` is hidden without it.
    stream : file, optional
        By default standard error.

    Raises
    ------
    SettingError
        structlog is not installed, or there is no such level or format.

    Notes
    -----
    Run uvicorn with ``log_config=None``: its own would take its loggers back.
    """
    if format not in ("console", "json"):
        raise SettingError(f"format={format!r}: logs are written as 'console' or 'json'.")
    if level.upper() not in logging.getLevelNamesMapping():
        raise SettingError(f"level={level!r}: give DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    structlog = _structlog()
    target = stream or sys.stderr

    def hidden(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        shown: dict[str, Any] = _shown(event, hide)
        return shown

    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_described(structlog),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # a plain traceback, never with the values of variables
                hidden,
                renderer,
            ],
        )
    )
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level.upper())


def get_logger(name: str = "ltpkit") -> BoundLogger:
    """Return a logger that takes fields: ``log.info("subscribed", symbols=3)``.

    Raises
    ------
    SettingError
        structlog is not installed.
    """
    structlog = _structlog()
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            *_described(structlog),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return logger


def _described(structlog: Any) -> list[Any]:
    """Return what adds to a line when, how grave, by whom and for which request it was written."""
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation,
    ]


def _add_correlation(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (id := _correlation.get()) is not None:
        event.setdefault("correlation_id", id)
    return event


def _structlog() -> Any:
    try:
        import structlog.dev
        import structlog.stdlib
    except ImportError as error:
        raise SettingError("The service's logs need structlog: pip install 'ltpkit[server]'") from error
    return structlog
