"""Account-months laid out from terms, beside the same told renewal by renewal and day by day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from unspun.app.risk.rows import decide, earlier_months, lay_rows, looked_at, term_classes
from unspun.audit.terms import UNKNOWN, Terms, order_terms
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED, Codes, Renewals, Source
from unspun.risk.rows import CHURN, FLAT, UNDECIDED4

EPOCH = date(1970, 1, 1)
AS_OF = date(2026, 3, 17)
Row = tuple[str, date | None, date, int, date | None, date | None]
"""Account, start, due, outcome, notice, known."""


def laid(rows: list[Row], as_of: date = AS_OF) -> tuple[Terms, dict[tuple[str, str], set[str]], set[tuple[str, str]]]:
    """Terms, the days of each renewal (by account and due date) without today's, and today's renewals."""
    terms, decisions = decided(rows, as_of)
    found = lay_rows(terms, decisions)
    name = [(terms.account_names[terms.account[at]], str(np.datetime64(int(terms.due[at]), "D"))) for at in found.renewal.tolist()]
    days = [str(np.datetime64(int(day), "D")) for day in found.day.tolist()]
    months: dict[tuple[str, str], set[str]] = {}
    for key, day, today in zip(name, days, found.today.tolist(), strict=True):
        if not today:
            months.setdefault(key, set()).add(day)
    return terms, months, {key for key, today in zip(name, found.today.tolist(), strict=True) if today}


def decided(rows: list[Row], as_of: date = AS_OF):
    names = tuple(sorted({row[0] for row in rows}))
    account = Codes(np.array([names.index(row[0]) for row in rows], np.int32), names)
    renewals = Renewals(
        source=Source("renewals", "made", "", "csv", len(rows), {}, (), ()),
        row=np.arange(2, len(rows) + 2),
        account=account,
        due=dates([row[2] for row in rows]),
        outcome=np.array([row[3] for row in rows], np.int8),
        term_start=dates([row[1] for row in rows]),
        notice=dates([row[4] for row in rows]),
        outcome_known=dates([row[5] for row in rows]),
        amount_before=np.full(len(rows), 100.0),
    )
    terms = order_terms(renewals, None, (as_of - EPOCH).days, {}, None)
    assert renewals.notice is not None
    notice = renewals.notice.astype("datetime64[D]").view(np.int64)[terms.order]
    return terms, decide(terms, notice)


def dates(days: list[date | None]):
    return np.array([np.datetime64("NaT") if day is None else np.datetime64(day) for day in days], "datetime64[D]")


def test_a_renewal_has_a_row_on_each_first_of_a_month_of_its_term_until_it_is_decided() -> None:
    early = ("A", date(2024, 5, 20), date(2025, 5, 20), RENEWED, None, date(2025, 4, 1))
    _, months, today = laid([early])
    first_days = [f"2024-{month:02}-01" for month in range(6, 13)] + ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert months == {("A", "2025-05-20"): set(first_days)}, "on the day on which the outcome is known it is known by the end of the day"
    assert today == set()


def test_a_term_that_begins_on_the_first_of_a_month_has_a_row_on_that_day_and_none_on_the_day_it_is_due() -> None:
    _, months, _ = laid([("A", date(2025, 1, 1), date(2025, 4, 1), CHURNED, None, date(2025, 4, 1))])
    assert months == {("A", "2025-04-01"): {"2025-01-01", "2025-02-01", "2025-03-01"}}


def test_what_is_open_overdue_or_given_notice_is_listed_as_of_today_and_told_apart() -> None:
    open_one = ("open", date(2025, 6, 10), date(2026, 6, 10), UNDECIDED, None, None)
    overdue = ("overdue", date(2025, 3, 1), date(2026, 3, 1), UNDECIDED, None, None)
    noticed = ("noticed", date(2025, 5, 1), date(2026, 5, 1), UNDECIDED, date(2026, 2, 20), None)
    to_come = ("to come", date(2026, 4, 1), date(2027, 4, 1), UNDECIDED, None, None)
    later_notice = ("warned later", date(2025, 5, 1), date(2026, 5, 1), UNDECIDED, date(2026, 3, 18), None)
    rows = [open_one, overdue, noticed, to_come, later_notice]
    terms, months, today = laid(rows)
    assert today == {("open", "2026-06-10"), ("overdue", "2026-03-01"), ("noticed", "2026-05-01"), ("warned later", "2026-05-01")}
    assert max(months["noticed", "2026-05-01"]) == "2026-02-01", "no row after the notice"
    assert max(months["warned later", "2026-05-01"]) == "2026-03-01", "a notice that comes after the as-of day is not known"
    decisions = decided(rows)[1]
    by_account = {terms.account_names[code]: at for at, code in enumerate(terms.account.tolist())}
    assert decisions.outcome[by_account["noticed"]] == CHURN
    assert decisions.decided_on[by_account["noticed"]] == (date(2026, 2, 20) - EPOCH).days
    assert decisions.outcome[by_account["open"]] == decisions.outcome[by_account["warned later"]] == UNDECIDED4
    assert decisions.decided_on[by_account["open"]] == UNKNOWN


def test_a_churn_is_decided_by_its_notice_and_a_notice_that_was_withdrawn_decides_nothing_early() -> None:
    churned = ("A", date(2024, 6, 1), date(2025, 6, 1), CHURNED, date(2025, 4, 10), date(2025, 6, 1))
    withdrawn = ("B", date(2024, 6, 1), date(2025, 6, 1), RENEWED, date(2025, 4, 10), date(2025, 5, 28))
    terms, months, _ = laid([churned, withdrawn])
    decisions = decided([churned, withdrawn])[1]
    days = [str(np.datetime64(int(day), "D")) for day in decisions.decided_on]
    assert days == ["2025-04-10", "2025-05-28"]
    assert decisions.outcome.tolist() == [CHURN, FLAT]
    assert max(months["A", "2025-06-01"]) == max(months["B", "2025-06-01"]) == "2025-04-01", "once notice is given, nothing is foretold"
    assert terms.as_of == (AS_OF - EPOCH).days


def test_an_outcome_that_nobody_wrote_down_makes_no_row() -> None:
    long_due = ("A", date(2024, 6, 1), date(2025, 6, 1), UNDECIDED, None, None)
    followed = ("B", date(2025, 2, 1), date(2026, 2, 1), UNDECIDED, None, None)
    its_next = ("B", date(2026, 2, 1), date(2027, 2, 1), UNDECIDED, None, None)
    _, months, today = laid([long_due, followed, its_next])
    assert set(months) == {("B", "2027-02-01")}
    assert today == {("B", "2027-02-01")}
    assert decided([long_due, followed, its_next])[1].unrecorded.sum() == 2


def test_a_lead_of_more_than_two_years_is_not_looked_at() -> None:
    _, months, _ = laid([("A", date(2022, 1, 1), date(2026, 1, 1), RENEWED, None, date(2026, 1, 1))])
    days = sorted(months["A", "2026-01-01"])
    assert (days[0], days[-1], len(days)) == ("2024-01-01", "2025-12-01", 24)


@pytest.mark.parametrize("seed", range(3))
def test_rows_agree_with_a_walk_through_every_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row for n in range(40) for row in _terms_of(rng, f"A-{n}")]
    terms, months, today = laid(rows)
    notices = {(row[0], str(row[2])): row[4] for row in rows}
    expected: dict[tuple[str, str], set[str]] = {}
    listed: set[tuple[str, str]] = set()
    for account, start, due, outcome, notice, known in rows:
        assert start is not None
        key, told = (account, str(due)), min([day for day in (notice, known) if day is not None and day <= AS_OF], default=None)
        undecided = outcome == UNDECIDED or known is None or known > AS_OF
        unrecorded = undecided and (notice is None or notice > AS_OF) and _is_unrecorded(rows, account, due)
        day = start
        while day < min(due, AS_OF) and not unrecorded:
            if day.day == 1 and (told is None or told > day) and (due - day).days <= 750:
                expected.setdefault(key, set()).add(str(day))
            day += timedelta(days=1)
        if start <= AS_OF and undecided and not unrecorded:
            listed.add(key)
    assert months == expected
    assert today == listed
    assert len(terms.due) == len(rows) == len(notices)


def _terms_of(rng: np.random.Generator, account: str) -> list[Row]:
    """Terms one after the other, of several lengths, some with notice, some whose outcome came late or was never written down."""
    found: list[Row] = []
    day = date(2022, 1, 1) + timedelta(days=int(rng.integers(0, 500)))
    while day <= AS_OF:
        due = day + timedelta(days=int(rng.choice([30, 181, 365, 730])))
        churns = rng.random() < 0.15
        known = due + timedelta(days=int(rng.integers(-25, 15)))
        notice = due - timedelta(days=int(rng.integers(5, 60))) if churns and rng.random() < 0.7 else None
        is_written = known <= AS_OF and rng.random() < 0.95
        outcome = CHURNED if churns else RENEWED
        found.append((account, day, due, outcome if is_written else UNDECIDED, notice, known if is_written else None))
        if churns:
            break
        day = due
    return found


def _is_unrecorded(rows: list[Row], account: str, due: date) -> bool:
    begun = [start for name, start, *_ in rows if name == account and start is not None and start <= AS_OF]
    return due <= AS_OF and (due + timedelta(days=180) < AS_OF or any(start >= due for start in begun))


def test_metrics_are_looked_at_on_every_month_of_a_term_so_that_what_an_outage_hides_can_be_taken_from_before() -> None:
    rows: list[Row] = [("A", date(2025, 1, 10), date(2026, 1, 10), CHURNED, date(2025, 3, 5), date(2026, 1, 10))]
    terms, decisions = decided(rows)
    assert len(lay_rows(terms, decisions)) == 2
    assert len(looked_at(terms, decisions).day) == 12


def test_the_monthly_dates_before_a_day_are_first_days_of_months() -> None:
    day = np.array([np.datetime64(text).astype(np.int64) for text in ("2026-03-01", "2026-03-17", "2026-03-02")])
    told = [earlier_months(day, back).astype("datetime64[D]").astype(str).tolist() for back in (1, 2, 4)]
    assert told[0] == ["2026-02-01", "2026-03-01", "2026-03-01"]
    assert told[1] == ["2026-01-01", "2026-02-01", "2026-02-01"]
    assert told[2] == ["2025-11-01", "2025-12-01", "2025-12-01"]


def test_a_first_term_without_a_start_is_of_typical_length_and_of_no_class() -> None:
    rows: list[Row] = [
        ("A", None, date(2025, 7, 1), RENEWED, None, date(2025, 7, 1)),
        ("B", date(2025, 1, 1), date(2025, 12, 27), RENEWED, None, date(2025, 12, 27)),
    ]
    terms, months, _ = laid(rows)
    assert min(months["A", "2025-07-01"]) == "2024-08-01", "360 days before it was due is 6 July"
    assert term_classes(terms).tolist() == [-1, 2]
