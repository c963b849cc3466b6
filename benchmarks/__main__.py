"""The command: run the cases that were asked for, show a table, write the numbers."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.cases import CASES, LONG_CASES, run_apart
from benchmarks.measure import Report, Result, machine, now, wait_until_idle
from benchmarks.table import table


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; return 0 also when a goal is missed, for that is a finding and not a failure."""
    asked = _asked(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # a log: do not fold the names
    found: list[Result] = []
    facts = machine()
    started = time.perf_counter()
    for case in asked.cases or CASES:
        more = {"minutes": asked.minutes} if case == "memory" else {}
        if asked.patient:
            with console.status(f"waiting for an idle machine before {case}"):
                wait_until_idle(asked.patient)
        with console.status(f"measuring {case}"):
            found += run_apart(case, quick=asked.quick, **more)
    report = Report(measured_at=now(), quick=asked.quick, machine=facts, results=found)
    console.print(table(report))
    if not asked.quick:
        met = [one.met for one in found if one.met is not None]
        console.print(f"{sum(met)} of {len(met)} goals met, {time.perf_counter() - started:.0f} s")
    if asked.out:
        text = msgspec.json.format(msgspec.json.encode(report), indent=1)
        asked.out.write_bytes(text + b"\n")
        console.print(f"written to {asked.out}")
    return 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="case",
        help=f"any of {', '.join(CASES)}, which is the default; or {', '.join(LONG_CASES)}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds to see that it works, no numbers to quote"
    )
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="length of the soak in `memory` (default 1)"
    )
    parser.add_argument(
        "--patient",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="on a shared machine: before each case wait up to so long until others leave it alone",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write the numbers here")
    asked = parser.parse_args(arguments)
    unknown = [case for case in asked.cases if case not in (*CASES, *LONG_CASES)]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join((*CASES, *LONG_CASES))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
