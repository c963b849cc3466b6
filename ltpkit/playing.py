"""A recording played into an intake: as fast as it came, some times as fast, or at once."""

from __future__ import annotations

import asyncio

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Event
from ltpkit.instrument import Instrument
from ltpkit.intake import Intake
from ltpkit.recording import Block, Recording
from ltpkit.schema import now_us

__all__ = ["play"]


async def play(recording: Recording, intake: Intake, speed: float) -> None:
    """Bring everything that was received, in its order, as a broker's line would have.

    Parameters
    ----------
    recording : Recording
    intake : Intake
    speed : float
        How many times as fast as it came; infinity for at once.
    """
    clock = _Clock(speed)
    for block in recording.blocks():
        if block.direction == "instrument":
            for raw in block.frames:
                intake.instruments.add(msgspec.json.decode(raw, type=Instrument))
        elif block.direction == "http" and block.about is not None:
            _take_book(block, block.about, intake)
        elif block.direction == "in" and speed == float("inf"):
            intake.take(block.frames, block.received_at)
            await asyncio.sleep(0)
        elif block.direction == "in":
            await _take_frames(block, intake, clock)
    if recording.cut is not None:
        intake.events.append([Event(at=now_us(), kind="recording_cut", detail={"why": recording.cut})])
        intake.tell()


def _take_book(block: Block, name: str, intake: Intake) -> None:
    number = intake.instruments.number(name)
    if number is None:
        return
    for raw, at in zip(block.frames, block.received_at.tolist(), strict=True):
        intake.apply([intake.feed.decode_snapshot(intake.instruments[number], raw, at)])


async def _take_frames(block: Block, intake: Intake, clock: _Clock) -> None:
    times, start = clock.times(block.received_at), 0
    while start < len(times):
        if times[start] > (now := clock.now()):
            await asyncio.sleep(float(times[start]) - now)
        stop = max(start + 1, int(np.searchsorted(times, clock.now(), side="right")))
        intake.take(block.frames[start:stop], block.received_at[start:stop])
        start = stop
        await asyncio.sleep(0)


class _Clock:
    """The event loop's, to which the first frame that is played comes now."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._offset: float | None = None  # the loop's time at which the recording's time 0 falls
        self.now = asyncio.get_running_loop().time

    def times(self, received_at: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return when frames are due, in s."""
        times = received_at / 1e6 / self._speed
        if self._offset is None:
            self._offset = self.now() - float(times[0])
        due: npt.NDArray[np.float64] = times + self._offset
        return due
