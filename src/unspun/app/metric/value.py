"""The operation "show a value": one metric of one account as of a date, what it is made of, and the rows behind each part of it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow.compute import call_function

from unspun._version import __version__
from unspun.app.check_rows import kind_of_type
from unspun.app.checks import recorded_check
from unspun.app.metric.rows import behind_sql, register_inputs
from unspun.app.panel.basis import PanelBasis, outage_findings, panel_question
from unspun.app.panel.files import MISSING, HashedFile
from unspun.app.panel.request import MetricsDefinition, PanelRequest, metrics_needed, workspace_metrics
from unspun.app.panel.run import PreparedPanel, Progress, basis_for, opened_book, panel_parts, prepare_panel
from unspun.app.showing import csv_rows
from unspun.app.workspace import METRICS_FILE, Workspace
from unspun.book.checks.finding import Span
from unspun.book.columns import did_you_mean
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.embedded import ENGINE, engine_version
from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import columns_of
from unspun.metrics.kinds import check_against
from unspun.metrics.lower.expanded import Part, expand
from unspun.metrics.lower.leaves import is_leaf
from unspun.metrics.lower.local_day import EPOCH
from unspun.metrics.lower.missing import bearing
from unspun.metrics.lower.windows_of import window_bounds
from unspun.metrics.measure_nodes import columns_measured, conditions_of
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import (
    MEASURES,
    Arr,
    Attribute,
    Before,
    DaysToEnd,
    Open,
    Seats,
    Series,
)
from unspun.metrics.words import in_words
from unspun.reports.check_rows import file_numbers
from unspun.warehouse.read import BookReader

SHOWN_ROWS = 5
PART = "part"
"""The first column of the rows as CSV: what they are behind, in words."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A part of a value that is read from rows: what it is in words, its value or the reason why there is none, and the rows that count.

    `head` are the first rows, `count` is how many there are, `sql` gives them all. `read` are the columns that it reads. `outages` are
    those because of which there is no value: the ids of the findings with their days.
    """

    words: str
    series: Series
    shift_days: int
    value: object
    reason: str | None
    count: int
    head: pa.Table
    sql: str
    read: tuple[str, ...] = ()
    outages: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value: of a metric, for an account, as of a date; or why there is none. `zone` is the book's, `source_names` its files'."""

    metric: Metric
    account: str
    as_of: date
    value: object
    reason: str | None
    parts: tuple[Behind, ...]
    zone: str
    book_version: int
    book_digest: str
    definition: MetricsDefinition
    source_names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class ValueRequest:
    """Which value: of a metric, an account, and a date (None: the last day of the tables that it reads), in a version of the book."""

    metric: str
    account: str
    as_of: date | None = None
    version: int | None = None


def show_value(workspace: Workspace, request: ValueRequest, at: datetime, progress: Progress) -> ShownValue:
    """The value and the rows behind it. Raises BadInput: no such metric or account, a fault of metrics.yml, nothing loaded."""
    return next(_opened(workspace, request, at, progress))[0]


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """A CSV of the rows behind a value: how many, hash and size of its bytes, and what its manifest says of it."""

    shown: ShownValue
    rows: int
    sha256: str
    size_bytes: int
    facts: Mapping[str, Any]


def write_value_rows(workspace: Workspace, request: ValueRequest, at: datetime, file: BinaryIO, progress: Progress) -> WrittenRows:
    """Write the rows behind a value as CSV, in batches: first the words of the part that they are of. Raises as `show_value` does."""
    hashed, rows, numbers = HashedFile(file), 0, set[int]()
    for shown, reader in _opened(workspace, request, at, progress):
        names = _columns(shown)
        _write_csv(pa.table({name: pa.array([], pa.string()) for name in names}), hashed, header=True)
        for part in shown.parts:
            for batch in reader.stream(part.sql):
                found = pa.Table.from_batches([batch])
                _write_csv(_aligned(found, part.words, names), hashed)
                rows, numbers = rows + found.num_rows, numbers | file_numbers(found)
                progress("writing rows", rows, 0)
        files = {str(number): shown.source_names[number] for number in sorted(numbers & shown.source_names.keys())}
        return WrittenRows(shown, rows, hashed.sha256, hashed.size_bytes, {**value_facts(shown), "rows": rows, "source_files": files})
    raise AssertionError  # the value is given once


