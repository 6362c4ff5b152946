"""When a row enters, when it leaves, and what of it was known on a day."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.risk_companies import make_company
from unspun.audit.terms import UNKNOWN
from unspun.book.tables import Codes
from unspun.risk.rows import (
    CHURN,
    FLAT,
    PERIOD_EDGES,
    PERIODS,
    TERM_CLASSES,
    UNDECIDED4,
    Feature,
    KnownRows,
    RiskRows,
    class_of_term,
    enter,
    known_by,
)

DUE = 20_000


def _rows(leads: list[int], decided_on: int = UNKNOWN, outcome: int = UNDECIDED4) -> RiskRows:
    n = len(leads)
    same = np.zeros(n, dtype=np.int64)
    return RiskRows(
        features=(Feature("use", "Use", "", "number"),),
        columns={"use": np.arange(n, dtype=np.float64)},
        reasons={"use": Codes(np.full(n, -1, dtype=np.int32), ())},
        stale_days={"use": same},
        renewal=same,
        account=same,
        cluster=same,
        as_of=DUE - np.array(leads),
        due=np.full(n, DUE),
        decided_on=np.full(n, decided_on),
        outcome=np.full(n, outcome, dtype=np.int8),
        term_class=same,
        arr=np.ones(n),
    )


@pytest.mark.parametrize("lead", [1, 10, 11, 20, 21, 60, 61, 179, 180, 181, 400])
def test_a_row_is_at_risk_from_the_day_after_its_as_of_date(lead: int) -> None:
    """Counted day by day: the days of its first period that are left, of all the days that the period has."""
    period, share = enter(np.array([lead]))
    lower, upper = PERIOD_EDGES[period[0] + 1], PERIOD_EDGES[period[0]]
    assert lower <= lead - 1 < upper
    left = [day for day in range(lead) if lower <= day < upper]
    assert share[0] == pytest.approx(1.0 if upper == float("inf") else len(left) / (upper - lower))


def test_an_overdue_renewal_is_in_the_last_period() -> None:
    assert enter(np.array([0, -200]))[0].tolist() == [PERIODS - 1, PERIODS - 1]


@pytest.mark.parametrize("days_before", [200, 180, 179, 60, 59, 1, 0, -1, -90])
def test_a_decided_renewal_leaves_in_the_period_of_the_day_it_was_decided(days_before: int) -> None:
    known = known_by(_rows([300], DUE - days_before, CHURN), DUE + 1_000)
    assert PERIOD_EDGES[known.exit[0] + 1] <= days_before < PERIOD_EDGES[known.exit[0]]
    assert known.outcome.tolist() == [CHURN]


def test_what_is_decided_on_the_cutoff_day_or_later_is_not_known_and_the_row_is_seen_through_its_last_complete_period() -> None:
    rows = _rows([300], DUE - 50, FLAT)
    told, before = known_by(rows, DUE - 49), known_by(rows, DUE - 50)
    assert (told.outcome[0], told.exit[0]) == (FLAT, 4)
    assert (before.outcome[0], before.exit[0]) == (UNDECIDED4, 3)  # days 51 and more have passed: 60 to 90 is complete, 45 to 60 is not
    assert PERIOD_EDGES[4] == 60
    assert [known_by(rows, DUE - days).exit[0] for days in (61, 60, 59)] == [2, 2, 3]  # complete when the day 60 before has passed


def test_rows_of_the_cutoff_day_and_rows_not_seen_through_a_period_are_left_out() -> None:
    rows = _rows([300, 200, 40])
    assert known_by(rows, DUE - 200).rows.columns["use"].tolist() == []  # the first is in a period that has not ended
    assert known_by(rows, DUE - 39).rows.columns["use"].tolist() == [0.0, 1.0]  # the third stands just before the cutoff


def test_an_undecided_renewal_long_overdue_never_completes_the_last_period() -> None:
    assert known_by(_rows([30]), DUE + 500).exit.tolist() == [PERIODS - 2]


def test_nothing_that_becomes_known_later_changes_what_was_known() -> None:
    company = make_company(200, 4, 1)
    rows, cutoff = company.rows, int(np.median(company.rows.as_of))
    late = rows.decided_on >= cutoff
    forgotten = RiskRows(
        rows.features, rows.columns, rows.reasons, rows.stale_days, rows.renewal, rows.account, rows.cluster, rows.as_of, rows.due,
        np.where(late, UNKNOWN, rows.decided_on), np.where(late, UNDECIDED4, rows.outcome).astype(np.int8), rows.term_class, rows.arr,
    )  # fmt: skip
    one, other = known_by(rows, cutoff), known_by(forgotten, cutoff)
    assert late.any() and len(one) > 0
    for name in ("entry", "exit", "outcome", "share_left"):
        assert (getattr(one, name) == getattr(other, name)).all()
    assert (one.rows.as_of < cutoff).all()


def test_taking_rows_takes_all_that_belongs_to_them() -> None:
    known: KnownRows = known_by(_rows([300, 200, 100], DUE - 5, FLAT), DUE + 9)
    taken = known.take(np.array([False, True, True]))
    assert taken.rows.columns["use"].tolist() == [1.0, 2.0]
    assert taken.rows.lead.tolist() == [200, 100]
    assert len(taken.rows.reasons["use"].codes) == len(taken.rows.stale_days["use"]) == len(taken) == 2


def test_terms_are_classed_by_their_length() -> None:
    named = [TERM_CLASSES[i] for i in class_of_term(np.array([28, 31, 90, 184, 365, 366, 730])).tolist()]
    assert named == ["monthly", "monthly", "up to half a year", "up to half a year", "a year", "a year", "longer"]
