"""What a retention report says in words is no stronger than its figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.unit.reports import retention_sample as sample
from unspun.book.retention.result import Part, Rate
from unspun.book.retention.rules import RetentionRules
from unspun.book.terms.rules import TermRules
from unspun.reports.retention_charts import beside_chart, rates_chart
from unspun.reports.retention_claims import (
    beside_claim,
    changed_rules,
    groups_claim,
    headline,
    moved,
    movement_claim,
    remarks,
    rules_in_force,
    totals,
    trend,
)
from unspun.reports.retention_html import figures_to_take, rates_of
from unspun.stats.estimate import Estimate, NoEstimate

WHOLE = Part(currency="USD")


def share(point: float, half: float, value: str, currency: str = "USD") -> Rate:
    one = sample.rate("grr", "2025-12", Part("owner", value, currency), point)
    return replace(one, estimate=Estimate(point, point - half, point + half, "a share", 50))


def test_of_two_parts_that_differ_the_claim_says_which_kept_more() -> None:
    assert groups_claim([share(0.8, 0.04, "A"), share(0.95, 0.04, "B")], "owner") == (
        "By owner: B kept 95\u00a0%, more than A with 80\u00a0%"
    )


def test_the_same_two_picked_from_thirty_are_not_named() -> None:
    between = [share(0.87, 0.04, f"C{i}") for i in range(28)]
    told = groups_claim([share(0.84, 0.04, "A"), share(0.94, 0.04, "B")], "owner")
    assert "B kept" in told
    told = groups_claim([share(0.84, 0.04, "A"), share(0.94, 0.04, "B"), *between], "owner")
    assert told == "By owner, 84\u00a0% to 94\u00a0% was kept: no more apart than 30 parts may be by chance"


def test_where_there_are_several_currencies_a_part_is_named_with_its_own() -> None:
    assert "B (EUR) kept" in groups_claim([share(0.7, 0.02, "A"), share(0.95, 0.02, "B", "EUR")], "owner")


def test_without_two_estimates_nothing_is_compared() -> None:
    assert "too few parts" in groups_claim([share(0.7, 0.02, "A")], "owner")


def test_the_trend_compares_windows_that_do_not_overlap_where_there_are_any() -> None:
    points = {"2023-06": 0.6, "2024-12": 0.9, "2025-06": 0.7, "2025-12": 0.88}
    rates = [replace(sample.rate("grr", month, WHOLE, point), window_months=12) for month, point in points.items()]
    assert trend(rates) == "Gross retention was 90\u00a0% in Dec\u00a02024 and 88\u00a0% in Dec\u00a02025: their intervals overlap"
    assert trend(rates[:3]).startswith("Gross retention rose from 60\u00a0% in Jun\u00a02023 to 70")
    assert trend(rates[:1]) == "One window is too few to tell a direction" and trend([]) == ""


def test_a_book_whose_arr_hangs_on_a_few_accounts_is_not_said_to_have_too_few_customers() -> None:
    few = NoEstimate("a few accounts hold most of the ARR", "ARR spread")
    result = sample.answer()
    result = replace(result, rates=tuple(one if one.name == "logo" else replace(one, estimate=few) for one in result.rates))
    assert headline(result, WHOLE) == (
        "83\u00a0% of the accounts of a year before were kept by Dec\u00a02025; of the ARR there is no estimate"
    )


def test_a_book_without_amounts_still_has_a_whole_and_its_logos() -> None:
    result = sample.answer()
    bare = replace(result, waterfalls=(), currencies=(), rates=tuple(one for one in result.rates if one.name == "logo"))
    assert totals(bare) == [Part()] and headline(bare, Part()).startswith("83\u00a0% of the accounts")


def test_months_in_which_nothing_moved_are_said_to_be_so() -> None:
    still = {name: Decimal(0) for name in ("new", "reactivation", "expansion", "contraction", "churn")}
    falls = [replace(sample.waterfall(at, WHOLE), **still) for at in range(3)]
    assert movement_claim(falls) == "Nothing came and nothing went in 3 months" and not moved(falls)
    assert moved([sample.waterfall(1, WHOLE)])


def test_two_definitions_are_compared_by_their_figures_and_their_rules() -> None:
    now = sample.answer()
    rules = RetentionRules(TermRules(grace_days=30, ends_inclusive=False), window_months=1)
    lower = [replace(one, kept=one.kept - 9, estimate=Estimate(0.85, 0.8, 0.9, "a share", 320)) for one in now.rates]
    before = replace(now, rates=tuple(lower), question=replace(now.question, rules=rules))
    assert beside_claim(now, before) == "Gross retention to Dec\u00a02025 is 90.4 % by today's definition and 85.0 % by the one before"
    assert (
        changed_rules(now, before)
        == "grace_days 30 before, 7 now; ends_inclusive false before, not set now; window_months 1 before, 12 now"
    )
    assert beside_claim(now, now).startswith("The two definitions agree") and changed_rules(now, now).startswith("no rule differs")


def test_both_definitions_are_in_one_chart_the_one_before_dashed() -> None:
    rates = rates_of(sample.answer(), WHOLE)
    drawn = str(beside_chart(rates, rates, "claim"))
    assert drawn.count('class="s score"') == drawn.count('class="s second"') == 2
    assert drawn.count("stroke-dasharray") == 2 and "GRR before" in drawn and "NRR before" in drawn


def test_the_chart_begins_with_the_first_gross_rate() -> None:
    rates = rates_of(sample.answer(), WHOLE)
    late = [replace(one, estimate=sample.NOTHING) if one.name == "grr" and one.month < "2025-06" else one for one in rates]
    assert "Jun\u00a02025" in str(rates_chart(late, "")) and "Jan\u00a02025" not in str(rates_chart(late, ""))


def test_rules_have_names_and_the_other_notes_are_remarks() -> None:
    result = replace(sample.answer(), notes=("rule: a", "ARR = amount x 12 / months", "an end date is the day after", "1 EUR = 1.1 USD"))
    names = [name for name, _ in rules_in_force(result)]
    assert names == ["Grace days", "Early renewal", "Flat", "Add-ons", "Cancellation", "Open terms", "End dates", "ARR"]
    assert "up to 7 days" in rules_in_force(result)[0][1] and remarks(result) == ["1 EUR = 1.1 USD"]


def test_a_page_of_very_many_figures_takes_those_of_the_whole_and_of_the_last_month() -> None:
    months = sample.MONTHS
    names = [f"grr/{month}/owner=o{i}" for month in months for i in range(500)] + [f"grr/{month}/currency=EUR" for month in months]
    taken = [one["name"] for one in figures_to_take(sample.answer(), [{"name": name} for name in names])]
    assert taken == [name for name in names if "/currency=" in name or name.startswith(f"grr/{months[-1]}/")]
    assert len(figures_to_take(sample.answer(), [{"name": name} for name in names[:9000]])) == 9000
