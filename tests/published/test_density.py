"""The bunching test held against statsmodels: the same log-linear density, and the same clustered error, fitted another way.

A Poisson regression of counts by account and step of the score, with an intercept for each account, has the likelihood of the density
given how many values each account has; its clustered error is the one the test should state.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from unspun.stats.density import Bunching, find_bunching

CUT, REACH, NEAR, ACCOUNTS = 70, 12, 2, 24


def made(seed: int, extra: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Whole points around the account's own level, and `extra` values of the first accounts at the cut."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(ACCOUNTS), 150)
    value = np.round(68 + 8 * rng.standard_normal(ACCOUNTS)[account] + 13 * rng.standard_normal(len(account)))
    return np.concatenate([value, np.full(extra, CUT)]), np.concatenate([account, np.arange(extra) % 12])


def by_statsmodels(value: NDArray[np.float64], account: NDArray[np.int64]) -> tuple[float, float, int]:
    """Log factor, clustered error and accounts near the cut."""
    steps = np.arange(CUT - REACH, CUT + REACH)
    counts = np.histogram2d(account, value, bins=(np.arange(ACCOUNTS + 1) - 0.5, np.append(steps, CUT + REACH) - 0.5))[0]
    x = (steps - CUT + 0.5) / REACH
    contrast = np.where(np.abs(steps - CUT + 0.5) < NEAR, np.sign(x), 0)
    curve = np.tile(np.stack([x, x**2, contrast], axis=1), (ACCOUNTS, 1))
    dummies = np.repeat(np.eye(ACCOUNTS), len(steps), axis=0)
    groups = np.repeat(np.arange(ACCOUNTS), len(steps))
    model = sm.GLM(counts.ravel(), np.hstack([dummies, curve]), family=sm.families.Poisson())
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    error = float(fit.bse[-1]) * math.sqrt(ACCOUNTS / (ACCOUNTS - 1))
    near = np.abs(value - CUT + 0.5) < NEAR
    return float(fit.params[-1]), error, len(np.unique(account[near]))


@pytest.mark.parametrize(("seed", "extra"), [(3, 0), (3, 120), (8, 60)])
def test_the_factor_just_above_a_cut_is_that_of_a_poisson_regression(seed: int, extra: int) -> None:
    value, account = made(seed, extra)
    found = find_bunching(value, account, CUT, 1)
    assert isinstance(found, Bunching)
    log_factor, error, accounts = by_statsmodels(value, account)
    assert math.log(found.ratio.point) == pytest.approx(log_factor, abs=1e-6)
    stated = math.log(found.ratio.high / found.ratio.point) / stats.t.ppf(0.975, accounts - 1)
    assert stated >= error * (1 - 1e-6)  # widened where placebo cuts vary more, never narrowed


def test_where_placebo_cuts_are_calm_the_error_is_the_clustered_one_of_the_regression() -> None:
    ratios = []
    for seed in range(6):
        value, account = made(seed)
        found = find_bunching(value, account, CUT, 1)
        assert isinstance(found, Bunching)
        _, error, accounts = by_statsmodels(value, account)
        ratios.append(math.log(found.ratio.high / found.ratio.point) / stats.t.ppf(0.975, accounts - 1) / error)
    assert min(ratios) == pytest.approx(1, abs=1e-6)
    assert np.median(ratios) < 1.3
