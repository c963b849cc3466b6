"""Dhan's history of minutes: what to ask for those that were missed, and what the answer says.

Source: dhanhq.co/docs/v2/historical-data (2026): ``POST /charts/intraday``, 90 days at most in one request,
times of the request in IST, those of the answer in true UTC seconds (unlike the stream's).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from ltpkit.feeds.common.address import Secret, revealed
from ltpkit.feeds.common.history import Minutes, Page, Request, Span
from ltpkit.schema import moment_of

__all__ = ["MinuteHistory", "kind_of"]

_URL: Final = "https://api.dhan.co/v2"
_INDIA: Final = ZoneInfo("Asia/Kolkata")
_LONGEST: Final = timedelta(days=90)
_MINUTE: Final = timedelta(minutes=1)

#: Underlyings that are indices; the futures and options of others are of shares.
_INDICES: Final = (
    "NIFTY",
    "BANKNIFTY",
    "FINNIFTY",
    "MIDCPNIFTY",
    "NIFTYNXT50",
    "SENSEX",
    "SENSEX50",
    "BANKEX",
)
_FUTURE_AND_OPTION: Final = {
    "NSE_CURRENCY": ("FUTCUR", "OPTCUR"),
    "BSE_CURRENCY": ("FUTCUR", "OPTCUR"),
    "MCX_COMM": ("FUTCOM", "OPTFUT"),
}


class _Answer(msgspec.Struct):
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    timestamp: list[float]


_read: Final = msgspec.json.Decoder(_Answer)


class MinuteHistory:
    """Bars of a minute from Dhan.

    Parameters
    ----------
    token : str or a secret, optional
        Dhan's access token.
    rest_url : str, optional
        A base address in place of Dhan's own.
    """

    source = "minutes of Dhan's history"
    pause_s = 0.25  # a choice; no figure for its data was at hand
    settle_s = 65.0  # the minute in which a gap ended has to be over
    numbered = False

    def __init__(self, token: str | Secret | None, rest_url: str | None = None) -> None:
        self._token, self._url = token, (rest_url or _URL).rstrip("/")

    def first(self, span: Span) -> Request:
        """Return the request for the minutes that the span touches, from its first."""
        return self._request(span, moment_of(span.start))

    def read(self, span: Span, request: Request, body: bytes) -> Page:
        """Return the minutes of an answer, and the request for the next 90 days."""
        try:
            found = _read.decode(body)
        except msgspec.MsgspecError as error:
            raise ValueError(f"Dhan's answer holds no minutes: {error}") from None
        columns = (found.open, found.high, found.low, found.close, found.volume)
        if any(len(column) != len(found.timestamp) for column in columns):
            raise ValueError("Dhan's answer holds columns of different lengths.")
        opened, high, low, close, volume = (np.array(column, np.float64) for column in columns)
        start = (np.array(found.timestamp, np.float64) * 1e6).astype(np.int64)
        minutes = Minutes(start=start, open=opened, high=high, low=low, close=close, volume=volume)
        return Page(found=minutes if len(start) else None, more=self._later(span, request))

    def _later(self, span: Span, request: Request) -> Request | None:
        asked = msgspec.json.decode(request.body or b"{}")["toDate"]
        until = datetime.strptime(asked, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_INDIA)
        return self._request(span, until) if until < moment_of(span.end) else None

    def _request(self, span: Span, start: datetime) -> Request:
        one = span.instrument
        until = min(moment_of(span.end) + _MINUTE, start + _LONGEST)
        asked = {
            "securityId": one.broker_id,
            "exchangeSegment": one.segment,
            "instrument": kind_of(one.segment, one.symbol),
            "interval": "1",
            "oi": False,
            "fromDate": _local(start),
            "toDate": _local(until),
        }
        return Request(
            url=f"{self._url}/charts/intraday",
            headers={"access-token": revealed(self._token), "Content-Type": "application/json"},
            body=msgspec.json.encode(asked),
        )


def kind_of(segment: str, symbol: str) -> str:
    """Return Dhan's word for what an instrument is, told by its segment and its symbol in Dhan's list.

    Examples
    --------
    >>> kind_of("NSE_EQ", "RELIANCE"), kind_of("NSE_FNO", "NIFTY-Nov2026-26000-CE")
    ('EQUITY', 'OPTIDX')
    """
    if segment == "IDX_I":
        return "INDEX"
    if segment.endswith("_EQ"):
        return "EQUITY"
    option = symbol.endswith(("-CE", "-PE", "CE", "PE"))
    if segment in _FUTURE_AND_OPTION:
        return _FUTURE_AND_OPTION[segment][option]
    of_index = symbol.partition("-")[0] in _INDICES
    return ("OPT" if option else "FUT") + ("IDX" if of_index else "STK")


def _local(moment: datetime) -> str:
    """Return a time as Dhan takes it: in IST, from the minute's beginning."""
    return f"{moment.astimezone(_INDIA).replace(second=0):%Y-%m-%d %H:%M:%S}"
