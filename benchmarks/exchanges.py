"""The exchanges' JSON through our decoders, against their own packages and what any client does first.

Theirs give an object for each message, with texts for prices and times; ours arrays of numbers for all
messages that arrived together, checked, in one time zone, with repeated trades told apart. Coinbase's package
for Advanced Trade is ``coinbase-advanced-py``, whose user makes a ``WebsocketResponse`` of each message.
Binance's is ``binance-sdk-spot``, which hands a model of each on to its user; the older ``binance-connector``
hands on the text. Coinbase has no package for its Exchange feed and Kraken none at all (``python-kraken-sdk``
is a third party's, and hands on what ``json.loads`` gives). The packages are not among our dependencies:
install ``coinbase-advanced-py`` and ``binance-sdk-spot`` to compare.

Nobody who reads JSON in Python is quicker than the first step alone, ``json.loads``: that is the floor beside
which every row stands. A decoder that has met its symbols is measured, as a stream meets them once. One
thread each; its time on the core counts.
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
from benchmarks.packages import part
from ltpkit.feeds import make
from ltpkit.instrument import Instruments

CASE = "exchanges"

_NOW = 1_767_584_700_000_000
_PAIRS = 20
_BATCHES = (100, 1000)
_FLOOR = "json.loads, the floor"

Said = dict[str, Any]
Parse = Callable[[bytes], object]
#: A package's name, and how its user gets a message; None where it is not installed.
Package = tuple[str, Parse | None]


def run(*, quick: bool) -> list[Result]:
    """Return the ticks per second of all, for the kinds of messages that are ticks."""
    count, rounds = (3000, 1) if quick else (20_000, 5)
    coinbase = _coinbase_package()
    found: list[Result] = []
    for name, feed, kind, messages, each, package in (
        ("coinbase exchange matches", "coinbase", "exchange", _matches(count), 1, None),
        ("coinbase exchange tickers", "coinbase", "exchange", _tickers(count), 1, None),
        ("coinbase advanced trades, 1 a message", "coinbase", "advanced", _advanced(count, 1), 1, coinbase),
        ("coinbase advanced trades, 5 a message", "coinbase", "advanced", _advanced(count, 5), 5, coinbase),
        ("kraken trades, 1 a message", "kraken", "spot", _kraken(count, 1), 1, None),
        ("kraken trades, 5 a message", "kraken", "spot", _kraken(count, 5), 5, None),
        ("binance trades", "binance", "spot", _trades(count), 1, _binance_package("trade")),
        ("binance quotes", "binance", "spot", _quotes(count), 1, _binance_package("book_ticker")),
    ):
        found += _compare(name, feed, kind, messages, each, package, rounds)
    return found


def _compare(
    name: str,
    feed: str,
    kind: str,
    messages: Sequence[bytes],
    each: int,
    package: Package | None,
    rounds: int,
) -> list[Result]:
    """Return our rate in batches of several sizes, and how it compares."""
    met, rest = messages[:200], messages[200:]
    count = len(rest) * each

    def ours(batches: Sequence[Sequence[bytes]]) -> float:
        # A new one each time: a decoder knows the trades it has seen.
        decode = make(feed, Instruments(), kind=kind, url="ws://127.0.0.1:9").decode
        decode(met, _NOW)
        ticks = 0

        def read(some: Sequence[bytes]) -> None:
            nonlocal ticks
            ticks += len(decode(some, _NOW).ticks or ())

        took = core_seconds(lambda: to_each(read, batches))
        if ticks != count:
            raise AssertionError(f"{name}: {ticks:,} of {count:,} ticks were decoded")
        return count / took

    def theirs(parse: Parse) -> float:
        return count / core_seconds(lambda: to_each(parse, rest))

    parsers: dict[str, Parse] = {_FLOOR: json.loads}
    missing = ""
    if package is not None:
        if package[1] is not None:
            parsers = {package[0]: package[1], **parsers}
        else:
            missing = f", {package[0]} is not installed"
    found: list[Result] = []
    for size in _BATCHES:
        row = f"{name}, {size:,} at a time"
        batches = [rest[start : start + size] for start in range(0, len(rest), size)]
        ours(batches)
        jobs = [partial(ours, batches), *(partial(theirs, parse) for parse in parsers.values())]
        our_rates, *their_rates = in_turns(rounds, *jobs)
        told = dict(zip(parsers, their_rates, strict=True))
        note = ", ".join(f"{one} reads {np.median(rates):,.0f} ticks/s" for one, rates in told.items())
        found += [
            result(CASE, f"{row} ÷ {one}", ratios(our_rates, rates), goal=3.0) for one, rates in told.items()
        ]
        found.append(result(CASE, row, our_rates, unit="ticks/s", note=note + missing))
    return found


def _coinbase_package() -> Package:
    """Return Coinbase's own parser, used as its documentation does."""
    if find_spec("coinbase") is None:
        return "coinbase-advanced-py", None
    response = import_module("coinbase.websocket.types.websocket_response").WebsocketResponse
    return "coinbase-advanced-py", lambda message: response(json.loads(message))


def _binance_package(name: str) -> Package:
    """Return what Binance's own package does with a message of a stream before it calls its user."""
    module = part("binance_sdk_spot", f"websocket_streams/models/{name}_response.py")
    if module is None:
        return "binance-sdk-spot", None
    model = getattr(module, f"{name.title().replace('_', '')}Response")
    # So it does: the payload is written as text again for the model to read.
    return "binance-sdk-spot", lambda message: model.model_validate_json(
        json.dumps(json.loads(message)["data"])
    )


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


def _trades(count: int) -> list[bytes]:
    return _sent(
        [
            {
                "stream": f"c{pair}usdt@trade",
                "data": {
                    "e": "trade",
                    "E": _NOW // 1000 + number,
                    "s": f"C{pair}USDT",
                    "t": trade_id,
                    "p": f"{43_000 + number % 99:.8f}",
                    "q": "0.00512000",
                    "T": _NOW // 1000 + number,
                    "m": True,
                    "M": True,
                },
            }
            for number, (pair, trade_id) in enumerate(_pairs(count))
        ]
    )


def _quotes(count: int) -> list[bytes]:
    return _sent(
        [
            {
                "stream": f"c{pair}usdt@bookTicker",
                "data": {
                    "u": update_id,
                    "s": f"C{pair}USDT",
                    "b": f"{43_000 + number % 99:.8f}",
                    "B": "0.51200000",
                    "a": f"{43_001 + number % 99:.8f}",
                    "A": "1.20000000",
                },
            }
            for number, (pair, update_id) in enumerate(_pairs(count))
        ]
    )
