"""The SQL of plans and of the book's views in the words of Spark: what Spark says otherwise than the portable tree.

Spark has no rows as values (it has structs), lays only one list of values below the other in a query, takes doubles over into decimals by
their shortest text, and wants several values for LEAST and GREATEST. Parameters are named: `:p1`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark

from unspun.metrics.lower.local_day import number

SCHEMA = dict[str, str]
"""Columns and their types, as Spark names these."""
HIGH = 1 << 40
"""A double is cut into so many and the rest, both of which fit 64 bits: its digits are then taken over exactly."""
BESIDE = "beside"
"""Values that lay side by side, one below the other."""


def spark_sql(query: exp.Query) -> str:
    """A query of a plan as Spark reads it."""
    return PanelSpark().generate(query)


def view_sql(duckdb_sql: str, parquet: Callable[[SCHEMA, Sequence[str]], str]) -> str:
    """A view of the book, which is DuckDB's SQL over Parquet files, as Spark reads it. `parquet` makes known files of a schema (columns
    that a file lacks are NULL), and gives the name of the table that they are then."""
    tree = sqlglot.parse_one(duckdb_sql, dialect="duckdb")
    return PanelSpark().generate(tree.transform(lambda node: _replaced(_read(node, parquet)), copy=False))


def quoted(name: str) -> str:
    """A name as Spark's SQL takes it, whatever is in it."""
    return f"`{name.replace('`', '``')}`"


def _read(node: exp.Expr, parquet: Callable[[SCHEMA, Sequence[str]], str]) -> exp.Expr:
    """Files that are matched by name with typed columns: a table of that schema."""
    if not isinstance(node, exp.Union) or not node.args.get("by_name"):
        return node
    typed, files = node.this, node.expression.find(exp.ReadParquet)
    schema = {column.alias: column.this.to.sql(dialect=PanelSpark) for column in typed.expressions}
    return exp.select("*").from_(parquet(schema, [path.name for path in files.expressions[0].expressions]))


def _replaced(node: exp.Expr) -> exp.Expr:
    """All columns with some of them replaced: all others, and these."""
    if not isinstance(node, exp.Select):
        return node
    stars = [(column, star) for column in node.expressions if (star := column.find(exp.Star)) is not None and star.args.get("replace")]
    for column, star in stars:
        made = star.args["replace"]
        star.set("replace", None)
        star.set("except_", [exp.to_identifier(one.alias, quoted=True) for one in made])
        place = node.expressions.index(column)
        node.set("expressions", [*node.expressions[: place + 1], *made, *node.expressions[place + 1 :]])
    return node


def _billionths(value: str, wide: str) -> str:
    """A double to nine decimals: rounded in doubles, halves away from zero, as the plan's meaning is; then taken over digit by digit."""
    scaled = f"ROUND({value} * 1E9D, 0)"
    high = f"CAST({scaled} / {HIGH}D AS BIGINT)"
    low = f"CAST({scaled} - CAST({high} AS DOUBLE) * {HIGH}D AS BIGINT)"
    digits = f"CAST({high} AS DECIMAL(19, 0)) * CAST(1099.511627776 AS DECIMAL(13, 9))"
    return f"CAST({digits} + CAST({low} AS DECIMAL(19, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)) AS {wide})"


class PanelSpark(Spark):
    """Spark's dialect, with what the trees of plans need besides."""

    class Generator(Spark.Generator):
        EXPRESSIONS_WITHOUT_NESTED_CTES: ClassVar = set[type[exp.Expr]]()  # Spark reads them where they are; names may repeat
        TRANSFORMS: ClassVar = {**Spark.Generator.TRANSFORMS, exp.Parameter: lambda self, node: f":p{self.sql(node, 'this')}"}

        def anonymous_sql(self, expression: exp.Anonymous) -> str:
            if expression.name.upper() == "ROW":
                return self.func("STRUCT", *expression.expressions)
            return super().anonymous_sql(expression)

        def greatest_sql(self, expression: exp.Greatest) -> str:
            return self._extreme("GREATEST", expression)

        def least_sql(self, expression: exp.Least) -> str:
            return self._extreme("LEAST", expression)

        def _extreme(self, name: str, node: exp.Greatest | exp.Least) -> str:
            return self.func(name, node.this, *node.expressions) if node.expressions else self.sql(node, "this")

        def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
            plain = super().cast_sql(expression, safe_prefix)
            if not _is_billionths(expression):
                return plain
            value, wide = self.sql(expression, "this"), self.sql(expression, "to")
            # which kind of number it is Spark knows when it reads the query, and keeps one branch
            return f"CASE WHEN TYPEOF({value}) = 'double' THEN {_billionths(f'CAST({value} AS DOUBLE)', wide)} ELSE {plain} END"

        def select_sql(self, expression: exp.Select) -> str:
            return super().select_sql(_stacked(expression))


def _is_billionths(node: exp.Cast) -> bool:
    to = node.to
    return to.this == exp.DType.DECIMAL and len(to.expressions) == 2 and to.expressions[1].name == "9"


def _stacked(select: exp.Select) -> exp.Select:
    """A query that lays several lists of values one below the other, by the one function of Spark that does so."""
    if not _lists(select):
        return select
    select = select.copy()
    lists = _lists(select)
    columns = [node.expressions[0].expressions for node in lists]
    rows = [value.copy() for values in zip(*columns, strict=True) for value in values]
    names = [f"{BESIDE}_{i}" for i in range(len(lists))]
    for node, name in zip(lists, names, strict=True):
        node.replace(exp.column(name, table=BESIDE))
    stack = exp.Anonymous(this="STACK", expressions=[number(len(columns[0])), *rows])
    alias = exp.TableAlias(this=exp.to_identifier(BESIDE), columns=[exp.to_identifier(name) for name in names])
    return select.lateral(exp.Lateral(this=stack, view=True, alias=alias), copy=False)


def _lists(select: exp.Select) -> list[exp.Anonymous]:
    return [node for column in select.expressions for node in column.find_all(exp.Anonymous) if node.name.upper() == "UNNEST"]
