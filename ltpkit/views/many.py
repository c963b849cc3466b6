"""What views of many instruments share: which they show, and which of them is selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ltpkit.instrument import symbols_of
from ltpkit.views.newest import Newest
from ltpkit.views.source import full_name
from ltpkit.views.view import Message, View

__all__ = ["ManyView", "newest_of"]


class ManyView(View):
    """A view of many instruments, one of which may be selected.

    Its options hold ``symbols``, None for everything subscribed whenever that changes too, and ``symbol``.
    """

    _names: tuple[str, ...] = ()  # those of the newest base
    _newest = Newest(())

    def _check(self, name: str, value: Any) -> Any:
        if name == "symbols":
            if value is None:
                return None
            return list(dict.fromkeys(full_name(self.source, one) for one in symbols_of(value, least=0)))
        if name == "symbol":
            return None if value is None else full_name(self.source, value)
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return "symbols" in names

    def _wanted(self) -> tuple[str, ...]:
        """Return the ``EXCHANGE:SYMBOL`` of what is to be shown now."""
        chosen = self._options["symbols"]
        return tuple(self.source.subscribed() if chosen is None else chosen)

    def _outgrown(self) -> bool:
        return self._names != self._wanted()

    def _base(self) -> Message:
        names = self._wanted()
        if names != self._names:
            self._names, self._newest = names, Newest(names)
        return {"names": names}, {}

    def _count(self) -> str:
        """Return how many there are, in words."""
        count = len(self._wanted())
        return f"{count} symbol{'' if count == 1 else 's'}"


def newest_of(values: Mapping[str, npt.NDArray[np.float64]]) -> dict[str, Any]:
    """Return what a frame's header says of the newest tick, of columns ``seq`` and ``received_at`` in µs."""
    if np.isnan(values["seq"]).all():
        return {"seq": None, "stamp": None}
    return {"seq": int(np.nanmax(values["seq"])), "stamp": float(np.nanmax(values["received_at"])) / 1000}
