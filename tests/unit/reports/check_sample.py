"""Reports of the checks as the tests of their page, document and text lay them out: nothing found, every kind of finding, and many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.check import Check, always
from unspun.book.checks.finding import Finding, Severity, Span
from unspun.book.checks.report import CheckReport, JudgedFinding, State
from unspun.book.checks.run import CheckOutcome
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.series import TrackingSeries

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 5)
OUTAGE = Span("stopped", date(2026, 6, 1), date(2026, 6, 21), "", "reports_built", (), 0.0)
FALL = Span("usage_fell", date(2026, 9, 1), None, "<b>login</b>", "", ("region", "EMEA"), 0.62)
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'
ROWS = {"accounts": 500, "subscriptions": 5000, "events": 25_000, "tickets": 2000}


def _ask(_shape: BookShape) -> Mapping[str, str]:
    return {}


def check(code: str, title: str, *tables: str) -> Check:
    return Check(code, title, tables, always, _ask, lambda _shape, _answers: ())


def rows(n: int = 5) -> pa.Table:
    """Rows as a finding's query gives them: own text that a spreadsheet or a page would run, an empty cell, every kind."""
    return pa.table(
        {
            "source_file": pa.array([3] * n, pa.int64()),
            "source_row": pa.array(range(2, n + 2), pa.int64()),
            "account_id": [HOSTILE, "A-0002", "A-0003", "A-0004", "A-0005"][:n] + [f"A-{i:04d}" for i in range(5, n)],
            "occurred": pa.array([datetime(2026, 3, 1, 23, 30, tzinfo=UTC)] * n, pa.timestamp("us", "UTC")),
            "term_started": pa.array([None, *[date(2026, 4, 2)] * (n - 1)] if n else [], pa.date32()),
            "amount": pa.array([Decimal("-12.5000")] * n, pa.decimal128(18, 4)),
        }
    )


def finding(code: str = "usage_outside_subscription", severity: Severity = "error", count: int = 19_432, of: int = 25_000) -> Finding:
    return Finding(
        check=code,
        table="events",
        severity=severity,
        count=count,
        of=of,
        unit="rows",
        message=f"{count:,} of {of:,} events ({count / of:.1%}) lie outside the subscription that they name.".replace("%)", " %)"),
        affects=("usage trends", "score audits with events"),
        mend="map events.subscription_id to the column that holds the subscription in force on the day, or load the terms that are missing",
        rows_sql="SELECT source_file, source_row, occurred FROM events WHERE occurred < started\nORDER BY source_file, source_row",
        facts={"before_start": 19_142, "median_days_off": 84.5, "nearest_term": None, "of_account": "14,225 outside every term"},
    )


def judged(one: Finding, examples: pa.Table | None = None, state: State = "open", acceptance: Acceptance | None = None) -> JudgedFinding:
    return JudgedFinding(one, state, acceptance, rows() if examples is None else examples, one.count)


def acceptance(one: Finding, count: int, until: date | None = None) -> Acceptance:
    why = "The import of March 2024 wrote the id of the account's first subscription; finance knows, mended with the new CRM."
    return Acceptance(one.id, "Nora Lind <nora@example.com>", why, datetime(2026, 9, 2, 14, 5, tzinfo=UTC), count, one.of, until, 41)


def series(span: Span, level: float) -> TrackingSeries:
    days = tuple(FIRST_DAY + timedelta(days=at) for at in range(322))
    expected = tuple(level * (1.0 if day.weekday() < 5 else 0.35) for day in days)
    noise = [1 + 0.06 * math.sin(2.3 * at) + 0.04 * math.cos(5.1 * at) for at in range(len(days))]
    counted = tuple(
        round(value * wobble * (span.kept_share if span.touches(day, day) else 1.0))
        for day, value, wobble in zip(days, expected, noise, strict=True)
    )
    low, high = tuple(0.8 * value for value in expected), tuple(1.2 * value for value in expected)
    return TrackingSeries(span.event, span.measure, span.where, days, counted, expected, low, high, (span,))


def tracking(span: Span, severity: Severity, message: str) -> Finding:
    days = 21 if span.last else 83
    return Finding(
        check="tracking",
        table="events",
        severity=severity,
        count=days,
        of=322,
        unit="days",
        message=message,
        affects=("usage trends", "score audits with events"),
        mend="ask the team that records the event what was released on the first day; load the days again once they are recovered",
        rows_sql="SELECT day, count(*) AS rows FROM events GROUP BY day ORDER BY day",
        subject=f"{span.measure or span.event}/{span.first.isoformat()}",
        span=span,
        facts={"kept_share": span.kept_share, "accounts_affected": 412},
    )


