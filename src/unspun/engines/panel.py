"""Panels on any engine: the steps of a plan run one after another, the panel itself slice by slice."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Protocol, runtime_checkable

import pyarrow as pa
from sqlglot import exp

from unspun.engines.sheets import SheetMaker
from unspun.metrics.lower.plan import PanelPlan, Step
from unspun.metrics.lower.sheet import SHEET, Sheet
from unspun.metrics.missing import REASON_CODES
from unspun.progress import Progress

PANEL = "panel"
SLICE_ROWS = 1 << 18
"""Rows of the panel that are in memory at once."""
MISSING = "__missing"


class PanelDatabase(Protocol):
    """A database that computes plans on the row versions of a book, `<table>_versions`. Tables that are made last as long as the session.

    Each raises UnspunError with what the database says where it cannot do as it is told: no memory, no rights, no server any more.
    """

    @property
    def kind(self) -> str:
        """What engine it is, as provenance states it."""
        ...

    @property
    def version(self) -> str:
        """The engine's version, as provenance states it."""
        ...

    @property
    def wide_integers(self) -> bool:
        """Whether it adds up integers of 128 bits. For one that does not a plan is to be lowered of an unpacked question."""
        ...

    def sql(self, query: exp.Query) -> str:
        """A query in the words of this database."""
        ...

    def hold(self, plan: PanelPlan) -> None:
        """Have all that the plan reads of the book where this database can read it."""
        ...

    def take(self, name: str, rows: pa.Table) -> None:
        """Make a table of rows in memory; they are few."""
        ...

    def make(self, name: str, query: exp.Query) -> None:
        """Make a table of the rows of a query."""
        ...

    def drop(self, name: str) -> None:
        """Delete a table that was taken or made; none of that name is no fault."""
        ...

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table:
        """The rows of a query, whole; `bounds` are its parameters, in their order."""
        ...


@runtime_checkable
class SheetDatabase(PanelDatabase, Protocol):
    """A database in the same process, which reads tables in memory as they are: plans may have sheets."""

    def lend(self, name: str, rows: pa.Table) -> None:
        """Let queries read rows in memory by a name, in place of those lent by it before."""
        ...

    def add(self, name: str, query: exp.Query) -> None:
        """Add the rows of a query to a table that was made."""
        ...


def plan_sql(database: PanelDatabase, plan: PanelPlan) -> dict[str, str]:
    """The SQL of each step by the name of its table, in their order; then how a sheet is made; last, under PANEL, that of the panel."""
    steps = {step.name: database.sql(step.query) for step in plan.steps}
    sheet = next((sheet for sheet in (*(step.sheet for step in plan.steps), plan.sheet) if sheet is not None), None)
    made = {} if sheet is None else {SHEET: "\n".join(sheet.described(database.sql))}
    return {**steps, **made, PANEL: database.sql(plan.result)}


def run_panel(database: PanelDatabase, plan: PanelPlan, progress: Progress) -> Generator[pa.RecordBatch, None, None]:
    """The panel in batches, in the order of its rows; reasons are dictionaries of texts. Tables go when no later step reads them.

    `progress` is told each step: what it makes, its place, how many there are. Raises UnspunError as the database does.
    """
    made: list[str] = []
    try:
        database.hold(plan)
        for name, rows in plan.inputs.items():
            made.append(name)
            database.take(name, rows)
        yield from _run(database, plan, progress, made)
    finally:
        for name in made:
            database.drop(name)


def _run(database: PanelDatabase, plan: PanelPlan, progress: Progress, made: list[str]) -> Iterator[pa.RecordBatch]:
    last_read = _last_read(plan)
    for done, step in enumerate(plan.steps):
        progress(step.note or step.name, done, len(plan.steps) + 1)
        made.append(step.name)
        _make(database, plan, step)
        for name in [one for one in made if last_read.get(one, -1) <= done and one != step.name]:
            database.drop(name)
            made.remove(name)
    progress("reading the panel", len(plan.steps), len(plan.steps) + 1)
    for rows in _ahead(_in_order(one, plan) for one in _slices(database, plan)):
        yield from rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]


def _ahead(parts: Generator[pa.Table, None, None]) -> Generator[pa.Table, None, None]:
    """The same parts, each made while the one before it is being used."""
    with closing(parts), ThreadPoolExecutor(1) as pool:  # the pool ends first: nothing runs when the parts are given up
        coming = pool.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, parts, None)
            yield part


def _make(database: PanelDatabase, plan: PanelPlan, step: Step) -> None:
    """Make the table of a step, of a sheet slice by slice."""
    if step.sheet is None:
        database.make(step.name, step.query)
        return
    assert isinstance(database, SheetDatabase)
    for number, _ in enumerate(_lent(database, step.sheet, _row_count(database, plan))):
        (database.add if number else database.make)(step.name, step.query)


def _slices(database: PanelDatabase, plan: PanelPlan) -> Iterator[pa.Table]:
    """The rows of the panel with their places, slice by slice."""
    row_count = _row_count(database, plan)
    if plan.sheet is None:
        for first in range(0, max(row_count, 1), SLICE_ROWS):
            yield database.rows(plan.slice, first, first + SLICE_ROWS)
        return
    assert isinstance(database, SheetDatabase)
    for _ in _lent(database, plan.sheet, row_count):
        yield database.rows(plan.slice)


def _lent(database: SheetDatabase, sheet: Sheet, row_count: int) -> Iterator[None]:
    """Lend a slice of a sheet after another to the database."""
    maker = SheetMaker(database, sheet)
    for first, after in maker.slices(row_count):
        database.lend(SHEET, rows := maker.made(first, after))
        yield
        database.lend(SHEET, rows.slice(0, 0))


def _row_count(database: PanelDatabase, plan: PanelPlan) -> int:
    return int(database.rows(plan.row_count).column(0)[0].as_py())


def _last_read(plan: PanelPlan) -> dict[str, int]:
    """By table: the place of the last step that reads it; those that the panel itself reads are read last of all."""
    sheets = [*(step.sheet for step in plan.steps), plan.sheet, None]
    queries = [*(step.query for step in plan.steps), plan.slice, plan.row_count]
    found: dict[str, int] = {}
    for place, (query, sheet) in enumerate(zip(queries, sheets, strict=True)):
        found |= dict.fromkeys((table.name for table in query.find_all(exp.Table)), place)
        found |= dict.fromkeys(() if sheet is None else sheet.tables, place)
        if sheet is not None:
            found |= {table.name: place for table in plan.row_count.find_all(exp.Table)}
    return found


def _in_order(rows: pa.Table, plan: PanelPlan) -> pa.Table:
    """The rows of a slice by their places, with all columns, and reasons by name."""
    places = rows.column("place").to_numpy()
    ordered = rows if (places[1:] > places[:-1]).all() else rows.sort_by("place")  # they mostly come in their order
    made = {name: ordered.column(name) for name in ordered.column_names if name != "place"}
    made = {name: _named(column) if name.endswith(MISSING) else column for name, column in made.items()}
    return pa.table({name: made[plan.same.get(name, name)] for name in plan.result.named_selects})


def _named(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    reasons, small = pa.array(REASON_CODES), codes.cast(pa.int8())
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(chunk, reasons) for chunk in small.chunks], pa.dictionary(pa.int8(), pa.string())
    )
