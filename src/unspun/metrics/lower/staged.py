"""Columns that are computed of columns, each once: the levels of a query.

A metric may refer to another twice, that one to a third twice, and so on. Written out, such an expression doubles with each reference.
Here each part is a column of its own, computed in a level above those that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp


@dataclass(slots=True)
class Columns:
    """Columns by name, with what each is computed of. Columns that are not here are those of the table below."""

    expressions: dict[str, exp.Expr] = field(default_factory=dict[str, exp.Expr])
    levels: dict[str, int] = field(default_factory=dict[str, int])
    reads: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def add(self, name: str, expression: exp.Expr) -> exp.Column:
        """Add a column; it may read those added before, and those of the table below."""
        read = frozenset(column.name for column in expression.find_all(exp.Column))
        self.expressions[name] = expression
        self.reads[name] = read
        self.levels[name] = 1 + max((self.levels.get(one, 0) for one in read), default=0)
        return exp.column(name)

    def replaced(self, names: Iterable[str]) -> Columns:
        """These columns, of which some are now in the table below."""
        below, left = set(names), Columns()
        for name, expression in self.expressions.items():
            if name not in below:
                left.add(name, expression)
        return left

    def needed(self, wanted: Iterable[str]) -> set[str]:
        """The columns that are read for some, they themselves included, and those of the table below among them."""
        found, open_names = set[str](), list(wanted)
        while open_names:
            name = open_names.pop()
            if name not in found:
                found.add(name)
                open_names += self.reads.get(name, ())
        return found


def levels_sql(below: exp.Query, columns: Columns, wanted: tuple[str, ...]) -> exp.Select:
    """The wanted columns over a query that has what they are computed of: a query in a query for each level."""
    needed = columns.needed(wanted)
    depth = max((columns.levels.get(name, 0) for name in needed), default=0)
    query: exp.Query = below
    for level in range(1, depth + 1):
        above = _read_above(columns, needed, wanted, level)
        carried = [exp.column(name) for name in sorted(above) if columns.levels.get(name, 0) < level]
        made = [columns.expressions[name].as_(name, copy=False) for name in _order(needed, columns.levels, level)]
        query = exp.select(*carried, *made, copy=False).from_(query.subquery(f"level{level - 1}", copy=False), copy=False)
    return exp.select(*(exp.column(name) for name in wanted)).from_(query.subquery("levels", copy=False), copy=False)


def _read_above(columns: Columns, needed: set[str], wanted: tuple[str, ...], level: int) -> set[str]:
    """What is read above a level, or wanted at the end."""
    return {*wanted, *(one for name in needed if columns.levels.get(name, 0) > level for one in columns.reads[name])}


def _order(needed: set[str], levels: Mapping[str, int], level: int) -> list[str]:
    return sorted(name for name in needed if levels.get(name, 0) == level)
