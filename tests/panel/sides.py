"""The sides of every comparison: a question put to the reference and to each engine, over the same row versions in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import duckdb
import pyarrow as pa

from tests.panel.random_books import Row, SmallBook, arrow_of
from tests.spec.harness import ENGINES
from unspun.book.entities import TABLES
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.embedded import arrow_table, connect, record_batches
from unspun.engines.panel import run_panel
from unspun.engines.reference.panel import reference_panel
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import Reference, Series, ZScore, operands
from unspun.metrics.question import PanelQuestion

ARR = pa.schema([("account_id", pa.string()), ("as_of", pa.date32()), ("arr", pa.float64()), ("reason", pa.string())])
Side = Callable[[PanelQuestion, SmallBook, pa.Schema], pa.Table]
"""Computes the panel of a question over a book, its columns as the schema types them."""
OTHER_ENGINES = tuple(name for name in sorted(ENGINES) if name not in ("reference", "duckdb"))
"""Engines besides DuckDB in which each panel takes a while."""
SLOW_ENGINES = ("spark",)
"""Engines in which a panel of a few rows takes seconds: one book shows what it can; the long script has more."""
AGREEMENT = 1e-9
"""Of z-scores, relative to what they are and to one standard deviation: sums in another order round otherwise."""


@dataclass(frozen=True, slots=True)
class MemoryReader:
    """What a panel asks of an open book, over tables in memory."""

    connection: duckdb.DuckDBPyConnection

    def query(self, sql: str, parameters: Sequence[object] = (), /) -> pa.Table:
        return arrow_table(self.connection, sql, parameters)

    def stream(self, sql: str, /) -> Iterator[pa.RecordBatch]:
        yield from record_batches(self.connection, sql)

    def register(self, name: str, rows: pa.Table, /) -> None:
        self.connection.register(name, rows)


@contextmanager
def memory_reader(tables: Mapping[str, pa.Table]) -> Iterator[MemoryReader]:
    """A database in memory that holds these tables."""
    with TemporaryDirectory() as folder, connect("1GB", Path(folder)) as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        yield MemoryReader(connection)


def views_of(book: SmallBook) -> dict[str, pa.Table]:
    """Every `<table>_versions` of the book, those that hold no row too."""
    return {f"{name}_versions": arrow_of(name, book.tables.get(name, ())) for name in TABLES}


def arr_of(book: SmallBook) -> pa.Table:
    """Some annual recurring revenue for each account and date: it is given to a panel, not computed by it."""
    named = {str(row["account_id"]) for rows in book.tables.values() for row in rows if row.get("account_id") is not None}
    accounts = sorted(named | {account for account, _ in book.dues})
    dates = sorted({*book.dates, *(date.fromordinal(due.toordinal() - horizon) for _, due in book.dues for horizon in (90, 30, 0))})
    rows: list[Row] = []
    for account in accounts:
        for day in dates:
            number = crc32(f"{account} {day}".encode())
            value, reason = ((number / 128, None), (None, "not_stated"), (0.0, None))[number % 3]
            rows.append({"account_id": account, "as_of": day, "arr": value, "reason": reason})
    return pa.Table.from_pylist(rows, ARR)


def rows_of(book: SmallBook) -> dict[str, list[Row]]:
    """The row versions as the reference takes them: the cells that DuckDB reads too."""
    return {name: arrow_of(name, rows).to_pylist() for name, rows in book.tables.items()}


def by_reference(question: PanelQuestion, book: SmallBook) -> pa.Table:
    """The panel as plain Python computes it."""
    return reference_panel(question, {**rows_of(book), "arr_as_of": arr_of(book).to_pylist()})


def by_duckdb(question: PanelQuestion, book: SmallBook, schema: pa.Schema) -> pa.Table:
    """The panel as DuckDB computes it, its columns as the schema types them."""
    with memory_reader({**views_of(book), "arr_as_of": arr_of(book)}) as reader:
        return run_duckdb(reader, question).cast(schema)


def books_of(engine: str, number: int) -> int:
    """How many books an engine is asked of, of so many."""
    return 1 if engine in SLOW_ENGINES else number


def by_engine(name: str) -> Side:
    """An engine by the name that it has among those of the specs: over the rows that the reference reads."""
    if name == "duckdb":
        return by_duckdb

    def side(question: PanelQuestion, book: SmallBook, schema: pa.Schema) -> pa.Table:
        return ENGINES[name](question, {**rows_of(book), "arr_as_of": arr_of(book).to_pylist()}).cast(schema)

    return side


SIDES: Mapping[str, Side] = {name: by_engine(name) for name in sorted(ENGINES) if name != "reference"}
"""Every engine that is compared with the reference."""


def run_duckdb(reader: MemoryReader, question: PanelQuestion) -> pa.Table:
    """The panel as the engine gives it."""
    return pa.Table.from_batches(run_panel(DuckDBPanel(reader), lower_panel(question, by_place=True), lambda _what, _done, _total: None))


def differences(question: PanelQuestion, one: pa.Table, other: pa.Table) -> list[str]:
    """What the two panels do not agree in; [] where they agree in rows, order, columns, values and reasons."""
    if one.column_names != other.column_names:
        return [f"columns {one.column_names} and {other.column_names}"]
    if one.num_rows != other.num_rows:
        return [f"{one.num_rows} rows and {other.num_rows}"]
    keys = [name for name in one.column_names if name in ("account_id", "as_of", "due", "horizon_days")]
    rough = {id for id in question.asked if _has_z_score(question.metrics, question.metrics.metric(id).series)}
    found: list[str] = []
    for mine, its in zip(one.to_pylist(), other.to_pylist(), strict=True):
        where = {name: mine[name] for name in keys}
        if where != {name: its[name] for name in keys}:
            return [f"rows {where} and { {name: its[name] for name in keys} }"]
        for name in one.column_names:
            if not _same(mine[name], its[name], rough=name in rough):
                found.append(
                    f"{name} at {where}: {mine[name]!r} and {its[name]!r} ({mine.get(f'{name}__missing')}, {its.get(f'{name}__missing')})"
                )
    return found


def _same(one: Any, other: Any, rough: bool) -> bool:
    if one is None or other is None:
        return one is other
    if rough and isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=AGREEMENT, abs_tol=AGREEMENT)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def _has_z_score(metrics: MetricSet, series: Series) -> bool:
    if isinstance(series, Reference):
        return _has_z_score(metrics, metrics.metric(series.metric).series)
    return isinstance(series, ZScore) or any(_has_z_score(metrics, part) for part in operands(series))


def select_accounts(panel: pa.Table, accounts: Sequence[str]) -> pa.Table:
    """The rows of a panel that are of these accounts."""
    wanted = set(accounts)
    return panel.filter(pa.array([account in wanted for account in panel["account_id"].to_pylist()], pa.bool_()))