def _columns(shown: ShownValue) -> tuple[str, ...]:
    """The columns of all parts, after that of the part itself, each once."""
    return tuple(dict.fromkeys([PART, *(name for part in shown.parts for name in part.head.column_names)]))


def _aligned(rows: pa.Table, words: str, names: tuple[str, ...]) -> pa.Table:
    """Rows as text in the columns of all parts."""
    safe = csv_rows(rows, tuple((field.name, kind_of_type(field.type)) for field in rows.schema))
    there = {name: safe[name].cast(pa.string()) for name in safe.column_names}
    none = pa.nulls(rows.num_rows, pa.string())
    return pa.table({name: pa.array([words] * rows.num_rows, pa.string()) if name == PART else there.get(name, none) for name in names})


def _write_csv(rows: pa.Table, file: HashedFile, header: bool = False) -> None:
    out = io.BytesIO()
    arrow_csv.write_csv(rows, out, arrow_csv.WriteOptions(include_header=header, quoting_style="needed", quoting_header="needed"))
    file.write(out.getvalue())


def _opened(workspace: Workspace, request: ValueRequest, at: datetime, progress: Progress) -> Iterator[tuple[ShownValue, BookReader]]:
    """The value, while the book is open."""
    declared = workspace_metrics(workspace)
    metric = declared.metrics.metric(request.metric)
    asked = PanelRequest((metric.id,), () if request.as_of is None else (request.as_of,), version=request.version)
    with opened_book(workspace, asked, at, progress) as (whole, reader):
        basis = basis_for(workspace, asked, (metric.id,), declared, whole, reader, at)
        panel, leaves = _with_leaves(declared, basis, reader)
        values = _values(panel, request.account, progress)
        register_inputs(panel, request.account)
        found = outage_findings(recorded_check(reader.catalog, at.date()))
        parts = tuple(_behind(panel, leaf, values, id, request.account, found) for id, leaf in leaves.items())
        book = whole.version
        yield (
            ShownValue(
                metric=metric,
                account=request.account,
                as_of=basis.dates[0],
                value=values[metric.id],
                reason=values[f"{metric.id}{MISSING}"],
                parts=parts,
                zone=basis.time_zone,
                book_version=book.version,
                book_digest=book.digest,
                definition=declared,
                source_names={
                    **{file.number: file.name for file in reader.catalog.source_files()},
                    **{one.source_file: one.name for one in whole.in_place},
                },
            ),
            reader,
        )


def _with_leaves(declared: MetricsDefinition, basis: PanelBasis, reader: BookReader) -> tuple[PreparedPanel, dict[str, Part]]:
    """A panel of the metric and of each leaf that it is made of, and those leaves by the ids that they have in it."""
    (id,) = basis.asked
    kept = metrics_needed(declared.metrics, (id,))
    question = panel_question(basis, kept, reader)
    if faults := check_against(kept, question.tables, declared.places):
        raise BadInput(faults)
    leaves = {f"{_free({one.id for one in kept})}{i}": part for i, part in enumerate(expand(question).parts) if is_leaf(part.series)}
    made = [Metric(name, _shifted(part)) for name, part in leaves.items()]
    metrics = MetricSet((*kept.metrics, *made), kept.sources)
    whole = replace(basis, asked=(id, *leaves))
    return prepare_panel(MetricsDefinition(metrics, declared.text), whole, reader, DuckDBPanel(reader)), leaves


def _free(taken: set[str]) -> str:
    """The beginning of ids that none of these has."""
    letters = "leaf"
    while any(one.startswith(letters) for one in taken):
        letters += "f"
    return letters


def _shifted(part: Part) -> Series:
    return Before(part.series, part.shift_days) if part.shift_days else part.series


