"""Appending and `latest()` after a thousand rows and after ten million: the cost should be the same.

A ring that has seen much and one that has seen little are asked in turns. The latter is a new one each time,
so that it stays one, in the memory of the one before: touching memory for the first time is not the question.
"""

from __future__ import annotations

import gc
import itertools

from benchmarks.measure import Result, core_seconds, in_turns, ratios, result
from benchmarks.rows import day, pieces, shares, unstarted
from ltpkit.live import Stream

CASE = "history"

_SYMBOLS = 50
_PORTION = 100


def run(*, quick: bool) -> list[Result]:
    """Return the cost with much history over the cost with little."""
    much, rounds = (100_000, 3) if quick else (10_000_000, 21)
    some = day(100_000, _SYMBOLS)
    old = unstarted(shares(_SYMBOLS))
    for piece in itertools.islice(itertools.cycle(pieces(some, 10_000)), much // 10_000):
        old._ring.append(piece, "simulated")
        old._ring.stored_seq = old._ring.last_seq  # as the flush worker says; then old rows may leave
    few = next(pieces(some, 1000))
    portions = itertools.cycle(list(pieces(some, _PORTION)))

    def young() -> Stream:
        gc.collect()
        live = unstarted(shares(_SYMBOLS))
        live._ring.append(few, "simulated")
        return live

    def appending(live: Stream) -> float:
        return core_seconds(lambda: live._ring.append(next(portions), "simulated"), times=200) * 1e6

    def latest(live: Stream) -> float:
        return core_seconds(live.latest, times=50) * 1e3

    found = []
    for name, unit, job in (("append of 100 ticks", "µs", appending), ("latest()", "ms", latest)):
        job(young()), job(old)
        little_cost, much_cost = in_turns(rounds, lambda job=job: job(young()), lambda job=job: job(old))
        found += [
            result(
                CASE,
                f"{name}, {much:,} rows seen ÷ 1,000",
                ratios(much_cost, little_cost),
                goal=1.2,
                better="lower",
                note="the goal is the same cost; a fifth more is left to the machine's noise",
            ),
            result(CASE, f"{name}, {much:,} rows seen", much_cost, unit=unit, better="lower"),
        ]
    return found
