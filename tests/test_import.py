"""Importing ltpkit costs next to nothing: no heavy package, no thread, no socket, no file of its own.

How long it takes is measured in ``benchmarks``, not here: a test that watches a clock fails on a busy
machine. What may not be loaded says the same thing every time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

#: Each takes long to load, and only a view, a server, a command or a broker's SDK needs it.
HEAVY = [
    "IPython",
    "bokeh",
    "dhanhq",
    "duckdb",
    "fastapi",
    "holoviews",
    "hvplot",
    "ipywidgets",
    "matplotlib",
    "nest_asyncio",
    "nest_asyncio2",
    "numba",
    "pandas",
    "panel",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "pytest",
    "rich",
    "starlette",
    "structlog",
    "typer",
    "uvicorn",
]

# It runs in an interpreter of its own, because this one has loaded most of the above already. The hook is
# told of everything Python code opens, and the import system's own reading of code is left out.
SCRIPT = """
import json, sys, threading

threads = set(threading.enumerate())
did = []

def watch(event, args):
    if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so", ".pyd")):
        did.append(f"open {args[0]} {args[1]}")
    elif event.startswith(("socket.", "subprocess.", "os.system", "sqlite3.")):
        did.append(event)

sys.addaudithook(watch)
import ltpkit

print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "threads": [thread.name for thread in set(threading.enumerate()) - threads],
    "did": did,
}))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What there was after ``import ltpkit`` in a fresh interpreter, started in an empty folder."""
    folder = tmp_path_factory.mktemp("empty")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.iterdir()) == []
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_importing_loads_nothing_heavy(imported: dict[str, Any]) -> None:
    assert "ltpkit" in imported["modules"]
    assert [name for name in HEAVY if name in imported["modules"]] == []


def test_importing_starts_no_thread(imported: dict[str, Any]) -> None:
    assert imported["threads"] == []


def test_importing_opens_no_file_and_no_socket(imported: dict[str, Any]) -> None:
    assert imported["did"] == []


def test_only_public_names_are_offered() -> None:
    import ltpkit

    assert set(dir(ltpkit)) == {*ltpkit.__all__, "__version__"}
