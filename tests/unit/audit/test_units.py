"""Which renewals and account-months are judged, on timelines drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.audit import company
from tests.unit.audit.company import day
from unspun.audit.terms import Terms
from unspun.audit.units import Units, active_months, choose_design, landmark_units, renewal_units, take

# `why` is for renewals looked at 90 days before the due date 2025-06-30, that is on 2025-04-01.
RENEWALS = """
    account  start       due         outcome   notice      known       why
    plain    2024-06-30  2025-06-30  churned   -           -           eligible
    young    2025-04-02  2025-06-30  churned   -           -           too_short
    justold  2025-04-01  2025-06-30  churned   -           -           eligible
    nostart  -           2025-06-30  renewed   -           -           eligible
    noticed  2024-06-30  2025-06-30  churned   2025-04-01  2025-06-01  decided
    nextday  2024-06-30  2025-06-30  churned   2025-04-02  2025-06-01  eligible
    toldoff  2024-06-30  2025-06-30  renewed   -           2025-03-01  decided
    late     2024-06-30  2025-06-30  renewed   -           2025-08-01  eligible
    open     2024-06-30  2025-06-30  -         -           -           unused
    unknown  2024-06-30  2025-06-30  churned   2025-05-01  2026-02-01  unused
    future   2024-06-30  2026-06-30  churned   2026-01-01  2026-01-01  unused
    both     2025-05-01  2025-06-30  churned   2025-03-01  2025-03-01  too_short
