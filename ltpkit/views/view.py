"""What every view shares: its state, how it reaches pages, and how it is replaced when a cell is run again.

A `View` belongs to Python alone: it reads its source and makes two messages, a *base* that changes
seldom (names, history) and a *frame* with what is newest. A *shell* carries them to one kind of page
and brings back what the page says. Both messages are whole pictures of their part, never differences
from the last one, so one that is lost or skipped is made up for by the next.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self
from weakref import WeakValueDictionary

import numpy.typing as npt

from ltpkit.errors import LtpkitError, SettingError
from ltpkit.views.cells import Cell, current_cell
from ltpkit.views.pump import UNANSWERED, pump
from ltpkit.views.wire import pack

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["Listener", "Message", "Shell", "View"]

#: Header and columns of a message.
Message = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]

#: Is called with what was chosen.
Listener = Callable[[Mapping[str, Any]], None]

#: With nothing new to show, a page hears this often that its stream is still there.
_BEAT_S: Final = 1.0

_PALETTES: Final = ("classic", "safe")

_PROCESS: Final = secrets.token_hex(4)  # a page may show views of several
_numbers: Final = itertools.count()


class Shell(ABC):
    """A view's way to one kind of page."""

    #: By which the view knows it; the shells of one page differ in the view alone.
    key: tuple[str, object] = "", None

    def __init__(self, view: View) -> None:
        self._view = view
        self.seen = False
        self.sent = self.answered = 0
        self.epoch = 0  # of the base that the page has
        self._heard: dict[str, float] = {}

    @abstractmethod
    def send(self, messages: Mapping[str, bytes]) -> None:
        """Have the page take these, ``base`` before ``frame``."""

    @abstractmethod
    def close(self) -> None:
        """Let the page's end go."""

    @property
    def wants(self) -> bool:
        """Whether somebody looks, and paints what is sent."""
        return self.seen and self.sent - self.answered < UNANSWERED

    def hear_answers(self, answers: Mapping[str, int]) -> None:
        """Take which frame each view on this page has painted last, by `View.name`."""
        for name, answered in answers.items():
            view = View.named.get(name)
            shell = None if view is None else view._shells.get(self.key)
            if shell is not None and shell.answered != answered:
                shell.hear(answered=answered)

    def hear(
        self,
        *,
        seen: bool | None = None,
        answered: int | None = None,
        chosen: Mapping[str, tuple[Any, float]] | None = None,
    ) -> None:
        """Take what the page says, on whatever thread it comes.

        Parameters
        ----------
        seen : bool, optional
            Whether the view is on screen.
        answered : int, optional
            Number of the last frame painted.
        chosen : mapping, optional
            What the user has chosen: by name the value, and when, in milliseconds of the page's clock.
            Everything chosen so far comes each time, and is applied once.
        """
        if seen is not None:
            self.seen = seen
        if answered is not None:
            self.answered = answered
        patch = {}
        for name, (value, at) in (chosen or {}).items():
            if at > self._heard.get(name, 0.0):
                self._heard[name] = at
                patch[name] = value
        if patch:
            self._view.try_choose(patch)
        elif self.wants:
            pump.wake(self._view if seen else None)


