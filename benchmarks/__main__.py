"""The command: run the cases that were asked for, show a table, write the numbers."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.cases import CASES, run_apart
from benchmarks.measure import Report, Result, machine, now


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; return 0 also when a goal is missed, for that is a finding and not a failure."""
    asked = _asked(arguments)
    console = Console()
    found: list[Result] = []
    facts = machine()
    started = time.perf_counter()
    for case in asked.cases or CASES:
        more = {"minutes": asked.minutes} if case == "memory" else {}
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
    parser.add_argument("cases", nargs="*", metavar="case", help=f"any of {', '.join(CASES)}; by default all")
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds to see that it works, no numbers to quote"
    )
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="length of the soak in `memory` (default 1)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write the numbers here")
    asked = parser.parse_args(arguments)
    unknown = [case for case in asked.cases if case not in CASES]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    return asked


def table(report: Report) -> Table:
    """Return the results as a table for the terminal."""
    shown = Table(title="ltpkit benchmarks" + (" (quick: too short for numbers)" if report.quick else ""))
    for heading in ("", "measured", "range", "goal", ""):
        shown.add_column(heading, justify="left" if heading == "" else "right")
    case = None
    for one in report.results:
        if one.case != case:
            shown.add_section()
            case = one.case
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[None if report.quick else one.met]
        shown.add_row(
            one.name, amount(one.value, one.unit), f"{amount(one.low)}–{amount(one.high)}", goal(one), mark
        )
    return shown


def goal(one: Result) -> str:
    """Return the goal in words, empty where there is none."""
    if one.goal is None:
        return ""
    return f"{'≥' if one.better == 'higher' else '≤'} {amount(one.goal, one.unit)}"


def amount(value: float, unit: str = "") -> str:
    """Return a number with as many digits as it deserves."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
