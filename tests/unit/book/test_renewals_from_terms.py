"""Renewals from terms, rule by rule: each test is a small history of one account and what it must come to."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from unspun.book.renewals import read_renewals
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import OUTCOMES, ReadingOptions, Renewals
from unspun.book.terms.derive import derive_renewals, last_known_day
from unspun.book.terms.export import renewals_csv, write_renewals
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput

NOTHING = ReadingOptions()
AS_OF = date(2026, 6, 30)
YEAR_25 = "A,Base,no,2025-01-01,2026-01-01,1200"


def derive(
    *lines: str,
    rules: TermRules | None = None,
    as_of: date = AS_OF,
    head: str = "account,product,is_addon,start,end,arr",
) -> Renewals:
    subscriptions = read_subscriptions("\n".join((head, *lines)).encode(), NOTHING)
    return derive_renewals(subscriptions, rules or TermRules(ends_inclusive=False), as_of)


def told(renewals: Renewals) -> list[str]:
    """Each renewal as "due outcome before>after"."""
    assert renewals.amount_before is not None and renewals.amount_after is not None
    words = [(*OUTCOMES, "undecided")[code] for code in renewals.outcome]
    amounts = zip(renewals.amount_before.tolist(), renewals.amount_after.tolist(), strict=True)
    return [f"{due} {word} {b:g}>{a:g}" for due, word, (b, a) in zip(renewals.due.astype(str), words, amounts, strict=True)]


def known(renewals: Renewals) -> list[str]:
    assert renewals.outcome_known is not None
    return renewals.outcome_known.astype(str).tolist()


def set_aside(renewals: Renewals) -> dict[str, list[int]]:
    return {rejection.code: rejection.rows.tolist() for rejection in renewals.source.rejections}


def noted(renewals: Renewals, text: str) -> bool:
    return any(text in note for note in renewals.source.notes)


def test_back_to_back_terms_renew_on_the_day_the_old_one_ends() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1200")
    assert told(renewals) == ["2026-01-01 renewed 1200>1200", "2027-01-01 undecided 1200>nan"]
    assert known(renewals) == ["2026-01-01", "NaT"] and renewals.row.tolist() == [2, 3]
    assert renewals.term_start is not None and renewals.term_start.astype(str).tolist() == ["2025-01-01", "2026-01-01"]


def test_more_arr_is_an_expansion_and_less_a_contraction() -> None:
    assert told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1500"))[0] == "2026-01-01 expanded 1200>1500"
    assert told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,900"))[0] == "2026-01-01 contracted 1200>900"


def test_a_change_within_the_tolerance_is_flat() -> None:
    assert told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1201"))[0] == "2026-01-01 renewed 1200>1201"
    exact = TermRules(ends_inclusive=False, flat_within=0)
    assert told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1201", rules=exact))[0] == "2026-01-01 expanded 1200>1201"


def test_a_term_that_nothing_follows_churned_and_that_is_known_when_the_grace_days_are_over() -> None:
    renewals = derive(YEAR_25)
    assert told(renewals) == ["2026-01-01 churned 1200>0"] and known(renewals) == ["2026-01-08"]


def test_within_the_grace_days_a_lapse_is_not_decided_yet() -> None:
    assert told(derive(YEAR_25, as_of=date(2026, 1, 7))) == ["2026-01-01 undecided 1200>nan"]
    assert told(derive(YEAR_25, as_of=date(2026, 1, 8))) == ["2026-01-01 churned 1200>0"]


def test_a_late_start_within_the_grace_days_is_a_renewal_known_on_that_day() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-08,2027-01-08,1200")
    assert told(renewals)[0] == "2026-01-01 renewed 1200>1200" and known(renewals)[0] == "2026-01-08"
    assert noted(renewals, "late renewals, within the grace days: 1")


def test_after_a_longer_gap_the_account_churned_and_its_return_is_a_reactivation() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-09,2027-01-09,1200")
    assert told(renewals) == ["2026-01-01 churned 1200>0", "2027-01-09 undecided 1200>nan"]
    assert noted(renewals, "after its account had churned: 1, of them 1 within 60 days")
    assert (
        told(derive(YEAR_25, "A,Base,no,2026-01-09,2027-01-09,1200", rules=TermRules(grace_days=30)))[0] == "2026-01-01 renewed 1200>1200"
    )


def test_an_early_renewal_stays_due_at_the_old_end_and_is_known_when_the_new_term_begins() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2025-11-01,2026-11-01,1500")
    assert told(renewals)[0] == "2026-01-01 expanded 1200>1500" and known(renewals)[0] == "2025-11-01"
    assert noted(renewals, "early renewals: 1")


def test_before_its_due_date_even_an_early_renewal_is_undecided_as_all_others_due_then_are() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2025-11-01,2026-11-01,1500", as_of=date(2025, 12, 1))
    assert [line.split()[1] for line in told(renewals)] == ["undecided", "undecided"]


def test_a_contract_replaced_long_before_its_end_is_a_change_and_nothing_is_due_at_the_old_end() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2025-06-01,2026-06-01,2400")
    assert told(renewals) == ["2026-06-01 churned 2400>0"]
    assert noted(renewals, "replaced mid-term, nothing due at their old end: 1")


def test_the_first_day_that_counts_as_early_is_early_days_before_the_end() -> None:
    assert told(derive(YEAR_25, "A,Base,no,2025-10-03,2026-10-03,1500"))[0] == "2026-01-01 expanded 1200>1500"
    assert told(derive(YEAR_25, "A,Base,no,2025-10-02,2026-10-02,1500"))[0] == "2026-10-02 undecided 1500>nan"


def test_a_second_contract_of_the_same_product_adds_up_where_the_first_one_renews_on_its_own_day() -> None:
    renewals = derive(
        YEAR_25, "A,Base,no,2025-05-01,2026-05-01,500", "A,Base,no,2026-01-01,2027-01-01,1200", "A,Base,no,2026-05-01,2027-05-01,500"
    )
    assert told(renewals)[:2] == ["2026-01-01 renewed 1700>1700", "2026-05-01 renewed 1700>1700"]
    assert [line.split()[0] for line in told(renewals)[2:]] == ["2027-01-01", "2027-05-01"]


def test_terms_that_end_together_are_one_renewal() -> None:
    co_termed = (YEAR_25, "A,Base,no,2025-07-01,2026-01-01,300", "A,Analytics,no,2025-10-01,2026-01-01,600")
    renewals = derive(*co_termed, "A,Base,no,2026-01-01,2027-01-01,1500", "A,Analytics,no,2026-01-01,2027-01-01,600")
    assert told(renewals)[0] == "2026-01-01 renewed 2100>2100" and len(renewals.due) == 2
    assert renewals.term_start is not None and str(renewals.term_start[0]) == "2025-01-01"


def test_one_of_two_products_lapsing_is_a_contraction_and_the_last_one_a_churn() -> None:
    renewals = derive(YEAR_25, "A,Analytics,no,2025-04-01,2026-04-01,600")
    assert told(renewals) == ["2026-01-01 contracted 1800>600", "2026-04-01 churned 600>0"]


def test_another_product_from_the_end_on_is_a_renewal() -> None:
    assert told(derive(YEAR_25, "A,Premium,no,2026-01-01,2027-01-01,3000"))[0] == "2026-01-01 expanded 1200>3000"


def test_a_product_new_to_the_account_that_overlaps_the_last_weeks_is_a_change_of_product() -> None:
    renewals = derive(YEAR_25, "A,Premium,no,2025-12-01,2026-12-01,3000")
    assert told(renewals)[0] == "2026-01-01 expanded 1200>3000" and known(renewals)[0] == "2025-12-01"


def test_a_product_held_beside_it_for_long_takes_nothing_over() -> None:
    assert told(derive(YEAR_25, "A,Premium,no,2025-06-01,2026-12-01,3000"))[0] == "2026-01-01 contracted 4200>3000"


CANCELLING = "account,product,is_addon,start,end,arr,cancelled_on"


def test_a_cancellation_is_a_notice_and_the_churn_is_due_at_the_end_of_the_term() -> None:
    renewals = derive(f"{YEAR_25},2025-09-15", head=CANCELLING)
    assert told(renewals) == ["2026-01-01 churned 1200>0"]
    assert renewals.notice is not None and renewals.notice.astype(str).tolist() == ["2025-09-15"]


def test_a_cancellation_that_ends_the_service_is_due_on_its_day() -> None:
    rules = TermRules(ends_inclusive=False, cancellation_ends_term=True)
    assert told(derive(f"{YEAR_25},2025-09-15", head=CANCELLING, rules=rules)) == ["2025-09-15 churned 1200>0"]


def test_a_cancellation_after_the_as_of_date_is_not_known() -> None:
    renewals = derive(f"{YEAR_25},2025-09-15", head=CANCELLING, as_of=date(2025, 9, 14))
    assert told(renewals) == ["2026-01-01 undecided 1200>nan"] and np.isnat(np.asarray(renewals.notice)).all()


def test_a_withdrawn_cancellation_is_a_renewal() -> None:
    assert (
        told(derive(f"{YEAR_25},2025-09-15", "A,Base,no,2026-01-01,2027-01-01,1200,", head=CANCELLING))[0] == "2026-01-01 renewed 1200>1200"
    )


def test_a_term_cancelled_before_it_began_counts_as_run_and_is_counted_unless_a_cancellation_ends_the_service() -> None:
    lines = (f"{YEAR_25},2025-11-15", "A,Base,no,2026-01-01,2027-01-01,1200,2025-11-15")
    renewals = derive(*lines, head=CANCELLING)
    assert told(renewals)[0] == "2026-01-01 renewed 1200>1200" and noted(renewals, "cancelled before they began, which count as run")
    assert not noted(derive(lines[0], head=CANCELLING), "before they began")
    ends = derive(*lines, head=CANCELLING, rules=TermRules(ends_inclusive=False, cancellation_ends_term=True))
    assert told(ends) == ["2025-11-15 churned 1200>0"] and set_aside(ends) == {"no_day": [3]}


@pytest.mark.parametrize("day", ["2025-06-01", "2025-12-01"])
@pytest.mark.parametrize("ends", [False, True])
def test_an_upgrade_in_the_middle_of_a_cancelled_term_is_no_renewal(ends: bool, day: str) -> None:
    rules = TermRules(ends_inclusive=False, cancellation_ends_term=ends)
    renewals = derive(f"{YEAR_25},{day}", f"A,Premium,no,{day},2026-01-01,3000,", head=CANCELLING, rules=rules)
    assert told(renewals) == ["2026-01-01 churned 3000>0"]


def test_a_cancellation_entered_days_after_the_replacement_began_is_still_a_replacement() -> None:
    premium = "A,Premium,no,2025-06-01,2026-06-01,3000,"
    assert told(derive(f"{YEAR_25},2025-06-08", premium, head=CANCELLING)) == ["2026-06-01 churned 3000>0"]
    assert told(derive(f"{YEAR_25},2025-06-09", premium, head=CANCELLING))[0] == "2026-01-01 contracted 4200>3000"


def test_a_product_back_on_the_last_day_of_grace_renews_itself_and_not_the_other_product_that_lapsed() -> None:
    analytics = ("A,Analytics,no,2024-12-25,2025-12-25,600", "A,Analytics,no,2026-01-01,2027-01-01,600")
    renewals = derive(YEAR_25, *analytics)
    assert told(renewals)[:2] == ["2025-12-25 contracted 1800>600", "2026-01-01 contracted 1800>600"]
    assert known(renewals)[:2] == ["2026-01-08", "2026-01-08"]  # until then the other product may still be back


def test_early_goes_before_late() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2025-12-20,2026-12-20,1500", "A,Base,no,2026-01-03,2027-01-03,9000")
    assert told(renewals)[0] == "2026-01-01 expanded 1200>1500" and known(renewals)[0] == "2025-12-20"


def test_a_new_product_begun_a_day_too_soon_to_be_early_is_held_beside_the_old_one() -> None:
    assert told(derive(YEAR_25, "A,Premium,no,2025-10-03,2026-10-03,3000"))[0] == "2026-01-01 expanded 1200>3000"
    assert told(derive(YEAR_25, "A,Premium,no,2025-10-02,2026-10-02,3000"))[0] == "2026-01-01 contracted 4200>3000"


def test_where_one_of_two_terms_that_end_together_lapses_the_outcome_is_known_when_the_grace_days_are_over() -> None:
    renewals = derive(YEAR_25, "A,Analytics,no,2025-01-01,2026-01-01,600", "A,Base,no,2026-01-01,2027-01-01,1200")
    assert told(renewals)[0] == "2026-01-01 contracted 1800>1200" and known(renewals)[0] == "2026-01-08"


@pytest.mark.parametrize("as_of", [date(2026, 1, day) for day in range(1, 12)])
def test_an_outcome_once_told_stays_as_it_is_whatever_comes_later(as_of: date) -> None:
    lines = (
        "A,Analytics,no,2025-01-03,2026-01-03,600", "A,Analytics,no,2026-01-08,2027-01-08,600",
        YEAR_25, "A,Base,no,2026-01-05,2027-01-05,1200",
        "A,Storage,yes,2025-01-01,2026-01-01,240", "A,Storage,yes,2026-01-07,2027-01-01,240",
    )  # fmt: skip
    later = derive(*lines)
    final = dict(zip(later.due.tolist(), told(later), strict=True))
    then = derive(*lines, as_of=as_of)
    decided = [(due, line) for due, line in zip(then.due.tolist(), told(then), strict=True) if "undecided" not in line]
    assert [line for _, line in decided] == [final[due] for due, _ in decided]
    assert known(later)[:2] == ["2026-01-08", "2026-01-08"] and (len(decided) == 2) == (as_of >= date(2026, 1, 8))


def test_an_outcome_is_not_known_while_another_of_the_accounts_terms_is_in_its_grace_days() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-05,2027-01-05,1200", "A,Analytics,no,2025-01-03,2026-01-03,600")
    assert told(renewals)[:2] == ["2026-01-01 contracted 1800>1200", "2026-01-03 contracted 1800>1200"]
    assert known(renewals)[:2] == ["2026-01-10", "2026-01-10"]


def test_a_new_base_product_takes_nothing_over_from_an_add_on() -> None:
    renewals = derive(YEAR_25, "A,Storage,yes,2025-01-01,2026-01-01,240", "A,Premium,no,2025-12-01,2026-12-01,3000")
    assert told(renewals)[0] == "2026-01-01 expanded 1440>3240"


def test_an_add_on_counts_into_the_amounts_where_it_runs() -> None:
    add_on = "A,Storage,yes,2025-03-01,2026-01-01,240"
    assert told(derive(YEAR_25, add_on, "A,Base,no,2026-01-01,2027-01-01,1200"))[0] == "2026-01-01 contracted 1440>1200"
    assert (
        told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1200", "A,Storage,yes,2026-01-01,,240"))[0] == "2026-01-01 expanded 1200>1440"
    )


def test_an_add_on_is_no_renewal_and_does_not_keep_an_account() -> None:
    renewals = derive(YEAR_25, "A,Storage,yes,2025-03-01,2027-03-01,240")
    assert told(renewals) == ["2026-01-01 churned 1440>0"]


def test_an_add_on_bridges_the_gap_that_its_product_does() -> None:
    add_ons = ("A,Storage,yes,2025-01-01,2026-01-01,240", "A,Storage,yes,2026-01-03,2027-01-01,240")
    assert told(derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,1200", *add_ons))[0] == "2026-01-01 renewed 1440>1440"


def test_add_ons_can_be_left_out_of_the_amounts() -> None:
    rules = TermRules(ends_inclusive=False, add_ons_count=False)
    renewals = derive(YEAR_25, "A,Storage,yes,2025-03-01,2026-01-01,240", rules=rules)
    assert told(renewals) == ["2026-01-01 churned 1200>0"] and set_aside(renewals) == {"add_on_left_out": [3]}


def test_add_ons_of_an_account_without_a_base_product_are_set_aside() -> None:
    assert set_aside(derive(YEAR_25, "B,Storage,yes,2025-03-01,2026-01-01,240")) == {"add_on_alone": [3]}


def test_monthly_terms_are_due_every_month_and_a_term_of_several_years_at_its_end_only() -> None:
    months = [f"A,Base,no,2025-{m:02}-15,2025-{m + 1:02}-15,1200" for m in range(1, 6)]
    assert [line[:18] for line in told(derive(*months))] == [
        "2025-02-15 renewed", "2025-03-15 renewed", "2025-04-15 renewed", "2025-05-15 renewed", "2025-06-15 churned",
    ]  # fmt: skip
    assert told(derive("A,Base,no,2023-01-01,2026-01-01,1200")) == ["2026-01-01 churned 1200>0"]


def test_an_open_term_has_no_renewal_and_is_counted() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-01,,1200", "B,Base,no,2026-01-01,9999-12-31,1200")
    assert told(renewals) == ["2026-01-01 renewed 1200>1200"] and noted(renewals, "without a renewal date and censored: 2")


def test_open_terms_can_be_said_to_renew_every_month_until_they_are_cancelled() -> None:
    rules = TermRules(open_term_months=1)
    renewals = derive("A,Base,no,2026-01-31,,1200,2026-04-10", head=CANCELLING, rules=rules)
    assert told(renewals) == ["2026-02-28 renewed 1200>1200", "2026-03-31 renewed 1200>1200", "2026-04-30 churned 1200>0"]
    assert renewals.notice is not None and renewals.notice.astype(str).tolist() == ["NaT", "NaT", "2026-04-10"]


def test_an_open_term_still_running_is_undecided_at_the_next_period() -> None:
    renewals = derive("A,Base,no,2026-04-15,,1200", rules=TermRules(open_term_months=1))
    assert [line[:20] for line in told(renewals)] == ["2026-05-15 renewed 1", "2026-06-15 renewed 1", "2026-07-15 undecided"]


def test_inclusive_ends_are_told_from_the_terms_and_the_renewal_is_due_the_day_after() -> None:
    lines = ("A,Base,no,2025-01-01,2025-12-31,1200", "A,Base,no,2026-01-01,2026-12-31,1200")
    renewals = derive(*lines, rules=TermRules())
    assert told(renewals)[0] == "2026-01-01 renewed 1200>1200" and noted(renewals, "an end date is a term's last day")
    assert told(derive(lines[0], rules=TermRules())) == ["2026-01-01 churned 1200>0"]  # from the day of the month alone
    assert told(derive(*lines))[0].startswith("2025-12-31")  # declared otherwise


def test_a_row_without_a_day_ends_before_it_starts_or_begins_later_than_the_as_of_date_is_set_aside() -> None:
    odd = ("A,Base,no,2025-05-01,2025-05-01,1", "A,Base,no,2025-05-01,2025-04-01,1", "A,Base,no,2026-07-01,2027-07-01,1", YEAR_25)
    assert set_aside(derive(YEAR_25, *odd)) == {"ends_before_start": [4], "duplicate": [6], "starts_after_as_of": [5], "no_day": [3]}


def test_credit_notes_are_no_terms() -> None:
    assert set_aside(derive(YEAR_25, "A,Base,no,2025-01-01,2026-01-01,-100")) == {"negative_amount": [3]}


def test_amounts_in_two_currencies_are_not_compared() -> None:
    head = "account,product,is_addon,start,end,arr,currency"
    renewals = derive(f"{YEAR_25},EUR", "A,Base,no,2026-01-01,2027-01-01,2000,USD", head=head)
    assert told(renewals)[0] == "2026-01-01 renewed 1200>nan" and noted(renewals, "another currency than before, up or down not told: 1")
    assert renewals.currency is not None and [renewals.currency.names[c] for c in renewals.currency.codes] == ["EUR", "USD"]


def test_terms_in_two_currencies_at_once_have_no_arr_together() -> None:
    head = "account,product,is_addon,start,end,arr,currency"
    renewals = derive(f"{YEAR_25},EUR", "A,Analytics,no,2025-01-01,2027-01-01,600,USD", head=head)
    assert told(renewals)[0] == "2026-01-01 renewed nan>nan"


def test_an_amount_for_a_whole_term_is_spread_over_its_months_and_days() -> None:
    head = "account,product,is_addon,start,end,tcv"
    short = derive("A,Base,no,2025-01-31,2025-02-28,100", "B,Base,no,2025-01-01,2025-02-15,100", head=head)
    assert short.amount_before is not None
    np.testing.assert_allclose(short.amount_before, [1200, 1200 / (1 + 14 / 30.4375)])


def test_a_missing_amount_leaves_up_and_down_untold() -> None:
    renewals = derive(YEAR_25, "A,Base,no,2026-01-01,2027-01-01,")
    assert told(renewals)[0] == "2026-01-01 renewed 1200>nan" and noted(
        renewals, "without an amount before or after, up or down not told: 1"
    )


@pytest.mark.parametrize(
    ("column", "amount", "arr"), [("mrr", 100, 1200), ("monthly recurring revenue", 100, 1200), ("acv", 1200, 1200), ("tcv", 300, 1200)]
)
def test_an_amount_is_for_the_period_its_column_names(column: str, amount: float, arr: float) -> None:
    renewals = derive(f"A,Base,no,2025-10-01,2026-01-01,{amount}", head=f"account,product,is_addon,start,end,{column}")
    assert told(renewals) == [f"2026-01-01 churned {arr}>0"]


def test_an_amount_whose_period_nobody_names_is_a_fault_until_it_is_declared() -> None:
    head = "account,product,is_addon,start,end,amount"
    with pytest.raises(BadInput, match="nothing says whether 'amount' is for a month, a year or a whole term") as refusal:
        derive(YEAR_25, head=head)
    assert refusal.value.faults[0].where == "subscriptions:2:amount" and "--amount-covers" in refusal.value.faults[0].hint
    declared = TermRules(ends_inclusive=False, amount_covers="month")
    assert told(derive(YEAR_25, head=head, rules=declared)) == ["2026-01-01 churned 14400>0"]
    assert told(derive(f"{YEAR_25},quarterly", head=f"{head},amount_period")) == ["2026-01-01 churned 4800>0"]


def test_terms_without_any_end_say_what_to_do() -> None:
    with pytest.raises(BadInput, match=r"no renewal can be derived from the 1 terms .*--open-term-months 1"):
        derive("A,Base,no,2025-01-01,,1200")


def test_where_no_as_of_date_is_declared_the_last_day_that_the_terms_know_stands_in_but_no_day_to_come() -> None:
    lines = (CANCELLING, f"{YEAR_25},2026-03-05", "A,Base,no,2026-01-01,2027-01-01,1200,", "B,Base,no,2027-01-01,2028-01-01,5,")
    subscriptions = read_subscriptions("\n".join(lines).encode(), NOTHING)
    assert last_known_day(subscriptions, AS_OF) == date(2026, 3, 5)
    assert last_known_day(subscriptions, date(2026, 2, 1)) == date(2026, 1, 1)
    assert last_known_day(subscriptions, date(2020, 1, 1)) == date(2020, 1, 1)


def test_rules_that_cannot_be_are_told_together() -> None:
    with pytest.raises(BadInput) as refusal:
        derive(YEAR_25, rules=TermRules(grace_days=-1, flat_within=1.5, open_term_months=0))
    assert [fault.where for fault in refusal.value.faults] == ["--grace-days", "--flat-within", "--open-term-months"]


def test_the_rules_in_force_are_stated_with_the_result() -> None:
    renewals = derive(YEAR_25, rules=TermRules(grace_days=14, early_days=30))
    assert noted(renewals, "begins up to 14 days after") and noted(renewals, "up to 30 days before") and noted(renewals, "as of 2026-06-30")


def test_renewals_written_as_csv_are_read_back_as_the_same_table(tmp_path: Path) -> None:
    head = "account,product,is_addon,start,end,arr,currency,cancelled_on,owner"
    lines = (f"{YEAR_25},EUR,,Ann", "A,Base,no,2026-01-01,2027-01-01,1300.1,USD,,Bo", 'B,"Base",no,2025-03-01,2026-03-01,7,,2026-02-01,')
    renewals = derive(*lines, "C,Base,no,2025-03-01,2026-03-01,,EUR,,", head=head)
    write_renewals(tmp_path / "renewals.csv", renewals)
    again = read_renewals(tmp_path / "renewals.csv", NOTHING)
    assert not again.source.rejections and not again.source.unused
    for name in ("due", "outcome", "amount_before", "amount_after", "term_start", "notice", "outcome_known"):
        np.testing.assert_array_equal(getattr(again, name), getattr(renewals, name))
    assert list(renewals_csv(again)) == list(renewals_csv(renewals))


def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path) -> None:
    write_renewals(tmp_path / "renewals.csv", derive('"=1+1",Base,no,2025-01-01,2026-01-01,5'))
    with (tmp_path / "renewals.csv").open(newline="") as file:
        assert list(csv.reader(file))[1][0] == "'=1+1"
