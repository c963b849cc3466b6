"""Kite's history of minutes: what to ask for those that were missed, and what the answer says.

Source: kite.trade/docs/connect/v3/historical (2026): ``GET /instruments/historical/TOKEN/minute``, 60 days at
most in one request, three requests a second; times of the request in IST.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from ltpkit.feeds.common.address import Secret, revealed
from ltpkit.feeds.common.history import Minutes, Page, Request, Span
from ltpkit.schema import moment_of, us_of

__all__ = ["MinuteHistory"]

_URL: Final = "https://api.kite.trade"
_INDIA: Final = ZoneInfo("Asia/Kolkata")
_LONGEST: Final = timedelta(days=60)
_MINUTE: Final = timedelta(minutes=1)

# The sixth value is open interest, where it was asked for.
_Candle = tuple[datetime, float, float, float, float, float]


class _Candles(msgspec.Struct):
    candles: list[_Candle]


class _Answer(msgspec.Struct):
    data: _Candles


_read: Final = msgspec.json.Decoder(_Answer)


class MinuteHistory:
    """Bars of a minute from Kite.

    Parameters
    ----------
    api_key, token : str or a secret, optional
        The app's key and the day's access token.
    rest_url : str, optional
        A base address in place of Kite's own.
    """

    source = "minutes of Kite's history"
    pause_s = 0.4
    settle_s = 65.0  # the minute in which a gap ended has to be over
    numbered = False

    def __init__(
        self, api_key: str | Secret | None, token: str | Secret | None, rest_url: str | None = None
    ) -> None:
        self._api_key, self._token, self._url = api_key, token, (rest_url or _URL).rstrip("/")

    def first(self, span: Span) -> Request:
        """Return the request for the minutes that the span touches, from its first."""
        return self._request(span, moment_of(span.start))

    def read(self, span: Span, request: Request, body: bytes) -> Page:
        """Return the minutes of an answer, and the request for the next 60 days."""
        try:
            rows = _read.decode(body).data.candles
        except msgspec.MsgspecError as error:
            raise ValueError(f"Kite's answer holds no minutes: {error}") from None
        until = datetime.strptime(request.query["to"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_INDIA)
        ends = moment_of(span.end)
        more = self._request(span, until + _MINUTE) if until + _MINUTE < ends else None
        if not rows:
            return Page(found=None, more=more)
        times, *prices = zip(*rows, strict=True)
        opened, high, low, close, volume = (np.array(column, np.float64) for column in prices)
        start = np.array([us_of(time) for time in times], np.int64)
        minutes = Minutes(start=start, open=opened, high=high, low=low, close=close, volume=volume)
        return Page(found=minutes, more=more)

    def _request(self, span: Span, start: datetime) -> Request:
        until = min(moment_of(span.end), start + _LONGEST)
        return Request(
            url=f"{self._url}/instruments/historical/{span.instrument.broker_id}/minute",
            query={"from": _local(start), "to": _local(until)},
            headers={
                "X-Kite-Version": "3",
                "Authorization": f"token {revealed(self._api_key)}:{revealed(self._token)}",
            },
        )


def _local(moment: datetime) -> str:
    """Return a time as Kite takes it: in IST, from the minute's beginning."""
    return f"{moment.astimezone(_INDIA).replace(second=0):%Y-%m-%d %H:%M:%S}"
