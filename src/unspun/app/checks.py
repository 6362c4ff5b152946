"""The operation "check the book": every check asked of one version of it, judged beside what people accepted, and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from unspun.app.acceptances import acceptance_of, acceptances, state_of
from unspun.app.drift import latest_drift
from unspun.app.opening import whole_book
from unspun.app.publication import canonical_json
from unspun.app.workspace import BOOK_FILE, Workspace
from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.catalogue import CHECKS
from unspun.book.checks.check import Check
from unspun.book.checks.finding import Finding, Severity, Span
from unspun.book.checks.remarks import check_record
from unspun.book.checks.report import CheckReport, JudgedFinding
from unspun.book.checks.run import CheckOutcome, Progress, run_checks
from unspun.book.checks.running import today
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.entities import ROW_COLUMNS, STATED, TABLES, Kind
from unspun.book.mapping.definition import BookDefinition
from unspun.book.sql_words import sql_name
from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger.chain import Entry, written_anchor
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read import BookReader, end_of_day, open_book
from unspun.warehouse.versions import BookVersion, TableVersion

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES = 5
DOCUMENT_VERSION = 1


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check: the book as known at the end of a day (None: now), at a version (None: the newest), by some checks ((): all)."""

    as_of: date | None = None
    version: int | None = None
    only: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it says how the book stands now, so that later figures may refer to it."""
        return self.as_of is None and self.version is None and not self.only


def check_book(workspace: Workspace, request: CheckRequest, at: datetime, progress: Progress) -> CheckReport:
    """Check the book and record what was found. Raises BadInput: nothing loaded, no such version, no such check."""
    definition = workspace.definition()
    checks = _chosen(request.only)
    with opened(workspace, request, definition) as (catalog, version, reader):
        instant = _instant(request, definition, at)
        shape = replace(shape_of(version, definition, instant), drift=latest_drift(catalog, version.version))
        outcomes, examples = ask_checks(reader, shape, checks, progress)
        findings = [finding for outcome in outcomes for finding in outcome.findings]
        entry, unrecorded = _recorded(catalog, version, request, shape, outcomes, at)
        known = acceptances(catalog)
        source_names = {file.number: file.name for file in catalog.source_files()}
    day = today(shape)
    return CheckReport(
        workspace_name=workspace.settings.name,
        book_version=version.version,
        digest=version.digest,
        as_of=request.as_of or day,
        at=at,
        time_zone=definition.time_zone,
        entry=None if entry is None else entry.seq,
        anchor="" if entry is None else written_anchor(entry),
        unrecorded=unrecorded,
        outcomes=outcomes,
        judged=tuple(_judged(one, acceptance_of(one, known), rows, day) for one, rows in zip(findings, examples, strict=True)),
        series=tuple(series for outcome in outcomes for series in outcome.series),
        asked=", ".join(request.only),
        rows_by_table={table.name: table.rows for table in shape.tables.values()},
        source_names=source_names,
    )


def ask_checks(
    reader: BookReader, shape: BookShape, checks: Sequence[Check], progress: Progress
) -> tuple[tuple[CheckOutcome, ...], list[pa.Table]]:
    """What comes of the checks on an open book, and the examples of each finding in their order; two questions are asked at a time."""
    with reader.beside() as beside, ThreadPoolExecutor(1) as pool:
        asked = shape, checks, reader.query, reader.register, progress, reader.by_file
        outcomes = run_checks(*asked, beside, reader.holding_sql())
        findings = [finding for outcome in outcomes for finding in outcome.findings]
        second = pool.submit(lambda: [examples_of(beside, finding) for finding in findings[1::2]])
        halves = [examples_of(reader, finding) for finding in findings[::2]], second.result()
    return outcomes, [halves[at % 2][at // 2] for at in range(len(findings))]


@contextmanager
def opened(workspace: Workspace, request: CheckRequest, definition: BookDefinition) -> Iterator[tuple[Catalog, BookVersion, BookReader]]:
    """The catalogue, the version asked for and the book open as of the day asked for."""
    before = None if request.as_of is None else end_of_day(request.as_of, definition.time_zone)
    with workspace.catalog() as catalog:
        version = catalog.current() if request.version is None else catalog.version(request.version)
        if version is None:
            raise BadInput(
                Fault("empty_book", "nothing is loaded yet, so there is nothing to check.", "", "Load files: unspun load FILE...")
            )
        with (
            whole_book(workspace, catalog, version) as whole,
            open_book(catalog, whole.version, before, workspace.settings.memory) as reader,
        ):
            yield catalog, whole.version, reader


def shape_of(version: BookVersion, definition: BookDefinition, at: datetime) -> BookShape:
    """What a version of the book holds, for the checks."""
    held = (table for table in version.tables if table.name in TABLES and table.rows)
    return BookShape({table.name: _table_shape(table) for table in held}, definition, at)


def _table_shape(table: TableVersion) -> TableShape:
    beside = {name for name, _ in ROW_COLUMNS} | {STATED[0]}
    columns: dict[str, Kind] = {name: kind for name, kind in table.columns if name not in beside}
    if "subscription_id" in columns and table.name == "events":
        columns.setdefault("account_id", "text")  # the view gives the account of the subscription
    return TableShape(table.name, table.rows, columns, table.key, table.fixed)


def _chosen(only: Sequence[str]) -> tuple[Check, ...]:
    codes = {check.code for check in CHECKS}
    unknown = [code for code in only if code not in codes]
    if unknown:
        hint = f"There are {', '.join(sorted(codes))}."
        raise BadInput([Fault("unknown_check", f"there is no check '{code}'.", "--only", hint) for code in unknown])
    return tuple(check for check in CHECKS if not only or check.code in only)


def _instant(request: CheckRequest, definition: BookDefinition, at: datetime) -> datetime:
    return at if request.as_of is None else min(at, end_of_day(request.as_of, definition.time_zone))


def examples_of(reader: BookReader, finding: Finding) -> pa.Table:
    """A few of the rows at fault."""
    instead = f"WITH {sql_name(finding.table)} AS (SELECT * FROM {sql_name(finding.rows_from)}) " if finding.rows_from else ""
    return reader.query(f"{instead}SELECT * FROM ({finding.rows_sql}) LIMIT {EXAMPLES}")


def _judged(finding: Finding, acceptance: Acceptance | None, examples: pa.Table, day: date) -> JudgedFinding:
    return JudgedFinding(finding, state_of(finding, acceptance, day), acceptance, examples, finding.count)


# What is recorded


def _recorded(
    catalog: Catalog, version: BookVersion, request: CheckRequest, shape: BookShape, outcomes: Sequence[CheckOutcome], at: datetime
) -> tuple[Entry | None, str]:
    """The ledger entry of the check, with the definition it was asked by; else why there is none: what was found is told all the same."""
    try:
        with catalog.transaction():
            catalog.record_definition(BOOK_FILE, shape.definition.text, at)
            return _record(catalog, version, request, shape, outcomes, at), ""
    except UnspunError as refusal:
        return None, " ".join(map(str, refusal.faults))


def _record(
    catalog: Catalog, version: BookVersion, request: CheckRequest, shape: BookShape, outcomes: Sequence[CheckOutcome], at: datetime
) -> Entry:
    """The ledger entry of the check: that of the one before where it found the same in the same version."""
    document = canonical_json(
        {
            "document_version": DOCUMENT_VERSION,
            "as_of": request.as_of.isoformat() if request.as_of else None,
            "only": list(request.only),
            "definition_sha256": shape.definition.sha256,
            "findings": [finding_record(finding) for outcome in outcomes for finding in outcome.findings],
            "not_run": {outcome.check.code: outcome.hindrance for outcome in outcomes if outcome.hindrance},
        }
    )
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for finding in outcome.findings:
            counts[finding.severity] = counts.get(finding.severity, 0) + 1
    body = {
        "book_digest": version.digest,
        "definition_sha256": shape.definition.sha256,
        "whole": request.is_whole,
        "as_of": request.as_of.isoformat() if request.as_of else None,
        "findings": counts,
    }
    return catalog.record_check(version.version, body, document, at)


def finding_record(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON; `finding_of` reads it back."""
    span = finding.span
    return {
        "id": finding.id,
        "check": finding.check,
        "table": finding.table,
        "subject": finding.subject,
        "severity": finding.severity,
        "count": finding.count,
        "of": finding.of,
        "unit": finding.unit,
        "message": finding.message,
        "affects": list(finding.affects),
        "mend": finding.mend,
        "rows_sql": finding.rows_sql,
        "span": None if span is None else span_record(span),
        "facts": dict(finding.facts),
    }