class View(ABC):
    """A picture of a source that stays current.

    Attributes
    ----------
    kind : str
        Its name, and that of its script.
    fps : float
        Frames a second, at most.
    name : str
        By which a page says whose frame it has painted.
    """

    kind: ClassVar[str]
    fps: float = 12.0

    #: Those there are, by the names that pages know them by.
    named: ClassVar[WeakValueDictionary[str, View]] = WeakValueDictionary()

    def __init__(self, source: Frames, **options: Any) -> None:
        self.source = source
        self.name = f"{_PROCESS}-{next(_numbers)}"
        View.named[self.name] = self
        self.closed = False
        self._options: dict[str, Any] = {"palette": "classic", "paused": False}
        self._shells: dict[tuple[str, object], Shell] = {}
        self._listeners: list[tuple[Cell | None, Listener]] = []
        self._lock = threading.RLock()
        self._epoch = 0  # of the base; a frame says which it belongs to
        self._base_due = True
        self._number = 0
        self._drawn: object = None  # what the newest frame showed
        self._packed = b""  # the newest base
        self._kept: Message = {}, {}  # the newest frame
        self._rewound = 0
        self._beat_at = 0.0
        self._problem: str | None = None
        self.choose(**options)

    # -- what a kind of view provides -----------------------------------------------------

    @abstractmethod
    def _base(self) -> Message:
        """Return what seldom changes."""

    @abstractmethod
    def _frame(self) -> Message:
        """Return what is newest. The header holds ``seq`` and ``stamp`` of the newest tick shown."""

    @abstractmethod
    def _text(self) -> str:
        """Return the picture for a terminal."""

    def _check(self, name: str, value: Any) -> Any:
        """Return a choice made good; raise where it cannot be."""
        if name == "palette":
            if value not in _PALETTES:
                raise SettingError(f"palette={value!r}: one of {', '.join(_PALETTES)}.")
            return value
        if name == "paused":
            return bool(value)
        raise SettingError(f"A {self.kind} has no {name!r}; it has {', '.join(sorted(self._options))}.")

    def _rebase(self, names: set[str]) -> bool:
        """Return whether the base changes with these choices."""
        return bool(names - {"paused"})

    def _outgrown(self) -> bool:
        """Return whether so much is new that it belongs in the base."""
        return False

    def _version(self) -> Hashable:
        """Return something that is another one once there is more to show."""
        return self.source.version()

    # -- what a user does -----------------------------------------------------------------

    @property
    def options(self) -> dict[str, Any]:
        """What is chosen now."""
        return dict(self._options)

    def choose(self, **choices: Any) -> Self:
        """Change what the view shows, as a click on it would; return the view.

        Raises
        ------
        SettingError
            There is no such choice, or not this value; nothing is changed.
        UnknownInstrument
            A symbol was never subscribed; nothing is changed.
        """
        with self._lock:
            good = {name: self._check(name, value) for name, value in choices.items()}
            changed = {name: value for name, value in good.items() if self._options.get(name, self) != value}
            self._options.update(changed)
            if changed and self._rebase(set(changed)):
                self._base_due = True
            self._drawn = None
            self._problem = None
        for _, listener in tuple(self._listeners) if changed else ():
            listener(changed)
        pump.wake(self)
        return self

    def _again(self) -> None:
        """Have the picture made anew: there is more to show than ticks."""
        with self._lock:  # not while one is made, which would count as the new one
            self._drawn = None
        pump.wake(self)

    def try_choose(self, choices: Mapping[str, Any]) -> None:
        """Do as `choose` for a page, which is told where it cannot be."""
        try:
            self.choose(**choices)
        except LtpkitError as error:
            self._problem = str(error)
            self._again()

    def listen(self, listener: Listener) -> Self:
        """Call `listener` with the changes whenever something is chosen, on whatever thread that was.

        A cell that is run again has those listen that it names then, and no others.
        """
        cell = current_cell()
        kept = [(made, one) for made, one in self._listeners if not _earlier(made, cell)]
        self._listeners = [*kept, (cell, listener)]
        return self

    def link(self, *others: View) -> Self:
        """Have other views show the symbol that is chosen here; return the view."""

        def follow(changed: Mapping[str, Any]) -> None:
            if changed.get("symbol"):
                for other in others:
                    other.try_choose({"symbol": changed["symbol"]})

        return self.listen(follow)

    def close(self) -> None:
        """Take the view off every page. A second call does nothing."""
        self.closed = True
        pump.discard(self)
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()

    # -- pages ----------------------------------------------------------------------------

    @property
    def widget(self) -> Any:
        """The view as a Jupyter widget: the same one each time."""
        from ltpkit.views.notebook import NotebookShell

        return self._shell(NotebookShell).widget

    def __panel__(self) -> Any:
        """Return the view as a Panel component, which Panel asks for by this name."""
        from ltpkit.views.served import ServedShell, current_tab

        return self._shell(ServedShell, current_tab()).component

    def panel(self) -> Any:
        """Return the view as a Panel component: the same one each time, within one browser tab."""
        return self.__panel__()

    def _shell(self, made: Callable[[View, bytes, bytes], Any], of: object = None) -> Any:
        key = made.__name__, of
        with self._lock:
            if key not in self._shells:
                base, frame = self._messages(whole=True)
                self._shells[key] = shell = made(self, base or b"", frame)
                shell.key = key
                shell.sent, shell.epoch = self._number, self._epoch
                pump.add(self)
            return self._shells[key]

    def leave(self, shell: Shell) -> None:
        """Let go of a page that is gone. A view without any rests until it is shown again."""
        with self._lock:
            shell.close()
            self._shells = {key: one for key, one in self._shells.items() if one is not shell}
            if not self._shells:
                pump.discard(self)

    # -- the pump -------------------------------------------------------------------------

    @property
    def watched(self) -> bool:
        """Whether somebody would see what is sent."""
        return any(shell.wants for shell in tuple(self._shells.values()))

    def due(self) -> bool:
        """Return whether there is something to send and somebody to see it."""
        waiting = [shell for shell in tuple(self._shells.values()) if shell.wants]
        if not waiting:
            return False
        if self._base_due or self._drawn is None or any(shell.sent != self._number for shell in waiting):
            return True
        if not self._options["paused"] and self._drawn != self._version():
            return True
        return time.monotonic() - self._beat_at >= _BEAT_S

    def push(self) -> None:
        """Send the newest picture to every page that wants it."""
        with self._lock:
            _, frame = self._messages(whole=False)
            for shell in tuple(self._shells.values()):
                if shell.wants:
                    # A page that wanted nothing for a while gets the base that it missed.
                    base = {} if shell.epoch == self._epoch else {"base": self._packed}
                    shell.send({**base, "frame": frame})
                    shell.sent, shell.epoch = self._number, self._epoch

    def _messages(self, *, whole: bool) -> tuple[bytes | None, bytes]:
        """Return the base, where it is another one or asked for, and a frame."""
        self._beat_at = time.monotonic()
        drawn, before = self._version(), self._epoch
        try:
            rewound = self.source.rewound()
            if self._base_due or rewound != self._rewound or self._outgrown():
                self._rewound = rewound
                self._epoch += 1
                header, columns = self._base()
                self._packed = pack({**header, "epoch": self._epoch, "options": self._options}, columns)
                self._base_due, self._drawn = False, None
            # A beat, and a view that is held, show again what was read before.
            if self._drawn is None or not (self._options["paused"] or drawn == self._drawn):
                self._kept = self._frame()
        except Exception as error:  # noqa: BLE001 - shown on the view, which lives on
            self._problem = f"{type(error).__name__}: {error}"
            self._kept = {}, {}
        self._drawn = drawn
        self._number += 1
        state, trouble = self.source.condition()
        about = {
            "view": self.name,
            "n": self._number,
            "epoch": self._epoch,
            "sent": time.time() * 1000,
            "state": state,
            "error": self._problem or trouble,
            "options": self._options,
        }
        header, columns = self._kept
        base = self._packed if whole or self._epoch != before else None
        return base, pack({**header, **about}, columns)

    # -- shown ----------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        widget = self.widget
        bundle = widget._repr_mimebundle_(**kwargs)
        found, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**found, "text/plain": self._text()}, metadata

    def __repr__(self) -> str:
        return self._text()


def _earlier(made: Cell | None, now: Cell | None) -> bool:
    """Return whether it was made in an earlier run of the cell that runs now."""
    return made is not None and now is not None and made.name == now.name and made.run != now.run
