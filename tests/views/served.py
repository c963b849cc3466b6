"""A real `panel serve` process, and browser tabs that show its pages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request

from tests.views.lab import Notebook, end, free_port, wait_until_answered


class Tab(Notebook):
    """A page that is served. Views stand in shadow roots there, which locators see through."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname != "localhost":
            super()._asked(request)

    def view(self, kind: str) -> str:
        """The selector of a view that has painted."""
        return f'[data-ltp-view="{kind}"][data-ltp-frame]'

    def paints(self, view: str, seconds: float) -> list[tuple[float, float]]:
        """Watch a view; return for each picture the page's time and the newest tick's, both in ms."""
        return [
            (at, stamp)
            for at, stamp in self.page.locator(self.view(view)).evaluate(
                """(el, seconds) => new Promise(resolve => {
                    const seen = [];
                    const watcher = new MutationObserver(() =>
                        seen.push([Date.now(), Number(el.dataset.ltpStamp)]));
                    watcher.observe(el, {attributes: true, attributeFilter: ['data-ltp-frame']});
                    setTimeout(() => { watcher.disconnect(); resolve(seen) }, seconds * 1000);
                })""",
                seconds,
            )
        ]

    def goes_on(self, view: str, frames: int = 3) -> None:
        """Wait until a view has painted so many pictures of newer ticks."""
        self.page.locator(self.view(view)).evaluate(
            """(el, frames) => new Promise(resolve => {
                let last = el.dataset.ltpSeq, left = frames;
                const watcher = new MutationObserver(() => {
                    if (el.dataset.ltpSeq === last) return;
                    last = el.dataset.ltpSeq;
                    if (--left <= 0) { watcher.disconnect(); resolve() }
                });
                watcher.observe(el, {attributes: true, attributeFilter: ['data-ltp-frame']});
            })""",
            frames,
        )


@contextmanager
def opened(
    browser: Browser, address: str, *, dark: bool = False, width: int = 1280, height: int = 900
) -> Iterator[Tab]:
    """Open a page in a tab of its own."""
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    try:
        tab = Tab(page)
        page.goto(address)
        yield tab
    finally:
        page.close()


class Served:
    """`panel serve` of scripts, in a process of its own."""

    def __init__(
        self, scripts: Sequence[Path], folder: Path, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.port, self._log_path = free_port(), folder / "panel.log"
        self._log = self._log_path.open("wb")
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "panel", "serve", *map(str, scripts), "--port", str(self.port),
                "--address", "127.0.0.1", "--args", *arguments,
            ],
            env={**os.environ, **environment}, cwd=folder, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_until_answered(f"http://127.0.0.1:{self.port}/favicon.ico", self._process, self._log_path)
        except AssertionError:
            self.close()
            raise

    def address(self, name: str) -> str:
        """Where the page of a script is."""
        return f"http://localhost:{self.port}/{name}"

    def log(self) -> str:
        """What the process has written."""
        return self._log_path.read_text(errors="replace")

    def close(self) -> None:
        """End the process."""
        end(self._process)
        self._log.close()
