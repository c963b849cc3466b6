"""Dhan's binary packets into the ring, against the parser of Dhan's own package on the same messages.

Theirs makes a dict for each message; ours decodes all messages that arrived together and appends them to
the tick and depth rings, with the change from the tick before and the newest values kept. One thread each;
its time on the core counts. Memory that the stream of one round leaves is used by that of the next, as a
stream that has been running for a while uses that of the rows it let go.

Of deep depth, theirs makes a list of dicts for each side, ours a row of both sides as they are then; not
appended to the ring.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

import numpy as np
from dhanhq.fulldepth import FullDepth
from dhanhq.marketfeed import MarketFeed

from benchmarks.measure import Result, core_seconds, in_turns, ratios, result, to_each
from benchmarks.rows import unstarted
from ltpkit.feeds import make
from ltpkit.feeds.dhan.depth_wire import DEEP_CODES, DEEP_HEADER, DEEP_LEVEL
from ltpkit.feeds.dhan.wire import QUOTE
from ltpkit.instrument import Instruments
from ltpkit.nifty import instruments
from ltpkit.simulator import Market

CASE = "dhan"


def run(*, quick: bool) -> list[Result]:
    """Return the ticks per second of both, for messages in batches of several sizes."""
    count, rounds = (2_000, 1) if quick else (60_000, 4)
    found: list[Result] = []
    for kind in ("quote", "full"):
        messages = _messages(kind, count)
        for batch in (1, 10, 100, 1000):
            # A tick at a time takes long: fewer of them tell as much.
            found += _compare(kind, messages[: count if batch >= 100 else count // 4], batch, rounds)
    for levels, shares in ((20, 50), (200, 1)):
        sides = _sides(levels, shares, count // levels)
        for batch in (100, 1000) if shares > 1 else (100,):
            found += _compare_deep(levels, sides, batch, rounds)
    return found


def _messages(kind: str, count: int) -> list[bytes]:
    """Return one message per packet, as Dhan sends them, of a market of fifty shares."""
    packets, _ = Market().take(count, trade_time=1_767_604_500)
    if kind == "quote":
        full, packets = packets, np.empty(count, QUOTE)
        for name in QUOTE.names or ():
            packets[name] = full[name]
        packets["code"], packets["length"] = 4, QUOTE.itemsize
    raw, size = packets.tobytes(), packets.dtype.itemsize
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def _compare(kind: str, messages: list[bytes], batch: int, rounds: int) -> list[Result]:
    count = len(messages)
    batches = [messages[start : start + batch] for start in range(0, count, batch)]
    parse = MarketFeed.__new__(
        MarketFeed
    ).process_data  # its constructor makes an event loop and wants a login

    def ours() -> float:
        gc.collect()  # the stream of the round before, whose memory is then used again
        live = unstarted(instruments())
        take = live._intake.take
        took = core_seconds(lambda: to_each(lambda some: take(some, 1_767_584_700_000_000), batches))
        if live._ring.rows != count or live._intake.rejected:
            raise AssertionError(f"{live._ring.rows:,} of {count:,} ticks are in the ring")
        return count / took

    def theirs() -> float:
        return count / core_seconds(lambda: to_each(parse, messages))

    ours()
    our_rates, their_rates = in_turns(rounds, ours, theirs)
    name, aimed = f"{kind} packets, {batch} at a time", batch >= 100
    note = f"dhanhq's parser reads {np.median(their_rates):,.0f} ticks/s"
    return [
        result(
            CASE,
            f"{name} ÷ dhanhq",
            ratios(our_rates, their_rates),
            goal=20.0 if aimed else None,
            note="frames through the decoder into the rings",
        ),
        result(CASE, name, our_rates, unit="ticks/s", goal=1e6 if aimed else None, note=note),
    ]


def _sides(levels: int, shares: int, count: int) -> list[bytes]:
    """Return messages of one side each, bids and asks of these shares in turn."""
    packets = np.zeros(count, [("header", DEEP_HEADER), ("levels", DEEP_LEVEL, levels)])
    head, number = packets["header"], np.arange(count)
    head["length"], head["segment"], head["word"] = packets.itemsize, 1, levels
    head["code"] = np.where(number % 2 == 0, DEEP_CODES["bid"], DEEP_CODES["ask"])
    head["security_id"] = number // 2 % shares + 1
    steps = np.arange(1, levels + 1) * 0.05
    packets["levels"]["price"] = np.where(number % 2 == 0, -1, 1)[:, None] * steps + 1400
    packets["levels"]["qty"], packets["levels"]["orders"] = 25, 3
    return [packet.tobytes() for packet in packets]


def _compare_deep(levels: int, messages: Sequence[bytes], batch: int, rounds: int) -> list[Result]:
    count = len(messages)
    batches = [messages[start : start + batch] for start in range(0, count, batch)]
    parse = FullDepth.__new__(FullDepth)  # its constructor makes an event loop and wants a login
    parse.depth_level = levels
    decode = make("dhan", Instruments(), kind=f"depth{levels}").decode
    if sum(len(decode(some, 1).depth or ()) for some in batches) != count:
        raise AssertionError("not every side was decoded")

    def ours() -> float:
        return count / core_seconds(lambda: to_each(lambda some: decode(some, 1), batches))

    def theirs() -> float:
        return count / core_seconds(lambda: to_each(parse.process_data, messages))

    our_rates, their_rates = in_turns(rounds, ours, theirs)
    name = f"depth of {levels}, {batch} at a time"
    note = f"dhanhq's parser reads {np.median(their_rates):,.0f} sides/s"
    return [
        result(CASE, f"{name} ÷ dhanhq", ratios(our_rates, their_rates), goal=20.0),
        result(CASE, name, our_rates, unit="sides/s", note=note),
    ]
