"""Kite's, Angel One's and Upstox' messages through our decoders, against the brokers' own packages.

Theirs make a dict for each tick, ours arrays for all messages that arrived together. One thread each; its
time on the core counts. The packages are not among our dependencies: install ``kiteconnect``,
``smartapi-python`` (with ``logzero``) and ``upstox-python-sdk`` to compare. Those parts of them that parse
are loaded alone, for one of the packages calls a server as soon as it is imported.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.measure import Result, core_seconds, in_turns, ratios, result, to_each
from benchmarks.packages import part
from ltpkit.feeds import make
from ltpkit.feeds.angelone import wire as angelone
from ltpkit.feeds.kite import wire as kite
from ltpkit.feeds.upstox.wire import response_type
from ltpkit.instrument import Instruments

CASE = "brokers"

_NOW = 1_767_584_700_000_000
_SHARES = 500
_BATCHES = (200, 1000)

Parse = Callable[[bytes], object]


def run(*, quick: bool) -> list[Result]:
    """Return the ticks per second of both, for the modes of each broker."""
    count, rounds = (1000, 1) if quick else (20_000, 5)
    draw = np.random.default_rng(7)
    found: list[Result] = []
    parse = _kite_parser()
    for name, layout in (("ltp", kite.LTP), ("quote", kite.QUOTE), ("full", kite.FULL)):
        for each in (1, 20):
            messages = _kite(layout, count, each, draw)
            found += _compare(
                "kite", f"{name}, {each} a message", messages, each, parse, "kiteconnect", rounds
            )
    parse = _angel_parser()
    for mode, name in ((1, "ltp"), (2, "quote"), (3, "snap quote"), (4, "depth20")):
        messages = _angel(mode, count, draw)
        found += _compare("angelone", name, messages, 1, parse, "smartapi-python", rounds)
    parse = _upstox_parser()
    for name in ("ltpc", "full", "option_greeks"):
        for each in (1, 20, 50):
            messages = _upstox(name, count // 2, each, draw)
            batches = (200, 100 * each)  # the latter is 100 messages
            found += _compare(
                "upstox",
                f"{name}, {each} a message",
                messages,
                each,
                parse,
                "upstox-python-sdk",
                rounds,
                batches,
            )
    return found


def _compare(
    feed: str,
    mode: str,
    messages: Sequence[bytes],
    each: int,
    parse: Parse | None,
    package: str,
    rounds: int,
    batch_ticks: Sequence[int] = _BATCHES,
) -> list[Result]:
    """Return our rate in batches of several sizes, and how it compares."""
    count = len(messages) * each
    decode = make(feed, Instruments(), url="ws://127.0.0.1:9").decode

    def ours(batches: Sequence[Sequence[bytes]]) -> float:
        return count / core_seconds(lambda: to_each(lambda some: decode(some, _NOW), batches))

    def theirs() -> float:
        assert parse is not None
        return count / core_seconds(lambda: to_each(parse, messages))

    found: list[Result] = []
    for ticks in sorted({*batch_ticks}):
        size = max(1, ticks // each)
        batches = [messages[start : start + size] for start in range(0, len(messages), size)]
        if sum(len(decode(some, _NOW).ticks or ()) for some in batches) != count:
            raise AssertionError(f"{feed} {mode}: not every tick was decoded")
        name, job = f"{feed} {mode}, {ticks:,} at a time", partial(ours, batches)
        if parse is None:
            [rates] = in_turns(rounds, job)
            note = f"{package} is not installed"
            found.append(result(CASE, name, rates, unit="ticks/s", note=note))
            continue
        our_rates, their_rates = in_turns(rounds, job, theirs)
        note = f"{package} reads {np.median(their_rates):,.0f} ticks/s"
        found += [
            result(CASE, f"{name} ÷ {package}", ratios(our_rates, their_rates), goal=20.0),
            result(CASE, name, our_rates, unit="ticks/s", note=note),
        ]
    return found


# --- messages


def _kite(layout: np.dtype[Any], count: int, each: int, draw: np.random.Generator) -> list[bytes]:
    packets = np.zeros(count, layout)
    packets["token"] = draw.integers(1, _SHARES, count) << 8 | 1
    price = draw.integers(10_000, 500_000, count)
    for name in {"ltp", "average_price", "open", "high", "low", "close"} & {*(layout.names or ())}:
        packets[name] = price
    for name in {"ltq", "volume", "exchange_time", "ltt"} & {*(layout.names or ())}:
        packets[name] = 1_767_584_700
    if "depth" in (layout.names or ()):
        for at, name in enumerate(("qty", "price", "orders")):
            packets["depth"][name] = 100 + at
    raw, size = packets.tobytes(), layout.itemsize
    ahead = struct.pack(">H", size)
    parts = [ahead + raw[start : start + size] for start in range(0, len(raw), size)]
    return [
        struct.pack(">H", each) + b"".join(parts[start : start + each]) for start in range(0, count, each)
    ]


def _angel(mode: int, count: int, draw: np.random.Generator) -> list[bytes]:
    layout = angelone.PACKETS[mode]
    packets = np.zeros(count, layout)
    packets["mode"], packets["segment"] = mode, 1
    packets["token"] = draw.integers(1, _SHARES, count).astype("S25")
    packets["exchange_time"] = 1_767_584_700_000
    price = draw.integers(10_000, 500_000, count)
    for name in {"ltp", "open", "high", "low", "close", "ltq", "volume"} & {*(layout.names or ())}:
        packets[name] = price
    if "depth" in (layout.names or ()):
        for at, name in enumerate(("qty", "price", "orders")):
            packets["depth"][name] = 100 + at
        if mode == 3:
            packets["depth"]["buy"][:, :5] = 1
    return [packet.tobytes() for packet in packets]


def _upstox(mode: str, count: int, each: int, draw: np.random.Generator) -> list[bytes]:
    messages = []
    for _ in range(count // each):
        message = response_type()(type=1, currentTs=1_767_584_700_000)
        for share in draw.integers(1, _SHARES, each).tolist():
            entry = message.feeds.add(key=f"NSE_FO|{share}")
            if mode == "ltpc":
                ltpc = entry.value.ltpc
            elif mode == "option_greeks":
                first = entry.value.firstLevelWithGreeks
                first.vtt, first.oi, first.iv = 5, 6.0, 0.2
                quote, greeks, ltpc = first.firstDepth, first.optionGreeks, first.ltpc
                quote.bidQ, quote.bidP, quote.askQ, quote.askP = 9, 100.0, 9, 101.0
                greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho = 0.5, -3.0, 0.01, 4.0, 1.0
                entry.value.requestMode = 2
            else:
                full = entry.value.fullFeed.marketFF
                full.vtt, full.oi, full.atp, full.iv, full.tbq, full.tsq = 5, 6.0, 7.0, 0.2, 8.0, 9.0
                ltpc = full.ltpc
                for interval in ("1d", "I1"):
                    full.marketOHLC.ohlc.add(interval=interval, open=1, high=2, low=0.5, close=1, vol=9, ts=9)
                for level in range(5):
                    full.marketLevel.bidAskQuote.add(bidQ=9, bidP=100 - level, askQ=9, askP=101 + level)
            ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp = 100.5, 1_767_584_700_000, 5, 99.5
        messages.append(message.SerializeToString())
    return messages


# --- the brokers' parsers, None where a package is not installed


def _kite_parser() -> Parse | None:
    if find_spec("kiteconnect") is None:
        return None
    from kiteconnect import KiteTicker

    parse: Parse = KiteTicker("key", "token")._parse_binary
    return parse


def _angel_parser() -> Parse | None:
    module = part("SmartApi", "smartWebSocketV2.py")
    if module is None:
        return None
    client = module.SmartWebSocketV2
    parse: Parse = client.__new__(client)._parse_binary_data  # its constructor makes files
    return parse


def _upstox_parser() -> Parse | None:
    module = part("upstox_client", "feeder/proto/MarketDataFeedV3_pb2.py")
    if module is None:
        return None
    from google.protobuf.json_format import MessageToDict

    def parse(message: bytes) -> object:
        return MessageToDict(module.FeedResponse.FromString(message))

    return parse
