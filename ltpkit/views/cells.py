"""Views belong to the cell that made them.

Run again, it gets the same ones, and those it no longer makes are closed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, Protocol, TypeVar, cast

__all__ = ["Cell", "current_cell", "placed"]


class _Closable(Protocol):
    """A view, or several that are one."""

    @property
    def closed(self) -> bool: ...

    def close(self) -> None: ...


V = TypeVar("V", bound=_Closable)


class Cell(NamedTuple):
    """A cell while it runs."""

    name: str
    run: str


class _Placed(NamedTuple):
    view: _Closable
    run: str


_placed: dict[tuple[str, Hashable, int], _Placed] = {}


def current_cell() -> Cell | None:
    """Return the cell that runs, or None outside a notebook.

    Notes
    -----
    Notebooks that send no id of the cell are told apart by the cell's text.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    if shell is None or not hasattr(shell, "get_parent"):
        return None
    parent = shell.get_parent()
    if not parent or parent.get("header", {}).get("msg_type") != "execute_request":
        return None
    name = parent.get("metadata", {}).get("cellId") or parent["content"].get("code", "")
    return Cell(name, parent["header"]["msg_id"])


def placed(key: Hashable, make: Callable[[], V]) -> V:
    """Return the view of this key that the cell made when it last ran, else a new one.

    Parameters
    ----------
    key : hashable
        What was asked: kind, source and arguments. A cell that asks the same twice gets two views.
    make : callable
        Makes the view.
    """
    cell = current_cell()
    if cell is None:
        return make()
    _watch_cells()
    copy = 0
    while (found := _placed.get((cell.name, key, copy))) is not None and found.run == cell.run:
        copy += 1
    kept = found is not None and not found.view.closed
    view = cast("V", found.view) if found is not None and kept else make()
    _placed[cell.name, key, copy] = _Placed(view, cell.run)
    return view


def _watch_cells() -> None:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    events = shell.events
    if _after_cell not in events.callbacks["post_run_cell"]:
        events.register("post_run_cell", _after_cell)


def _after_cell(result: object) -> None:
    """Close the views that the cell made in an earlier run and not in this one."""
    cell = current_cell()
    if cell is None:
        return
    for key, (view, run) in list(_placed.items()):
        if key[0] == cell.name and run != cell.run:
            del _placed[key]
            view.close()
