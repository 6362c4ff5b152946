"""What a panel is computed on besides the metrics and the rows: dates, outages, rules of terms, and days on which loads were received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from unspun.app.checks import RecordedCheck, span_of, span_record
from unspun.app.opening import Elsewhere
from unspun.app.panel.request import PanelRequest, needs_arr, tables_read
from unspun.book.checks.finding import Span
from unspun.book.entities import ROW_COLUMNS, STATED, TABLES, Kind
from unspun.book.retention.arr_by_day import TermVersions, arr_by_day, arr_rows, read_term_versions, versions_sql
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.rules import RetentionRules
from unspun.book.tables import Ints, Renewals
from unspun.book.terms.derive import derive_followed, follow_terms
from unspun.book.terms.lines import settle_ends
from unspun.book.terms.rules import TermRules
from unspun.engines.embedded import sql_name, sql_text
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.asof_sets import as_of_days, before_renewals, calendar_dates, listed_dates
from unspun.metrics.metric import MetricSet
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read import BookReader
from unspun.warehouse.read_sql import LATER, identity
from unspun.warehouse.versions import BookVersion, TableVersion

ARR_TABLE = "arr_as_of"
"""The table under which a panel finds ARR: `account_id`, `as_of`, `arr`, `reason`."""
TERMS = "subscriptions"
NOT_AN_OUTAGE = "usage_fell"
"""A span on which customers used less: what was recorded is what happened."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The first and the last day, up to today, on which a row of the tables read happened; `today` is that of the book's zone."""

    first: date
    last: date
    today: date


