"""`ltpkit doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import typer

from ltpkit.cli.terminal import console, words_for_bytes
from ltpkit.errors import LtpkitError

__all__ = ["Finding", "doctor", "findings"]

#: Distribution and what it is imported as.
_CORE: Final = {
    "websockets": "websockets",
    "polars": "polars",
    "duckdb": "duckdb",
    "pyarrow": "pyarrow",
    "numpy": "numpy",
    "msgspec": "msgspec",
    "httpx": "httpx",
    "pydantic-settings": "pydantic_settings",
    "sortedcontainers": "sortedcontainers",
    "zstandard": "zstandard",
    "ipywidgets": "ipywidgets",
    "panel": "panel",
    "hvplot": "hvplot",
}
_EXTRAS: Final = {
    "notebook": {"jupyterlab": "jupyterlab", "ipykernel": "ipykernel"},
    "server": {"fastapi": "fastapi", "uvicorn": "uvicorn", "prometheus-client": "prometheus_client"},
}
_PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY", "NO_PROXY")

#: Less than this, and a busy day's file may fill the disk: DuckDB writes what it changes twice.
_LEAST_FREE_BYTES: Final = 1_000_000_000
_TICKS: Final = 100
_TICKS_WAIT_S: Final = 5.0


class Finding(NamedTuple):
    """One line of the report."""

    verdict: Literal["ok", "note", "problem"]
    what: str
    found: str
    advice: str = ""


def doctor() -> None:
    """Look at this installation: each line ok or a problem, with what to do about it."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    marks = {"ok": ("✓ ok", "green"), "note": ("· note", "yellow"), "problem": ("✗ problem", "bold red")}
    problems = 0
    for one in findings():
        mark, style = marks[one.verdict]
        line = Table.grid(padding=(0, 2))
        line.add_column(width=9, no_wrap=True)
        line.add_column(width=12, no_wrap=True)
        line.add_column(overflow="fold")
        text = Text(one.found)
        if one.advice:
            text.append(f"\n→ {one.advice}", style=style)
        line.add_row(Text(mark, style=style), Text(one.what, style="bold"), text)
        out.print(line)
        problems += one.verdict == "problem"
    if problems:
        out.print(f"{problems} problem{'' if problems == 1 else 's'} found.", style="bold red")
        raise typer.Exit(1)
    out.print("Everything needed is in order.", style="green")


def findings() -> Iterator[Finding]:
    """Yield what is found, as it is found."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _extras,
        _disk,
        _proxies,
        _credentials,
        _round_trip,
    )
    for check in checks:
        yield from check()


def _python() -> Iterator[Finding]:
    from ltpkit import __version__

    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, ltpkit {__version__}"
    yield Finding("ok", "python", found)


def _imported(packages: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return what can be imported with its version, and what cannot with the reason."""
    good: list[str] = []
    bad: dict[str, str] = {}
    for package, module in packages.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import_module(module)
            good.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            bad[package] = "not installed"
        except ModuleNotFoundError as error:
            bad[package] = "not installed" if error.name == module else f"needs {error.name}"
        except Exception as error:  # noqa: BLE001 - whatever a broken package raises is the finding
            bad[package] = f"{type(error).__name__}: {error}".partition("\n")[0]
    return good, bad


def _packages() -> Iterator[Finding]:
    good, bad = _imported(_CORE)
    yield Finding("ok", "packages", ", ".join(good))
    for package, reason in bad.items():
        yield Finding(
            "problem", "packages", f"{package}: {reason}", f"{_pip()} install --upgrade ltpkit {package}"
        )


def _extras() -> Iterator[Finding]:
    for extra, packages in _EXTRAS.items():
        good, bad = _imported(packages)
        if not bad:
            yield Finding("ok", extra, ", ".join(good))
            continue
        found = ", ".join([*good, *(f"{package} {reason}" for package, reason in bad.items())])
        yield Finding("note", extra, found, f'where it is wanted: {_pip()} install "ltpkit[{extra}]"')


def _pip() -> str:
    return "python -m pip"


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{words_for_bytes(free)} free here"
    if free < _LEAST_FREE_BYTES:
        yield Finding("problem", "disk", found, "Make room, or stream into a file on another disk.")
    else:
        yield Finding("ok", "disk", found)


def _proxies() -> Iterator[Finding]:
    from ltpkit.settings import shown_address

    found = {
        name: os.environ[spelling]
        for name in _PROXY_VARIABLES
        for spelling in (name.lower(), name)
        if os.environ.get(spelling)
    }
    if not found:
        yield Finding("ok", "proxy", "none set")
        return
    shown = (
        f"{name}={value if name == 'NO_PROXY' else shown_address(value)}" for name, value in found.items()
    )
    yield Finding(
        "note",
        "proxy",
        ", ".join(shown),
        "Brokers are reached through it; NO_PROXY names hosts to reach directly.",
    )


def _credentials() -> Iterator[Finding]:
    from ltpkit import credentials, settings
    from ltpkit.feeds import names as feeds

    try:
        chosen = settings.load()
    except LtpkitError as error:
        yield Finding("problem", "settings", str(error), "Mend it in the environment or in .env.")
        return
    yield Finding("ok", "settings", "the environment and .env can be used")
    wanted = {name: settings.variables(name) for name in feeds()}
    found = [
        variable if set_ else f"{variable} (keyring)"
        for own in wanted.values()
        for field, variable in own.items()
        if (set_ := getattr(chosen, field) is not None) or credentials.kept(variable)
    ]
    free = ", ".join(name for name, own in wanted.items() if not own)
    yield Finding("ok", "credentials", ", ".join(found) if found else f"none set; {free} need none")
    if trouble := credentials.keyring_trouble():
        yield Finding("note", "keyring", trouble)
    else:
        yield Finding("ok", "keyring", "can be used: ltpkit login BROKER keeps a token there")


def _round_trip() -> Iterator[Finding]:
    """Send ticks over a socket, through the ring, into a DuckDB file, and count them there."""
    import duckdb

    import ltpkit as lk
    from ltpkit.simulator import SimulatedExchange

    what = "round trip"
    started = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="ltpkit-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "doctor.duckdb"
            with (
                SimulatedExchange(rate=1000) as exchange,
                lk.stream(
                    ["NSE:RELIANCE", "NSE:TCS", "NSE:HDFCBANK"], url=exchange.url, store=path, name="doctor"
                ) as live,
            ):
                live.wait(rows=_TICKS, timeout_s=_TICKS_WAIT_S)
            status = live.status()
            with lk.open(path) as held:
                stored = held.sql("SELECT count(*) FROM ticks").item()
    except (LtpkitError, OSError, duckdb.Error) as error:
        yield Finding("problem", what, str(error), "Nothing can be streamed until this works.")
        return
    took = time.perf_counter() - started
    found = f"{stored:,} ticks from a socket through the ring into DuckDB in {took:.1f} s"
    if stored < _TICKS or stored != status.received_seq or status.rejects:
        problem = (
            f"{status.received_seq:,} ticks received, {stored:,} stored, {status.rejects:,} rejects"
            f"{f'; {status.last_error}' if status.last_error else ''}"
        )
        yield Finding("problem", what, problem, "A firewall or proxy may keep this machine from itself.")
    else:
        yield Finding("ok", what, found)
