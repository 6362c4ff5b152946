"""What staged rows are to the book: new, changed, unchanged, or in conflict with it or with each other.

DuckDB joins the staged rows with the newest versions of the rows they could be, within its memory limit; what is accepted is
streamed to a data file. Rows that say when they were known come first, then those that happened at a time of their own, then
undated statements about the state of a thing, so that each sees what the former have added.

A statement is compared by the columns that it states: with what was last stated of them at its instant or, where it has no date of its
own, by then. Statements about the same instant that state different columns stand beside each other; in a column that both state they
have to agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
from pyarrow.compute import SetLookupOptions

from unspun.book.entities import TABLES, Kind
from unspun.book.mapping.definition import SourceMapping
from unspun.book.text import call
from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.delta import parquet_file
from unspun.warehouse.load_rejected import MENDS_COLUMNS, REFUSALS, mended_rows, rejected_rows
from unspun.warehouse.read_sql import LATER, SQL_TYPES, identity, instant_sql, stored_sql
from unspun.warehouse.statements import STATED_NAME, latest_sql, merged_columns, stated_columns, states_sql
from unspun.warehouse.versions import DataFile, TableVersion, stored_columns

if TYPE_CHECKING:
    import duckdb

Phase = Literal["given", "dated", "undated"]
PHASES: dict[Phase, str] = {
    "given": "known_at IS NOT NULL",
    "dated": "known_at IS NULL AND NOT _undated",
    "undated": "known_at IS NULL AND _undated",
}
ACCEPTED = ("new", "changed", "stated")  # stated: another statement about a thing, from an undated row
SAME = ("unchanged", "repeated")
BATCH_ROWS = 1 << 18


@dataclass(frozen=True, slots=True)
class Candidate:
    """A staged source whose rows may be in the book already. `columns` are its data columns; `path` its staged rows."""

    path: Path
    mapping: SourceMapping
    source_file: int
    columns: tuple[tuple[str, Kind], ...]
    has_mends: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """When rows count as received (`counts_from`; the caller may date it back) and when they were (`received_at`), in UTC."""

    counts_from: datetime
    received_at: datetime


@dataclass(slots=True)
class Verdict:
    """What became of one candidate's rows: rows by fate, the refused rows, and what its mended rows take the place of."""

    fates: Counter[str] = field(default_factory=Counter[str])
    refused: list[pa.Table] = field(default_factory=list[pa.Table])
    mended: list[pa.Table] = field(default_factory=list[pa.Table])

    @property
    def changed(self) -> int:
        return self.fates["changed"] + self.fates["stated"]

    @property
    def unchanged(self) -> int:
        return sum(self.fates[fate] for fate in SAME)

    @property
    def rejected(self) -> dict[tuple[str, str], int]:
        return {(code, refusal.reason): self.fates[code] for code, refusal in REFUSALS.items() if self.fates[code]}


def classify(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableVersion,
    candidates: Sequence[Candidate],
    receipt: Receipt,
    load: int,
    place: Path,
) -> tuple[tuple[Verdict, ...], tuple[DataFile, ...]]:
    """Judge the rows of one table's candidates; write the accepted ones to data files in `place`.

    `table` is the table as it is in the book, with all the columns it will have. Returns a verdict for each candidate and the files.
    """
    run = _Run(connection, folder, table, candidates, receipt, load)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW incoming AS {run.incoming_sql()}")
    files: list[DataFile] = []
    for phase in run.phases():
        run.find_repeats(phase)
        path = place / f"{table.name}-{phase}.parquet"
        file = _written(folder, path, table, load, run.judged(phase))
        if file is not None:
            files.append(file)
            run.add(file)
    return tuple(run.verdicts), tuple(files)


def _written(folder: Path, path: Path, table: TableVersion, load: int, rows: Iterator[pa.Table]) -> DataFile | None:
    first = next(rows, None)
    if first is None:
        return None
    with parquet_file(path, stored_columns(table.name, table.columns)) as file:
        for batch in chain([first], rows):
            file.write(batch)
    return DataFile(table.name, path.relative_to(folder).as_posix(), file.sha256, file.size_bytes, file.rows, (load,))


