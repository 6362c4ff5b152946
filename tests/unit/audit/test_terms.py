"""Terms: when each began, which clusters they fall into, what of the past was known, and in which money."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.audit import company
from tests.unit.audit.company import day
from unspun.audit.terms import UNKNOWN, PastOutcomes, Terms, align, order_terms
from unspun.book.tables import CHURNED, EXPANDED, RENEWED, UNDECIDED, Codes


def starts(terms: Terms) -> list[str]:
    return ["unknown" if start == UNKNOWN else str(np.datetime64(int(start), "D")) for start in terms.start]


def test_a_term_starts_when_it_says_else_at_the_accounts_previous_due_date() -> None:
    terms = company.terms("""
        account  start       due         outcome
        a        2023-02-01  2024-01-01  renewed
        a        -           2025-01-01  renewed
        a        2025-02-01  2026-01-01  renewed
        b        -           2024-06-01  renewed
    """)
    assert starts(terms) == ["2023-02-01", "2024-01-01", "2025-02-01", "unknown"]


def test_after_a_churn_the_previous_due_date_is_no_start() -> None:
    terms = company.terms("""
        account  due         outcome
        a        2023-01-01  churned
        a        2025-01-01  renewed
        a        2026-01-01  renewed
    """)
    assert starts(terms) == ["unknown", "unknown", "2025-01-01"]


def test_rows_are_put_in_order_of_account_and_due_date_and_remember_where_they_stood() -> None:
    terms = company.terms("""
        account  due         outcome
        b        2025-01-01  renewed
        a        2025-01-01  churned
        b        2024-01-01  expanded
    """)
    assert terms.order.tolist() == [2, 0, 1]
    assert [terms.account_names[account] for account in terms.account] == ["b", "b", "a"]
    assert terms.outcome.tolist() == [EXPANDED, RENEWED, CHURNED]


def test_an_outcome_not_known_by_the_as_of_date_is_no_outcome_yet() -> None:
    terms = company.terms(
        """
        account  due         outcome  known
        a        2025-01-01  churned  2025-06-01
        b        2025-01-01  churned  2025-06-30
        c        2025-01-01  churned  2025-07-01
        d        2025-07-01  churned  2025-06-01
        e        2025-01-01  -        -
        """,
        as_of="2025-06-30",
    )
    assert terms.outcome.tolist() == [CHURNED, CHURNED, UNDECIDED, CHURNED, UNDECIDED]
    assert terms.decided.tolist() == [True, True, False, False, False]


def test_a_renewal_is_decided_on_the_earlier_of_notice_and_outcome_known() -> None:
    terms = company.terms("""
        account  due         outcome  notice      known
        a        2025-06-01  churned  2025-03-01  2025-05-01
        b        2025-06-01  churned  2025-05-01  2025-03-01
        c        2025-06-01  churned  2025-03-01  -
        d        2025-06-01  churned  -           -
    """)
    march = day("2025-03-01")
    assert terms.decided_on.tolist() == [march, march, march, UNKNOWN]
    assert terms.known_on.tolist() == [day("2025-05-01"), march, day("2025-06-01"), day("2025-06-01")]


def cluster_of(terms: Terms) -> dict[str, int]:
    return dict(zip(terms.account_names, terms.cluster[: len(terms.account_names)].tolist(), strict=True))


def together(terms: Terms, *groups: str) -> bool:
    """Whether the accounts fall into these clusters and no others, one text a cluster."""
    found = cluster_of(terms)
    return {frozenset(g.split()) for g in groups} == {frozenset(a for a in found if found[a] == c) for c in set(found.values())}


def test_without_parents_each_account_is_its_own_cluster() -> None:
    terms = company.terms("""
        account  due         outcome
        a        2025-01-01  renewed
        a        2026-01-01  renewed
        b        2025-01-01  renewed
    """)
    assert together(terms, "a", "b")
    assert not terms.clustered_by_parent


def test_accounts_are_clustered_by_the_top_of_their_hierarchy_however_deep() -> None:
    terms = company.terms("""
        account  due         outcome  parent
        a        2025-01-01  renewed  region1
        b        2025-01-01  renewed  region2
        region1  2025-01-01  renewed  group
        region2  2025-01-01  renewed  group
        c        2025-01-01  renewed  other
        d        2025-01-01  renewed  -
    """)
    assert together(terms, "a b region1 region2", "c", "d")
    assert terms.clustered_by_parent


def test_parents_of_either_file_count_and_a_parent_needs_no_renewal_of_its_own() -> None:
    terms = company.terms(
        """
        account  due         outcome  parent
        a        2025-01-01  renewed  region1
        b        2025-01-01  renewed  -
        c        2025-01-01  renewed  -
        """,
        score_parents="""
        account  parent
        b        region2
        region1  group
        region2  group
        """,
    )
    assert together(terms, "a b", "c")


def test_a_cycle_of_parents_is_one_cluster() -> None:
    terms = company.terms("""
        account  due         outcome  parent
        a        2025-01-01  renewed  b
        b        2025-01-01  renewed  c
        c        2025-01-01  renewed  a
        d        2025-01-01  renewed  d
    """)
    assert together(terms, "a b c", "d")


def test_an_account_that_changed_parent_joins_both_families() -> None:
    terms = company.terms("""
        account  due         outcome  parent
        a        2024-01-01  renewed  p
        a        2025-01-01  renewed  q
        b        2025-01-01  renewed  p
        c        2025-01-01  renewed  q
    """)
    assert together(terms, "a b c")


def test_the_last_outcome_is_known_from_its_due_date_or_from_when_it_was_known_if_that_was_later() -> None:
    terms = company.terms("""
        account  due         outcome   known
        a        2024-01-01  expanded  2023-12-01
        a        2025-01-01  churned   2025-02-01
    """)
    asked = ["2023-12-31", "2024-01-01", "2025-01-31", "2025-02-01"]
    found = PastOutcomes(terms).last(np.zeros(4, dtype=np.int64), np.array([day(text) for text in asked]))
    assert found.tolist() == [UNDECIDED, EXPANDED, EXPANDED, CHURNED]


MIXED = """
    account  due         outcome  before  after  currency
    a        2025-01-01  renewed  100     110    EUR
    b        2025-01-01  renewed  200     200    USD
    c        2025-01-01  churned  300     0      GBP
"""


def test_amounts_in_several_currencies_are_never_taken_for_one_another_without_rates() -> None:
    money = company.terms(MIXED).money
    assert money.stated_in is None
    assert set(money.currencies) == {"EUR", "USD", "GBP"}


def test_with_rates_amounts_are_converted_and_those_without_a_rate_count_as_not_given() -> None:
    table = company.renewals(MIXED)
    nobody = company.scores({"account": ["x"], "dated": ["2020-01-01"], "value": ["1"]})
    money = order_terms(table, nobody, day("2026-01-01"), {"USD": 0.9}, "EUR").money
    assert money.before[:2].tolist() == pytest.approx([100, 180])
    assert math.isnan(money.before[2])
    assert (money.stated_in, money.without_rate) == ("EUR", 1)


def test_codes_of_one_file_are_found_by_name_in_the_other() -> None:
    theirs = Codes(np.array([0, 1, 2, -1], dtype=np.int32), ("b", "x", "a"))
    assert align(theirs, ("a", "b")).tolist() == [1, -1, 0, -1]
