"""Forecasters scored on what then happened: against figures worked out by hand, and what is said where little is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from unspun.audit.calls import CallIndex
from unspun.audit.terms import UNKNOWN, Money, Terms
from unspun.audit.units import Units
from unspun.book.extras import Forecasts
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED, Codes, Source
from unspun.risk.forecast.record import LAST_YEAR, Forecaster, Scoring, by_calls, last_years_rate, record_leads, where_silent
from unspun.risk.forecast.record_periods import PastForecast, Realised, SaidOfPeriod, interval_coverage, score_snapshot
from unspun.risk.forecast.result import IntervalCoverage, Predicted
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]
START = (date(2024, 1, 1) - date(1970, 1, 1)).days
N = 400
SOURCE = Source("forecasts", "calls", "", "csv", 0, {}, (), ())


def yearly(churned: NDArray[np.bool_]) -> Terms:
    """One yearly term an account, due on successive days, with 100 before and 0, 90 or 100 after."""
    n = len(churned)
    due = START + 365 + np.arange(n)
    nothing = np.full(n, UNKNOWN)
    outcome = np.where(churned, CHURNED, RENEWED).astype(np.int8)
    money = Money(np.full(n, 100.0), np.where(churned, 0.0, 100.0), np.zeros(n, np.int64), ("USD",), "USD", 0)
    names = tuple(f"A{i:03d}" for i in range(n))
    start = due - 365
    return Terms(
        order=np.arange(n),
        account=np.arange(n),
        due=due,
        start=start,
        decided_on=nothing,
        known_on=due,
        outcome=outcome,
        money=money,
        cluster=np.arange(n),
        account_names=names,
        clustered_by_parent=False,
        first_seen=start,
        as_of=int(due.max()) + 1,
    )


@pytest.fixture(scope="module")
def truth() -> tuple[Terms, Floats]:
    rng = np.random.default_rng(8)
    p = rng.beta(1, 4, N)
    return yearly(rng.random(N) < p), p


def states(name: str, value: Floats, words: tuple[str, ...] = ()) -> Forecaster:
    """Somebody who says the same at every lead."""

    def risk(units: Units) -> Floats:
        return value[units.terms_row]

    return Forecaster(name, "person", "said once", len(value), words, risk)


def test_brier_bias_and_expected_over_observed_are_those_of_arithmetic(truth: tuple[Terms, Floats]) -> None:
    terms, p = truth
    churned = terms.outcome == CHURNED
    hopeful = np.where(np.arange(N) % 2 == 0, p / 2, np.nan)
    record = Scoring(terms, (states("Ann", hopeful), last_years_rate(terms)), START).records()[0]
    lead = record.leads[0]
    spoken = np.isfinite(hopeful)
    assert (lead.lead_days, lead.eligible, lead.n, lead.n_churned) == (180, N, N // 2, int(churned[spoken].sum()))
    assert isinstance(lead.brier, Estimate) and lead.brier.point == pytest.approx(np.mean((p / 2 - churned)[spoken] ** 2))
    assert isinstance(lead.bias, Estimate) and lead.bias.high < 0, "half the true risk is too hopeful, and told so"
    ratio = lead.expected_over_observed
    assert isinstance(ratio, Estimate) and ratio.point == pytest.approx((p / 2)[spoken].sum() / churned[spoken].sum())
    (currency, money), *_ = lead.arr_bias
    assert currency == "USD" and isinstance(money, Estimate) and money.point == pytest.approx((p / 2 - churned)[spoken].mean())


def test_the_true_risk_is_told_to_be_closer_than_a_wild_guess_and_calibrated(truth: tuple[Terms, Floats]) -> None:
    terms, p = truth
    wild = np.random.default_rng(9).uniform(0, 1, N)
    scoring = Scoring(terms, (states("true", p), states("wild", wild), last_years_rate(terms)), START)
    lead = scoring.records()[0].leads[0]
    assert isinstance(lead.slope, Estimate) and lead.slope.low < 1 < lead.slope.high
    pair = next(one for one in scoring.pairs() if {one.first, one.second} == {"true", "wild"})
    assert pair.words == "true was closer" and isinstance(pair.brier, Estimate)
    assert pair.brier.point == pytest.approx(np.mean((p - (terms.outcome == 1)) ** 2 - (wild - (terms.outcome == 1)) ** 2))


def test_two_who_say_the_same_are_not_told_apart_and_few_churned_tell_nothing(truth: tuple[Terms, Floats]) -> None:
    terms, p = truth
    noisy = p + np.random.default_rng(1).normal(0, 1e-3, N)
    assert {
        one.words
        for one in Scoring(terms, (states("a", p), states("b", noisy), last_years_rate(terms)), START).pairs()
        if one.second == "b"
    } == {"no difference told"}
    few = yearly(np.arange(60) < 5)
    words = {one.words for one in Scoring(few, (states("a", p[:60]), last_years_rate(few)), START).pairs()}
    assert words and all(one.startswith("cannot tell") for one in words)


def test_words_are_ranked_and_given_no_probability(truth: tuple[Terms, Floats]) -> None:
    terms, p = truth
    lead = Scoring(terms, (states("Bo", np.round(p * 3), ("at risk", "commit")), last_years_rate(terms)), START).records()[0].leads[0]
    assert isinstance(lead.brier, NoEstimate) and isinstance(lead.auc, Estimate) and lead.auc.point > 0.6


def test_last_years_rate_is_that_of_the_year_before_each_look() -> None:
    terms = yearly(np.random.default_rng(3).random(N) < 0.3)
    scoring = Scoring(terms, (last_years_rate(terms),), START)
    units, risk = scoring.leads[30].units, scoring.leads[30].risk[LAST_YEAR]
    for unit in (100, 399):
        known = terms.due <= units.as_of[unit]
        year = known & (terms.due > units.as_of[unit] - 365)
        assert risk[unit] == pytest.approx((terms.outcome[year] == CHURNED).mean())
    assert np.isnan(risk[:40]).all(), "twenty renewals are needed"


def test_only_what_was_said_by_then_counts_and_a_replay_fills_what_was_not_said(truth: tuple[Terms, Floats]) -> None:
    terms, _ = truth
    due = terms.due.astype("datetime64[D]")

    def calls(lead: int, value: float) -> CallIndex:
        made = (terms.due - lead).astype("datetime64[D]").astype("datetime64[us]")
        account = Codes(np.arange(N, dtype=np.int32), terms.account_names)
        return CallIndex(Forecasts(SOURCE, np.arange(N), account, made, np.full(N, value), True, due=due), terms)

    every = np.ones(N, bool)
    late, early = (by_calls(name, "model", "", calls(lead, value), every) for name, lead, value in (("late", 45, 0.9), ("early", 100, 0.6)))
    scoring = Scoring(terms, (late, where_silent(early, late), last_years_rate(terms)), START)
    spoken = {lead: {name: np.isfinite(risk).sum() for name, risk in held.risk.items()} for lead, held in scoring.leads.items()}
    assert [spoken[lead]["late"] for lead in (180, 90, 60, 30)] == [0, 0, 0, N]
    assert [spoken[lead]["early"] for lead in (180, 90, 60, 30)] == [0, N, N, 0], "where the other spoke it has no say"
    assert scoring.leads[90].risk["early"][0] == pytest.approx(0.4), "a probability of renewal is turned"


def test_short_terms_are_looked_at_half_a_term_before() -> None:
    terms = yearly(np.zeros(50, bool))
    monthly = Terms(**{name: getattr(terms, name) for name in Terms.__slots__ if name != "start"}, start=terms.due - 28)
    assert record_leads(monthly) == (14,)


def past(entry: int, churned: Predicted, arr: Predicted, running: dict[str, date]) -> PastForecast:
    period = SaidOfPeriod(
        "2025-Q1", date(2025, 1, 1), date(2025, 3, 31), {("churned", ""): churned, ("arr", "USD"): arr, ("grr", "USD"): RATE}
    )
    later = SaidOfPeriod("2030-Q1", date(2030, 1, 1), date(2030, 3, 31), {("churned", ""): churned})
    return PastForecast(entry, date(2024, 12, 31), date(2024, 12, 31), False, None, running, {"USD": 9_000.0}, (period, later))


RATE = Predicted(0.9, 0.9, 0.85, 0.95, 0.8, 0.97)


def test_a_quarter_that_is_over_is_held_against_the_renewals_of_those_who_were_customers() -> None:
    terms = yearly(np.arange(N) % 10 == 0)
    running = {terms.account_names[i]: date(2024, 12, 31) for i in range(80)}
    churned, arr = Predicted(7, 7, 6, 8, 4, 10), Predicted(8_000, 8_000, 7_900, 8_100, 7_000, 8_150)
    snapshot = score_snapshot(past(4, churned, arr, running), Realised(terms))
    came = {one.quantity: (one.actual, one.in_80, one.in_95, one.lead_months) for one in snapshot.outcomes}
    due = (terms.due <= (date(2025, 3, 31) - date(1970, 1, 1)).days) & (np.arange(N) < 80)
    lost = int((due & (terms.outcome == CHURNED)).sum())
    assert came["churned"] == (lost, 6 <= lost <= 8, True, 3)
    assert came["arr"] == (9_000 - 100 * lost, False, False, 3)
    assert came["grr"][0] == pytest.approx(1 - lost / due.sum())
    assert {one.period for one in snapshot.outcomes} == {"2025-Q1"}, "the other is not over"


def test_coverage_counts_outcomes_by_quarter_and_needs_two() -> None:
    terms = yearly(np.arange(N) % 10 == 0)
    running = {name: date(2024, 12, 31) for name in terms.account_names}
    inside, outside = Predicted(9, 9, 8, 10, 5, 12), Predicted(50, 50, 48, 52, 45, 55)
    snapshots = [score_snapshot(past(i, one, outside, running), Realised(terms)) for i, one in enumerate((inside, outside))]
    covered = {one.quantity: one for one in interval_coverage(snapshots)}
    assert isinstance(covered["churned"], IntervalCoverage) and (covered["churned"].n, covered["churned"].periods) == (2, 1)
    assert isinstance(covered["churned"].in_95, NoEstimate)


def test_a_quarter_with_renewals_still_open_is_not_over() -> None:
    terms = yearly(np.arange(N) % 10 == 0)
    terms.outcome[:20] = UNDECIDED
    running = {name: date(2024, 12, 31) for name in terms.account_names}
    assert score_snapshot(past(1, RATE, RATE, running), Realised(terms)).outcomes == ()
