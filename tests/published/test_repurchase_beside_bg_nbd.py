"""Who buys again within 90 days, foretold by the hazard model and by BG/NBD on the same customers of a real shop, out of time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from tests.published.bg_nbd import Histories, fit, log_likelihood
from tests.published.shop_months import HORIZON_DAYS, Shop, at, fit_bg_nbd, read_shop
from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.rows import CHURN, known_by
from unspun.stats.calibration import calibration_slope
from unspun.stats.concordance import auc_interval, clustered_standard_error
from unspun.stats.estimate import Estimate

PARAMETERS = np.array([0.6, 5.0, 0.8, 2.5])


@pytest.fixture(scope="module")
def shop(shared_data: Path) -> Shop:
    return read_shop(shared_data / "online_retail" / "onlineretail.parquet")


def one(repeats: float, last: float, age: float) -> Histories:
    return Histories(np.array([repeats]), np.array([last]), np.array([age]))


@pytest.mark.parametrize(("repeats", "last", "age"), [(0.0, 0.0, 20.0), (1.0, 4.0, 20.0), (4.0, 18.0, 30.0)])
def test_the_likelihood_of_bg_nbd_is_the_integral_over_all_rates_and_chances_of_leaving(repeats: float, last: float, age: float) -> None:
    r, alpha, a, b = PARAMETERS

    def over_chances(weight: Callable[[float], Any]) -> float:
        return integrate.quad(lambda p: float(weight(p) * stats.beta.pdf(p, a, b)), 0, 1)[0]

    density = stats.gamma(r, scale=1 / alpha).pdf

    def over_rates(until: float) -> float:
        """Purchases at the times seen, and none up to `until`."""
        return integrate.quad(lambda rate: float(rate**repeats * np.exp(-rate * until) * density(rate)), 0, np.inf)[0]

    expected = over_chances(lambda p: (1 - p) ** repeats) * over_rates(age)
    if repeats:
        expected += over_chances(lambda p: p * (1 - p) ** (repeats - 1)) * over_rates(last)
    assert np.exp(log_likelihood(PARAMETERS, one(repeats, last, age))[0]) == pytest.approx(expected, rel=1e-5)


def test_bg_nbd_finds_the_parameters_and_chances_of_simulated_customers() -> None:
    rng = np.random.default_rng(1)
    r, alpha, a, b = PARAMETERS
    n, age, ahead = 6_000, 40.0, 10.0
    rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    times = np.cumsum(rng.exponential(1 / rate[:, None], (n, 60)), axis=1)
    alive_for = rng.geometric(np.maximum(leaves, 1e-9)) - 1  # purchases after which the customer is still there
    made = np.arange(1, 61) <= np.minimum(alive_for + 1, 60)[:, None]
    seen, later = made & (times <= age), made & (times > age) & (times <= age + ahead)
    histories = Histories(seen.sum(axis=1).astype(float), np.where(seen, times, 0).max(axis=1), np.full(n, age))
    model = fit(histories)
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx(tuple(PARAMETERS), rel=0.35)
    assert model.buys_within(histories, ahead).mean() == pytest.approx(later.any(axis=1).mean(), abs=0.012)


def test_the_hazard_model_foretells_repurchase_as_well_as_bg_nbd_does(shop: Shop) -> None:
    hazard = fit_hazard(known_by(shop.rows, shop.cut), "splines")
    assert isinstance(hazard, HazardModel)
    later = shop.rows.take(shop.test)
    bought = later.outcome == CHURN
    ours = hazard.probabilities(later)[:, CHURN]
    theirs = fit_bg_nbd(shop).buys_within(at(shop.histories, shop.test), float(HORIZON_DAYS))
    assert (len(later), int((~bought).sum())) == (9_446, 4_449)  # the tutorial's test part
    worse = log_loss(ours, bought) - log_loss(theirs, bought)
    error = clustered_standard_error((worse - worse.mean()) / len(worse), later.cluster)
    assert worse.mean() < 2 * error and error < 0.01
    mine, other = auc_interval(ours, bought, later.cluster), auc_interval(theirs, bought, later.cluster)
    assert isinstance(mine, Estimate) and isinstance(other, Estimate) and mine.high > other.point
    slope = calibration_slope(ours, bought, later.cluster)
    assert isinstance(slope, Estimate) and 0.8 < slope.point < 1.25


def log_loss(stated: np.ndarray, event: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(np.where(event, stated, 1 - stated), 1e-12))
