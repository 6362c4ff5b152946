"""What is planted in the demo company is there, and the stated probabilities are the true ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from unspun.book.demo import Parameters, make_company
from unspun.book.demo.parameters import SEGMENTS
from unspun.book.demo.simulation import simulate_contracts
from unspun.book.demo.terms import HARMLESS, NO_DECLINE, SERIOUS, Contracts
from unspun.book.demo.truth import churn_probability
from unspun.book.tables import CHURNED

Frame = Any  # pandas' own annotations do not tell a frame from a series
AS_OF = date(2026, 10, 31)


@pytest.fixture(scope="module")
def crowd() -> Contracts:
    """Contracts of a company far larger than the demo's, so that chance is small."""
    return simulate_contracts(11, 40_000, AS_OF, Parameters())


@pytest.fixture(scope="module")
def tables() -> dict[str, Frame]:
    company = make_company(seed=4, accounts=1_000, as_of=AS_OF)
    return {name: table.to_pandas(date_as_object=False) for name, table in company.tables().items()}


def deviations(happened: np.ndarray, probability: np.ndarray) -> float:
    """Observed less expected events, in standard deviations."""
    return float((happened.sum() - probability.sum()) / np.sqrt((probability * (1 - probability)).sum()))


@pytest.mark.parametrize("segment", range(len(SEGMENTS)))
def test_with_nothing_else_at_work_each_segment_churns_at_its_stated_rate(segment: int) -> None:
    nothing = {name: 0.0 for name in Parameters.__dataclass_fields__ if name.endswith("_effect") and name != "term_effect"}
    plain = replace(Parameters(), **nothing, term_effect=(0.0, 0.0, 0.0, 0.0), family_sd=0.0, owner_sd=0.0)
    terms = simulate_contracts(segment, 8_000, AS_OF, plain).terms
    churned = terms.outcome[terms.segment == segment] == CHURNED
    assert len(churned) > 2_000
    assert abs(deviations(churned, np.full(len(churned), plain.base_churn[segment]))) < 3.5


@pytest.mark.parametrize("segment", range(len(SEGMENTS)))
def test_each_segment_churns_as_often_as_its_true_probabilities_say(crowd: Contracts, segment: int) -> None:
    here = crowd.terms.segment == segment
    probability = 1 / (1 + np.exp(-crowd.terms.odds[here]))
    assert abs(deviations(crowd.terms.outcome[here] == CHURNED, probability)) < 3.5


@pytest.mark.parametrize("lead_days", [180, 90, 60, 30])
def test_the_stated_probability_is_calibrated_against_outcomes(crowd: Contracts, lead_days: int) -> None:
    probability = churn_probability(crowd.terms, lead_days, Parameters())
    stated = ~np.isnan(probability)
    logit = np.log(probability[stated] / (1 - probability[stated]))
    fit = sm.Logit(crowd.terms.outcome[stated] == CHURNED, sm.add_constant(logit)).fit(disp=0)
    assert stated.sum() > 50_000
    assert fit.params[1] == pytest.approx(1, abs=3.5 * fit.bse[1])
    assert fit.bse[1] < 0.02
    assert fit.params[0] == pytest.approx(0, abs=3.5 * fit.bse[0])


@pytest.mark.parametrize("lead_days", [180, 90, 60, 30])
@pytest.mark.parametrize("state", ["serious decline begun", "harmless decline begun", "no decline begun", "champion gone", "six months"])
def test_the_stated_probability_is_right_within_each_state_of_affairs(crowd: Contracts, state: str, lead_days: int) -> None:
    terms = crowd.terms
    begun = (terms.decline != NO_DECLINE) & (terms.decline_lead >= lead_days)
    chosen = {
        "serious decline begun": begun & (terms.decline == SERIOUS),
        "harmless decline begun": begun & (terms.decline == HARMLESS),
        "no decline begun": ~begun,
        "champion gone": terms.champion_lead >= lead_days,
        "six months": terms.months == 6,
    }[state]
    probability = churn_probability(terms, lead_days, Parameters())
    chosen = chosen & ~np.isnan(probability)
    assert chosen.sum() > 100
    assert abs(deviations(terms.outcome[chosen] == CHURNED, probability[chosen])) < 3.5


@pytest.mark.parametrize("lead_days", [180, 90, 30])
def test_what_has_not_happened_yet_is_weighed_by_the_chance_that_it_still_will(lead_days: int) -> None:
    often = replace(
        Parameters(), serious_decline_rate=(0.5, 0.5, 0.5), harmless_decline_rate=0.1, decline_effect=2.5, champion_leaves_rate=0.7
    )
    terms = simulate_contracts(5, 10_000, AS_OF, often).terms
    probability = churn_probability(terms, lead_days, often)
    quiet = (terms.decline == NO_DECLINE) | (terms.decline_lead < lead_days)
    quiet &= (terms.champion_lead < lead_days) & (terms.months >= 6) & ~np.isnan(probability)
    assert quiet.sum() > 1_000
    assert abs(deviations(terms.outcome[quiet] == CHURNED, probability[quiet])) < 3.5


