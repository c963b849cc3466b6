"""Which instruments on which connection, within the broker's limits. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ltpkit.errors import PlanError
from ltpkit.feeds import Limits
from ltpkit.instrument import Instrument

__all__ = ["spread"]


def spread(
    wanted: Sequence[Instrument], held: Sequence[Sequence[Instrument]], limits: Limits
) -> list[list[Instrument]]:
    """Return the instruments of each connection: what it keeps, then what is new to it.

    An instrument that is already on a connection stays there, so that a change of the
    subscription sends only the difference; new ones fill the first connection with room.

    Parameters
    ----------
    wanted : sequence of Instrument
        Everything that should be subscribed.
    held : sequence of sequence of Instrument
        What each open connection has now.
    limits : Limits
        The broker's.

    Raises
    ------
    PlanError
        More is wanted than the limits leave room for.
    """
    room = limits.per_connection or len(wanted) or 1
    most = limits.connections or 1
    if len(wanted) > room * most:
        each = f"the broker takes {room:,} on each of {most} connection{'s' if most > 1 else ''}"
        raise PlanError(len(wanted), room * most, each)
    names = {instrument.name for instrument in wanted}
    kept = [[one for one in connection if one.name in names] for connection in held]
    placed = {one.name for connection in kept for one in connection}
    for instrument in wanted:
        if instrument.name in placed:
            continue
        placed.add(instrument.name)
        for connection in kept:
            if len(connection) < room:
                connection.append(instrument)
                break
        else:
            kept.append([instrument])
    return kept
