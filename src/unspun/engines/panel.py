"""Panels on DuckDB: the steps of a plan run one after another, the panel itself slice by slice."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from unspun.book.sql_words import sql_name
from unspun.metrics.lower.plan import PanelPlan
from unspun.metrics.missing import REASON_CODES
from unspun.progress import Progress

DIALECT = "duckdb"
PANEL = "panel"
SLICE_ROWS = 1 << 18
"""Rows of the panel that are in memory at once."""
MISSING = "__missing"


class PanelReader(Protocol):
    """A database with the tables of a book."""

    def query(self, sql: str, parameters: Sequence[object] = (), /) -> pa.Table: ...

    def register(self, name: str, rows: pa.Table, /) -> None: ...


def plan_sql(plan: PanelPlan) -> dict[str, str]:
    """The SQL of each step by the name of its table, in their order; last, under PANEL, that of the panel."""
    return {**{step.name: step.query.sql(dialect=DIALECT) for step in plan.steps}, PANEL: plan.result.sql(dialect=DIALECT)}


def run_panel(reader: PanelReader, plan: PanelPlan, progress: Progress) -> Generator[pa.RecordBatch, None, None]:
    """The panel in batches, in the order of its rows; reasons are dictionaries of texts. Temporary tables spill where memory is short,
    and go when no later step reads them.

    `progress` is told each step: what it makes, its place, how many there are. Raises UnspunError as the reader's queries do.
    """
    made: list[str] = []
    try:
        for name, rows in plan.inputs.items():
            reader.register(f"{name}_given", rows)
            # as a table of the database it has statistics: joins to it look a day up by its place instead of hashing it
            reader.query(f"CREATE TEMP TABLE {sql_name(name)} AS SELECT * FROM {sql_name(f'{name}_given')}")
            made.append(name)
        yield from _run(reader, plan, progress, made)
    finally:
        for name in made:
            reader.query(f"DROP TABLE IF EXISTS {sql_name(name)}")


def _run(reader: PanelReader, plan: PanelPlan, progress: Progress, made: list[str]) -> Iterator[pa.RecordBatch]:
    last_read = _last_read(plan)
    for done, step in enumerate(plan.steps):
        progress(step.note or step.name, done, len(plan.steps) + 1)
        reader.query(f"CREATE TEMP TABLE {sql_name(step.name)} AS {step.query.sql(dialect=DIALECT)}")
        made.append(step.name)
        for name in [one for one in made if last_read.get(one, -1) <= done and one != step.name]:
            reader.query(f"DROP TABLE {sql_name(name)}")
            made.remove(name)
    progress("reading the panel", len(plan.steps), len(plan.steps) + 1)
    row_count = int(reader.query(plan.row_count.sql(dialect=DIALECT)).column(0)[0].as_py())
    sql = plan.slice.sql(dialect=DIALECT)
    for first in range(0, max(row_count, 1), SLICE_ROWS):
        rows = _in_order(reader.query(sql, [first, first + SLICE_ROWS]))
        yield from rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]


def _last_read(plan: PanelPlan) -> dict[str, int]:
    """By table: the place of the last step that reads it; those that the panel itself reads are read last of all."""
    queries = [*(step.query for step in plan.steps), plan.slice, plan.row_count]
    return {table.name: place for place, query in enumerate(queries) for table in query.find_all(exp.Table)}


def _in_order(rows: pa.Table) -> pa.Table:
    """The rows of a slice by their places, with reasons by name."""
    places = rows.column("place").to_numpy()
    ordered = rows if (places[1:] > places[:-1]).all() else rows.sort_by("place")  # they mostly come in their order
    columns = [(name, ordered.column(name)) for name in ordered.column_names if name != "place"]
    return pa.table({name: _named(column) if name.endswith(MISSING) else column for name, column in columns}).combine_chunks()


def _named(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    reasons = pa.array(REASON_CODES)
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(chunk, reasons) for chunk in codes.chunks], pa.dictionary(pa.int8(), pa.string())
    )