@pytest.mark.parametrize("lead_days", [60, 30])
@pytest.mark.parametrize("rises", [True, False])
def test_a_price_rise_counts_once_it_is_announced(crowd: Contracts, lead_days: int, rises: bool) -> None:
    probability = churn_probability(crowd.terms, lead_days, Parameters())
    chosen = (crowd.terms.price_rise == rises) & crowd.terms.eventful & ~np.isnan(probability)
    assert abs(deviations(crowd.terms.outcome[chosen] == CHURNED, probability[chosen])) < 3.5


def test_a_price_rise_not_yet_announced_is_not_foreseen(crowd: Contracts) -> None:
    probability = churn_probability(crowd.terms, 90, Parameters())
    stated = crowd.terms.eventful & ~np.isnan(probability)
    rises, others = (probability[stated & (crowd.terms.price_rise == rises)] for rises in (True, False))
    assert rises.mean() == pytest.approx(others.mean(), rel=0.05)


def test_a_probability_is_stated_where_the_term_had_begun_and_nothing_was_known(tables: dict[str, Frame]) -> None:
    renewals = tables["renewals"].merge(tables["truth_renewals"], on="renewal_id", suffixes=("", "_true"))
    decided = renewals[renewals.decided]
    for lead in (180, 90, 60, 30):
        then = decided.due_date - pd.Timedelta(days=lead)
        known = decided[["notice_date", "outcome_known_at"]].min(axis=1) <= then
        expected = (decided.term_start <= then) & ~known
        assert decided[f"churn_probability_{lead}d"].notna().equals(expected)


def test_causes_are_given_for_the_churned_and_fit_what_happened(tables: dict[str, Frame]) -> None:
    truth = tables["truth_renewals"]
    assert truth.cause.notna().equals(truth.outcome == "churned")
    assert set(truth.decline[truth.cause == "declining"]) == {"serious"}
    assert truth.champion_left_on[truth.cause == "champion left"].notna().all()
    assert truth.price_rise[truth.cause == "price"].all()
    assert (truth.cause == "silent").sum() > 20


def usage_around(tables: dict[str, Frame], renewals: Frame) -> Frame:
    """Active users in the four weeks before due over the four weeks before the decline began, less what all users did."""
    users = tables["usage"].pivot_table(index="day", columns="account_id", values="active_users", fill_value=0).asfreq("D", fill_value=0)
    weekly = users.rolling(28).sum()
    steady = sorted(set(tables["accounts"].account_id) - set(tables["truth_renewals"][tables["truth_renewals"].decline.notna()].account_id))
    trend = weekly[steady].gt(0).mul(1).mul(weekly[steady]).sum(axis=1) / weekly[steady].gt(0).sum(axis=1)
    day = pd.Timedelta(days=1)
    ratios = {}
    for row in renewals.itertuples():
        before, after = row.decline_begins - day, row.due_date - day
        ratios[row.renewal_id] = weekly.at[after, row.account_id] / weekly.at[before, row.account_id] / (trend[after] / trend[before])
    return pd.Series(ratios)


def run_its_course(tables: dict[str, Frame]) -> Frame:
    """Decided renewals of accounts with users enough to see it, whose decline was complete four weeks before due."""
    truth = tables["truth_renewals"].merge(
        tables["subscriptions"][["account_id", "end_date", "seats", "start_date"]],
        left_on=["account_id", "due_date"],
        right_on=["account_id", "end_date"],
    )
    begun = truth[truth.decided & truth.decline.notna() & (truth.seats >= 40)]
    complete = begun.decline_begins + pd.to_timedelta(begun.decline_days + 28, unit="D") < begun.due_date
    settled = (begun.decline_begins > begun.start_date + pd.Timedelta(days=28)) & (begun.decline_begins > pd.Timestamp("2024-01-01"))
    return begun[complete & settled]


def test_accounts_with_a_planted_decline_do_decline_by_as_much_as_stated(tables: dict[str, Frame]) -> None:
    declined = run_its_course(tables)
    churned = declined[declined.outcome == "churned"]
    assert len(churned) >= 15
    left = usage_around(tables, declined)
    expected = 1 - declined.set_index("renewal_id").decline_depth
    assert (left[churned.renewal_id] < 0.85).mean() > 0.9
    assert float(np.log(left / expected).median()) == pytest.approx(0, abs=0.12)


def test_silent_churners_do_not_decline(tables: dict[str, Frame]) -> None:
    truth = tables["truth_renewals"]
    silent = truth[truth.decided & (truth.outcome == "churned") & truth.decline.isna() & (truth.due_date > pd.Timestamp("2024-10-01"))]
    long_term = silent.merge(tables["subscriptions"], left_on=["account_id", "due_date"], right_on=["account_id", "end_date"])
    chosen = long_term[(long_term.term_months >= 12) & (long_term.seats >= 25)]
    chosen = chosen.assign(decline_begins=chosen.due_date - pd.Timedelta(days=180))
    assert len(chosen) >= 10
    assert float(np.log(usage_around(tables, chosen)).median()) == pytest.approx(0, abs=0.12)


