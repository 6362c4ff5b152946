"""Reasons in the customer's terms: which are named, and what each says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.risk.made_months import MadeCompany, make_company
from unspun.book.tables import Codes
from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.reasons import Reasons, coverage_of, say, say_number, say_points, typical_of
from unspun.risk.rows import CHURN, OUTAGE, Feature, RiskRows, known_by

SEATS = Feature("logins_per_seat", "Logins", "logins per seat", "number", direction=1)
SIZE = Feature("given/log_arr", "ARR", "log USD", "number", given=True)
SEGMENT = Feature("given/segment", "Segment", "", "category", given=True, names=("Large", "Small"))


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=6, accounts=500)


@pytest.fixture(scope="module")
def model(company: MadeCompany) -> HazardModel:
    fitted = fit_hazard(known_by(company.rows, company.cutoff), "linear")
    assert isinstance(fitted, HazardModel)
    return fitted


def reasons_of(company: MadeCompany, model: HazardModel, rows: RiskRows) -> Reasons:
    return Reasons(rows, model.contributions(rows), typical_of(company.rows))


def test_the_driver_is_named_and_what_tells_nothing_is_not(company: MadeCompany, model: HazardModel) -> None:
    rows = company.rows.take(company.today)
    found = reasons_of(company, model, rows)
    named = [{one.feature for one in found.of(at)} for at in range(len(rows))]
    low = rows.columns["usage"] < -0.5
    assert np.mean(["usage" in one for one in np.array(named, dtype=object)[low]]) > 0.95
    assert not any({"contact", "pulse"} & one for one in named)


def test_low_use_raises_churn_and_high_use_lowers_it(company: MadeCompany, model: HazardModel) -> None:
    rows = company.rows.take(company.today)
    found = reasons_of(company, model, rows)
    for at in range(len(rows)):
        for reason in found.of(at):
            assert reason.low <= reason.points <= reason.high and reason.low * reason.high > 0
            if reason.feature == "usage" and reason.value is not None:
                assert (reason.points > 0) == (float(reason.value) < float(np.nanmean(company.rows.columns["usage"])))


def test_typical_and_reasons_and_the_rest_add_up_to_the_probability(company: MadeCompany, model: HazardModel) -> None:
    rows = company.rows.take(company.today)
    found, contributed = reasons_of(company, model, rows), model.contributions(rows)
    own = np.isin(contributed.terms, ("lead", "term class"))
    churn = model.probabilities(rows)[:, CHURN]
    assert found.typical_risk + contributed.points[:, ~own].sum(axis=1) == pytest.approx(churn, abs=1e-10)
    assert not {reason.feature for at in range(len(rows)) for reason in found.of(at)} & {"lead", "term class"}


def test_an_outage_is_nobodys_reason(company: MadeCompany, model: HazardModel) -> None:
    rows = company.rows.take(company.today)
    dark = replace(
        rows,
        columns={**rows.columns, "usage": np.full(len(rows), np.nan)},
        reasons={**rows.reasons, "usage": Codes(np.zeros(len(rows), dtype=np.int32), (OUTAGE,))},
    )
    found = reasons_of(company, model, dark)
    assert not any(reason.feature == "usage" for at in range(len(dark)) for reason in found.of(at))
    assert coverage_of(dark, 0).missing[0] == ("Logins per seat", "the window holds days of a recorded tracking outage")


def test_coverage_counts_metrics_and_says_how_old_values_carried_over_an_outage_are(company: MadeCompany) -> None:
    rows = company.rows.take(np.flatnonzero(np.isfinite(company.rows.columns["usage"]) & np.isnan(company.rows.columns["pulse"]))[:1])
    old = replace(rows, stale_days={**rows.stale_days, "usage": np.array([61])})
    found = coverage_of(old, 0)
    assert found.of == 3 and found.with_value == 3 - len(found.missing) and "Pulse" in dict(found.missing)
    assert found.stale == (("Logins per seat", 61),)


def test_sentences_say_value_typical_value_and_effect() -> None:
    assert say(SEATS, 0.4, 2.1, "", 0.06, 0) == (
        "Logins: 0.4 logins per seat, typical 2.1 logins per seat; raises the probability of churn by 6 points"
    )
    assert (
        say(SIZE, 206_280.0, 14_500.0, "", -0.012, 0)
        == "ARR: 206,000 USD, typical 14,500 USD; lowers the probability of churn by 1.2 points"
    )
    assert say(SEGMENT, "Large", "Small", "", -0.18, 0) == "Segment: Large, typical Small; lowers the probability of churn by 18 points"
    assert say(SEGMENT, "Small", "Small", "", 0.01, 0) == "Segment: Small; raises the probability of churn by 1 point"
    assert say(SEATS, None, 2.1, "not stated", 0.02, 0) == (
        "Logins: no value (not stated), typical 2.1 logins per seat; raises the probability of churn by 2 points"
    )
    assert "0.4 logins per seat 61 days ago, before a tracking outage" in say(SEATS, 0.4, 2.1, "", 0.06, 61)


@pytest.mark.parametrize(
    ("value", "size", "shown"),
    [
        (-1.966, 1.966, "\N{MINUS SIGN}1.97"),
        (0.00079, 1.966, "0"),
        (12_345.0, 12_345.0, "12,300"),
        (0.5, 0.5, "0.5"),
        (0.0, 0.0, "0"),
        (7.0, 16.0, "7"),
    ],
)
def test_numbers_have_three_figures_of_the_larger_of_two(value: float, size: float, shown: str) -> None:
    assert say_number(value, size) == shown


def test_points_are_whole_from_ten_on() -> None:
    assert [say_points(one) for one in (0.004, 0.01, 0.0994, 0.0996, 0.123)] == [
        "0.4 points",
        "1 point",
        "9.9 points",
        "10 points",
        "12 points",
    ]
