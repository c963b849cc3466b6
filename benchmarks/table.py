"""The results in words: a table for the terminal, and each number with as many digits as it deserves."""

from __future__ import annotations

from rich.table import Table

from benchmarks.measure import Report, Result


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