def test_about_three_fifths_of_churners_decline_and_most_of_those_early(crowd: Contracts) -> None:
    terms = crowd.terms
    churned = (terms.outcome == CHURNED) & (terms.months >= 6)
    serious = churned & (terms.decline == SERIOUS)
    assert 0.5 < serious.sum() / churned.sum() < 0.7
    assert 0.6 < (terms.decline_lead[serious] >= 180).mean() < 0.95
    declines = terms.decline != NO_DECLINE
    assert 0.3 < (terms.outcome[declines] != CHURNED).mean() < 0.6  # falling usage is no sentence


def test_outages_of_everything_are_the_days_without_any_usage(tables: dict[str, Frame]) -> None:
    outages, usage = tables["truth_outages"], tables["usage"]
    lost = outages[(outages.measure == "all") & outages.region.isna() & (outages.lost_share == 1)]
    planned = {day for o in lost.itertuples() for day in pd.date_range(o.first_day, o.last_day)}
    every = set(pd.date_range(usage.day.min(), usage.day.max()))
    assert len(planned) == 4
    assert every - set(usage.day) == planned


def test_outages_of_a_feature_lose_that_feature_and_no_other(tables: dict[str, Frame]) -> None:
    usage = tables["usage"]
    totals = usage.groupby("day")[["logins", "reports_built", "automations_run", "api_calls"]].sum()
    features = tables["truth_outages"][tables["truth_outages"].measure != "all"]
    assert len(features) == 2
    for outage in features.itertuples():
        inside = totals.loc[outage.first_day : outage.last_day]
        assert (inside[outage.measure] == 0).all()
        assert (inside.drop(columns=outage.measure) > 0).all().all()
        assert (totals.drop(inside.index)[outage.measure] > 0).sum() > 1_000


def test_the_outage_in_one_region_loses_its_share_there_alone(tables: dict[str, Frame]) -> None:
    outage = next(tables["truth_outages"].dropna(subset=["region"]).itertuples())
    usage = tables["usage"].merge(tables["accounts"][["account_id", "region"]], on="account_id")
    there = usage.region == outage.region
    totals = pd.DataFrame({"there": usage[there].groupby("day").logins.sum(), "elsewhere": usage[~there].groupby("day").logins.sum()})
    week = pd.Timedelta(days=14)
    during = totals.loc[outage.first_day : outage.last_day].sum()
    before = totals.loc[outage.first_day - week : outage.last_day - week].sum()
    kept = during / before
    assert kept.there / kept.elsewhere == pytest.approx(1 - outage.lost_share, abs=0.06)


def test_usage_has_weekends_and_holidays(tables: dict[str, Frame]) -> None:
    daily = tables["usage"].groupby("day").active_users.sum()
    weekend = daily.index.day_of_week >= 5
    assert daily[weekend].mean() < 0.2 * daily[~weekend].mean()
    for year in (2023, 2024, 2025):
        december = daily[f"{year}-12-01" : f"{year}-12-19"]
        holidays = daily[f"{year}-12-22" : f"{year}-12-31"]
        share = holidays[holidays.index.day_of_week < 5].mean() / december[december.index.day_of_week < 5].mean()
        assert 0.25 < share < 0.5


def test_the_content_answer_more_often_and_some_owners_leave_the_unhappy_out(tables: dict[str, Frame]) -> None:
    invitations = tables["survey_invitations"].merge(tables["truth_accounts"], on="account_id").merge(tables["truth_owners"], on="owner")
    answered = invitations.eligibility_id.isin(tables["survey_responses"].eligibility_id)
    invited = invitations.invited_on.notna()
    assert not (answered & ~invited).any()
    assert invitations.fit[answered].mean() > invitations.fit[invited & ~answered].mean() + 0.1
    unhappy = invitations.fit < -1
    share = invited[unhappy].groupby(invitations.skips_unhappy[unhappy]).mean()
    assert share[True] < share[False] - 0.3


def test_some_owners_contact_accounts_in_decline_more(tables: dict[str, Frame]) -> None:
    touches = tables["touchpoints"].merge(tables["truth_owners"], on="owner")
    touches["happened"] = touches.happened_at.dt.tz_localize(None)
    decline = tables["truth_renewals"].dropna(subset=["decline_begins"])
    windows = touches.merge(decline[["account_id", "decline_begins", "due_date"]], on="account_id")
    length = (windows.due_date - windows.decline_begins).dt.days.clip(lower=30)
    since = (windows.happened - windows.decline_begins).dt.days
    during, before = (since >= 30) & (windows.happened < windows.due_date), (since < 0) & (since > -(length - 30))
    ratio = {
        kind: (during & (windows.chases_risk == kind)).sum() / (before & (windows.chases_risk == kind)).sum() for kind in (True, False)
    }
    assert ratio[True] > 1.8 * ratio[False]


def test_truth_is_kept_out_of_the_records(tables: dict[str, Frame]) -> None:
    seen = {column for name, table in tables.items() if not name.startswith("truth_") for column in table.columns}
    assert not seen & {"fit", "cause", "decline", "churn_log_odds", "chases_risk", "skips_unhappy", "churn_probability_180d"}
