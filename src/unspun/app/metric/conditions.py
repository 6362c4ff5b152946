"""Texts that metrics compare columns with and that no row of the book has: a misspelt event, which would count as none for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unspun.book.columns import did_you_mean
from unspun.engines.embedded import sql_name
from unspun.metrics.conditions import AllOf, AnyOf, Condition, IsIn, Not
from unspun.metrics.measure_nodes import Funnel, Measure
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import Open, Series, Share, walk
from unspun.metrics.question import HeldTable
from unspun.warehouse.read import BookReader

MOST_ALIKE = 2_000
"""Values of a column among which one that was meant is looked for."""


@dataclass(frozen=True, slots=True)
class AbsentText:
    """A text that no row of `table` has in `column`, the metrics that compare with it (where each stands), and what may be meant."""

    table: str
    column: str
    text: str
    metrics: tuple[str, ...]
    hint: str


def absent_texts(metrics: MetricSet, places: Mapping[str, str], tables: Mapping[str, HeldTable], reader: BookReader) -> list[AbsentText]:
    """Texts of conditions that no row version of the book has, in the order in which metrics.yml names them."""
    named: dict[tuple[str, str, str], dict[str, None]] = {}
    for metric in metrics:
        for table, condition in (pair for node in walk(metric.series) for pair in _conditions(node)):
            for column, text in _texts(condition):
                if table in tables and tables[table].columns.get(column) == "text":
                    named.setdefault((table, column, text), {})[places.get(metric.id, metric.id)] = None
    found: list[AbsentText] = []
    for table, column in dict.fromkeys((table, column) for table, column, _ in named):
        wanted = [text for of, name, text in named if (of, name) == (table, column)]
        absent = set(wanted) - _held(reader, table, column, wanted)
        hint_from = _some(reader, table, column) if absent else []
        for text in (one for one in wanted if one in absent):
            found.append(AbsentText(table, column, text, tuple(named[table, column, text]), did_you_mean(text, hint_from).strip()))
    return found


def _conditions(node: Series) -> Iterator[tuple[str, Condition]]:
    """The conditions of a node, each with the table whose rows it is about."""
    if isinstance(node, Measure):
        wheres = (node.rows.where, *(node.steps if isinstance(node, Funnel) else ()))
        yield from ((node.rows.table, where) for where in wheres if where is not None)
    elif isinstance(node, Open) and node.where is not None:
        yield node.table, node.where
    elif isinstance(node, Share):
        yield node.of.rows.table, node.where


def _texts(condition: Condition) -> Iterator[tuple[str, str]]:
    match condition:
        case Not(inner):
            yield from _texts(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _texts(part)
        case IsIn(column, values):
            yield from ((column, value) for value in values if isinstance(value, str))
        case _:
            return


def _held(reader: BookReader, table: str, column: str, texts: list[str]) -> set[str]:
    """Those of the texts that a row version has: what metrics read."""
    name, rows = sql_name(column), sql_name(f"{table}_versions")
    return set(reader.query(f"SELECT DISTINCT {name} AS held FROM {rows} WHERE list_contains($1, {name})", [texts])["held"].to_pylist())


def _some(reader: BookReader, table: str, column: str) -> list[str]:
    """The values of a column that most rows have."""
    name, rows = sql_name(column), sql_name(f"{table}_versions")
    sql = f"SELECT {name} AS held FROM {rows} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MOST_ALIKE}"
    return [str(one) for one in reader.query(sql)["held"].to_pylist()]
