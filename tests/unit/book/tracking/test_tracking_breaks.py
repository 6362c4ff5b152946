"""Tracking that broke is told from customers who use less."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.book.tracking.tracked_books import TrackedBook, event_rows, steady_counts
from unspun.book.checks.finding import Finding

NAMES = ("login", "report", "export")
FIRST = date(2025, 1, 1)
REGIONS = np.array(["EMEA", "APAC", "LATAM"])


def accounts_of(counts: np.ndarray) -> pa.Table:
    return pa.table({"account_id": [f"A{i:04d}" for i in range(len(counts))], "region": REGIONS[np.arange(len(counts)) % 3].tolist()})


def said_of(counts: np.ndarray, **of_event: np.ndarray) -> list[Finding]:
    return TrackedBook(event_rows(counts, NAMES, of_event=of_event), accounts_of(counts)).findings()


def days(first: int, last: int) -> tuple[date, date]:
    return FIRST + timedelta(days=first), FIRST + timedelta(days=last)


def test_nothing_is_said_of_a_company_whose_usage_goes_its_way() -> None:
    assert [finding.message for seed in range(6) for finding in said_of(steady_counts(seed))] == []


def test_an_event_that_stops_in_all_accounts_is_an_error_with_its_days_and_accounts() -> None:
    counts = steady_counts(1)
    counts[:, 1, 100:121] = 0
    (finding,) = said_of(counts)
    span = finding.span
    assert span is not None
    assert (finding.severity, span.kind, span.event, (span.first, span.last), span.kept_share) == (
        "error",
        "stopped",
        "report",
        days(100, 120),
        0,
    )
    assert finding.id == "tracking_breaks/events/report/2025-04-11"
    accounts = finding.facts["accounts_that_used_it_before"]
    expected = "report stopped from 2025-04-11 to 2025-05-01: 0 % of what was expected, in {0} of {0} accounts that used it enough before."
    assert finding.message == expected.format(accounts)
    before = (counts[:, 1, 72:100].sum(axis=1) > 0).sum()
    assert isinstance(accounts, int)
    assert 50 <= accounts <= before


@pytest.mark.parametrize(("kept", "kind"), [(0.5, "fell"), (2.0, "rose")])
def test_an_event_that_halves_or_doubles_in_all_accounts_is_found_with_its_days(kept: float, kind: str) -> None:
    counts = steady_counts(2)
    hit = counts[:, 0, 90:97]
    counts[:, 0, 90:97] = 2 * hit if kept > 1 else np.random.default_rng(0).binomial(hit, kept)
    (finding,) = said_of(counts)
    assert finding.span is not None
    assert (finding.span.kind, finding.span.first, finding.span.last) == (kind, *days(90, 96))
    assert finding.span.kept_share == pytest.approx(kept, rel=0.1)


def test_everything_that_stops_for_a_day_is_said_of_all_events_once() -> None:
    counts = steady_counts(3)
    counts[:, :, 105:107] = 0
    (finding,) = said_of(counts)
    assert finding.span is not None
    assert (finding.span.event, finding.span.where, finding.span.first, finding.span.last) == ("", (), *days(105, 106))


def test_what_is_lost_in_one_region_is_said_of_that_region() -> None:
    counts = steady_counts(4, accounts=120)
    counts[1::3, :, 100:110] = np.random.default_rng(0).binomial(counts[1::3, :, 100:110], 0.4)
    (finding,) = said_of(counts)
    assert finding.span is not None
    assert (finding.span.event, finding.span.where, finding.span.kind) == ("", ("accounts.region", "APAC"), "fell")
    assert (finding.span.first, finding.span.last) == days(100, 109)


def test_what_is_lost_in_one_version_is_said_of_that_version_but_a_release_is_not() -> None:
    counts = steady_counts(5)
    version = np.broadcast_to(np.where(np.arange(60) % 2, "1.0", "2.0")[:, None, None], counts.shape)
    released = np.where(np.arange(counts.shape[2]) < 100, version, "3.0")
    assert said_of(counts, version=released) == []
    broken = counts.copy()
    broken[1::2, :, 110:120] = 0
    (finding,) = said_of(broken, version=version)
    assert finding.span is not None
    assert finding.span.where == ("events.version", "1.0")


def test_an_event_that_never_comes_back_is_open_and_its_end_is_not_made_up() -> None:
    counts = steady_counts(6)
    counts[:, 2, 110:] = 0
    (finding,) = said_of(counts)
    assert finding.span is not None
    assert (finding.span.first, finding.span.last) == (days(110, 0)[0], None)
    assert "had not come back when the data ended" in finding.message


def test_the_largest_account_leaving_is_usage_that_fell_and_only_a_note() -> None:
    counts = steady_counts(7)
    counts[0] = np.random.default_rng(0).poisson(300, counts[0].shape)
    counts[0, 0, 100:] = 0
    (finding,) = said_of(counts)
    assert finding.span is not None
    assert (finding.severity, finding.span.kind) == ("note", "usage_fell")


def test_accounts_that_use_an_event_on_few_days_often_all_leave_it_out_together() -> None:
    rng = np.random.default_rng(8)
    bursts = rng.random((50, 3, 600)) < 0.1  # about five accounts a day, each with many events at once
    assert said_of(np.where(bursts, rng.poisson(12, bursts.shape), 0)) == []


@pytest.mark.parametrize("what", ["gradual decline", "churn over a month", "growth", "new event", "one public holiday", "quiet Christmas"])
def test_what_customers_do_is_not_called_broken_tracking(what: str) -> None:
    counts = steady_counts(8, days=400)
    rng = np.random.default_rng(0)
    if what == "gradual decline":
        counts = rng.binomial(counts, np.interp(np.arange(400), [200, 260], [1, 0.4]))
    elif what == "churn over a month":
        leaves = rng.integers(200, 230, len(counts))
        counts[:25] *= np.arange(400) < leaves[:25, None, None]
    elif what == "growth":
        counts = rng.poisson(counts * np.exp(np.arange(400) / 200))
    elif what == "new event":
        counts[:, 1, :200] = 0
    elif what == "one public holiday":
        counts[:, :, 250] = rng.binomial(counts[:, :, 250], 0.1)
    else:
        christmas = slice((date(2025, 12, 20) - FIRST).days, (date(2026, 1, 6) - FIRST).days)
        counts[:, :, christmas] = rng.binomial(counts[:, :, christmas], 0.25)
    assert [f.message for f in said_of(counts) if f.severity != "note"] == []


def test_a_measure_that_stops_is_named_by_its_column_and_drawn_with_what_was_expected() -> None:
    rng = np.random.default_rng(9)
    rows = event_rows(np.ones((40, 1, 150), dtype=np.int64), ("daily usage",))
    day = np.tile(np.arange(150), 40)
    built = np.where((day >= 100) & (day < 113), 0, rng.poisson(6, len(day)))
    book = TrackedBook(
        rows.append_column("reports_built", pa.array(built)).append_column("value", pa.array(rng.poisson(9, len(day)) * 1.0))
    )
    (finding,) = book.findings()
    assert finding.span is not None
    assert (finding.span.measure, finding.span.first, finding.span.last) == ("reports_built", *days(100, 112))
    (series,) = book.series()
    assert (series.event, series.measure, series.spans) == ("daily usage", "reports_built", (finding.span,))
    inside = series.days.index(finding.span.first)
    assert (series.counted[inside], series.expected[inside]) == (0, pytest.approx(240, rel=0.1))
    assert all(low < expected < high for low, expected, high in zip(series.low, series.expected, series.high, strict=True))


def test_the_rows_behind_a_finding_are_the_daily_counts_with_two_days_before() -> None:
    counts = steady_counts(1)
    counts[:, 1, 100:103] = 0
    book = TrackedBook(event_rows(counts, NAMES), accounts_of(counts))
    (finding,) = book.findings()
    counted = book.query(finding.rows_sql).column("counted").to_pylist()
    assert counted == counts[:, 1, 98:103].sum(axis=0).tolist()


def test_a_book_without_events_says_why_it_is_not_checked() -> None:
    book = TrackedBook(event_rows(steady_counts(1, days=5), NAMES))
    assert book.findings() == []
    assert book.series() == ()
