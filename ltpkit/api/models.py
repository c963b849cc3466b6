"""What requests and answers look like, for the OpenAPI document and for checking requests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from ltpkit.schema import TICK_FLOATS

__all__ = [
    "ActiveSymbols",
    "Bar",
    "Change",
    "DepthAnswer",
    "Gap",
    "HealthAnswer",
    "InstrumentRow",
    "Problem",
    "SqlQuestion",
    "SubscribeRequest",
    "Subscribed",
    "SubscriptionStatus",
    "Tick",
]

_ID: Final = "6f9c0d3e-52a1-4b58-9a7e-0c6f3c1d2b4a"
_TIME: Final = "2026-03-02T04:00:00.250000Z"

Symbol = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="`RELIANCE`, or `NSE:RELIANCE` where several exchanges have it.",
        examples=["NSE:RELIANCE"],
    ),
]


class SubscribeRequest(BaseModel):
    """What to subscribe to."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"symbols": ["RELIANCE", "TCS", "HDFCBANK"], "update_frequency": 1}]},
    )

    symbols: list[Symbol] = Field(min_length=1, max_length=5_000)
    update_frequency: float = Field(
        default=1.0,
        ge=0,
        le=86_400,
        description="Seconds between updates of a symbol, each the newest price; 0 sends every tick.",
    )
    depth: bool = Field(default=False, description="Send `depth_update` messages too.")


class SubscriptionStatus(BaseModel):
    """How a subscription is doing."""

    subscription_id: str = Field(examples=[_ID])
    symbols: list[str] = Field(examples=[["NSE:RELIANCE", "NSE:TCS"]])
    update_frequency: float = Field(examples=[1.0])
    depth: bool
    created: datetime = Field(examples=[_TIME])
    clients: int = Field(description="WebSockets that receive it now.", examples=[1])
    delivered: int = Field(description="Updates sent over all its WebSockets.", examples=[420])
    conflated: int = Field(
        description="Updates that newer ones replaced because a WebSocket was too slow.", examples=[0]
    )
    update_rate: float = Field(description="Updates sent per second, over five seconds.", examples=[2.0])
    last_update: datetime | None = Field(examples=[_TIME])
    seq: int = Field(description="`seq` of the newest tick sent, for `?after_seq=`.", examples=[1234])


class Subscribed(SubscriptionStatus):
    """A new subscription, and where its updates are to be had."""

    websocket: str = Field(examples=[f"ws://127.0.0.1:8001/api/v1/realtime/ws/{_ID}"])


class ActiveSymbols(BaseModel):
    """What is subscribed now, over all programs."""

    symbols: list[str] = Field(examples=[["NSE:RELIANCE", "NSE:TCS"]])
    count: int = Field(examples=[2])


class Level(BaseModel):
    """One level of a book."""

    price: float = Field(examples=[2500.5])
    qty: float = Field(examples=[120.0])
    orders: int | None = Field(examples=[7])


class DepthAnswer(BaseModel):
    """A book, each side best first; empty before the first one has come."""

    symbol: str = Field(examples=["RELIANCE"])
    exchange: str = Field(examples=["NSE"])
    timestamp: datetime | None = Field(examples=[_TIME])
    received_at: datetime | None = Field(examples=[_TIME])
    seq: int | None = Field(examples=[77])
    bids: list[Level]
    asks: list[Level]


class _TickTimes(BaseModel):
    """A tick: prices in the instrument's currency, quantities in units, missing values null."""

    seq: int = Field(examples=[1234])
    symbol: str = Field(examples=["RELIANCE"])
    exchange: str = Field(examples=["NSE"])
    timestamp: datetime = Field(examples=[_TIME])
    received_at: datetime = Field(examples=[_TIME])
    source: str = Field(examples=["simulated"])


_FLOATS: dict[str, Any] = {name: (float | None, Field(examples=[2500.5])) for name in TICK_FLOATS}
Tick = create_model("Tick", __base__=_TickTimes, __doc__=_TickTimes.__doc__, **_FLOATS)


class Change(BaseModel):
    """A tick's price with its change from the tick before, and from the previous close."""

    seq: int = Field(examples=[1234])
    symbol: str = Field(examples=["RELIANCE"])
    exchange: str = Field(examples=["NSE"])
    timestamp: datetime = Field(examples=[_TIME])
    ltp: float = Field(examples=[2500.5])
    change: float | None = Field(examples=[0.5])
    change_percent: float | None = Field(examples=[0.02])
    day_change: float | None = Field(examples=[12.5])
    day_change_percent: float | None = Field(examples=[0.5])


class Bar(BaseModel):
    """Open, high, low and close over an interval."""

    symbol: str = Field(examples=["RELIANCE"])
    start: datetime = Field(examples=["2026-03-02T04:00:00Z"])
    open: float = Field(examples=[2498.0])
    high: float = Field(examples=[2501.0])
    low: float = Field(examples=[2497.5])
    close: float = Field(examples=[2500.5])
    volume: float | None = Field(examples=[12000.0])
    ticks: int = Field(examples=[58])
    exchange: str = Field(examples=["NSE"])
    growing: bool = Field(description="Its end has not come.", examples=[False])


class Gap(BaseModel):
    """A stretch known to be missing."""

    seq: int = Field(examples=[3])
    at: datetime = Field(examples=[_TIME])
    symbol: str | None = Field(examples=[None])
    why: str | None = Field(examples=["connection lost"])
    start: datetime | None = Field(examples=[_TIME])
    end: datetime | None = Field(examples=[_TIME])
    missing: int | None = Field(examples=[None])
    recovered: str | None = Field(examples=[None])
    symbols: list[str] | None = Field(examples=[["NSE:RELIANCE"]])


class InstrumentRow(BaseModel):
    """Something that can be subscribed to."""

    exchange: str = Field(examples=["NSE"])
    symbol: str = Field(examples=["RELIANCE"])
    name: str | None = Field(examples=["Reliance Industries Ltd"])
    type: str | None = Field(examples=["equity"])
    lot: float | None = Field(examples=[1.0])
    tick_size: float | None = Field(examples=[0.05])


class CheckAnswer(BaseModel):
    """One thing that was looked at."""

    name: str = Field(examples=["database"])
    status: Literal["ok", "degraded", "failing"] = Field(examples=["ok"])
    reason: str = Field(examples=["written and read in 2 ms"])


class HealthAnswer(BaseModel):
    """How the service is, with the worst of its checks as the whole."""

    status: Literal["ok", "degraded", "failing"] = Field(examples=["ok"])
    checks: list[CheckAnswer]
    at: datetime = Field(examples=[_TIME])


class SqlQuestion(BaseModel):
    """One SELECT over what was received."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"query": "SELECT symbol, max(ltp) AS high FROM ticks GROUP BY ALL"},
                {"query": "FROM latest_ltp WHERE symbol = $symbol", "params": {"symbol": "TCS"}},
            ]
        },
    )

    query: str = Field(min_length=1, max_length=100_000)
    params: list[Any] | dict[str, Any] | None = Field(
        default=None, description="Bound to `?` in order, or to `$name`."
    )


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:ltpkit:unknown-symbol"])
    title: str = Field(examples=["Unknown symbol"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["RELIANC is not known to this feed. Close matches: NSE:RELIANCE."])
    correlation_id: str | None = Field(examples=["5b0c1d2e3f4a4b5c8d7e6f5a4b3c2d1e"])