"""


@pytest.fixture
def terms() -> Terms:
    return company.terms(RENEWALS, as_of="2026-01-31")


def names(units: Units, terms: Terms) -> set[str]:
    return {terms.account_names[account] for account in units.account}


def accounts(why: str) -> set[str]:
    table = company.table(RENEWALS)
    return {account for account, reason in zip(table["account"], table["why"], strict=True) if reason == why}


def test_a_renewal_is_eligible_if_its_term_had_begun_and_its_outcome_was_still_open(terms: Terms) -> None:
    units = renewal_units(terms, 90)
    assert names(units, terms) == accounts("eligible")
    assert set(units.as_of.tolist()) == {day("2025-04-01")}


def test_every_renewal_used_is_eligible_or_left_out_for_one_reason(terms: Terms) -> None:
    units = renewal_units(terms, 90)
    short, decided = len(accounts("too_short")), len(accounts("decided"))
    assert [n for _, n in units.flow] == [len(units) + short + decided, -short, -decided, len(units)]
    assert units.not_applicable == short


def test_at_the_due_date_itself_only_terms_begun_and_outcomes_open_that_day_count(terms: Terms) -> None:
    assert names(renewal_units(terms, 0), terms) == {"plain", "young", "justold", "nostart", "late"}


def test_a_renewals_outcomes_are_apart_and_known_when_it_says_or_else_when_due() -> None:
    terms = company.terms("""
        account  due         outcome     known
        a        2025-01-01  churned     2025-02-01
        b        2025-01-02  contracted  -
        c        2025-01-03  expanded    -
        d        2025-01-04  renewed     -
    """)
    units = renewal_units(terms, 30)
    assert np.stack([units.churned, units.contracted, units.expanded]).astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert units.known_on.tolist() == [day(text) for text in ("2025-02-01", "2025-01-02", "2025-01-03", "2025-01-04")]


def test_renewals_come_in_order_of_the_day_they_are_looked_at() -> None:
    terms = company.terms("""
        account  due         outcome  before
        a        2025-03-01  renewed  3
        b        2025-01-01  churned  1
        c        2025-02-01  renewed  2
    """)
    units = renewal_units(terms, 30)
    assert units.amount.tolist() == [1, 2, 3]
    assert (units.due == np.sort(terms.due)).all()
    assert take(units, np.array([2, 0])).amount.tolist() == [3, 1]


def months_of(terms: Terms, account: str) -> list[str]:
    months = active_months(terms)
    code = terms.account_names.index(account)
    return [str(np.datetime64(int(first), "D")) for first, who in zip(months.day, months.account, strict=True) if who == code]


def test_an_account_is_active_from_its_start_until_before_it_churned() -> None:
    terms = company.terms("""
        account  start       due         outcome
        a        2025-01-15  2025-04-15  churned
        b        2025-02-01  2025-04-01  churned
    """)
    assert months_of(terms, "a") == ["2025-02-01", "2025-03-01", "2025-04-01"]
    assert months_of(terms, "b") == ["2025-02-01", "2025-03-01"]


def test_an_account_that_renewed_stays_active_until_the_as_of_date() -> None:
    terms = company.terms("account start due outcome\n a 2025-01-01 2025-02-01 renewed", as_of="2025-04-01")
    assert months_of(terms, "a") == ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]


def test_a_first_term_without_a_start_is_taken_as_one_typical_term_long() -> None:
    terms = company.terms("""
        account  start       due         outcome
        a        2025-01-01  2025-03-02  churned
        b        -           2025-03-02  churned
        c        -           2025-03-02  renewed
        c        -           2025-05-01  churned
    """)
    assert int(np.median(terms.length_days)) == 60
    assert months_of(terms, "b") == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert months_of(terms, "c") == ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]


def test_an_account_that_came_back_was_away_in_between() -> None:
    terms = company.terms("""
        account  start       due         outcome
        a        2025-01-01  2025-02-15  churned
        a        2025-05-20  2025-07-20  churned
    """)
    assert months_of(terms, "a") == ["2025-01-01", "2025-02-01", "2025-06-01", "2025-07-01"]


def test_overlapping_terms_count_an_account_once_a_month_by_the_term_that_ends_first() -> None:
    terms = company.terms("""
        account  start       due         outcome  before
        a        2025-01-01  2025-03-15  renewed  10
        a        2025-02-01  2025-04-15  churned  20
    """)
    months = active_months(terms)
    assert [str(np.datetime64(int(first), "D"))[:7] for first in months.day] == ["2025-01", "2025-02", "2025-03", "2025-04"]
    assert months.amount.tolist() == [10, 10, 10, 20]


def landmarks(text: str, horizon_days: int, as_of: str = "2026-06-30") -> dict[tuple[str, str], str]:
    """What became of each eligible account-month in its window."""
    terms = company.terms(text, as_of)
    units = landmark_units(terms, active_months(terms), horizon_days)
    outcomes = np.select([units.churned, units.contracted, units.expanded], ["churned", "contracted", "expanded"], "stayed")
    return {
        (terms.account_names[who], str(np.datetime64(int(first), "D"))[:7]): str(outcome)
        for who, first, outcome in zip(units.account, units.as_of, outcomes, strict=True)
    }


CHURN_IN_APRIL = """
    account  start       due         outcome
    a        2025-01-15  2025-04-15  churned
