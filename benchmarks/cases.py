"""The cases, each run in an interpreter of its own."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from typing import Any, Final

from benchmarks.measure import Result

#: In the order of the table.
CASES: Final = (
    "path",
    "dhan",
    "latency",
    "frames",
    "flush",
    "journal",
    "memory",
    "history",
    "startup",
    "brokers",
    "exchanges",
)

#: Run when named: they need a browser or many processes, and take minutes.
LONG_CASES: Final = ("views", "service")


def run_apart(case: str, **options: Any) -> list[Result]:
    """Run a case in a new interpreter, so that it inherits nobody's memory, threads or caches."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
        return worker.submit(run, case, **options).result()


def run(case: str, **options: Any) -> list[Result]:
    """Run a case here."""
    found: list[Result] = import_module(f"benchmarks.{case}").run(**options)
    return found
