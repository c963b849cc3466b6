"""One message to the page: a JSON header, then plain numeric arrays that the page reads in place.

Bytes rather than JSON, since a view's message is mostly numbers, and several times a second: the page
makes typed arrays over the received buffer and copies nothing.

=============  =====================================================================
bytes          meaning
=============  =====================================================================
0–3            length of the header, `uint32` little-endian
4–             the header: UTF-8 JSON, `columns` lists ``[name, type, offset, length]``
then           each column, at a multiple of 8 from the beginning of the message
=============  =====================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["pack", "unpack"]

_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "f8": np.dtype("<f8"),
    "f4": np.dtype("<f4"),
    "i4": np.dtype("<i4"),
    "u1": np.dtype("u1"),
}
_ALIGNED: Final = 8


def pack(header: Mapping[str, Any], columns: Mapping[str, npt.NDArray[Any]] | None = None) -> bytes:
    """Return a message.

    Parameters
    ----------
    header : mapping
        What JSON can say; `nan` becomes null. The key ``columns`` is ours.
    columns : mapping of numpy.ndarray, optional
        By name. Integers of 32 bits, bytes and single floats keep their type, all else becomes float64.

    Examples
    --------
    >>> message = pack({"seq": 7}, {"price": np.array([1.5, 2.5])})
    >>> unpack(message)
    ({'seq': 7}, {'price': array([1.5, 2.5])})
    """
    listed: list[tuple[str, str, int, int]] = []
    parts: list[bytes] = []
    offset = 0
    for name, values in (columns or {}).items():
        kind = values.dtype.str[1:]
        if kind not in _TYPES:
            kind = "f8"
        raw = np.ascontiguousarray(values, _TYPES[kind]).tobytes()
        listed.append((name, kind, offset, len(values)))
        filled = -len(raw) % _ALIGNED
        parts += [raw, b"\0" * filled]
        offset += len(raw) + filled
    text = msgspec.json.encode({**header, "columns": listed})
    text += b" " * (-(len(text) + 4) % _ALIGNED)
    return b"".join((len(text).to_bytes(4, "little"), text, *parts))


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return header and columns of a message, as the page would read them."""
    length = int.from_bytes(message[:4], "little")
    header = msgspec.json.decode(message[4 : 4 + length])
    columns = {
        name: np.frombuffer(message, _TYPES[kind], count, 4 + length + offset)
        for name, kind, offset, count in header.pop("columns")
    }
    return header, columns
