"""What a forecast and its record say in words is no stronger than their intervals."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.unit.reports import forecast_record_sample as records
from tests.unit.reports import forecast_sample as sample
from unspun.reports import forecast_claims as fc
from unspun.reports import forecast_record_claims as rc
from unspun.reports import forecast_words as fw
from unspun.reports.forecast_html import Proof, render_forecast
from unspun.risk.forecast.result import ArrFan, FanPoint, ForecastRecord, GroupForecast, MoneyForecast, PairRecord, Predicted
from unspun.stats.estimate import Estimate, NoEstimate

PROOF = Proof(23, "23:9fe2ab", 6, "ab" * 32, "duckdb 2.0", "Acme", ())


def plain(text: str) -> str:
    """With hyphens and spaces of one kind."""
    return text.translate({0x2013: "-", 0x2212: "-", 0xA0: " ", 0x2060: ""})


def around(mean: float, half: float) -> Predicted:
    return Predicted(mean, mean, mean - 0.6 * half, mean + 0.6 * half, mean - half, mean + half)


def fan(low: float, mean: float, high: float) -> ArrFan:
    whole = sample.forecast(n=20).fans[0]
    last = FanPoint(sample.UNTIL, mean, (low, low, mean, mean, mean, high, high))
    return replace(whole, opening=Decimal(1_000_000), points=(whole.points[0], last))


def group(name: str, grr: Predicted, due: int = 100_000, churned: float = 10_000) -> GroupForecast:
    money = sample.forecast(n=20).total.money[0]
    made = replace(money, arr_due=Decimal(due), grr=grr, churned=around(churned, 5000), contraction=around(0, 0))
    return replace(sample.forecast(n=20).total, kind="segment", name=name, money=(made,))


@pytest.mark.parametrize(
    ("low", "mean", "high", "said"),
    [
        (0.8, 0.9, 0.99, "is expected to fall from $1.00M to $900k"),
        (1.01, 1.1, 1.2, "is expected to rise from $1.00M to $1.10M"),
        (0.8, 0.9, 1.0, "whether it falls or rises cannot be told"),
        (0.99, 1.1, 1.2, "whether it falls or rises cannot be told"),
    ],
)
def test_arr_falls_or_rises_only_where_the_whole_interval_says_so(low: float, mean: float, high: float, said: str) -> None:
    assert said in plain(fc.path_claim(fan(1e6 * low, 1e6 * mean, 1e6 * high)))


def test_where_no_path_can_be_told_none_is_claimed_or_drawn() -> None:
    whole = sample.forecast(n=20)
    told = whole.fans[0]
    untold = replace(whole, fans=(replace(told, points=()),))
    assert fc.fan_of(whole, told.currency) is told
    assert fc.fan_of(untold, told.currency) is None
    pages = [dict(render_forecast(one, PROOF))["index.html"].decode() for one in (whole, untold)]
    assert ['id="path"' in page for page in pages] == [True, False]


def test_a_group_is_named_as_keeping_more_only_where_the_intervals_are_apart() -> None:
    apart = [group("Large", around(0.95, 0.02)), group("Small", around(0.8, 0.05))]
    assert plain(fc.groups_claim(apart, "USD", "segment")) == "By segment: Large is expected to keep 95 %, more than Small with 80 %"
    overlapping = [group("Large", around(0.95, 0.04)), group("Small", around(0.88, 0.05))]
    assert "no ranking" in fc.groups_claim(overlapping, "USD", "segment") and "Large" not in fc.groups_claim(overlapping, "USD", "segment")


def test_the_headline_says_what_is_due_and_what_is_kept_of_it_with_its_intervals_below() -> None:
    result = sample.forecast()
    said = plain(fc.headline(result, "USD"))
    assert said == "Of the $6.78M of ARR that falls due by 30 Nov 2026, 83 % is expected to be kept; with expansion, 88 %"
    assert plain(fc.intervals(result, "USD")).startswith("95 % intervals, in per cent: gross 66-93, net 70-99. Of 160 renewals, 25 (10-47)")


def test_where_terms_fall_due_month_after_month_the_headline_is_of_all_arr() -> None:
    result = sample.forecast()
    money: MoneyForecast = replace(result.total.money[0], arr_due_later=around(40e6, 1e6))
    monthly = replace(result, total=replace(result.total, money=(money,)))
    assert plain(fc.headline(monthly, "USD")).startswith("Of the $7.18M of ARR of today's customers, 84 % is expected to be left")
    assert "gross 68-93" in plain(fc.intervals(monthly, "USD"))


def test_without_a_forecast_the_headline_promises_nothing() -> None:
    said = fc.headline(sample.forecast(refused=True), "USD")
    assert said.endswith("what will be kept of it cannot be told yet") and "%" not in said
    assert fc.intervals(sample.forecast(refused=True), "USD") == ""
    assert fc.at_stake(sample.forecast(refused=True), "USD", 10) == []
    assert plain(fc.headline(sample.nothing_due(), "USD")) == "No renewal falls due in the 12 months to 30 Nov 2026"


def test_what_is_decided_already_is_not_listed_as_at_stake() -> None:
    result = sample.forecast()
    listed = fc.at_stake(result, "USD", 10)
    every = fc.at_stake(result, "USD", len(result.renewals))
    assert len(listed) == 10 and {one.status for one in every} == {"open", "overdue"}
    lost = [fc.moved_by(one, 0) for one in listed]
    rest = [fc.moved_by(one, 0) for one in result.renewals if one not in listed and one.status in ("open", "overdue")]
    assert lost == sorted(lost, reverse=True) and min(lost) >= max(rest)


def test_expected_amounts_are_not_written_to_the_cent_and_small_counts_keep_a_decimal() -> None:
    assert (
        plain(f"{fw.money(around(326_412.37, 100_000), 'USD')} {fw.money_interval(around(326_412.37, 100_000), 'USD')}")
        == "$326k ($226k-$426k)"
    )
    assert (fw.count(around(2.44, 1)), fw.count(around(24.4, 5)), fw.count(around(0, 0))) == ("2.4", "24", "0")


def paired(record: ForecastRecord, first: str, second: str, low: float, high: float) -> ForecastRecord:
    """The record with one difference between two forecasters at 90 days and no other."""
    value = Estimate((low + high) / 2, low, high, "paired", 900)
    return replace(record, pairs=(PairRecord(first, second, 90, 900, 93, value, value, ""),))


def test_nobody_is_nearer_than_all_the_others_unless_every_interval_says_so() -> None:
    whole = records.record()
    two = replace(whole, forecasters=tuple(one for one in whole.forecasters if one.name in (records.CSM, records.LAST_YEAR)))
    assert rc.headline(paired(two, records.CSM, records.LAST_YEAR, -0.04, -0.01)).startswith("Account owners")
    assert rc.headline(paired(two, records.CSM, records.LAST_YEAR, 0.01, 0.04)).startswith("Last year's rate")
    assert rc.headline(paired(two, records.CSM, records.LAST_YEAR, -0.04, 0.01)).startswith("Nobody is known")


def test_who_beat_last_year_s_rate_and_who_did_not_is_told_of_everybody() -> None:
    said = rc.against_base(records.record(), 90)
    assert said.startswith("Beside last year's rate, 90 days ahead: ")
    assert f"worse: {records.MANAGER}" in said and "cannot tell: the model" in said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.06, -0.01, "too hopeful"), (0.01, 0.06, "too gloomy"), (-0.01, 0.06, "no bias found"), (-0.06, 0.01, "no bias found")],
)
def test_a_bias_is_named_only_where_its_interval_leaves_nought(low: float, high: float, said: str) -> None:
    assert rc.bias_words(Estimate((low + high) / 2, low, high, "mean", 90)) == said
    assert rc.bias_words(NoEstimate("few")) == "cannot tell"


@pytest.mark.parametrize(("low", "high", "said"), [(0.6, 0.9, "as stated"), (0.5, 0.7, "too narrow"), (0.85, 0.99, "too wide")])
def test_intervals_that_hold_less_than_stated_are_too_narrow(low: float, high: float, said: str) -> None:
    assert rc.coverage_word(Estimate((low + high) / 2, low, high, "", 40), 0.8) == said


def test_where_few_are_decided_nothing_is_claimed_of_anybody() -> None:
    few = records.record(few=True)
    said = [rc.headline(few), rc.bias_claim(few, 90), rc.money_claim(few, 90), rc.calibration_claim(few, 90), rc.coverage_claim(few)]
    assert [text.split()[0] for text in said] == ["Too", "No", "In", "Whether", "Too"]
    assert rc.headline(records.nothing_said()) == "Nobody has said anything yet of a renewal that is decided"


def test_the_lead_shown_first_is_one_at_which_the_most_can_be_told() -> None:
    whole = records.record()
    assert rc.primary_lead(whole) == 90
    at_90 = NoEstimate("few")
    changed = tuple(
        replace(one, leads=tuple(replace(lead, brier=at_90) if lead.lead_days in (90, 60) else lead for lead in one.leads))
        for one in whole.forecasters
    )
    assert rc.primary_lead(replace(whole, forecasters=changed)) == 30