class _Run:
    """The classification of one table's candidates: its SQL, and what has been found so far."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        table: TableVersion,
        candidates: Sequence[Candidate],
        receipt: Receipt,
        load: int,
    ) -> None:
        self._connection, self._folder, self._table = connection, folder, table
        self._candidates, self._receipt, self._load = candidates, receipt, load
        self._entity = TABLES[candidates[0].mapping.table]
        self._state = self._entity.state
        self._lead = {name for name, _ in self._entity.row_columns}
        self._id = identity(table)
        self._place = tuple(name for name in self._id if name != STATED_NAME)  # what rows have in common that may contradict each other
        self._repeats = False
        self.verdicts = [Verdict() for _ in candidates]

    def add(self, file: DataFile) -> None:
        """Rows accepted by a phase: the next one sees them. They may be further versions of rows in the book."""
        self._table = replace(self._table, files=(*self._table.files, file), several_versions=True)

    # What comes in

    def incoming_sql(self) -> str:
        """All candidates' rows with all columns of the table, and where each comes from."""
        return " UNION ALL ".join(self._candidate_sql(place, candidate) for place, candidate in enumerate(self._candidates))

    def _candidate_sql(self, place: int, candidate: Candidate) -> str:
        there = {name for name, _ in candidate.columns}
        data = [_column(name, kind, name in there) for name, kind in self._table.columns if name not in self._lead]
        mends = [_column(name, kind, candidate.has_mends) for name, kind in MENDS_COLUMNS]
        happened = f"coalesce(happened_at, known_at, {self._counts_from})" if self._state else "happened_at"
        undated = "happened_at IS NULL" if self._state else "false"
        lead_sql = (
            f"{place} AS _source, file_row_number AS _row, {undated} AS _undated, {sql_text(candidate.mapping.known)} AS _rule, "
            f"{happened} AS happened_at, known_at, happened_zone, {self._load}::BIGINT AS load, "
            f"{candidate.source_file}::BIGINT AS source_file, source_row"
        )
        stated = [f"{sql_text(stated_columns(self._table, there))} AS {STATED_NAME}"] if self._state else []
        path = sql_text(str(candidate.path.absolute()))
        return f"SELECT {', '.join([lead_sql, *stated, *data, *mends])} FROM read_parquet({path}, file_row_number = true)"

    @property
    def _counts_from(self) -> str:
        return instant_sql(self._receipt.counts_from)

    def phases(self) -> tuple[Phase, ...]:
        """The phases that have rows."""
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in PHASES.values())
        found = self._connection.execute(f"SELECT {counts} FROM incoming").fetchall()[0]
        return tuple(phase for phase, count in zip(PHASES, found, strict=True) if count)

    def _rows_sql(self, phase: Phase) -> str:
        return f"SELECT * FROM incoming WHERE {PHASES[phase]}"

    # Rows of this load that are versions of one another

    def find_repeats(self, phase: Phase) -> None:
        """Make `twice`: of the rows that may contradict each other in this phase, what each is to the others."""
        ids = _names(self._place)
        timely = f"SELECT * FROM ({self._rows_sql(phase)}) WHERE known_at IS NULL OR known_at <= {instant_sql(self._receipt.received_at)}"
        execute = self._connection.execute
        execute(f"CREATE OR REPLACE TEMP TABLE many AS SELECT {ids} FROM ({timely}) GROUP BY {ids} HAVING count(*) > 1")
        self._repeats = execute("SELECT count(*) > 0 FROM many").fetchall()[0][0]
        if not self._repeats:
            return
        execute(f"CREATE OR REPLACE TEMP TABLE twice AS {self._twice_sql(timely)}")

    def _twice_sql(self, timely: str) -> str:
        version = (*self._place, "known_at")
        said = ", ".join(f"{self._differ_sql(name)} AS {sql_name(name)}" for name in self._values) or "false AS nothing"
        clash = " OR ".join(f"({self._states('many_rows', name)} AND clashes.{sql_name(name)})" for name in self._values) or "false"
        ids, same = _names(self._id), _names((*self._id, "known_at"))
        return (
            f"WITH many_rows AS MATERIALIZED (SELECT r.* FROM ({timely}) r SEMI JOIN many ON {_match('r', 'many', self._place)}), "
            f"clashes AS (SELECT {_names(version)}, {said} FROM many_rows GROUP BY {_names(version)}), "
            f"judged AS (SELECT many_rows.*, {clash} AS _clash FROM many_rows JOIN clashes ON {_match('many_rows', 'clashes', version)}) "
            f"SELECT _source, _row, CASE WHEN _clash THEN 'conflict' "
            f"WHEN row_number() OVER (PARTITION BY {same} ORDER BY _source, _row) > 1 THEN 'repeated' "
            f"WHEN known_at > min(known_at) FILTER (NOT _clash) OVER (PARTITION BY {ids}) THEN 'later' ELSE 'first' END AS place "
            "FROM judged"
        )

    def _differ_sql(self, column: str) -> str:
        """Whether the rows of a group that state a column state different values of it."""
        name, states = sql_name(column), self._states("many_rows", column)
        empty = f"bool_or({name} IS NULL) FILTER ({states}) AND count({name}) FILTER ({states}) > 0"
        return f"coalesce(min({name}) FILTER ({states}) <> max({name}) FILTER ({states}) OR ({empty}), false)"

    @property
    def _values(self) -> tuple[str, ...]:
        """The columns whose values make a row equal to another: the data columns and, but for statements, when it happened."""
        if self._state:
            return merged_columns(self._table)
        return ("happened_at", *(name for name, _ in self._table.columns if name not in self._lead and name not in self._id))

    def _states(self, row: str, column: str) -> str:
        """An SQL condition: whether a row says anything of a column. Only of statements there are those that do not."""
        return states_sql(column, row) if self._state else "true"

    # What is in the book

    def _prior_sql(self, phase: Phase) -> str | None:
        """What the book says of the phase's rows, one row for each that it is compared with; None where it says nothing."""
        if not self._table.files:
            return None
        if self._state:
            return latest_sql(self._wanted_sql(phase), self._groups(phase), self._values)
        if phase == "given" or not self._table.several_versions:
            return self._stored_sql()
        window = f"PARTITION BY {_names(self._id)} ORDER BY {', '.join(f'{name} DESC' for name in LATER)}"
        return f"SELECT * FROM ({self._wanted_sql(phase)}) QUALIFY row_number() OVER ({window}) = 1"

    def _groups(self, phase: Phase) -> tuple[str, ...]:
        """The columns in which a row agrees with what the book says of it."""
        return {"given": (*self._place, "known_at"), "dated": self._place, "undated": self._table.key}[phase]

    def _stored_sql(self) -> str:
        """The row versions of the book, of tables without a key those of the candidates' files."""
        stored = stored_sql(self._folder, self._table)
        if self._table.key:
            return stored
        numbers = ", ".join(str(candidate.source_file) for candidate in self._candidates)
        return f"SELECT * FROM ({stored}) WHERE source_file IN ({numbers})"

    def _wanted_sql(self, phase: Phase) -> str:
        """The row versions of the book that say something of the phase's rows."""
        by_then = f" WHERE happened_at <= {self._counts_from}" if phase == "undated" else ""
        match = _match("stored", "wanted", self._groups(phase))
        return f"SELECT stored.* FROM (FROM ({self._stored_sql()}){by_then}) stored SEMI JOIN ({self._rows_sql(phase)}) wanted ON {match}"

    # The verdict

    def judged(self, phase: Phase) -> Iterator[pa.Table]:
        """The accepted rows of a phase, in batches; what became of all of them is added to `verdicts`."""
        reader = self._connection.sql(self._judged_sql(phase)).to_arrow_reader(BATCH_ROWS)
        columns = [name for name, _ in self._table.columns]
        for batch in reader:
            rows = pa.Table.from_batches([batch])
            self._count(rows)
            accepted = rows.filter(call("is_in", rows.column("_fate"), options=SetLookupOptions(pa.array(ACCEPTED))))
            if accepted.num_rows:
                yield accepted.select(columns)

    def _judged_sql(self, phase: Phase) -> str:
        prior = self._prior_sql(phase)
        columns = ", ".join(f"i.{sql_name(name)}" for name, _ in self._table.columns if name != "known_at")
        known = {"given": "i.known_at", "dated": self._known_sql(prior is not None), "undated": self._stated_known_sql(prior is not None)}
        mends = ", ".join(f"i.{name}" for name, _ in MENDS_COLUMNS)
        return (
            f"SELECT i._source, {self._fate_sql(phase, prior is not None)} AS _fate, {known[phase]} AS known_at, {columns}, {mends} "
            f"FROM ({self._rows_sql(phase)}) i{self._joins_sql(phase, prior)}"
        )

    def _joins_sql(self, phase: Phase, prior: str | None) -> str:
        joins = " LEFT JOIN twice t ON t._source = i._source AND t._row = i._row" if self._repeats else ""
        if prior is None:
            return joins
        joins += f" LEFT JOIN (SELECT *, true AS there FROM ({prior})) p ON {_match('i', 'p', self._groups(phase))}"
        if phase == "given":
            stated = f", string_agg(DISTINCT {STATED_NAME}, ',') AS {STATED_NAME}" if self._state else ""
            others = f"SELECT {_names(self._place)}, true AS there{stated} FROM ({self._stored_sql()}) GROUP BY {_names(self._place)}"
            joins += f" LEFT JOIN ({others}) q ON {_match('i', 'q', self._place)}"
        return joins

    def _fate_sql(self, phase: Phase, prior: bool) -> str:
        cases: list[str] = []
        refused = "two_values" if phase == "given" else "conflict"
        if phase == "given":
            cases.append(f"WHEN i.known_at > {instant_sql(self._receipt.received_at)} THEN 'known_in_future'")
        if self._repeats:
            cases.append(f"WHEN t.place = 'conflict' THEN {sql_text(refused)} WHEN t.place = 'repeated' THEN 'repeated'")
        if prior:
            cases.append(f"WHEN p.there AND {self._agrees_sql()} THEN 'unchanged'")
            there = {
                "given": f"WHEN p.there AND {self._differs_sql()} THEN 'two_values' WHEN q.there AND {self._said_sql()} THEN 'changed'",
                "dated": f"WHEN p.there AND {self._differs_sql()} THEN 'changed'",
                "undated": "WHEN p.there AND p.happened_at = i.happened_at THEN 'changed' WHEN p.there THEN 'stated'",
            }
            cases.append(there[phase])
        if self._repeats:
            cases.append("WHEN t.place = 'later' THEN 'changed'")
        return f"CASE {' '.join(cases)} ELSE 'new' END" if cases else "'new'"

    def _agrees_sql(self) -> str:
        """Whether the book says all that the row says."""
        if not self._state:
            return _match("i", "p", self._values)
        parts = (f"(NOT {states_sql(name, 'i')} OR ({states_sql(name, 'p')} AND {_match('i', 'p', [name])}))" for name in self._values)
        return " AND ".join(parts) or "true"

    def _differs_sql(self) -> str:
        """Of a row that says something that the book does not say: whether the book says otherwise."""
        if not self._state:
            return "true"
        both = (f"({states_sql(name, 'i')} AND {states_sql(name, 'p')} AND NOT {_match('i', 'p', [name])})" for name in self._values)
        return f"({' OR '.join(both) or 'false'})"

    def _said_sql(self) -> str:
        """Whether the book says anything, known at another time, of what the row says."""
        if not self._state:
            return "true"
        both = (f"({states_sql(name, 'i')} AND {states_sql(name, 'q')})" for name in self._values)
        return f"({' OR '.join(both) or 'false'})"

    def _known_sql(self, prior: bool) -> str:
        """A history is known as it happens (what is still to come, since its receipt); a change is known after what it changes."""
        receipt = self._counts_from
        first = f"CASE WHEN i._rule = 'happened' THEN least(coalesce(i.happened_at, {receipt}), {receipt}) ELSE {receipt} END"
        return f"CASE WHEN p.there AND {self._differs_sql()} THEN {self._after('p')} ELSE {first} END" if prior else first

    def _stated_known_sql(self, prior: bool) -> str:
        receipt = self._counts_from
        return f"CASE WHEN p.there AND p.happened_at = i.happened_at THEN {self._after('p')} ELSE {receipt} END" if prior else receipt

    def _after(self, former: str) -> str:
        return f"greatest({self._counts_from}, {former}.known_at + INTERVAL 1 MICROSECOND)"

    def _count(self, rows: pa.Table) -> None:
        for found in rows.group_by(["_source", "_fate"]).aggregate([([], "count_all")]).to_pylist():
            verdict, fate = self.verdicts[found["_source"]], found["_fate"]
            verdict.fates[fate] += found["count_all"]
            if fate in REFUSALS:
                self._refuse(rows, found["_source"], fate)
            elif self._candidates[found["_source"]].has_mends:
                verdict.mended.append(mended_rows(_of(rows, found["_source"], fate)))

    def _refuse(self, rows: pa.Table, source: int, code: str) -> None:
        refused = _of(rows, source, code).to_pylist()
        self.verdicts[source].refused.append(rejected_rows(refused, REFUSALS[code], self._candidates[source].mapping))


def _of(rows: pa.Table, source: int, fate: str) -> pa.Table:
    return rows.filter(call("and", call("equal", rows.column("_source"), source), call("equal", rows.column("_fate"), fate)))


def _column(name: str, kind: Kind, there: bool) -> str:
    return sql_name(name) if there else f"NULL::{SQL_TYPES[kind]} AS {sql_name(name)}"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(sql_name, columns))


def _match(left: str, right: str, columns: Sequence[str]) -> str:
    """Equal in all columns; empty is equal to empty."""
    return " AND ".join(f"{left}.{sql_name(name)} IS NOT DISTINCT FROM {right}.{sql_name(name)}" for name in columns) or "true"
