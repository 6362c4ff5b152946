"""A forecast's groups: what is due is counted exactly, parts add up to the whole, and what cannot be told is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from unspun.risk.forecast.amounts import learn_ratios
from unspun.risk.forecast.make import ForecastBasis, ForecastSettings, OpenBook, forecast_book, horizon_of
from unspun.risk.forecast.result import Forecast, Predicted, SharedShock
from unspun.risk.forecast.shocks import DeviationPosterior
from unspun.risk.forecast.simulate import NO_FACT, OpenTerms, Shocks
from unspun.risk.rows import CHURN, EXPANSION
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AS_OF = date(2026, 10, 31)
DAY = (AS_OF - date(1970, 1, 1)).days
P = np.array([0.1, 0.1, 0.6, 0.2])
SETTINGS = ForecastSettings(12, 1_000, 3, "0")


def book() -> OpenBook:
    """Six yearly terms: one overdue, one with notice, one renewed early, one without an amount, one in euros, one due after the horizon."""
    due = DAY + np.array([-5, 20, 40, 70, 130, 500])
    terms = OpenTerms(
        due=due,
        length_months=np.full(6, 12),
        arr=np.array([100.10, 200.20, 300.0, np.nan, 500.0, 600.0]),
        arr_after=np.array([np.nan, np.nan, 450.0, np.nan, np.nan, np.nan]),
        fact=np.array([NO_FACT, CHURN, EXPANSION, NO_FACT, NO_FACT, NO_FACT]),
        currency=np.array([0, 0, 0, 0, 1, 0]),
        segment=np.array([0, 1, 0, -1, 1, 0]),
        owner=np.array([0, 0, 1, 1, 0, 1]),
        family=np.arange(6),
    )
    status = ("overdue", "notice given", "decided", "open", "open", "open")
    return OpenBook(AS_OF, terms, ("A", "B", "C", "D", "E", "F"), status, ("Small", "Large"), ("Ann", "Bo"), ("USD", "EUR"))


def basis() -> ForecastBasis:
    none = DeviationPosterior(SharedShock("churn", NoEstimate("given"), 0), np.zeros(1), np.ones(1))
    ratios = learn_ratios(np.array([1, 2, 3]), np.array([0.5, 1.0, 2.0]), np.zeros(3, np.int64), 2, np.random.default_rng(1))
    stated = np.tile(P, (6, 1))
    return ForecastBasis(stated, Same(), Shocks(none, none, none, none), ratios, 7, "a model", np.ones(6, bool))


class Same:
    """P for every term, whatever its time and size."""

    def __call__(self, terms: Ints, after: int | None) -> Floats:
        return np.tile(P, (1, len(terms), 1))

    def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
        return np.zeros((len(terms), len(number), 3))


@pytest.fixture(scope="module")
def made() -> Forecast:
    return forecast_book(book(), basis(), SETTINGS, (), replayed=False)


def test_what_is_due_is_counted_exactly_in_money_of_its_own_currency(made: Forecast) -> None:
    total = made.total
    assert (total.renewals, total.facts, total.overdue, total.n_without_amount) == (5, 2, 1, 1)
    assert [(one.currency, one.arr_due) for one in total.money] == [("USD", Decimal("600.30")), ("EUR", Decimal("500.00"))]
    assert [(fan.currency, fan.opening) for fan in made.fans] == [("USD", Decimal("1200.30")), ("EUR", Decimal("500.00"))]


def test_the_horizon_ends_on_the_same_day_a_year_later_or_the_months_last() -> None:
    assert [horizon_of(day, months).until for day, months in ((AS_OF, 12), (date(2026, 1, 31), 1), (date(2026, 2, 10), 3))] == [
        (day - date(1970, 1, 1)).days for day in (date(2027, 10, 31), date(2026, 2, 28), date(2026, 5, 10))
    ]


def test_months_quarters_segments_and_owners_each_add_up_to_the_total(made: Forecast) -> None:
    for groups in (made.by_month, made.by_quarter, made.by_segment, made.by_owner):
        assert sum(one.renewals for one in groups) == made.total.renewals
        parts = [one.churned for one in groups]
        assert all(isinstance(one, Predicted) for one in parts)
        total = made.total.churned
        assert isinstance(total, Predicted)
        assert sum(one.mean for one in parts if isinstance(one, Predicted)) == pytest.approx(total.mean, abs=1e-3)
    assert [one.name for one in made.by_month][:2] == ["2026-11", "2026-12"] and len(made.by_month) == 12
    assert [one.name for one in made.by_quarter] == ["2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4"]
    assert made.by_month[0].overdue == 1 and made.by_month[0].first == date(2026, 11, 1) and made.by_month[-1].last == made.until
    assert [one.name for one in made.by_segment] == ["Large", "Small", ""]


def test_facts_are_certain_and_the_rest_is_what_the_probabilities_say(made: Forecast) -> None:
    by_account = {one.account: one for one in made.renewals}
    assert "F" not in by_account, "it is due after the horizon"
    assert by_account["B"].probabilities == (1, 0, 0, 0) and by_account["B"].expected_arr == 0
    assert by_account["C"].probabilities == (0, 0, 0, 1) and by_account["C"].expected_arr == 450
    assert by_account["D"].arr is None and by_account["D"].expected_arr is None
    ratios = basis().ratios.means
    expected = 500 * float(P @ ratios[:, 1])
    assert by_account["E"].expected_arr == pytest.approx(expected, abs=0.01)
    churned = made.total.churned
    assert isinstance(churned, Predicted) and churned.mean == pytest.approx(1 + 3 * 0.1 + 0.9 * 0.1, abs=0.06), (
        "the overdue one falls due again"
    )


def test_the_fan_ends_where_the_money_of_all_that_is_due_leads(made: Forecast) -> None:
    usd, money = made.fans[0], made.total.money[0]
    assert isinstance(money.churned, Predicted) and isinstance(money.contraction, Predicted) and isinstance(money.expansion, Predicted)
    assert usd.points[-1].day == made.until and usd.points[0].mean == float(usd.opening)
    assert usd.points[-1].mean == pytest.approx(
        float(usd.opening) - money.churned.mean - money.contraction.mean + money.expansion.mean, abs=0.05
    )
    assert isinstance(usd.grr, Predicted) and isinstance(usd.nrr, Predicted) and usd.grr.mean <= min(1, usd.nrr.mean)


def test_without_a_model_what_is_due_is_told_and_nothing_of_what_becomes_of_it() -> None:
    refused = forecast_book(book(), NoEstimate("too few churned", "30"), SETTINGS, (), replayed=False)
    assert refused.refused == NoEstimate("too few churned", "30")
    assert refused.total.money[0].arr_due == Decimal("600.30") and refused.total.money[0].grr == refused.refused
    assert {one.probabilities for one in refused.renewals} == {None} and refused.fans[0].points == ()


def test_a_model_that_tells_nothing_of_single_renewals_gives_sums_alone(made: Forecast) -> None:
    sums = forecast_book(book(), replace(basis(), single=np.zeros(6, bool)), SETTINGS, (), replayed=False)
    assert sums.total == made.total and {one.probabilities for one in sums.renewals} == {None}


def test_the_same_request_gives_the_same_forecast(made: Forecast) -> None:
    assert forecast_book(book(), basis(), SETTINGS, (), replayed=False) == made


def test_of_a_lead_at_which_the_model_cannot_tell_sums_are_given_and_no_renewal_alone(made: Forecast) -> None:
    single = np.arange(6) != 3
    found = forecast_book(book(), replace(basis(), single=single), SETTINGS, (), replayed=False)
    assert found.total == made.total
    for one, whole in zip(found.renewals, made.renewals, strict=True):
        assert one == whole or (one.account == "D" and (one.probabilities, one.expected_arr, one.expected_later) == (None, None, None))
    assert sum(one.probabilities is None for one in found.renewals) == 1
