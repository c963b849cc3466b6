"""What `import ltpkit` takes beyond the import of polars and pyarrow, each time in a new interpreter."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Result, in_turns, result

CASE = "startup"

_TIMED = (
    "import polars, pyarrow, time; started = time.perf_counter(); import ltpkit{more}; "
    "print(time.perf_counter() - started)"
)


def run(*, quick: bool) -> list[Result]:
    """Return the seconds of the import, and of the import with the first thing anybody uses."""
    bare, ready = in_turns(
        1 if quick else 7,
        lambda: _seconds(""),
        lambda: _seconds("; ltpkit.stream, ltpkit.open, ltpkit.replay"),
    )
    return [
        result(CASE, "import ltpkit, beyond polars and pyarrow", bare, unit="s", goal=0.3, better="lower"),
        result(
            CASE,
            "the same with stream, open and replay ready",
            ready,
            unit="s",
            better="lower",
            note="DuckDB, websockets and pydantic among them",
        ),
    ]


def _seconds(more: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(more=more)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)
