"""Coinbase's and Kraken's messages through our decoders, against what any client does first: ``json.loads``.

That gives dicts of texts, one for each message; ours arrays of numbers for all messages that arrived
together, checked, in one time zone, with repeated trades left out. Coinbase's own package for Advanced Trade,
``coinbase-advanced-py``, makes objects of the dicts; it is not among our dependencies: install it to compare
with that as well. One thread each; its time on the core counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.measure import Result, core_seconds, in_turns, ratios, result, to_each
from ltpkit.feeds import make
from ltpkit.instrument import Instruments

CASE = "exchanges"

_NOW = 1_767_584_700_000_000
_PAIRS = 20
_BATCH = 200

Said = dict[str, Any]
Parse = Callable[[bytes], object]


def run(*, quick: bool) -> list[Result]:
    """Return the ticks per second of both, for the kinds of messages that are ticks."""
    count, rounds = (500, 1) if quick else (20_000, 5)
    found: list[Result] = []
    for name, feed, kind, messages, each in (
        ("coinbase exchange matches", "coinbase", "exchange", _matches(count), 1),
        ("coinbase exchange tickers", "coinbase", "exchange", _tickers(count), 1),
        ("coinbase advanced trades, 1 a message", "coinbase", "advanced", _advanced(count, 1), 1),
        ("coinbase advanced trades, 5 a message", "coinbase", "advanced", _advanced(count, 5), 5),
        ("kraken trades, 1 a message", "kraken", "spot", _kraken(count, 1), 1),
        ("kraken trades, 5 a message", "kraken", "spot", _kraken(count, 5), 5),
    ):
        found += _compare(name, feed, kind, messages, each, rounds)
    return found


def _compare(
    name: str, feed: str, kind: str, messages: Sequence[bytes], each: int, rounds: int
) -> list[Result]:
    batches = [messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH)]
    count = len(messages) * each

    def ours() -> float:
        # A new one each time: a decoder leaves out the trades it has seen.
        decode = make(feed, Instruments(), kind=kind, url="ws://127.0.0.1:9").decode
        ticks = 0

        def read(some: Sequence[bytes]) -> None:
            nonlocal ticks
            ticks += len(decode(some, _NOW).ticks or ())

        took = core_seconds(lambda: to_each(read, batches))
        if ticks != count:
            raise AssertionError(f"{name}: {ticks:,} of {count:,} ticks were decoded")
        return count / took

    def theirs(parse: Parse) -> float:
        return count / core_seconds(lambda: to_each(parse, messages))

    parsers: dict[str, Parse] = {"json.loads": json.loads}
    if kind == "advanced":
        parsers |= _own_package()
    ours()
    our_rates, *their_rates = in_turns(rounds, ours, *(partial(theirs, parse) for parse in parsers.values()))
    told = dict(zip(parsers, their_rates, strict=True))
    note = ", ".join(f"{one} reads {np.median(rates):,.0f} ticks/s" for one, rates in told.items())
    found = [
        result(CASE, f"{name} ÷ {one}", ratios(our_rates, rates), goal=3.0) for one, rates in told.items()
    ]
    return [*found, result(CASE, name, our_rates, unit="ticks/s", note=note)]


def _own_package() -> dict[str, Parse]:
    """Return Coinbase's own parser by its package's name, nothing where that is not installed."""
    if find_spec("coinbase") is None:
        return {}
    response = import_module("coinbase.websocket.types.websocket_response").WebsocketResponse
    return {"coinbase-advanced-py": lambda message: response(json.loads(message))}


# --- messages, with all the fields that the exchanges send


def _sent(messages: list[Said]) -> list[bytes]:
    return [json.dumps(message, separators=(",", ":")).encode() for message in messages]


def _pairs(count: int) -> list[tuple[int, int]]:
    """Return which pair each trade is of, and its id, which rises by one per pair."""
    ids: Counter[int] = Counter()
    found = []
    for pair in np.random.default_rng(7).integers(0, _PAIRS, count).tolist():
        ids[pair] += 1
        found.append((pair, 500_000_000 + ids[pair]))
    return found


def _time(number: int) -> str:
    return f"2026-01-05T03:{number // 60 % 60:02}:{number % 60:02}.{number % 1_000_000:06}Z"


def _matches(count: int) -> list[bytes]:
    order = "9ac17a20-f2a8-4c6b-a1be-9f4e4e3ee7a1"
    told = {"type": "match", "maker_order_id": order, "taker_order_id": order, "side": "sell"}
    return _sent(
        [
            {
                **told,
                "product_id": f"C{pair}-USD",
                "trade_id": trade_id,
                "size": "0.00512",
                "price": f"{43_000 + number % 99:.2f}",
                "sequence": number,
                "time": _time(number),
            }
            for number, (pair, trade_id) in enumerate(_pairs(count))
        ]
    )


def _tickers(count: int) -> list[bytes]:
    day = {"open_24h": "42000.00", "low_24h": "41000.1", "high_24h": "44000.2", "volume_24h": "1234.5678"}
    best = {"best_bid": "42999.9", "best_bid_size": "0.51", "best_ask": "43000.1", "best_ask_size": "1.2"}
    told = {"type": "ticker", **day, **best, "volume_30d": "99999.1", "side": "buy", "last_size": "0.001"}
    return _sent(
        [
            {
                **told,
                "product_id": f"C{pair}-USD",
                "price": f"{43_000 + number % 99:.2f}",
                "sequence": number,
                "trade_id": trade_id,
                "time": _time(number),
            }
            for number, (pair, trade_id) in enumerate(_pairs(count))
        ]
    )


def _advanced(count: int, each: int) -> list[bytes]:
    trades = [
        {
            "product_id": f"C{pair}-USD",
            "trade_id": str(trade_id),
            "price": f"{43_000 + number % 99:.2f}",
            "size": "0.00512",
            "side": "BUY",
            "time": _time(number),
        }
        for number, (pair, trade_id) in enumerate(_pairs(count))
    ]
    told = {"channel": "market_trades", "client_id": "", "timestamp": "2026-01-05T03:45:00.000001999Z"}
    return _sent(
        [
            {**told, "sequence_num": number, "events": [{"type": "update", "trades": trades[at : at + each]}]}
            for number, at in enumerate(range(0, count, each))
        ]
    )


def _kraken(count: int, each: int) -> list[bytes]:
    trades = [
        {
            "symbol": f"C{pair}/USD",
            "side": "buy",
            "price": 37_702.2 + number % 99,
            "qty": 0.85,
            "ord_type": "limit",
            "trade_id": trade_id,
            "timestamp": _time(number),
        }
        for number, (pair, trade_id) in enumerate(_pairs(count))
    ]
    told = {"channel": "trade", "type": "update"}
    return _sent([{**told, "data": trades[at : at + each]} for at in range(0, count, each)])
