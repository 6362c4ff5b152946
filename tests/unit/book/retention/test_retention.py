"""What retention says of small books that can be told by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.unit.book.retention.views import Book, term, whole
from unspun.book.retention.ask import rows_sql
from unspun.book.retention.judge import account_months
from unspun.book.retention.question import RetentionQuestion, check_question, question_from_json, question_to_json
from unspun.book.retention.result import Rate, RetentionResult
from unspun.book.retention.rules import RetentionRules
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput
from unspun.stats.estimate import Estimate, NoEstimate

AS_OF = date(2024, 3, 31)
MONTHS = ["2024-01", "2024-02", "2024-03"]


def asked(**other) -> RetentionQuestion:
    return RetentionQuestion(**{"as_of": AS_OF, "first_month": "2024-01", "window_months": 1, **other})


def rate(result: RetentionResult, name: str, month: str, **part: str) -> Rate:
    return next(r for r in result.rates if (r.name, r.month, r.part.value) == (name, month, part.get("value", "")))


def codes(error: BadInput) -> list[str]:
    return [fault.code for fault in error.faults]


def test_an_amount_is_turned_into_arr_exactly_half_to_even() -> None:
    months = [
        ("100.0000", 7.0, "171.4286"),
        ("0.0125", 24.0, "0.0062"),
        ("0.0375", 24.0, "0.0188"),
        ("0.0045", 24.0, "0.0022"),
        ("100", 1.5, "800"),
    ]
    book = Book([term(f"A{i}", "2024-01-01", None, amount, amount_months=covers) for i, (amount, covers, _) in enumerate(months)])
    assert whole(book.judge(asked()), "2024-01").closing == sum(Decimal(arr) for *_, arr in months)


def test_an_amount_for_the_whole_term_is_spread_over_its_months_and_days() -> None:
    whole_term = [("2024-01-31", "2024-02-29", 1), ("2024-01-01", "2024-03-16", 2 + Decimal(15) * 16 / 487)]
    book = Book([term(f"A{i}", a, b, "100", amount_months=0.0) for i, (a, b, _) in enumerate(whole_term)])
    result = book.judge(asked(rules=RetentionRules(TermRules(ends_inclusive=False))))
    assert whole(result, "2024-01").closing == sum((1200 / Decimal(m)).quantize(Decimal("0.0001")) for *_, m in whole_term)


def test_a_gap_within_the_grace_days_counts_as_paid_and_a_longer_one_is_churn_and_reactivation() -> None:
    terms = [term("A", "2023-06-01", "2024-01-28", "100"), term("B", "2023-06-01", "2024-01-28", "10")]
    terms += [term("A", "2024-02-02", "2025-02-02", "100"), term("B", "2024-02-20", "2025-02-02", "12")]
    result = Book(terms).judge(asked(rules=RetentionRules(TermRules(ends_inclusive=False))))
    january, february = whole(result, "2024-01"), whole(result, "2024-02")
    assert (january.churn, january.closing) == (10, 100)
    assert (february.reactivation, february.new, february.closing) == (12, 0, 112)


def test_a_term_in_its_grace_days_counts_as_gone_and_is_shown_as_pending() -> None:
    result = Book([term("A", "2023-03-29", "2024-03-29", "100"), term("B", "2023-01-01", None, "50")]).judge(asked())
    march = whole(result, "2024-03")
    assert (march.churn, march.closing, march.pending) == (100, 50, 100)
    assert [rate(result, name, "2024-03").pending for name in ("grr", "nrr", "logo")] == [100, 100, 1]
    assert any("grace days are not over" in note for note in result.notes)


def test_an_add_on_keeps_no_account() -> None:
    terms = [term("A", "2023-01-01", "2024-02-01", "100"), term("A", "2023-01-01", None, "30", is_addon=True)]
    result = Book(terms).judge(asked())
    assert [whole(result, month).closing for month in MONTHS] == [130, 0, 0]
    assert any("add-ons but no base product" in note for note in result.notes)


def test_a_price_of_zero_is_no_customer() -> None:
    result = Book([term("A", "2023-01-01", "2024-02-01", "0"), term("A", "2024-02-01", None, "30")]).judge(asked())
    assert whole(result, "2024-02").new == 30


def test_accounts_with_an_unknown_amount_count_in_logos_and_not_in_money() -> None:
    result = Book([term("A", "2023-01-01", None, None), term("B", "2023-01-01", None, "30")]).judge(asked())
    assert whole(result, "2024-01").closing == 30
    assert rate(result, "logo", "2024-01").base == 2
    assert [(one.code, one.count, one.examples) for one in result.left_out] == [("no_amount", 1, ("A",))]


def test_a_book_without_amounts_has_logo_retention_alone() -> None:
    result = Book([term("A", "2023-01-01", None, None, amount_months=None)]).judge(asked())
    assert {one.name for one in result.rates} == {"logo"} and result.waterfalls == ()


def test_currencies_are_never_added_up_without_rates() -> None:
    terms = [term("A", "2023-01-01", None, "100", currency="EUR"), term("B", "2023-01-01", None, "30", currency="USD")]
    terms += [term("C", "2023-01-01", "2024-02-01", "5", currency="EUR"), term("C", "2024-02-01", None, "7", currency="USD")]
    result = Book(terms).judge(asked())
    falls = {one.part.currency: one for one in result.waterfalls if one.month == "2024-02"}
    assert {currency: (one.churn, one.new, one.closing) for currency, one in falls.items()} == {"EUR": (0, 0, 100), "USD": (0, 0, 30)}
    assert [(one.code, one.examples) for one in result.left_out] == [("several_currencies", ("C",))]
    assert result.figures()["arr.closing/2024-02/currency=EUR"].value == 100


def test_amounts_are_turned_into_one_currency_at_the_last_rate_by_the_as_of_date() -> None:
    terms = [term("A", "2023-01-01", None, "100", currency="EUR"), term("B", "2023-01-01", None, "0.0003", currency="USD")]
    rates = [("2024-03-30", 0.9), ("2024-03-31", 0.85), ("2024-04-01", 0.8)]
    book = Book(terms, rates=[{"currency": "USD", "into": "EUR", "day": day, "rate": rate} for day, rate in rates])
    result = book.judge(asked(into="EUR"))
    assert whole(result, "2024-03").closing == Decimal("100.0003")  # 0.000255, to the even ten-thousandth
    assert any("0.85 EUR, the rate of 2024-03-31" in note for note in result.notes)


def test_every_currency_without_a_rate_is_named() -> None:
    terms = [term(f"A{c}", "2023-01-01", None, "100", currency=c) for c in ("EUR", "USD", "SEK", None)]
    with pytest.raises(BadInput) as raised:
        Book(terms).judge(asked(into="EUR"))
    assert codes(raised.value) == ["no_currency", "no_rate", "no_rate"]
    assert [word in str(raised.value) for word in ("USD", "SEK")] == [True, True]


def test_accounts_count_in_the_segment_they_were_in_at_the_opening_and_new_ones_at_the_close() -> None:
    def said(account: str, day: str, segment: str) -> dict:
        return {"account_id": account, "happened_at": f"{day}T12:00:00+00:00", "segment": segment}

    accounts = [said("A", "2023-01-01", "Small"), said("A", "2024-02-10", "Large"), said("B", "2024-02-10", "Large")]
    terms = [term("A", "2023-01-01", "2024-02-20", "100"), term("A", "2024-02-20", None, "150"), term("B", "2024-02-05", None, "7")]
    result = Book(terms, accounts).judge(asked(by=("segment",)))
    february = {one.part.value: one for one in result.waterfalls if one.month == "2024-02" and one.part.by}
    assert (february["Small"].opening, february["Small"].expansion, february["Small"].closing) == (100, 50, 150)
    assert (february["Large"].new, february["Large"].closing) == (7, 7)
    march = {one.part.value: one.opening for one in result.waterfalls if one.month == "2024-03" and one.part.by}
    assert march == {"Large": 157}


def test_what_was_not_said_yet_is_not_known_unless_the_column_never_changes() -> None:
    accounts = [{"account_id": "A", "happened_at": "2024-02-10T12:00:00+00:00", "tier": "Gold"}]
    book = Book([term("A", "2023-01-01", None, "100")], accounts, own=("tier",))
    for fixed, expected in (((), "(not stated)"), (("tier",), "Gold")):
        result = book.judge(asked(by=("tier",), fixed=fixed))
        assert [one.part.value for one in result.waterfalls if one.month == "2024-01" and one.part.by] == [expected]


def test_a_statement_dates_from_its_day_in_the_zone_of_the_book() -> None:
    accounts = [{"account_id": "A", "happened_at": "2024-01-31T23:30:00+00:00", "segment": "Gold"}]
    book = Book([term("A", "2023-01-01", None, "100")], accounts)
    for zone, expected in (("UTC", "Gold"), (ZoneInfo("Europe/Berlin").key, "(not stated)")):
        result = book.judge(asked(by=("segment",), time_zone=zone))
        assert [one.part.value for one in result.waterfalls if one.month == "2024-02" and one.part.by] == [expected]


@pytest.mark.parametrize(
    ("by", "starts", "cohort"),
    [
        ("cohort_month", 1, "2023-02"), ("cohort_quarter", 1, "2023-Q1"), ("cohort_year", 1, "2023"),
        ("cohort_quarter", 2, "FY2024-Q1"), ("cohort_year", 2, "FY2024"), ("cohort_quarter", 4, "FY2023-Q4"),
    ],
)  # fmt: skip
def test_a_cohort_is_when_an_account_first_paid(by: str, starts: int, cohort: str) -> None:
    terms = [term("A", "2023-01-01", "2023-02-15", "0"), term("A", "2023-02-15", None, "100")]
    result = Book(terms).judge(asked(by=(by,), fiscal_year_starts=starts))
    assert {one.part.value for one in result.waterfalls if one.part.by} == {cohort}


def test_several_base_products_are_one_value() -> None:
    terms = [term("A", "2023-01-01", None, "1", product=p) for p in ("Core", "Atlas")] + [
        term("B", "2023-01-01", None, "1", product="Core")
    ]
    result = Book(terms).judge(asked(by=("product",)))
    assert [one.part.value for one in result.waterfalls if one.month == "2024-01" and one.part.by] == ["Atlas + Core", "Core"]


def test_accounts_of_one_top_parent_are_one_family_and_circles_end() -> None:
    terms = [term(account, "2023-01-01", None, "100") for account in "ABCD"]
    above = {"A": "T", "B": "A", "C": "D", "D": "C"}
    book = Book(terms, [{"account_id": a, "parent_id": p} for a, p in above.items()])
    assert rate(book.judge(asked()), "grr", "2024-02").clusters == 2
    assert set(account_months(asked(), book.rows(asked()))["account_months"]["parent_id"].to_pylist()) == {"T", "C"}


def families(n: int, lost: int) -> list[dict]:
    """Terms of n accounts, of which some end on 1 February 2024."""
    return [term(f"A{i:03}", "2023-01-01", "2024-02-01" if i < lost else None, "100") for i in range(n)]


def test_a_rate_has_an_interval_or_the_reason_why_not() -> None:
    few, none_left = (Book(families(*n)).judge(asked(window_months=12)) for n in ((19, 4), (40, 0)))
    reason = rate(few, "grr", "2024-03").estimate
    assert isinstance(reason, NoEstimate) and reason.reason.startswith("only 19 families")
    sure = rate(none_left, "grr", "2024-03").estimate
    assert isinstance(sure, Estimate) and sure.point == sure.high == 1 and 0.85 < sure.low < 1  # nobody left yet
    assert isinstance(rate(none_left, "nrr", "2024-03").estimate, NoEstimate)


def test_no_rate_is_given_where_a_few_accounts_hold_most_of_the_arr() -> None:
    terms = [*families(40, 10), term("Giant", "2023-01-01", None, "100000")]
    estimate = rate(Book(terms).judge(asked(window_months=12)), "grr", "2024-03").estimate
    assert isinstance(estimate, NoEstimate) and "a few accounts hold most of the ARR" in estimate.reason


def test_the_rows_behind_a_figure_sum_to_it() -> None:
    terms = [*families(40, 10), term("N", "2024-02-05", None, "9", currency=None)]
    terms += [term("U", "2023-01-01", "2024-03-01", "10"), term("U", "2024-03-01", "2025-03-01", "8")]
    accounts = [{"account_id": f"A{i:03}", "segment": "a/b=c%" if i % 2 else "x"} for i in range(40)]
    book, question = Book(terms, accounts), asked(by=("segment",), window_months=3, first_month="2024-02")
    figures = book.judge(question).figures()
    for name, table in account_months(question, book.rows(question)).items():
        book.connection.register(name, table)
    checked = 0
    for name, figure in figures.items():
        found = book.connection.sql(rows_sql(question, name)).to_arrow_table()
        if isinstance(figure.value, Estimate):
            kept, base = (sum(found[column].to_pylist()) for column in ("kept", "base"))
            assert float(kept / base) == pytest.approx(figure.value.point, abs=1e-15), name
        elif not isinstance(figure.value, NoEstimate):
            assert sum(found["amount"].to_pylist()) == figure.value, name
        checked += 1
    assert checked == len(figures) > 100


def test_a_name_that_is_no_figure_is_refused() -> None:
    for name in ("grr", "grp/2024-01", "grr/2024-01/tier=Gold"):
        with pytest.raises(BadInput, match="no figure of this question"):
            rows_sql(asked(), name)


def test_renewals_due_are_counted_by_the_audits_own_rules() -> None:
    terms = [term("A", "2023-01-10", "2024-01-10", "100"), term("A", "2024-01-10", "2025-01-10", "130")]
    terms += [term("B", "2023-01-10", "2024-01-10", "50"), term("C", "2023-01-10", "2024-01-10", "70"), term("C", "2024-01-12", None, "40")]
    result = Book(terms).judge(asked())
    january = next(one for one in result.renewals if one.month == "2024-01")
    assert (january.expanded, january.churned, january.contracted, january.renewed, january.undecided) == (1, 1, 1, 0, 0)
    assert (january.arr_renewed, january.arr_decided) == (140, 220)


def test_renewals_in_a_currency_that_is_not_told_are_in_no_sum() -> None:
    terms = [term("A", "2023-01-10", "2024-01-10", "100", currency="EUR"), term("A", "2024-01-10", None, "100", currency="EUR")]
    terms += [term("C", "2023-01-10", "2024-01-10", "9", currency="USD"), term("C", "2024-01-10", "2024-02-10", "9", currency="USD")]
    terms += [term("C", "2024-02-10", None, "9", currency="EUR")]
    january = next(one for one in Book(terms).judge(asked()).renewals if one.month == "2024-01")
    assert (january.part.currency, january.renewed, january.arr_decided, january.not_compared) == ("EUR", 2, 100, 1)


def test_a_question_comes_back_from_json_as_it_was() -> None:
    question = asked(by=("segment",), into="EUR", fixed=("country",), rules=RetentionRules(TermRules(grace_days=3), 6), window_months=None)
    assert question_from_json(question_to_json(question)) == question and question.window == 6
    with pytest.raises(BadInput, match="colour unknown or missing"):
        question_from_json({**question_to_json(question), "colour": 1})


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"last_month": "2024-04"}, "month_not_over"), ({"first_month": "2024-13"}, "bad_month"), ({"by": ("segmnt",)}, "unknown_grouping"),
        ({"first_month": "2024-03", "last_month": "2024-02"}, "no_months"), ({"window_months": 0}, "bad_window"),
        ({"into": "EURO"}, "unknown_currency"), ({"by": ("owner", "owner")}, "asked_twice"), ({"by": ("currency",)}, "no_grouping"),
        ({"rules": RetentionRules(TermRules(grace_days=-1))}, "bad_rule"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(other: dict, code: str) -> None:
    with pytest.raises(BadInput) as raised:
        check_question(asked(**other), ("segment", "owner", "currency"))
    assert codes(raised.value) == [code]


def test_amounts_whose_period_nobody_states_are_refused_unless_the_rules_say_it() -> None:
    book = Book([term("A", "2023-01-01", None, "10", amount_months=None)])
    with pytest.raises(BadInput, match="file 1, row 2: nothing says how many months"):
        book.judge(asked())
    assert whole(book.judge(asked(rules=RetentionRules(TermRules(amount_covers="month")))), "2024-01").closing == 120


def test_amounts_too_large_to_add_up_exactly_are_refused() -> None:
    with pytest.raises(BadInput, match="too large"):
        Book([term("A", "2023-01-01", None, "99999999999999", amount_months=1.0)]).judge(asked())


def test_without_a_first_month_the_first_full_month_of_the_terms_is_the_first() -> None:
    for started, first in (("2024-01-01", "2024-01"), ("2024-01-02", "2024-02")):
        assert Book([term("A", started, None, "1")]).judge(RetentionQuestion(AS_OF)).months[0] == first


def test_terms_not_begun_and_no_terms_are_set_aside_with_reasons() -> None:
    book = Book([term("A", "2024-05-01", None, "1"), term("B", "2023-01-01", "2022-01-01", "1"), term("C", "2023-01-01", None, "1")])
    assert [(one.code, one.count, one.examples) for one in book.judge(asked()).left_out] == [
        ("no_term", 1, ("file 1, row 3",)),
        ("starts_after_as_of", 1, ("file 1, row 2",)),
    ]
