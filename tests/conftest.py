"""Fixtures every test may ask for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import settings

from tests.keeper import MemoryKeyring
from tests.paths import HAS_SHARED, NO_SHARED, SHARED

# A deadline is a timed test: it fails when the machine is busy, not when the code is wrong.
settings.register_profile("ltpkit", deadline=None)
settings.load_profile("ltpkit")


def pytest_configure(config: pytest.Config) -> None:
    """Make processes that tests start hear interrupts, and find what they import compiled.

    A shell has what it runs in the background ignore interrupts, which is passed on. And where the
    environment wants no bytecode beside the modules, each of some hundred processes would compile all that it
    imports: a second for a command, two for a kernel or a server.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cache = getattr(config, "cache", None)
    if sys.dont_write_bytecode and cache is not None:
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(cache.mkdir("bytecode"))
        sys.dont_write_bytecode = False
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and fixtures; the test is skipped where it is absent."""
    if not HAS_SHARED:
        pytest.skip(NO_SHARED)
    return SHARED


@pytest.fixture(autouse=True)
def kept() -> Iterator[MemoryKeyring]:
    """The keyring of the test, empty: no credentials are the developer's own."""
    before, mine = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def _nothing_was_told() -> None:
    """What is said once in a process is said once in each test."""
    if (masters := sys.modules.get("ltpkit.masters")) is not None:
        masters._told.clear()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Coroutine tests, marked ``anyio``, run on asyncio: what the feed thread runs."""
    return "asyncio"


_ended: list[int] = []


def pytest_sessionfinish(exitstatus: int) -> None:
    _ended.append(int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End here: DuckDB's module lists what outlives it, after pytest's closing line."""
    if _ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_ended[-1])