def _values(panel: PreparedPanel, account: str, progress: Progress) -> dict[str, Any]:
    """The row of the account. Raises BadInput where the book has no such account."""
    schema = panel.schema()
    names: set[str] = set()
    found: dict[str, Any] | None = None
    for part in panel_parts(panel, schema, progress):
        own = part.filter(call_function("equal", [part["account_id"], pa.scalar(account)]))
        found = own.to_pylist()[0] if own.num_rows else found
        names |= set(part["account_id"].to_pylist()) if found is None else set()
    if found is None:
        hint = f"{did_you_mean(account, names)}See them with `unspun show accounts`."
        raise BadInput(Fault("no_account", f"the book has no account '{account}'.", "--account", hint))
    return found


def _behind(
    panel: PreparedPanel, leaf: Part, values: Mapping[str, Any], id: str, account: str, found: Sequence[tuple[str, Span, str]]
) -> Behind:
    sql = behind_sql(panel, leaf, account)
    reader, reason = panel.reader, values[f"{id}{MISSING}"]
    count = reader.query(f"SELECT count(*) AS n FROM ({sql})")["n"][0].as_py()
    head = reader.query(f"SELECT * FROM ({sql}) LIMIT {SHOWN_ROWS}")
    earlier = f", {leaf.shift_days:,} days earlier" if leaf.shift_days else ""
    words = f"{in_words(leaf.series)}{earlier}"
    day, starts = panel.basis.dates[0], panel.question.fiscal_year_starts
    outages = outages_behind(leaf.series, day, leaf.shift_days, starts, found) if reason == "outage" else ()
    return Behind(words, leaf.series, leaf.shift_days, values[id], reason, count, head, sql, columns_read(leaf.series), outages)


def columns_read(series: Series) -> tuple[str, ...]:
    """The columns that a series reads of its rows: the one that it measures, then those of its conditions."""
    match series:
        case Seats():
            return ("seats",)
        case DaysToEnd():
            return ("started", "ended")
        case Arr():
            return ("arr",)
        case Attribute(column):
            return (column,)
        case Open(where=where, column=column):
            return tuple(dict.fromkeys([*([column] if column else []), *columns_of(where)]))
        case _ if isinstance(series, MEASURES):
            conditions = conditions_of(series)
            return tuple(dict.fromkeys([*columns_measured(series), *(name for one in conditions for name in columns_of(one))]))
        case _:
            return ()


def outages_behind(
    series: Series, as_of: date, shift_days: int, fiscal_year_starts: int, found: Sequence[tuple[str, Span, str]]
) -> tuple[tuple[str, Span], ...]:
    """The outages that bear on a measure of rows and have days in its window, with the ids of their findings."""
    if not isinstance(series, MEASURES):
        return ()
    days = window_bounds(series.rows.window, as_of, shift_days, fiscal_year_starts)
    first, last = (None if day is None else EPOCH + timedelta(days=day) for day in days)
    own = [(span, id) for table, span, id in found if table == series.rows.table]
    bears = bearing([span for span, _ in own], series)
    return tuple((id, span) for span, id in own if span in bears and span.touches(first or date.min, last or as_of))


def value_facts(shown: ShownValue) -> dict[str, Any]:
    """A value and what backs it, as plain JSON."""
    return {
        "what": "a value of a metric",
        "metric": shown.metric.id,
        "account": shown.account,
        "as_of": shown.as_of.isoformat(),
        "value": shown.value,
        "reason": shown.reason,
        "time_zone": shown.zone,
        "definition": {"name": METRICS_FILE, "sha256": shown.definition.sha256},
        "book": {"version": shown.book_version, "digest": shown.book_digest},
        "engine": f"{ENGINE} {engine_version()}",
        "package_version": __version__,
        "parts": [
            {
                "words": one.words,
                "value": one.value,
                "reason": one.reason,
                **({"outages": [id for id, _ in one.outages]} if one.outages else {}),
                "rows": one.count,
                "query": one.sql,
            }
            for one in shown.parts
        ],
    }