"""


@pytest.mark.parametrize(
    ("horizon_days", "gone"),
    [(13, []), (14, ["2025-04"]), (44, ["2025-04"]), (45, ["2025-03", "2025-04"]), (80, ["2025-02", "2025-03", "2025-04"])],
)
def test_a_month_is_churned_if_the_account_churns_within_the_window_after_its_first_day(horizon_days: int, gone: list[str]) -> None:
    found = landmarks(CHURN_IN_APRIL, horizon_days)
    assert list(found) == [("a", "2025-02"), ("a", "2025-03"), ("a", "2025-04")]
    assert [month for (_, month), outcome in found.items() if outcome == "churned"] == gone


def test_a_month_whose_window_is_not_over_by_the_as_of_date_is_censored_not_retained() -> None:
    text = "account start due outcome\n a 2025-01-01 2025-12-31 renewed"
    assert list(landmarks(text, 31, as_of="2025-05-01")) == [("a", f"2025-0{m}") for m in (1, 2, 3)]
    assert list(landmarks(text, 30, as_of="2025-05-01")) == [("a", f"2025-0{m}") for m in (1, 2, 3, 4)]


def test_even_a_churn_already_seen_is_censored_with_its_window_or_short_windows_would_hold_churn_alone() -> None:
    assert ("a", "2025-04") not in landmarks(CHURN_IN_APRIL, 30, as_of="2025-04-30")
    assert landmarks(CHURN_IN_APRIL, 30, as_of="2025-05-01")["a", "2025-04"] == "churned"


def test_a_month_that_began_after_the_churn_was_known_is_left_out() -> None:
    found = landmarks("account start due outcome notice\n a 2025-01-15 2025-04-15 churned 2025-03-01", 60)
    assert found == {("a", "2025-02"): "stayed"}


def test_a_month_with_a_renewal_nobody_knows_the_outcome_of_is_left_out_unless_the_account_churned() -> None:
    text = """
        account  start       due         outcome
        a        2025-01-01  2025-02-15  -
        a        2025-02-15  2025-04-15  churned
    """
    assert landmarks(text, 31) == {("a", "2025-01"): "stayed", ("a", "2025-03"): "stayed", ("a", "2025-04"): "churned"}
    assert landmarks(text, 80)["a", "2025-02"] == "churned"


def test_what_happened_in_a_window_is_known_at_its_end_or_when_its_last_renewal_was() -> None:
    terms = company.terms("""
        account  start       due         outcome  known
        a        2025-01-01  2025-02-15  renewed  2025-06-01
        a        2025-02-15  2025-03-20  renewed  2025-03-01
        a        2025-03-20  2025-05-20  churned  2025-07-01
        b        2025-01-01  2025-02-20  renewed  2025-08-01
    """)
    units = landmark_units(terms, active_months(terms), 31)
    mine = units.account == terms.account_names.index("a")
    looked, known_on = (days[mine].astype("datetime64[D]").astype(str).tolist() for days in (units.as_of, units.known_on))
    known = {first[:7]: then for first, then in zip(looked, known_on, strict=True)}
    assert known == {
        "2025-01": "2025-02-01",
        "2025-02": "2025-06-01",
        "2025-03": "2025-04-01",
        "2025-04": "2025-05-02",
        "2025-05": "2025-07-01",
    }


def test_among_contraction_and_expansion_in_one_window_contraction_counts_and_churn_above_both() -> None:
    text = """
        account  start       due         outcome
        a        2025-01-01  2025-01-20  expanded
        a        2025-01-20  2025-02-20  contracted
        a        2025-02-20  2025-03-20  churned
    """
    assert landmarks(text, 25)["a", "2025-01"] == "expanded"
    assert landmarks(text, 55)["a", "2025-01"] == "contracted"
    assert landmarks(text, 80)["a", "2025-01"] == "churned"


def test_the_flow_of_account_months_adds_up() -> None:
    terms = company.terms(
        """
        account  start       due         outcome  notice
        a        2025-01-15  2025-04-15  churned  2025-03-01
        b        2025-01-01  2025-02-15  -        -
        c        2025-01-01  2025-02-15  renewed  -
        """,
        as_of="2025-06-30",
    )
    flow = [n for _, n in landmark_units(terms, active_months(terms), 40).flow]
    assert sum(flow[:-1]) == flow[-1]
    assert all(n < 0 for n in flow[1:-1])


@pytest.mark.parametrize(("days", "design"), [(30, "landmark"), (179, "landmark"), (180, "renewal"), (365, "renewal")])
def test_the_design_follows_the_length_of_the_terms(days: int, design: str) -> None:
    start = np.datetime64("2025-01-01")
    terms = company.terms(f"account start due outcome\n a {start} {start + days} renewed")
    assert choose_design(terms, "auto")[0] == design
    assert choose_design(terms, "landmark") == ("landmark", "declared")


def test_half_of_the_terms_being_long_is_enough_for_renewals_to_be_judged_and_unknown_lengths_do_not_count() -> None:
    terms = company.terms("""
        account  start       due         outcome
        a        2024-01-01  2025-01-01  renewed
        b        2024-12-01  2025-01-01  renewed
        c        -           2025-01-01  renewed
    """)
    assert choose_design(terms, "auto")[0] == "renewal"
    assert choose_design(company.terms("account due outcome\n a 2025-01-01 renewed"), "auto")[0] == "renewal"
