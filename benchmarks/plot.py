"""Draw what was measured against its goals: how many times better each is, the goal itself at 1.

python -m benchmarks.plot [benchmarks/results.json] [docs/benchmarks.png] [--markdown]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import msgspec

from benchmarks.measure import Report, Result
from benchmarks.table import amount, goal

_HEADINGS = {
    "path": "Socket to DuckDB",
    "dhan": "Dhan's binary packets into memory",
    "latency": "Sent to visible, 10,000 ticks/s",
    "frames": "Questions to a million rows in memory",
    "flush": "Into DuckDB",
    "journal": "The journal",
    "memory": "Memory",
    "history": "After ten million rows",
    "startup": "Start",
    "brokers": "Brokers' binary packets",
    "exchanges": "Exchanges' JSON",
    "views": "Views in JupyterLab",
    "service": "Two hundred clients",
}
_INK, _FAINT, _GRID = "#1f2933", "#7b8794", "#e4e7eb"
_MET, _MISSED = "#2a7f8e", "#c8553d"
_LEFT = 0.1  # of the axis: what falls further short is cut there


def main() -> None:
    """Read the numbers, write the picture, and print the table for the README where asked."""
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description=__doc__)
    parser.add_argument("results", nargs="?", type=Path, default=root / "benchmarks" / "results.json")
    parser.add_argument("picture", nargs="?", type=Path, default=root / "docs" / "benchmarks.png")
    parser.add_argument("--markdown", action="store_true", help="also print the numbers as a Markdown table")
    asked = parser.parse_args()
    report = msgspec.json.decode(asked.results.read_bytes(), type=Report)
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    draw(report, asked.picture)
    if asked.markdown:
        print(markdown(report))


def draw(report: Report, picture: Path) -> None:
    """Write the picture."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"font.family": "sans-serif", "font.size": 9, "text.color": _INK})
    rows = _rows(report)
    figure, axes = plt.subplots(figsize=(9.2, 0.235 * len(rows) + 0.9), facecolor="white")
    label = {"va": "center", "ha": "right", "transform": axes.get_yaxis_transform()}
    right = max(one.margin or 0 for one in rows if isinstance(one, Result)) * 1.2
    for place, one in enumerate(rows):
        if isinstance(one, str):
            axes.text(-0.012, place + 0.1, one, weight="bold", **label)
            continue
        margin = max(one.margin or 0, _LEFT * 1.05)
        axes.barh(
            place, margin - _LEFT, left=_LEFT, height=0.62, color=_MET if one.met else _MISSED, zorder=2
        )
        axes.text(-0.012, place, one.name, **label)
        said = f"{amount(one.value, one.unit)}   goal {goal(one)}"
        axes.text(1.012, place, said, va="center", transform=axes.get_yaxis_transform(), color=_FAINT)
    axes.axvline(1, color=_INK, linewidth=1.2, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(_LEFT, right)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    ticks = [tick for tick in (0.1, 1, 10, 100, 1000) if tick <= right]
    axes.set_xticks(ticks, ["goal" if tick == 1 else f"{tick:g}×" for tick in ticks], color=_FAINT)
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.grid(axis="x", color=_GRID, zorder=0)
    axes.spines[:].set_visible(False)
    facts = report.machine
    axes.set_title(
        f"How many times better than the goal ({facts['cores']} shared cores, Python {facts['python']})",
        loc="left",
        fontsize=10,
    )
    figure.savefig(picture, dpi=160, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def _rows(report: Report) -> list[str | Result]:
    rows: list[str | Result] = []
    case = ""
    for one in report.results:
        if one.goal is None:
            continue
        if one.case != case:
            case = one.case
            rows.append(_HEADINGS[case])
        rows.append(one)
    return rows


def markdown(report: Report) -> str:
    """Return the numbers that have a goal as a Markdown table."""
    lines = ["| benchmark | measured | goal | |", "|---|---:|---:|---|"]
    for one in report.results:
        if one.goal is not None:
            mark = "met" if one.met else "**missed**"
            lines.append(f"| {one.name} | {amount(one.value, one.unit)} | {goal(one)} | {mark} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
