"""Panels on Postgres: the rows of a book in temporary tables of one session, or where they lie if that is the same database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from unspun.book.sql_words import sql_name
from unspun.engines.postgres_sql import FUNCTIONS, postgres_sql
from unspun.metrics.lower.plan import PanelPlan

KIND = "postgresql"
TYPES = {
    pa.string(): 'text COLLATE "C"', pa.int8(): "smallint", pa.int32(): "integer", pa.int64(): "bigint", pa.float64(): "double precision",
    pa.date32(): "date", pa.timestamp("us", "UTC"): "timestamptz", pa.bool_(): "boolean",
}  # fmt: skip


class TableSession(Protocol):
    """One transaction on a Postgres, in UTC. Raises UnspunError with what the server says."""

    @property
    def server_version(self) -> str: ...

    def run(self, sql: str, /) -> None: ...

    def table(self, sql: str, parameters: tuple[int, ...] = (), /) -> pa.Table: ...

    def fill(self, name: str, rows: pa.RecordBatchReader, /) -> None: ...

    @property
    def failed(self) -> bool: ...


class BookRows(Protocol):
    """Where the row versions of a book are."""

    def batches(self, table: str, columns: tuple[str, ...], /) -> pa.RecordBatchReader: ...


@dataclass(slots=True)
class PostgresPanel:
    """A session that computes panels. `placed` are row versions that lie in the same database, as queries (of each: whether with the places
    of rows, which are sorted for it); the others are copied."""

    session: TableSession
    book: BookRows
    placed: Mapping[str, Callable[[bool], str]] = field(default_factory=dict[str, "Callable[[bool], str]"])
    held: dict[str, frozenset[str]] = field(default_factory=dict[str, "frozenset[str]"])
    kind: str = KIND
    wide_integers: bool = False

    def __post_init__(self) -> None:
        for function in FUNCTIONS:
            self.session.run(function)

    @property
    def version(self) -> str:
        return self.session.server_version

    def sql(self, query: exp.Query) -> str:
        return postgres_sql(query)

    def hold(self, plan: PanelPlan) -> None:
        """Copy the columns that the plan reads of the book's tables, unless they are there."""
        for table, columns in columns_read(plan).items():
            if table in self.held and columns <= self.held[table]:
                continue
            self.held[table] = columns | self.held.get(table, frozenset())
            if table in self.placed:
                rows = self.placed[table]("source_row" in self.held[table])
                self.session.run(f"DROP VIEW IF EXISTS pg_temp.{sql_name(table)}")
                self.session.run(f"CREATE TEMP VIEW {sql_name(table)} AS {rows}")
            else:
                self.drop(table)
                self._copied(table, self.book.batches(table, tuple(sorted(self.held[table]))))

    def take(self, name: str, rows: pa.Table) -> None:
        self._copied(name, rows.to_reader())

    def _copied(self, name: str, rows: pa.RecordBatchReader) -> None:
        typed = ", ".join(f"{sql_name(column.name)} {_type(column.type)}" for column in rows.schema)
        self.session.run(f"CREATE TEMP TABLE {sql_name(name)} ({typed})")
        self.session.fill(name, rows)
        self.session.run(f"ANALYZE pg_temp.{sql_name(name)}")

    def make(self, name: str, query: exp.Query) -> None:
        self.session.run(f"CREATE TEMP TABLE {sql_name(name)} AS {self.sql(query)}")
        self.session.run(f"ANALYZE pg_temp.{sql_name(name)}")  # nobody else does it for a temporary table

    def drop(self, name: str) -> None:
        if not self.session.failed:
            self.session.run(f"DROP TABLE IF EXISTS pg_temp.{sql_name(name)}")

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table:
        return self.session.table(self.sql(query), bounds)


def columns_read(plan: PanelPlan) -> dict[str, frozenset[str]]:
    """By each table that the plan reads and does not make, the columns that may be read of it."""
    made = {*plan.inputs, *(step.name for step in plan.steps)}
    found: dict[str, frozenset[str]] = {}
    for query in (*(step.query for step in plan.steps), plan.slice):
        beside = {one.alias for one in query.find_all(exp.CTE)}
        for select in query.find_all(exp.Select):
            for table in _tables_of(select):
                if table.name not in made and table.name not in beside:
                    read = frozenset(one.name for one in _own_columns(select))
                    found[table.name] = found.get(table.name, frozenset()) | read
    return found


def _tables_of(select: exp.Select) -> Iterable[exp.Table]:
    sources = [select.args.get("from_"), *select.args.get("joins", ())]
    return [one.this for one in sources if one is not None and isinstance(one.this, exp.Table)]


def _own_columns(select: exp.Select) -> Iterable[exp.Column]:
    return (one for one in select.find_all(exp.Column) if one.find_ancestor(exp.Select) is select)


def _type(kind: pa.DataType) -> str:
    return f"numeric({kind.precision}, {kind.scale})" if isinstance(kind, pa.Decimal128Type) else TYPES[kind]
