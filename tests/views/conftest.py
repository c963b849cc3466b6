"""One JupyterLab and one browser for the tests of the views."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.views.lab import Lab, chromium


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Of the package, as Playwright keeps an event loop while it is there."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="package")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with an empty folder."""
    one = Lab(tmp_path_factory.mktemp("lab"), browser)
    yield one
    one.close()


_said: list[str] = []


@pytest.fixture
def say() -> Callable[[str], None]:
    """Has a line printed at the end of the run, for figures that are measured."""
    return _said.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was said."""
    if _said:
        terminalreporter.section("measured")
        for line in _said:
            terminalreporter.write_line(line)
