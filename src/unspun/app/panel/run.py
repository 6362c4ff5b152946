"""The operation "compute a panel": metrics as of dates, for every account, written to a file and recorded in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any, BinaryIO

import pyarrow as pa

from unspun._version import __version__
from unspun.app.checks import recorded_check
from unspun.app.opening import Elsewhere, WholeBook, whole_book
from unspun.app.panel.basis import PanelBasis, arr_input, basis_of, outages_of, panel_question, received_days
from unspun.app.panel.engines import answering_engine
from unspun.app.panel.files import Counted, Format, HashedFile, HashedRows, panel_schema, shaped, write_panel
from unspun.app.panel.request import (
    LIFE_TABLES,
    MetricsDefinition,
    PanelRequest,
    asked_metrics,
    check_request,
    metrics_needed,
    needs_arr,
    nodes_of,
    tables_read,
    workspace_metrics,
)
from unspun.app.panel.sums import naming_large_numbers
from unspun.app.publication import FigureSet, canonical_json, computed_on, publish
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PanelDatabase, SheetDatabase, plan_sql, run_panel
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import written_anchor
from unspun.metrics.asof_sets import as_of_days
from unspun.metrics.kinds import check_against
from unspun.metrics.lower.packed import unpacked
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.lower.plan import PanelPlan
from unspun.metrics.lower.served import rows_read_for
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.question import PanelQuestion
from unspun.metrics.write_yaml import as_yaml, file_as_yaml
from unspun.progress import Progress
from unspun.warehouse.panel_state import StateUse, kept_tables
from unspun.warehouse.read import BookReader, open_book

KIND = "panel"
ROWS = "panel-rows"
"""The figure that tells of a panel as a whole: a name that no metric can have."""
MADE_IN_PYTHON = "metrics made in Python"
"""The name of a definition that no file holds."""


@dataclass(frozen=True, slots=True)
class PanelRun:
    """A panel that was computed: how many rows, and by metric how many values and of which reasons there are none.

    `sha256` and `size_bytes` are of the file (or of the file that would have been written). `source_rows` were read for it,
    but for those of `state` that were kept.
    """

    question: PanelQuestion
    figures: FigureSet
    entry: int
    anchor: str
    rows: int
    values: Mapping[str, int]
    missing: Mapping[str, Mapping[str, int]]
    sha256: str
    size_bytes: int
    source_rows: int
    state: StateUse
    seconds: float


@dataclass(frozen=True, slots=True)
class PreparedPanel:
    """A question put to an open book: what it is asked, on what basis, how it is lowered, and the database that computes it."""

    definition: MetricsDefinition
    basis: PanelBasis
    question: PanelQuestion
    plan: PanelPlan
    queries: Mapping[str, str]
    reader: BookReader
    database: PanelDatabase

    def schema(self) -> pa.Schema:
        """The columns of the panel, each with where it comes from."""
        return panel_schema(self.question, self._by_column(), self._whole())

    def _whole(self) -> dict[str, str]:
        book = self.reader.version
        return {
            "unspun.what": "panel",
            "unspun.definition": self.definition.name,
            "unspun.definition_sha256": self.definition.sha256,
            "unspun.book_version": str(book.version),
            "unspun.book_digest": book.digest,
            "unspun.as_of": self.question.as_of.told,
            "unspun.time_zone": self.question.time_zone,
            "unspun.engine": f"{self.database.kind} {self.database.version}",
            "unspun.package_version": __version__,
            "unspun.queries": canonical_json(dict(self.queries)),
        }

    def _by_column(self) -> dict[str, dict[str, str]]:
        shared = {name: text for name, text in self._whole().items() if name not in ("unspun.what", "unspun.queries")}
        shared["unspun.queries_sha256"] = queries_sha256(self.queries)
        found = {}
        for id in self.question.asked:
            metric = self.question.metrics.metric(id)
            told = {f"unspun.{name}": getattr(metric, name) for name in ("name", "description", "unit", "direction", "reference", "owner")}
            found[id] = {**shared, "unspun.metric": as_yaml(metric), **{name: text for name, text in told.items() if text}}
        return found


def queries_sha256(queries: Mapping[str, str]) -> str:
    """The SHA-256 of the SQL that computes a panel, as its columns and the ledger state it."""
    import hashlib

    return hashlib.sha256(canonical_json(dict(queries)).encode()).hexdigest()


def compute_panel(
    workspace: Workspace,
    request: PanelRequest,
    at: datetime,
    file: BinaryIO | None = None,
    format: Format = "parquet",
    definition: MetricsDefinition | None = None,
    take: Callable[[pa.Table], None] = lambda _rows: None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> PanelRun:
    """Compute a panel, write it to `file` (None: nowhere) and record it. `take` is given its parts as they come.

    `definition` are metrics made in Python, in the place of metrics.yml. Raises BadInput: faults of the definition or the request,
    an empty book; OSError of the file.
    """
    began = monotonic()
    check_request(request)
    declared = definition or workspace_metrics(workspace)
    asked = asked_metrics(declared.metrics, request.metrics)
    memory = checked_memory(request.memory) if request.memory else workspace.settings.memory
    with (
        answering_engine(workspace, request.engine, memory) as engine,
        opened_book(workspace, request, at, progress, engine.place(declared.metrics, asked, at)) as (whole, reader),
    ):
        basis = basis_for(workspace, request, asked, declared, whole, reader, at)
        panel = prepare_panel(declared, basis, reader, engine.database(reader), whole.elsewhere)
        panel, state = with_state(panel, progress) if request.from_state else (panel, StateUse())
        written, counted, rows_sha256 = _written(panel, format, file, take, progress)
        book_check = book_check_of(reader, panel.question, at.date())
        figures = _figures(panel, whole, format, figures_of(panel.question, counted, written, rows_sha256), book_check)
        entry = publish(workspace, figures, at)
        source_rows = sum(held.rows for name, held in panel.question.tables.items() if name in tables_of(panel.question))
    return PanelRun(
        question=panel.question,
        figures=figures,
        entry=entry.seq,
        anchor=written_anchor(entry),
        rows=counted.rows,
        values={id: counted.values(id) for id in asked},
        missing={id: counted.missing.get(id, {}) for id in asked},
        sha256=written.sha256,
        size_bytes=written.size_bytes,
        source_rows=source_rows,
        state=state,
        seconds=monotonic() - began,
    )


def panel_table(workspace: Workspace, request: PanelRequest, at: datetime, definition: MetricsDefinition | None = None) -> pa.Table:
    """A panel as a table in memory, recorded like one that is written. Raises BadInput as `compute_panel` does."""
    parts: list[pa.Table] = []
    run = compute_panel(workspace, request, at, definition=definition, take=parts.append)
    schema = parts[0].schema if parts else panel_schema(run.question)
    entry = {**(schema.metadata or {}), b"unspun.entry": run.anchor.encode()}
    return pa.concat_tables(parts or [schema.empty_table()]).replace_schema_metadata(entry)


def python_metrics(given: MetricSet | Sequence[Metric] | Sequence[str] | str) -> tuple[MetricsDefinition | None, tuple[str, ...]]:
    """Metrics as the Python call takes them: a definition made there, or None and the ids of those of metrics.yml that are asked."""
    if isinstance(given, str):
        return None, (given,)
    if isinstance(given, MetricSet):
        return MetricsDefinition(given, file_as_yaml(given), MADE_IN_PYTHON), ()
    metrics = [one for one in given if isinstance(one, Metric)]
    if not metrics:
        return None, tuple(str(one) for one in given)
    if len(metrics) < len(given):
        hint = "Give ids of metrics.yml, or metrics."
        raise BadInput(Fault("mixed_metrics", "some of the metrics are texts and some are metrics.", "metrics", hint))
    made = MetricSet(tuple(metrics))
    return MetricsDefinition(made, file_as_yaml(made), MADE_IN_PYTHON), ()


@contextmanager
def opened_book(
    workspace: Workspace,
    request: PanelRequest,
    at: datetime,
    progress: Progress = lambda _stage, _done, _total: None,
    elsewhere: Elsewhere | None = None,
) -> Iterator[tuple[WholeBook, BookReader]]:
    """The version of the book that a request asks for, with all row versions that it holds but for what is read elsewhere.

    Raises BadInput where there is none.
    """
    with workspace.catalog() as catalog:
        version = catalog.current() if request.version is None else catalog.version(request.version)
        if version is None:
            raise BadInput(Fault("empty_book", "nothing is loaded yet.", "", "Load files: unspun load FILE..."))
        memory = checked_memory(request.memory) if request.memory else workspace.settings.memory
        with (
            whole_book(workspace, catalog, version, at, progress, elsewhere) as whole,
            open_book(catalog, whole.version, None, memory) as reader,
        ):
            yield whole, reader


def checked_memory(text: str) -> str:
    """An amount of memory as the engine takes it. Raises BadInput where it is none or too little."""
    from unspun.app.workspace_settings import LEAST_MEGABYTES, MEMORY

    found = MEMORY.fullmatch(text.strip().upper())
    if found is None or int(found[1]) * (1000 if found[2] == "GB" else 1) < LEAST_MEGABYTES:
        raise BadInput(
            Fault("memory", f"'{text}' is no amount of memory that will do.", "--memory", f"Give {LEAST_MEGABYTES}MB or more: 2GB.")
        )
    return found[0].replace(" ", "")


def prepare_panel(
    definition: MetricsDefinition, basis: PanelBasis, reader: BookReader, database: PanelDatabase, elsewhere: Elsewhere | None = None
) -> PreparedPanel:
    """The question that a basis puts to an open book, lowered, for a database to compute. Raises BadInput where the metrics do not fit
    the book."""
    question = panel_question(basis, definition.metrics, reader, elsewhere or Elsewhere())
    if faults := check_against(metrics_needed(definition.metrics, basis.asked), question.tables, definition.places):
        raise BadInput(faults)
    plan = lowered(question, database)
    return PreparedPanel(definition, basis, question, plan, plan_sql(database, plan), reader, database)


def with_state(panel: PreparedPanel, progress: Progress) -> tuple[PreparedPanel, StateUse]:
    """The panel computed of what is kept of data files, where its engine is the book's own: rows are read of the others only.

    What is told of the panel (its queries) stays that of the rows, of which it is the same.
    """
    if not isinstance(panel.database, DuckDBPanel):
        return panel, StateUse()
    kept, use = kept_tables(panel.reader, panel.plan.keepable, progress)
    use.single = rows_read_for(nodes_of(panel.question.metrics, panel.question.asked))
    return (replace(panel, plan=lowered(replace(panel.question, kept=kept), panel.database)) if kept else panel), use


def lowered(question: PanelQuestion, database: PanelDatabase) -> PanelPlan:
    """The plan by which a database answers a question."""
    return lower_panel(question if database.wide_integers else unpacked(question), by_place=isinstance(database, SheetDatabase))


def panel_parts(panel: PreparedPanel, schema: pa.Schema, progress: Progress) -> Iterator[pa.Table]:
    """The panel in parts, in the order of its rows."""
    if needs_arr(panel.question.metrics, panel.question.asked):
        progress("measuring ARR", 0, 0)
    inputs = {**panel.plan.inputs, **arr_input(panel.question, panel.basis, panel.reader)}
    with naming_large_numbers(panel.question, panel.reader):
        for batch in run_panel(panel.database, replace(panel.plan, inputs=inputs), progress):
            yield shaped(batch, schema)


def _written(
    panel: PreparedPanel, format: Format, file: BinaryIO | None, take: Callable[[pa.Table], None], progress: Progress
) -> tuple[HashedFile, Counted, str]:
    """Compute and write the panel; what was written, what is in it, and the hash of its rows."""
    schema, hashed, counted = panel.schema(), HashedFile(file), Counted(panel.question.asked)
    rows = HashedRows(schema)

    def counting() -> Iterator[pa.Table]:
        began = None
        for part in panel_parts(panel, schema, progress):
            began = began or monotonic()
            counted.take(part)
            rows.take(part)
            take(part)
            rate = counted.rows / max(monotonic() - began, 0.001)
            progress(f"writing the panel: {counted.rows:,} rows, {rate:,.0f} a second", 0, 0)
            yield part

    write_panel(counting(), schema, format, hashed)
    return hashed, counted, rows.sha256


def basis_for(
    workspace: Workspace,
    request: PanelRequest,
    asked: tuple[str, ...],
    definition: MetricsDefinition,
    whole: WholeBook,
    reader: BookReader,
    at: datetime,
) -> PanelBasis:
    """The basis of a request to an open book. Raises BadInput: dates that cannot be, no rows to tell dates by."""
    book, rules = workspace.definition(), workspace.retention_rules()
    basis = basis_of(request, asked, definition.metrics, reader, rules, book.time_zone, book.fiscal_year_starts, at, whole.elsewhere)
    outages = outages_of(recorded_check(reader.catalog, at.date()))
    received = received_days(reader.catalog, whole.version, whole.records, book.time_zone)
    return replace(basis, outages=outages, received=received)


def tables_of(question: PanelQuestion) -> tuple[str, ...]:
    """The tables that a panel is computed from: those that its metrics read, and those that say who is a customer."""
    return tuple(dict.fromkeys([*tables_read(question.metrics, question.asked), *LIFE_TABLES]))


def book_check_of(reader: BookReader, question: PanelQuestion, today: date) -> Mapping[str, Any] | None:
    """What the quality gate had found in the tables that a panel is computed from; None where the book was not checked."""
    checked = recorded_check(reader.catalog, today)
    days = as_of_days(question.as_of)
    return None if checked is None else checked.record(tables_of(question), date.min, days[-1])


def _figures(
    panel: PreparedPanel,
    whole: WholeBook,
    format: Format,
    figures: tuple[Mapping[str, Any], ...],
    book_check: Mapping[str, Any] | None,
) -> FigureSet:
    book, tables = panel.reader.version, tables_of(panel.question)
    return FigureSet(
        kind=KIND,
        question={**panel.basis.to_json(), "format": format},
        definition_name=panel.definition.name,
        definition_text=panel.definition.text,
        as_of=as_of_days(panel.question.as_of)[-1],
        book_version=book.version,
        book_digest=book.digest,
        engine=panel.database.kind,
        engine_version=panel.database.version,
        package_version=__version__,
        queries=panel.queries,
        figures=figures,
        book_check=book_check,
        in_place=tuple(record for record in whole.records if record["table"] in tables),
    )


def figures_of(question: PanelQuestion, counted: Counted, written: HashedFile, rows_sha256: str) -> tuple[Mapping[str, Any], ...]:
    """What is recorded of a panel: its rows, their hash and that of its file, and of each metric how many values and of each reason."""
    rows = {"count": counted.rows, "sha256": rows_sha256, "file_sha256": written.sha256}
    found: list[Mapping[str, Any]] = []
    for id in question.asked:
        label = question.metrics.metric(id).label
        found.append({"name": id, "label": f"{label}: values", "unit": "values", "value": {"count": counted.values(id)}})
        for reason, count in sorted(counted.missing.get(id, {}).items()):
            named = {"name": f"{id}/{reason}", "label": f"{label}: no value ({reason})", "unit": "rows", "value": {"count": count}}
            found.append(named)
    found.append({"name": ROWS, "label": "rows of the panel", "unit": "rows", "value": rows})
    return tuple(json.loads(canonical_json(found)))


def compute_again(panel: PreparedPanel, format: Format, progress: Progress) -> dict[str, Mapping[str, Any]]:
    """The figures of a panel by name, computed without writing it anywhere."""
    written, counted, rows_sha256 = _written(panel, format, None, lambda _rows: None, progress)
    return {one["name"]: one for one in figures_of(panel.question, counted, written, rows_sha256)}


def manifest(run: PanelRun, file_name: str) -> dict[str, Any]:
    """What a panel's file is: the question, the definition, the book, the queries, the ledger entry, and the file's hash."""
    figures = run.figures
    return {
        "what": "panel of metrics",
        "entry": run.anchor,
        "question": dict(figures.question),
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256, "text": figures.definition_text},
        **computed_on(figures, run.question.as_of.told, run.question.time_zone),
        "rows": run.rows,
        "metrics": [{"id": id, "values": run.values[id], "missing": dict(sorted(run.missing[id].items()))} for id in run.question.asked],
        "file": {"name": file_name, "format": figures.question["format"], "sha256": run.sha256, "bytes": run.size_bytes},
    }
