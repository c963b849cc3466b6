"""A Jupyter kernel that is restarted, killed or shut down under a stream: what was acknowledged is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

import ltpkit as lk
from ltpkit.simulator import SimulatedExchange

pytestmark = pytest.mark.slow

#: A notebook's first cell, as users write it.
START = """
import json
import ltpkit as lk
names = ["NSE:RELIANCE", "NSE:TCS"]
live = lk.stream(names, url={url!r}, store={store!r}, flush_interval_s=60, buffer_size=10**6)
assert live.wait(rows=300, timeout_s=30), live
"""


class Notebook:
    """Cells run in a kernel of their own."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager()
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.manager._kernel_spec = KernelSpec(argv=command, display_name="test", language="python")
        self.manager.start_kernel(cwd=str(folder))
        self._listen()

    def _listen(self) -> None:
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, cell: str) -> str:
        """Run a cell and return what it printed; raise where it failed."""
        printed: list[str] = []
        reply = self.client.execute_interactive(
            cell,
            timeout=60,
            output_hook=lambda message: printed.append(str(message["content"].get("text", ""))),
        )
        content = reply["content"]
        assert content["status"] == "ok", "\n".join(content.get("traceback", [])) or content
        return "".join(printed)

    def restart(self, *, kill: bool) -> None:
        """What the menu's "Restart Kernel" does; or, with `kill`, a kernel that dies without a word."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=kill)
        self._listen()

    def close(self) -> None:
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel()
        self.manager.cleanup_resources()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    started = Notebook(tmp_path)
    yield started
    started.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Notebook], int]]:
    """Run the first cell; return the `seq` that the status acknowledges as safe from the kernel's end."""
    store = str(tmp_path / "kernel.duckdb")
    with SimulatedExchange(rate=20_000) as exchange:

        def run(notebook: Notebook) -> int:
            notebook.run(START.format(url=exchange.url, store=store))
            return int(notebook.run("journaled = live.status().journaled_seq; print(journaled)"))

        yield run


@pytest.mark.parametrize("kill", [False, True], ids=["restarted", "killed"])
def test_a_kernels_end_loses_nothing_acknowledged_and_leaves_no_lock(
    notebook: Notebook, start: Callable[[Notebook], int], tmp_path: Path, *, kill: bool
) -> None:
    reached = start(notebook)
    assert reached > 0
    # Nothing is stored yet, so it is up to the journal, or to what the kernel does at its end.
    assert notebook.run("print(live.status().stored_seq)").strip() == "0"
    seen = json.loads(notebook.run("print(json.dumps(live.ticks()['ltp'].head(journaled).to_list()))"))
    notebook.restart(kill=kill)
    again = start(notebook)
    assert again > reached
    recovered = notebook.run("print(live.status().recovered)").strip()
    assert (recovered != "None") == kill  # a restart asks first, and the stream then stores what it has
    notebook.run("live.stop()")
    with lk.open(tmp_path / "kernel.duckdb") as archive:
        assert archive.ticks()["ltp"].head(len(seen)).to_list() == seen
        count = archive.sql("SELECT count(*), count(DISTINCT seq), max(seq) FROM ticks").row(0)
        assert len(set(count)) == 1
        assert count[0] >= again


def test_a_kernel_that_is_shut_down_stores_what_it_has(
    notebook: Notebook, start: Callable[[Notebook], int], tmp_path: Path
) -> None:
    reached = start(notebook)
    notebook.manager.shutdown_kernel()
    assert not (tmp_path / "kernel.duckdb.journal").exists()
    with lk.open(tmp_path / "kernel.duckdb") as archive:
        assert archive.ticks()["seq"].max() >= reached
