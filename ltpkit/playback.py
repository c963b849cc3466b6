"""Recordings, played through the same decoder into the same rings as a live stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from ltpkit import feeds, settings
from ltpkit.connection import Policy
from ltpkit.ending import before_exit
from ltpkit.errors import RecordingError, SettingError
from ltpkit.held import Held
from ltpkit.instrument import Instruments
from ltpkit.recording import Recording
from ltpkit.status import Status
from ltpkit.streamer import Streamer

__all__ = ["Replay", "replay"]


_playing: set[Replay] = set()


class Replay(Held):
    """A recording, played through the same decoder into the same rings. Made by `replay`."""

    def __init__(
        self,
        recording: Recording,
        feed: feeds.Feed,
        instruments: Instruments,
        chosen: settings.Settings,
        *,
        store: str | Path | None = None,
    ) -> None:
        super().__init__(
            feed, instruments, store=store, chosen=chosen, capacity_rows=None, depth_capacity_rows=None
        )
        self._recording = recording
        self._streamer = Streamer(self._intake, Policy())

    def _play(self, speed: float) -> None:
        _playing.add(self)
        self._start_flushing()
        self._streamer.play(self._recording, speed)

    def stop(self) -> None:  # noqa: D102 - as in the base
        super().stop()
        _playing.discard(self)

    def drain(self, timeout_s: float | None = None) -> bool:
        """Return True once the whole recording was played, False after the time."""
        return self._streamer.finished.wait(timeout_s)

    @property
    def symbols(self) -> list[str]:
        """What the recording speaks of, as ``EXCHANGE:SYMBOL``."""
        return self._instruments.names()

    def status(self) -> Status:
        """Return how the playing goes. The age of its last tick means nothing here, and is None."""
        return msgspec.structs.replace(super().status(), last_tick_age_s=None)

    def _state(self) -> str:
        if not self._streamer.running:
            return "stopped"
        return "finished" if self._streamer.finished.is_set() else "playing"


def replay(
    path: str | Path,
    *,
    speed: float | Literal["max"] = 1.0,
    feed: str | None = None,
    kind: str | None = None,
    store: str | Path | None = None,
    **options: Any,
) -> Replay:
    """Play a recording and return an object with the same methods as a live stream.

    Parameters
    ----------
    path : path
        Made with ``record=True``, or a foreign capture: lines of ``recv_ns payload``, or JSON
        lines with ``kind, t, conn`` and ``data`` or ``b64``; also as ``.gz`` and ``.zst``.
    speed : float or "max"
        Times as fast as it was recorded. ``"max"`` plays it at once and returns when that is done;
        the rows are the same every time.
    feed, kind : str, optional
        Whose frames they are, where the file does not say.
    store : path, optional
        DuckDB file to add the rows to; without one they live in memory.
    **options
        The feed's own, or a setting, as for `stream`.

    Raises
    ------
    RecordingError
        There is no such file, its format is not known, its feed must be named, or is another one.
    StoreLocked, NotAStore, StoreTooNew, StoreError
        The store cannot be used.
    """
    try:
        factor = float("inf") if speed == "max" else float(speed)
    except (TypeError, ValueError):
        factor = 0.0
    if not factor > 0:
        raise SettingError(f"speed was {speed!r}: a number above 0, or 'max'.")
    recording = Recording(path)
    feed, kind = recording.whose(feed, kind)
    if feed is None:
        raise RecordingError(
            f"{recording.path.name} does not say whose frames it holds. Name the feed: "
            f"lk.replay(…, feed={feeds.names()[0]!r}); feeds: {', '.join(feeds.names())}."
        )
    known_settings = settings.Settings.model_fields
    chosen = settings.load(**{key: options.pop(key) for key in list(options) if key in known_settings})
    if kind is not None:
        options["kind"] = kind
    instruments = Instruments()
    played = Replay(recording, feeds.make(feed, instruments, **options), instruments, chosen, store=store)
    played._play(factor)
    if speed == "max":
        played.drain()
        if played._streamer.last_error is not None:
            raise played._streamer.last_error
    return played


def _stop_all() -> None:
    """Stop what still plays when the interpreter ends, so that its files are closed before that."""
    for one in tuple(_playing):
        one.stop()


before_exit(_stop_all)