def outcomes(*found: Finding) -> tuple[CheckOutcome, ...]:
    made = tuple(CheckOutcome(check(one.check, one.check.replace("_", " "), one.table), "", (one,)) for one in found)
    clean = (
        CheckOutcome(check("future_dates", "dates to come", "events", "subscriptions"), ""),
        CheckOutcome(check("overlapping_terms", "terms of an account that overlap", "subscriptions"), ""),
    )
    hindered = (
        CheckOutcome(
            check("tickets_before_signup", "tickets before signup", "tickets", "accounts"), "nothing is mapped to accounts.created_on"
        ),
    )
    return (*made, *clean, *hindered)


def report(*found: JudgedFinding, drawn: tuple[TrackingSeries, ...] = ()) -> CheckReport:
    return CheckReport(
        workspace_name="Ravenstack",
        book_version=7,
        digest="cd" * 32,
        as_of=date(2026, 11, 23),
        at=AT,
        time_zone="Europe/Berlin",
        entry=58,
        anchor=f"58:{'ab' * 32}",
        outcomes=outcomes(*(one.finding for one in found)),
        judged=found,
        series=drawn,
        rows_by_table=dict(ROWS),
    )


def every_kind() -> CheckReport:
    """Open, grown and accepted findings of each severity, two of tracking with their series."""
    flags = replace(
        finding("flags_against_events", "warning", 312, 500),
        table="accounts",
        unit="accounts",
        message="312 of 500 accounts (62.4 %) say something else in churn_flag than the churn events say.",
        affects=("retention: GRR, NRR", "renewals", "account counts"),
    )
    orphans = replace(
        finding("orphan_accounts", "error", 3, 5000),
        table="subscriptions",
        message="3 of 5,000 subscriptions (0.1 %) name an account that the book does not hold.",
        affects=("retention: GRR, NRR", "account counts"),
        subject=HOSTILE,
    )
    duplicates = replace(finding("duplicate_keys", "warning", 42, 25_000), message="42 of 25,000 events share their key with another row.")
    gaps = replace(finding("gaps", "note", 1, 5000), table="subscriptions", message="1 of 5,000 terms begins after a gap.", affects=())
    outage = tracking(
        OUTAGE, "error", "reports_built was not recorded from 2026-06-01 to 2026-06-21, in 412 of 430 accounts at once: tracking broke."
    )
    fall = tracking(
        FALL, "warning", "<b>login</b> has fallen to 62 % of what was expected since 2026-09-01 where region is EMEA: customers use less."
    )
    return report(
        judged(finding()),
        judged(flags),
        judged(orphans, rows(3)),
        judged(duplicates, state="grown", acceptance=acceptance(duplicates, 30)),
        judged(outage, pa.table({"day": [date(2026, 6, 1)] * 5, "rows": [0] * 5})),
        judged(fall, pa.table({"day": [date(2026, 9, 1)] * 5, "rows": [310] * 5})),
        judged(gaps, rows(1), "accepted", acceptance(gaps, 1, date(2027, 1, 31))),
        judged(
            replace(finding("currency_mix", "warning", 12, 500), unit="accounts"), state="accepted", acceptance=acceptance(finding(), 12)
        ),
        drawn=(series(OUTAGE, 4000), series(FALL, 900)),
    )


def nothing_found() -> CheckReport:
    return report()


def many(count: int = 60) -> CheckReport:
    """Many findings, with names as long as they come and seven figures that are reached."""
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    figures = ("retention: GRR, NRR", "usage trends", "renewals", "account counts", "score audits with events", "ARR by segment")
    figures += ("forecasts", "tickets per account", "response rates")
    made = [
        replace(
            finding(f"contract_range_{at:02d}", severities[at % 3], 25_000 - 400 * at),
            subject=f"a_column_with_a_rather_long_name_{at}" * 2,
            affects=tuple(figures[(at + k) % 9] for k in range(1 + at % 4)),
        )
        for at in range(count)
    ]
    return report(*(judged(one) for one in made))


def notes_only() -> CheckReport:
    return report(
        judged(finding("gaps", "note", 1, 5000)),
        judged(finding("phantom_addons", "note", 2, 2), state="accepted", acceptance=acceptance(finding(), 2)),
    )
