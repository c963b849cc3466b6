"""The part of a polars filter that DuckDB can do, as SQL. Pure.

The SQL may let more rows through than the filter, never fewer: whoever uses it applies the filter
itself to what comes back. So a condition that is not understood here costs time, not rows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

__all__ = ["prefilter", "without_hints"]

_COMPARISONS: Final = {"Eq": "=", "NotEq": "<>", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_INTEGERS: Final = frozenset(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_MICROSECONDS: Final = {"Milliseconds": 1_000, "Microseconds": 1}
_MOST_IN_LIST: Final = 1_000


class _NotUnderstood(Exception):
    """A condition that is left to polars."""


def prefilter(predicate: pl.Expr, columns: Mapping[str, str]) -> str:
    """Return SQL that holds for at least the rows `predicate` keeps; empty where nothing is known.

    Parameters
    ----------
    predicate : polars.Expr
        As polars pushes it into a source.
    columns : mapping of str to str
        The columns and their words, as `ltpkit.schema.TICKS`.
    """
    tree = _tree(predicate)
    parts = []
    for condition in _conjuncts(tree):
        try:
            parts.append(_sql(condition, columns))
        except _NotUnderstood:
            continue
    return " AND ".join(parts)


def without_hints(predicate: pl.Expr) -> pl.Expr | None:
    """Return `predicate` without the hints that polars adds for its own use and cannot evaluate.

    A sort or a slice above a source pushes a "dynamic predicate" down to it, AND-ed to the real
    ones. It only allows a source to skip rows; as an expression it makes polars panic.
    """
    tree = _tree(predicate)
    conditions = _conjuncts(tree)
    kept = [condition for condition in conditions if not _is_hint(condition)]
    if len(kept) == len(conditions):
        return predicate
    result: pl.Expr | None = None
    for condition in kept:
        one = pl.Expr.deserialize(io.BytesIO(json.dumps(condition).encode()), format="json")
        result = one if result is None else result & one
    return result


def _tree(predicate: pl.Expr) -> Any:
    try:
        return json.loads(predicate.meta.serialize(format="json"))
    except (pl.exceptions.PolarsError, ValueError):  # a Python function inside has no JSON
        return None


def _conjuncts(tree: Any) -> list[Any]:
    match tree:
        case {"BinaryExpr": {"left": left, "op": "And" | "LogicalAnd", "right": right}}:
            return _conjuncts(left) + _conjuncts(right)
    return [tree]


def _is_hint(tree: Any) -> bool:
    match tree:
        case {"Display": {"fmt_str": str(text)}}:
            return text.startswith("dynamic_pred")
    return False


def _sql(tree: Any, columns: Mapping[str, str]) -> str:
    match tree:
        case {"BinaryExpr": {"left": left, "op": "And", "right": right}}:
            return f"({_sql(left, columns)} AND {_sql(right, columns)})"
        case {"BinaryExpr": {"left": left, "op": "Or", "right": right}}:
            return f"({_sql(left, columns)} OR {_sql(right, columns)})"
        case {"BinaryExpr": {"left": left, "op": str(op), "right": right}} if op in _COMPARISONS:
            return f"({_operand(left, columns)} {_COMPARISONS[op]} {_operand(right, columns)})"
        case {"Function": {"input": [{"Column": str(name)}], "function": {"Boolean": "IsNull"}}}:
            return f"({_column(name, columns)} IS NULL)"
        case {"Function": {"input": [{"Column": str(name)}], "function": {"Boolean": "IsNotNull"}}}:
            return f"({_column(name, columns)} IS NOT NULL)"
        case {
            "Function": {
                "input": [{"Column": str(name)}, low, high],
                "function": {"Boolean": {"IsBetween": {"closed": str()}}},
            }
        }:
            # Whether the ends belong to it is left to polars.
            return f"({_column(name, columns)} BETWEEN {_literal(low)} AND {_literal(high)})"
        case {
            "Function": {
                "input": [{"Column": str(name)}, {"Literal": {"Scalar": {"List": list(packed)}}}],
                "function": {"Boolean": {"IsIn": {"nulls_equal": False}}},
            }
        }:
            return f"({_column(name, columns)} IN ({_values(packed)}))"
    raise _NotUnderstood


def _operand(tree: Any, columns: Mapping[str, str]) -> str:
    match tree:
        case {"Column": str(name)}:
            return _column(name, columns)
    return _literal(tree)


def _column(name: str, columns: Mapping[str, str]) -> str:
    if name not in columns:
        raise _NotUnderstood
    return f'"{name}"'


def _literal(tree: Any) -> str:
    match tree:
        case {"Literal": {"Scalar": {"String": str(text)}}}:
            return _text(text)
        case {"Literal": {"Scalar": {"Float64": float(number) | int(number)}}}:
            return f"'{number!r}'::DOUBLE"  # a bare number would be a DECIMAL, and rounded again
        case {"Literal": {"Scalar": {"Datetime": [int(value), str(unit), {"inner": str()} | str()]}}}:
            if unit in _MICROSECONDS:
                return f"make_timestamptz({value * _MICROSECONDS[unit]})"
        case {"Literal": {"Scalar": dict(scalar)}} if len(scalar) == 1:
            ((kind, value),) = scalar.items()
            if kind in _INTEGERS and isinstance(value, int):
                return str(value)
    raise _NotUnderstood


def _values(packed: list[int]) -> str:
    """Return the members of a literal list, which comes as an Arrow stream."""
    try:
        values = pl.read_ipc_stream(io.BytesIO(bytes(packed))).to_series()
    except (pl.exceptions.PolarsError, ValueError, OSError) as error:
        raise _NotUnderstood from error
    if values.dtype == pl.List:
        values = values.explode()
    if values.null_count() or not 0 < len(values) <= _MOST_IN_LIST:
        raise _NotUnderstood
    if values.dtype == pl.String:
        return ", ".join(map(_text, values))
    if values.dtype.is_integer():
        return ", ".join(map(str, values))
    raise _NotUnderstood


def _text(text: str) -> str:
    if "\0" in text:
        raise _NotUnderstood
    return "'" + text.replace("'", "''") + "'"
