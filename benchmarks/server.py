"""A WebSocket server in a process of its own, so that its work is not counted as ours.

It sends one-tick JSON messages as Binance's trade stream does, either as fast as the socket takes them
or at a steady pace with the time of sending in each message.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_BUFFERED = 1 << 20  # bytes that may wait in the server for a slow client
_SLICE_S = 0.001  # the pause between two portions of a paced stream
_SYMBOLS = tuple(f"{coin}USDT" for coin in ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC"))
_START_MS = 1_700_000_000_000


def symbols(count: int) -> list[str]:
    """Return the first symbols that `stream_of_trades` sends."""
    return list(_SYMBOLS[:count])


def trade(symbol: str, trade_id: int, time_: int) -> bytes:
    """Return one message of a combined trade stream. `time_` in ms or µs, as Binance sends both."""
    return (
        b'{"stream":"%s@trade","data":{"e":"trade","E":%d,"s":"%s","t":%d,"p":"%d.%02d000000",'
        b'"q":"0.%03d00000","T":%d,"m":%s,"M":true}}'
    ) % (
        symbol.lower().encode(),
        time_,
        symbol.encode(),
        trade_id,
        43_000 + trade_id % 7,
        trade_id % 100,
        trade_id % 999 + 1,
        time_,
        b"true" if trade_id % 2 else b"false",
    )


def framed(message: bytes) -> bytes:
    """Return the message as a WebSocket text frame of a server, which is not masked."""
    head = bytes((0x81, len(message))) if len(message) < 126 else struct.pack(">BBH", 0x81, 126, len(message))
    return head + message


@contextmanager
def trades(count: int, *, rate: float | None = None, names: int = 1) -> Iterator[str]:
    """Serve `count` trades to each client once it has said something; yield the server's address.

    Parameters
    ----------
    rate : float, optional
        Messages per second, each with the time of its sending (µs) as trade time. By default as
        fast as the socket takes them, all prepared beforehand.
    names : int
        Symbols, in turns.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, count, rate, names), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise TimeoutError("the benchmark's server did not start within a minute")
        yield f"ws://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)
        ours.close()


def _main(pipe: Connection, count: int, rate: float | None, names: int) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(pipe, count, rate, symbols(names)))


async def _serve(pipe: Connection, count: int, rate: float | None, names: list[str]) -> None:
    blobs = [] if rate is not None else _prepared(count, names)

    async def talk(client: ServerConnection) -> None:
        await client.recv()  # the subscription, or any word from a bare client
        # RuntimeError is what asyncio says when the client has gone between two writes.
        with suppress(ConnectionClosed, RuntimeError):
            if rate is None:
                for blob in blobs:
                    client.transport.write(blob)
                    await _until_taken(client)
            else:
                await _pace(client, count, rate, names)
            await client.wait_closed()

    async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.2) as server:
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()


def _prepared(count: int, names: list[str]) -> list[bytes]:
    """Return all frames, many in one piece: then sending costs the server next to nothing."""
    ids = [0] * len(names)
    frames = []
    for number in range(count):
        which = number % len(names)
        ids[which] += 1
        frames.append(framed(trade(names[which], ids[which], _START_MS + number // 10)))
    return [b"".join(frames[start : start + 500]) for start in range(0, count, 500)]


async def _until_taken(client: ServerConnection) -> None:
    if client.transport.get_write_buffer_size() > _BUFFERED:
        while client.transport.get_write_buffer_size() > _BUFFERED // 4:
            await asyncio.sleep(0.0005)
            if client.transport.is_closing():
                return


async def _pace(client: ServerConnection, count: int, rate: float, names: list[str]) -> None:
    """Send what is due every millisecond, and what a held-up turn missed."""
    began, sent = time.perf_counter(), 0
    ids = [0] * len(names)
    while sent < count and not client.transport.is_closing():
        due = min(count, int((time.perf_counter() - began) * rate) + 1)
        while sent < due:
            which = sent % len(names)
            ids[which] += 1
            client.transport.write(framed(trade(names[which], ids[which], time.time_ns() // 1000)))
            sent += 1
        await asyncio.sleep(_SLICE_S)