@dataclass(frozen=True, slots=True)
class PanelBasis:
    """All that decides a panel besides the definition of its metrics and the book: plain values, kept in the ledger.

    `dates` are the as-of dates; where `horizons_days` are given, they come from renewals due from `first` to `last` instead, as the
    book knew them on `known_on`. `rules` read terms, their ends settled; `received` gives the day on which each load was received.
    """

    asked: tuple[str, ...]
    dates: tuple[date, ...] = ()
    told: str = ""
    horizons_days: tuple[int, ...] = ()
    first: date = date.min
    last: date = date.max
    known_on: date = date.max
    time_zone: str = "UTC"
    fiscal_year_starts: int = 1
    rules: TermRules = field(default_factory=TermRules)
    outages: Mapping[str, tuple[Span, ...]] = field(default_factory=dict[str, "tuple[Span, ...]"])
    received: Mapping[int, date] = field(default_factory=dict[int, date])

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `basis_from_json` makes an equal basis."""
        days = {name: getattr(self, name).isoformat() for name in ("first", "last", "known_on")}
        return {
            **asdict(self),
            **days,
            "asked": list(self.asked),
            "dates": [one.isoformat() for one in self.dates],
            "horizons_days": list(self.horizons_days),
            "outages": {table: [span_record(span) for span in spans] for table, spans in self.outages.items()},
            "received": {str(load): day.isoformat() for load, day in self.received.items()},
        }


def basis_from_json(document: Mapping[str, Any]) -> PanelBasis:
    """The basis that `to_json` wrote."""
    days = {name: date.fromisoformat(document[name]) for name in ("first", "last", "known_on")}
    return PanelBasis(
        **{
            **document,
            **days,
            "asked": tuple(document["asked"]),
            "dates": tuple(map(date.fromisoformat, document["dates"])),
            "horizons_days": tuple(document["horizons_days"]),
            "rules": TermRules(**document["rules"]),
            "outages": {table: tuple(map(span_of, spans)) for table, spans in document["outages"].items()},
            "received": {int(load): date.fromisoformat(day) for load, day in document["received"].items()},
        }
    )


# Made for a request


def basis_of(
    request: PanelRequest,
    asked: tuple[str, ...],
    metrics: MetricSet,
    reader: BookReader,
    rules: RetentionRules,
    zone: str,
    fiscal_year_starts: int,
    at: datetime,
    elsewhere: Elsewhere,
) -> PanelBasis:
    """The basis of a request, but for outages and received days. Raises BadInput: dates that cannot be, no rows to tell dates by."""
    settled = _settled(reader, rules)
    today = at.astimezone(ZoneInfo(zone)).date()
    basis = PanelBasis(
        asked, time_zone=zone, fiscal_year_starts=fiscal_year_starts, rules=settled, known_on=today, first=date.min, last=today
    )
    if request.as_of:
        return _dated(basis, listed_dates(request.as_of), today)
    needs_extent = request.last is None or (request.every is not None and request.first is None)
    extent = _extent(reader, elsewhere, tables_read(metrics, asked), zone, at) if needs_extent else Extent(date.min, date.max, today)
    first, last = request.first or extent.first, request.last or extent.last
    if request.every is not None:
        return _dated(basis, calendar_dates(request.every, first, last, fiscal_year_starts), today, "to")
    if request.before_renewals:
        before_renewals([("", today)], request.before_renewals)  # the horizons by themselves
        horizons = tuple(sorted(set(request.before_renewals), reverse=True))
        latest = min(extent.last, today) + timedelta(days=horizons[-1])
        return replace(basis, horizons_days=horizons, first=request.first or date.min, last=min(request.last or date.max, latest))
    return _dated(basis, listed_dates([last]), today)


def _dated(basis: PanelBasis, dates: Dates, today: date, where: str = "as_of") -> PanelBasis:
    later = [one for one in dates.dates if one > today]
    if later:
        message = f"{later[0]} is after today, {today}: nobody knows yet what will be known by then."
        raise BadInput(Fault("date_to_come", message, where, "Give days up to today."))
    return replace(basis, dates=dates.dates, told=dates.told)


def outages_of(checked: RecordedCheck | None) -> dict[str, tuple[Span, ...]]:
    """The tracking outages that were found, by table, but for those that somebody accepted."""
    found: dict[str, tuple[Span, ...]] = {}
    for table, span, _ in outage_findings(checked):
        found[table] = (*found.get(table, ()), span)
    return found


def outage_findings(checked: RecordedCheck | None) -> tuple[tuple[str, Span, str], ...]:
    """The tracking outages that were found and that nobody accepted: table, span and the id of the finding."""
    if checked is None:
        return ()
    return tuple(
        (one.table, _own_column(one.span, one.table), one.id)
        for one in checked.findings
        if one.span is not None and one.span.kind != NOT_AN_OUTAGE and one.id not in checked.accepted
    )


def _own_column(span: Span, table: str) -> Span:
    """A span of a part of the book by a column of its own table: under the name that conditions of metrics have for it."""
    if span.where and span.where[0].startswith(f"{table}."):
        return replace(span, where=(span.where[0].partition(".")[2], span.where[1]))
    return span


def received_days(catalog: Catalog, book: BookVersion, in_place: Sequence[Mapping[str, Any]], zone: str) -> dict[int, date]:
    """The day on which each load that the version holds rows of was received; load 0 is what stays in databases."""
    there = {load for table in book.tables for file in table.files for load in file.loads}
    days = {line.load: line.begun_at for line in catalog.load_lines() if line.load in there}
    if in_place:  # what stays in databases: all of it read at one time
        days[0] = datetime.fromisoformat(in_place[0]["read_at"])
    return {load: at.astimezone(ZoneInfo(zone)).date() for load, at in sorted(days.items())}


def _extent(reader: BookReader, elsewhere: Elsewhere, tables: tuple[str, ...], zone: str, at: datetime) -> Extent:
    """Raises BadInput where the book has no row that happened by now.

    Statements (of accounts, of contacts) count where nothing else is read: a list without dates is a statement of the day of its load,
    long after the last event of an older export.
    """
    held = [table for table in TABLES.values() if _holds(reader.version, table.name) or table.name in elsewhere.spans]
    read = [table for table in held if table.name in tables]
    wanted = [table for table in read if not table.state] or read or held
    parts = [
        f"SELECT min(happened_at) AS first, max(happened_at) AS last FROM {sql_name(f'{table.name}_versions')} WHERE happened_at <= $1"
        for table in wanted
        if table.name not in elsewhere.spans
    ]
    spans = [elsewhere.spans[table.name] for table in wanted if table.name in elsewhere.spans]
    sql = f"SELECT min(first) AS first, max(last) AS last FROM ({' UNION ALL '.join(parts)})"
    found = reader.query(sql, [at.astimezone(UTC)]).to_pylist()[0] if parts else {"first": None, "last": None}
    times = [one for one in (found["first"], found["last"], *(time for span in spans for time in span)) if one is not None]
    days = sorted(one.astimezone(ZoneInfo(zone)).date() for one in times)
    if not days:
        hint = "Load files: unspun load FILE..., or give --as-of."
        raise BadInput(Fault("empty_book", "no row of the tables that the metrics read has happened by now.", "", hint))
    return Extent(days[0], days[-1], at.astimezone(ZoneInfo(zone)).date())


def _holds(book: BookVersion, table: str) -> bool:
    held = book.table(table)
    return held is not None and held.rows > 0


# Made of a basis and a book


def panel_question(basis: PanelBasis, metrics: MetricSet, reader: BookReader, elsewhere: Elsewhere | None = None) -> PanelQuestion:
    """The question that the basis puts to a book and to what an engine reads elsewhere. Raises BadInput where no renewal is due."""
    return PanelQuestion(
        metrics=metrics,
        asked=basis.asked,
        as_of=_as_of(basis, reader),
        tables=held_tables(reader.version) | dict(elsewhere.held if elsewhere is not None else {}),
        time_zone=basis.time_zone,
        fiscal_year_starts=basis.fiscal_year_starts,
        outages=basis.outages,
        received=basis.received,
        ends_inclusive=bool(basis.rules.ends_inclusive),
        grace_days=basis.rules.grace_days,
    )


def held_tables(book: BookVersion) -> dict[str, HeldTable]:
    """The tables that hold rows, for the metrics."""
    return {table.name: _held(table) for table in book.tables if table.name in TABLES and table.rows}


def _held(table: TableVersion) -> HeldTable:
    beside = {name for name, _ in ROW_COLUMNS} | {STATED[0]}
    columns: dict[str, Kind] = {name: kind for name, kind in table.columns if name not in beside}
    if "subscription_id" in columns and table.name == "events":
        columns.setdefault("account_id", "text")  # the view gives the account of the subscription
    return HeldTable(columns, table.key, table.several_versions, table.rows, table.fixed)


def arr_input(question: PanelQuestion, basis: PanelBasis, reader: BookReader) -> dict[str, pa.Table]:
    """ARR under ARR_TABLE, where a metric asked for needs it."""
    if not needs_arr(question.metrics, question.asked):
        return {}
    wanted = _accounts_by_day(question.as_of) if isinstance(question.as_of, BeforeRenewals) else None
    versions = _term_versions(basis, reader)
    return {ARR_TABLE: arr_by_day(versions, as_of_days(question.as_of), wanted)}


def arr_rows_of(basis: PanelBasis, reader: BookReader, account: str) -> pa.Table:
    """The terms behind the ARR of an account on the first date of a basis: see `arr_rows`."""
    return arr_rows(_term_versions(basis, reader), basis.dates[0], account)


def _accounts_by_day(as_of: BeforeRenewals) -> dict[date, frozenset[str]]:
    found: dict[date, set[str]] = {}
    for account, due in as_of.dues:
        for horizon in as_of.horizons_days:
            found.setdefault(due - timedelta(days=horizon), set()).add(account)
    return {day: frozenset(accounts) for day, accounts in found.items()}


def _as_of(basis: PanelBasis, reader: BookReader) -> AsOf:
    if not basis.horizons_days:
        return Dates(basis.dates, basis.told)
    dues = _recorded_dues(basis, reader) if _holds(reader.version, "renewals") else _derived_dues(basis, reader)
    return before_renewals([(account, due) for account, due in dues if basis.first <= due <= basis.last], basis.horizons_days)


def _recorded_dues(basis: PanelBasis, reader: BookReader) -> list[tuple[str, date]]:
    rows = reader.query("SELECT DISTINCT account_id, due FROM renewals WHERE account_id IS NOT NULL AND due IS NOT NULL")
    return list(zip(rows["account_id"].to_pylist(), rows["due"].to_pylist(), strict=True))


def derived_renewals(basis: PanelBasis, reader: BookReader) -> tuple[Renewals, tuple[Ints, Ints]] | None:
    """The renewals that follow from the terms by the rules of retention, and the file and row of each term that they count by; None where
    nothing is due."""
    if not _holds(reader.version, TERMS):
        return None
    sold = _term_versions(basis, reader, newest=True).sold
    followed = follow_terms(sold.terms, sold.rules, basis.known_on)
    try:
        return derive_followed(sold.terms, sold.rules, basis.known_on, followed), sold.place
    except BadInput as refusal:
        if refusal.faults[0].code != "no_renewals_due":
            raise
        return None


def _derived_dues(basis: PanelBasis, reader: BookReader) -> list[tuple[str, date]]:
    """The renewals that follow from the terms by the rules of retention; none where nothing is due."""
    derived = derived_renewals(basis, reader)
    if derived is None:
        return []
    renewals = derived[0]
    names, days = renewals.account.names, renewals.due.astype("datetime64[D]").astype(object)
    return [(names[code], day) for code, day in zip(renewals.account.codes.tolist(), days.tolist(), strict=True)]


def _settled(reader: BookReader, rules: RetentionRules) -> TermRules:
    """The rules of terms with the meaning of an end settled, once for all dates, by all terms of the version."""
    if rules.terms.ends_inclusive is not None or not _holds(reader.version, TERMS):
        return replace(rules.terms, ends_inclusive=bool(rules.terms.ends_inclusive))
    basis = PanelBasis((), rules=replace(rules.terms, ends_inclusive=False))
    return settle_ends(_term_versions(basis, reader, newest=True).sold.terms, rules.terms)[0]


def _term_versions(basis: PanelBasis, reader: BookReader, newest: bool = False) -> TermVersions:
    """The row versions of terms (or the newest of each row). Raises BadInput without terms, or where the period of amounts is not known."""
    held = reader.version.table(TERMS)
    several = held is not None and held.several_versions
    listed = ", ".join(map(sql_name, identity(held))) if held is not None and several else ""
    sql = versions_sql(sql_text(basis.time_zone), listed, ", ".join(map(sql_name, LATER)))
    rows = reader.query(f"SELECT * FROM ({sql}) WHERE seen_until IS NULL" if newest else sql)
    question = RetentionQuestion(basis.known_on, rules=RetentionRules(basis.rules), time_zone=basis.time_zone)
    return read_term_versions(rows, basis.rules, question)
