"""Which days a trial looks at is settled by the renewals alone, by the protocol's own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.unit.audit.company import random_company, renewals
from unspun.audit.asking import trial_days
from unspun.audit.judge import judge
from unspun.audit.protocol import DEFAULT_HORIZONS, DETAILED_SCORES, AuditSettings
from unspun.book.tables import UNDECIDED

AUTO = AuditSettings()
MANY = DETAILED_SCORES + 1
SMALL = """
account start      due        outcome    known
a1      2025-01-01 2026-01-01 renewed    2025-12-20
a1      2026-01-01 2027-01-01 -          -
a2      2025-02-01 2026-02-01 churned    2026-01-15
a3      2025-03-01 2026-03-01 renewed    2026-04-10
"""


@pytest.mark.parametrize("term_days", [365, 120, 60])
def test_the_settled_days_are_those_the_audit_settles_on(term_days: int) -> None:
    scores, table = random_company(1, accounts=150, term_days=term_days)
    days = trial_days(table, AUTO, None, 1)
    design = judge(scores, table, days.settings, "0").result.design
    asked = judge(scores, table, replace(AUTO, as_of=days.as_of), "0").result
    assert (days.design, days.why) == (asked.design.name, asked.design.why)
    assert (days.primary_horizon, days.primary_why) == (asked.design.primary_horizon_days, asked.design.primary_why)
    assert days.horizons == tuple(horizon.horizon_days for horizon in asked.scores[0].horizons)
    assert (design.name, design.primary_horizon_days, design.as_of) == (days.design, days.primary_horizon, days.as_of)


def test_decided_renewals_are_looked_at_and_those_not_yet_due_are_not() -> None:
    days = trial_days(renewals(SMALL), AUTO, None, 1)
    assert (days.as_of, days.as_of_why) == (date(2026, 4, 10), "the last day on which the renewals know anything")
    assert days.dues == (("a1", date(2026, 1, 1)), ("a2", date(2026, 2, 1)), ("a3", date(2026, 3, 1)))
    assert days.months == ()


def test_what_is_not_known_by_a_declared_as_of_date_is_not_looked_at() -> None:
    days = trial_days(renewals(SMALL), AuditSettings(as_of=date(2026, 3, 15)), None, 1)
    assert days.dues == (("a1", date(2026, 1, 1)), ("a2", date(2026, 2, 1)))  # a3's outcome became known in April
    assert days.as_of_why == "declared"


def test_days_to_come_are_left_aside() -> None:
    days = trial_days(renewals(SMALL), AUTO, date(2026, 3, 31), 1)
    assert days.as_of == date(2026, 1, 15)
    assert days.as_of_why.endswith("days to come left aside")


def test_many_subjects_are_looked_at_the_primary_horizon_only_unless_horizons_are_asked_for() -> None:
    _, table = random_company(1, accounts=100)
    assert trial_days(table, AUTO, None, DETAILED_SCORES).horizons == DEFAULT_HORIZONS
    assert trial_days(table, AUTO, None, MANY).horizons == (180,)
    assert trial_days(table, AuditSettings(horizons=(30, 90)), None, MANY).horizons == (30, 90)
    assert trial_days(table, AuditSettings(primary_horizon=45), None, MANY).horizons == (45,)
    assert trial_days(table, AuditSettings(primary_horizon=45), None, 1).horizons == (30, 45, 60, 90, 180)


def test_short_terms_are_looked_at_on_the_first_days_of_the_months_in_which_anybody_is_active() -> None:
    _, table = random_company(2, accounts=60, term_days=30, first="2024-03-10", last="2024-12-31")
    days = trial_days(table, AUTO, None, MANY)
    assert days.design == "landmark" and days.dues == ()
    assert all(month.day == 1 for month in days.months)
    assert days.months == tuple(sorted(set(days.months)))
    assert days.months[-1] <= days.as_of


def test_renewals_without_an_outcome_leave_nothing_to_look_at() -> None:
    table = renewals(SMALL)
    open_ = replace(table, outcome=np.full(4, UNDECIDED, dtype=np.int8))
    assert trial_days(open_, AUTO, None, 1).dues == ()


def test_the_order_of_the_rows_changes_nothing() -> None:
    table = renewals(SMALL)
    other_way_round = renewals("\n".join([SMALL.strip().splitlines()[0], *SMALL.strip().splitlines()[:0:-1]]))
    assert trial_days(other_way_round, AUTO, None, 1) == trial_days(table, AUTO, None, 1)
