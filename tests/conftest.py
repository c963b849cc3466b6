"""Fixtures every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paths import HAS_SHARED, NO_SHARED, SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and fixtures; the test is skipped where it is absent."""
    if not HAS_SHARED:
        pytest.skip(NO_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Coroutine tests, marked ``anyio``, run on asyncio: what the feed thread runs."""
    return "asyncio"
