"""Small books whose contracts are written as in book.yml, and what the check finds in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from tests.unit.book.checks.views import ARROW, ENTITIES, Row
from unspun.book.checks.contracts import CHECKS
from unspun.book.checks.finding import Finding
from unspun.book.checks.run import run_checks
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.entities import Kind
from unspun.book.mapping.book_file import read_definition
from unspun.engines.embedded import arrow_table

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # a Monday


@dataclass(frozen=True, slots=True)
class Held:
    """A table of a book: the kinds of its data columns, and its rows; `row_columns` may stand in them too."""

    kinds: Mapping[str, Kind]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Broken:
    """A finding with the rows that its own SQL gives, from the views alone."""

    finding: Finding
    rows: tuple[dict[str, Any], ...]

    @property
    def numbers(self) -> list[int]:
        return [row["source_row"] for row in self.rows]

    @property
    def counts(self) -> tuple[int, int]:
        return self.finding.count, self.finding.of


def broken(contracts: str, book: Mapping[str, Held], at: datetime = AT, zone: str = "UTC") -> dict[str, Broken]:
    """What of the contracts (YAML, by table) does not hold, by `table/subject`."""
    views = connect(book)
    definition = read_definition(f"time_zone: {zone}\ncontracts: {contracts}\n")
    shape = BookShape({name: TableShape(name, len(held.rows), held.kinds) for name, held in book.items()}, definition, at)
    connection = connect(book)

    def register(name: str, rows: pa.Table) -> None:
        connection.register(name, rows)

    (outcome,) = run_checks(shape, CHECKS, lambda sql: arrow_table(connection, sql), register, lambda *_: None)
    assert outcome.hindrance == ""
    found: dict[str, Broken] = {}
    for finding in outcome.findings:
        rows = tuple(views.sql(finding.rows_sql).to_arrow_table().to_pylist())
        assert len(rows) == finding.count or finding.unit in ("tables", "rules"), (finding.id, len(rows), finding.count)
        found[finding.id.removeprefix("contract/")] = Broken(finding, rows)
    return found


def connect(book: Mapping[str, Held]) -> duckdb.DuckDBPyConnection:
    """The views of the book, as far as contracts read them: rows numbered from 2, one load and file where they say nothing else."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, entity in ENTITIES.items():
        held = book.get(name, Held({}, ()))
        kinds: dict[str, Kind] = {**dict(entity.row_columns), **{one.name: one.kind for one in entity.columns}, **held.kinds}
        schema = pa.schema([(column, ARROW[kind]) for column, kind in kinds.items()])
        numbered = [{"load": 1, "source_file": 1, "source_row": number, **row} for number, row in enumerate(held.rows, 2)]
        table = pa.Table.from_pylist([{column: row.get(column) for column in kinds} for row in numbered], schema)
        connection.register(name, table)
        connection.register(f"{name}_versions", table)
    return connection
