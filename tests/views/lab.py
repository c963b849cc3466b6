"""A real JupyterLab in a real browser, driven as a user would drive it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Error, Page, Request, sync_playwright

#: Debian's; another place may be named.
CHROMIUM = os.environ.get("LTPKIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip(
            "There is no Chromium here: `make system` installs Debian's, LTPKIT_CHROMIUM names another."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wait_until_answered(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server that was just started answers; say what it has written where it does not."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.1)  # another process is starting: there is nothing to wait on
        else:
            return
    raise AssertionError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server, and with it what it has started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Notebook:
    """An open notebook in a page of JupyterLab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        #: Addresses outside this machine that the page asked for.
        self.strayed: list[str] = []
        #: What the page's scripts complained of.
        self.complaints: list[str] = []
        page.on("request", self._asked)
        page.on("pageerror", self._complained)

    def leave(self) -> None:
        """Listen to the page no more."""
        self.page.remove_listener("request", self._asked)
        self.page.remove_listener("pageerror", self._complained)

    def _complained(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")):
            self.strayed.append(request.url)

    def command(self, name: str, **args: Any) -> None:
        """Have JupyterLab do what a menu entry does, without waiting for its end."""
        self.page.evaluate("([name, args]) => { jupyterapp.commands.execute(name, args) }", [name, args])

    def run(self, cell: int, *, wait: bool = True, timeout_s: float = 60) -> None:
        """Run a cell; wait until its prompt shows a number."""
        count = self.page.evaluate(
            """cell => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = cell; notebook.deselectAll();
                const before = notebook.widgets[cell].model.executionCount;
                jupyterapp.commands.execute('notebook:run-cell');
                return before;
            }""",
            cell,
        )
        if wait:
            self.page.wait_for_function(
                """([cell, before]) => {
                    const one = jupyterapp.shell.currentWidget.content.widgets[cell];
                    return one.model.executionCount !== null && one.model.executionCount !== before
                        && one.promptNode.textContent.trim() !== '[*]:';
                }""",
                arg=[cell, count],
                timeout=timeout_s * 1000,
            )

    def running(self, cell: int) -> bool:
        """Whether a cell's prompt shows that it runs."""
        prompt = "cell => jupyterapp.shell.currentWidget.content.widgets[cell].promptNode.textContent"
        return "*" in self.page.evaluate(prompt, cell)

    def text(self, cell: int) -> str:
        """What a cell has printed."""
        node = "cell => jupyterapp.shell.currentWidget.content.widgets[cell].outputArea.node.innerText"
        return str(self.page.evaluate(node, cell))

    def told(self, cell: int, wanted: Callable[[Any], bool]) -> Any:
        """Run a cell until the JSON it prints is as wanted: a click may come to the kernel after a cell."""
        for _ in range(20):
            self.run(cell)
            found = json.loads(self.text(cell))
            if wanted(found):
                break
        return found

    def paints(self, view: str, seconds: float) -> list[tuple[float, float]]:
        """Watch a view; return for each picture the page's time and the newest tick's, both in ms."""
        return [
            (at, stamp)
            for at, stamp in self.page.evaluate(
                """([view, seconds]) => new Promise(resolve => {
                    const el = document.querySelector(`[data-ltp-view="${view}"]`), seen = [];
                    const watcher = new MutationObserver(() =>
                        seen.push([Date.now(), Number(el.dataset.ltpStamp)]));
                    watcher.observe(el, {attributes: true, attributeFilter: ['data-ltp-frame']});
                    setTimeout(() => { watcher.disconnect(); resolve(seen) }, seconds * 1000);
                })""",
                [view, seconds],
            )
        ]


class Lab:
    """A JupyterLab server with a folder of its own, and a browser."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder = folder
        #: Pages share what the browser keeps of JupyterLab.
        self._pages = browser.new_context()
        self._idle: Page | None = None
        self.port, self.token = free_port(), secrets.token_hex(16)
        home = folder / "home"
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTER_DATA_DIR": str(home / "data"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), "IPYTHONDIR": str(home / "ipython"),
        }  # fmt: skip
        settings = home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        # Nothing that asks the world: news of JupyterLab, lists of extensions.
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True})
        )
        self._log = (folder / "lab.log").open("wb")
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}",
                "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
                f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True",
                "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
            ],
            env=environment, cwd=folder, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{self.port}/api?token={self.token}"
        try:
            wait_until_answered(address, self._process, folder / "lab.log")
        except AssertionError:
            self.close()
            raise

    @contextmanager
    def notebook(
        self,
        cells: Sequence[str],
        *,
        dark: bool = False,
        own_page: bool = False,
        width: int = 1280,
        height: int = 900,
    ) -> Iterator[Notebook]:
        """Open a notebook of these cells, its kernel ready.

        In the page of the one before, where that ended well, as JupyterLab takes seconds to load; in one of
        its own where it is `dark`, or does to the page what the next one should not see.
        """
        own_page = own_page or dark
        page, self._idle = (None, self._idle) if own_page else (self._idle, None)
        if page is None:
            page = self._loaded(dark=dark)
        try:
            page.set_viewport_size({"width": width, "height": height})
            notebook = Notebook(page)
            page.evaluate(
                "path => jupyterapp.commands.execute('docmanager:open', {path}).then(() => null)",
                self._written(cells),
            )
            page.wait_for_function(
                """() => window.jupyterapp?.shell?.currentWidget?.context?.isReady
                    && jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'""",
                timeout=60_000,
            )
            yield notebook
            page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
            if not own_page:
                page.evaluate("jupyterapp.shell.currentWidget.dispose()")
                notebook.leave()
                self._idle = page
        finally:
            if page is not self._idle:
                page.close()

    def _written(self, cells: Sequence[str]) -> str:
        """Write a notebook of these cells; return its name."""
        name = f"{secrets.token_hex(4)}.ipynb"
        made = [
            {
                "cell_type": "code",
                "id": f"cell{i}",
                "metadata": {},
                "source": text,
                "outputs": [],
                "execution_count": None,
            }
            for i, text in enumerate(cells)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        (self.folder / name).write_text(
            json.dumps(
                {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
            )
        )
        return name

    def _loaded(self, *, dark: bool) -> Page:
        """Load JupyterLab in a page, with nothing open."""
        page = self._pages.new_page()
        page.emulate_media(color_scheme="dark" if dark else "light")
        workspace = secrets.token_hex(4)
        page.goto(f"http://127.0.0.1:{self.port}/lab/workspaces/{workspace}?token={self.token}")
        page.wait_for_function("() => window.jupyterapp?.shell")
        page.evaluate("jupyterapp.restored")
        if dark:
            page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
            page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
        page.evaluate("jupyterapp.shell.collapseLeft()")
        return page

    def close(self) -> None:
        """End the server and the kernels it has, and close its pages."""
        self._pages.close()
        end(self._process)
        self._log.close()
