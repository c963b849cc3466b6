"""Frames on their way into DuckDB and out of it, without copying more than must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ltpkit import schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["after", "to_arrow", "typed"]

_DICTIONARIES = ("symbol", "exchange", "source")


def after(frame: pl.DataFrame, seq: int) -> pl.DataFrame:
    """Return the rows of `frame` whose rising `seq` is above `seq`: a slice, no copy."""
    if frame.height == 0 or frame["seq"][0] > seq:
        return frame
    return frame.slice(int(frame["seq"].search_sorted(seq, side="right")))


def to_arrow(frame: pl.DataFrame) -> pa.Table:
    """Return `frame` as Arrow.

    Notes
    -----
    polars writes out a categorical column anew for every export, 6 ms for a million rows each. Its
    integer codes are there already, so they are handed over as they are with a list of the names.
    """
    import pyarrow as pa

    coded = [
        name for name in _DICTIONARIES if frame.schema.get(name) == schema.categories(name) and frame.height
    ]
    table = frame.with_columns(pl.col(coded).to_physical()).to_arrow() if coded else frame.to_arrow()
    for name in coded:
        place = table.schema.get_field_index(name)
        names = _names(name, frame[name].to_physical().max())
        parts = [pa.DictionaryArray.from_arrays(codes, names) for codes in table.column(place).chunks]
        table = table.set_column(place, name, pa.chunked_array(parts))
    return table


def _names(kind: str, most: object) -> pa.Array:
    """Return the names for the codes from 0 to `most`."""
    dtype = schema.categories(kind)
    codes = pl.int_range(0, (most if isinstance(most, int) else -1) + 1, dtype=pl.UInt32, eager=True)
    return codes.cast(dtype.categories.physical()).cat.to(dtype, strict=False).cast(pl.String).to_arrow()


def typed(found: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return what came from DuckDB with the types of `schema.polars_schema`, for the columns it has."""
    types = schema.polars_schema(table)
    return found.cast({name: types[name] for name in found.columns})