def span_record(span: Span) -> dict[str, Any]:
    """A span as plain JSON; `span_of` reads it back."""
    return {
        "kind": span.kind,
        "first": span.first.isoformat(),
        "last": None if span.last is None else span.last.isoformat(),
        "event": span.event,
        "measure": span.measure,
        "where": list(span.where),
        "kept_share": span.kept_share,
    }


def finding_of(record: Mapping[str, Any]) -> Finding:
    """The finding that `finding_record` wrote."""
    span = record["span"]
    return Finding(
        check=record["check"],
        table=record["table"],
        severity=record["severity"],
        count=record["count"],
        of=record["of"],
        unit=record["unit"],
        message=record["message"],
        affects=tuple(record["affects"]),
        mend=record["mend"],
        rows_sql=record["rows_sql"],
        subject=record["subject"],
        span=None if span is None else span_of(span),
        facts=dict(record["facts"]),
    )


def span_of(record: Mapping[str, Any]) -> Span:
    """The span that `span_record` wrote."""
    last = record["last"]
    where = tuple(record["where"])
    return Span(
        kind=record["kind"],
        first=date.fromisoformat(record["first"]),
        last=None if last is None else date.fromisoformat(last),
        event=record["event"],
        measure=record["measure"],
        where=(where[0], where[1]) if where else (),
        kept_share=record["kept_share"],
    )


