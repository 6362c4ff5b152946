"""Whether a row fits a condition: two-valued logic over its cells."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from unspun.engines.reference.rows import Cell
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Comparison, Condition, HasText, IsEmpty, IsIn, Not, Scalar

CellOf = Callable[[str], Cell]
"""The cell of a column; None where it is empty."""


def fits(condition: Condition | None, cell_of: CellOf) -> bool:
    """Whether the cells fit a condition; every row fits None. What is compared with an empty cell is false."""
    match condition:
        case None:
            return True
        case IsIn(column, values):
            return any(is_same(cell_of(column), value) for value in values)
        case Compare(column, comparison, value):
            return compares(cell_of(column), comparison, value)
        case HasText(column):
            return _has_text(cell_of(column), condition)
        case IsEmpty(column):
            return cell_of(column) is None
        case Not(inner):
            return not fits(inner, cell_of)
        case AllOf(parts):
            return all(fits(part, cell_of) for part in parts)
        case AnyOf(parts):
            return any(fits(part, cell_of) for part in parts)


def is_same(cell: Cell, value: Scalar) -> bool:
    """Whether a cell is a value of its kind."""
    if _kind(cell) != _kind(value):
        return False
    return cell == (_as_written(value, cell) if _kind(value) == "number" else value)


def compares(cell: Cell, comparison: Comparison | str, value: Scalar) -> bool:
    """Whether a number or day is above, below, at least or at most a value of its kind."""
    if _kind(cell) != _kind(value) or _kind(cell) not in ("number", "date"):
        return False
    limit: Any = _as_written(value, cell) if _kind(value) == "number" else value
    less, same = cast("Any", cell) < limit, cell == limit
    return {"above": not (less or same), "below": less, "at_least": not less, "at_most": less or same}[comparison]


def _has_text(cell: Cell, condition: HasText) -> bool:
    if not isinstance(cell, str):
        return False
    if condition.test == "starts_with":
        return cell.startswith(condition.text)
    return cell.endswith(condition.text) if condition.test == "ends_with" else condition.text in cell


def _kind(value: Cell | Scalar) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float | Decimal) else type(value).__name__


def _as_written(value: Scalar, beside: Cell) -> float | Decimal:
    """A number to compare with: as a double beside doubles; beside whole numbers and amounts exactly as it is written (0.1 is a tenth)."""
    return float(cast("int | float", value)) if isinstance(beside, float) else Decimal(repr(value))
