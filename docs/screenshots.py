"""Pictures for the README: the views in JupyterLab and the served dashboard, of the simulated market.

``make screenshots`` writes ``docs/*.png``, light and dark. The market is that of a fixed seed and is given
a while, so that there is something to show; how far it has come differs a little from one run to the next.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.views.lab import Lab, chromium  # noqa: E402 - what drives JupyterLab in the tests
from tests.views.served import Served, opened  # noqa: E402

_MOST_BYTES: Final = 250_000
_MARKET_S: Final = 75.0
_SYMBOLS: Final = (
    "RELIANCE", "TCS", "HDFCBANK", "INFY", "ICICIBANK", "SBIN", "ITC", "LT", "BHARTIARTL", "MARUTI",
)  # fmt: skip

_CELLS: Final = (
    f"import ltpkit as lk\n\nlive = lk.stream({' '.join(_SYMBOLS[:8])!r}.split())\nlive.board()",
    'live.chart("RELIANCE", every="1s", averages=[20], vwap=True, height=300)',
    'live.depth_history("RELIANCE", seconds=60)',
    "total = 0\nfor i in range(2_000_000_000):   # this cell is busy, the market is not\n    total += i",
)


def main() -> None:
    """Take all pictures."""
    with chromium() as browser, tempfile.TemporaryDirectory() as place:
        _take_notebook(browser, Path(place))
        _take_dashboard(browser, Path(place))


def _take_notebook(browser: Browser, folder: Path) -> None:
    lab = Lab(folder, browser)
    with contextlib.closing(lab):
        for theme in ("light", "dark"):
            with lab.notebook(_CELLS, dark=theme == "dark", width=1400, height=1480) as notebook:
                page = notebook.page
                for cell in range(3):
                    notebook.run(cell)
                page.wait_for_selector("[data-ltp-view=depth_history][data-ltp-stamp]")
                page.wait_for_timeout(_MARKET_S * 1000)
                notebook.run(3, wait=False)
                page.evaluate("jupyterapp.shell.currentWidget.content.node.querySelector"
                              "('.jp-WindowedPanel-outer').scrollTop = 0")  # fmt: skip
                page.wait_for_timeout(2_000)
                _keep(page.locator(".jp-NotebookPanel").first.screenshot(), f"notebook-{theme}")


def _take_dashboard(browser: Browser, folder: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT)}
    arguments = list(_SYMBOLS)
    with _served(folder, arguments, environment) as served:
        address = served.address("app")
        with opened(browser, address, width=1440, height=1000) as tab:
            tab.page.wait_for_selector(tab.view("ladder"))
            tab.page.wait_for_timeout(_MARKET_S * 1000)
        for theme in ("light", "dark"):
            with opened(browser, address, dark=theme == "dark", width=1440, height=1130) as tab:
                _settled(tab.page)
                _keep(tab.page.screenshot(), f"dashboard-{theme}")
        with opened(browser, address, dark=True, width=390, height=844) as tab:
            _settled(tab.page)
            _keep(tab.page.screenshot(), "dashboard-phone")


@contextlib.contextmanager
def _served(folder: Path, arguments: list[str], environment: dict[str, str]) -> Iterator[Served]:
    one = Served([ROOT / "ltpkit" / "app.py"], folder, arguments, {**os.environ, **environment})
    try:
        yield one
    finally:
        one.close()


def _settled(page: Page) -> None:
    """Wait until every view on the screen has painted, and has had its first seconds."""
    for kind in ("board", "chart", "ladder", "depth_history"):
        page.wait_for_selector(f"[data-ltp-view={kind}][data-ltp-stamp]", state="attached")
    page.wait_for_timeout(6_000)


def _keep(shot: bytes, name: str) -> None:
    """Write a picture with as many colours as fit."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    for colours in (256, 192, 128, 96, 64):
        packed = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() < _MOST_BYTES:
            break
    path = Path(__file__).parent / f"{name}.png"
    path.write_bytes(packed.getvalue())
    sys.stdout.write(f"{path.relative_to(ROOT)}  {packed.tell() / 1000:.0f} kB, {colours} colours\n")


if __name__ == "__main__":
    main()