# What later figures say of it


@dataclass(frozen=True, slots=True)
class RecordedCheck:
    """What the newest whole check of the book found: its entry in the ledger, the version it looked at, and each finding with its state."""

    entry: int
    version: int
    at: datetime
    findings: tuple[Finding, ...]
    accepted: frozenset[str]

    def on(self, tables: Iterable[str], first: date | None = None, last: date | None = None) -> tuple[Finding, ...]:
        """Findings that bear on figures computed from these tables (over these days, for those that have a span): accepted ones too.

        Notes are left out: they describe, and mislead nobody.
        """
        wanted = set(tables)
        grave: tuple[Severity, ...] = ("error", "warning")
        return tuple(
            one
            for one in self.findings
            if one.table in wanted
            and one.severity in grave
            and (one.span is None or first is None or last is None or one.span.touches(first, last))
        )

    def record(self, tables: Iterable[str], first: date | None = None, last: date | None = None) -> dict[str, Any]:
        """What figures computed from these tables (over these days) keep of it."""
        return check_record(self.entry, self.version, self.on(tables, first, last), self.accepted)


def recorded_check(catalog: Catalog, day: date | None = None) -> RecordedCheck | None:
    """The newest whole check; None where the book was never checked. `day` decides which acceptances have run out: today by default."""
    record = catalog.latest_check()
    if record is None:
        return None
    findings = tuple(finding_of(one) for one in json.loads(record.document)["findings"])
    known, on = acceptances(catalog), day or datetime.now(UTC).date()
    accepted = frozenset(one.id for one in findings if state_of(one, acceptance_of(one, known), on) == "accepted")
    return RecordedCheck(record.entry.seq, record.version, record.entry.at, findings, accepted)
