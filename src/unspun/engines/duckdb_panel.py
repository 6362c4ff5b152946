"""Panels on DuckDB: in the same process, on the views of a book that is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from unspun.book.sql_words import sql_name
from unspun.engines.embedded import ENGINE, engine_version
from unspun.metrics.lower.plan import PanelPlan

DIALECT = "duckdb"


class PanelReader(Protocol):
    """A DuckDB with the tables of a book."""

    def query(self, sql: str, parameters: Sequence[object] = (), /) -> pa.Table: ...

    def register(self, name: str, rows: pa.Table, /) -> None: ...


@dataclass(frozen=True, slots=True)
class DuckDBPanel:
    """The database that a book is open in. What it makes spills where memory is short."""

    reader: PanelReader
    kind: str = ENGINE
    version: str = engine_version()
    wide_integers: bool = True

    texts: dict[int, tuple[exp.Query, str]] = field(default_factory=dict[int, "tuple[exp.Query, str]"])

    def sql(self, query: exp.Query) -> str:
        if id(query) not in self.texts:  # a long query takes as long to write as to run: each is written once
            self.texts[id(query)] = query, query.sql(dialect=DIALECT)
        return self.texts[id(query)][1]

    def hold(self, plan: PanelPlan) -> None:
        """The tables are there: as views of the files."""

    def take(self, name: str, rows: pa.Table) -> None:
        self.reader.register(f"{name}_given", rows)
        # as a table of the database it has statistics: joins to it look a day up by its place instead of hashing it
        self.reader.query(f"CREATE TEMP TABLE {sql_name(name)} AS SELECT * FROM {sql_name(f'{name}_given')}")

    def lend(self, name: str, rows: pa.Table) -> None:
        self.reader.register(name, rows)

    def add(self, name: str, query: exp.Query) -> None:
        self.reader.query(f"INSERT INTO {sql_name(name)} {self.sql(query)}")

    def make(self, name: str, query: exp.Query) -> None:
        self.reader.query(f"CREATE TEMP TABLE {sql_name(name)} AS {self.sql(query)}")

    def drop(self, name: str) -> None:
        self.reader.query(f"DROP TABLE IF EXISTS {sql_name(name)}")

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table:
        return self.reader.query(self.sql(query), list(bounds))
