"""Predictions as they would have been made at the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.unit.risk.made_months import FIRST_DAY, YEAR, make_company
from unspun.audit.terms import UNKNOWN
from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.rolling import RollingSettings, rolling
from unspun.risk.rows import known_by
from unspun.stats.estimate import NoEstimate

ORIGINS = (FIRST_DAY + 2 * YEAR, FIRST_DAY + 2 * YEAR + 180)
LINEAR = RollingSettings(candidate="linear")


def test_each_row_is_predicted_by_the_model_of_its_origin() -> None:
    company = make_company(seed=8, accounts=300)
    found = rolling(company.rows, ORIGINS, LINEAR)
    assert np.isnan(found.probabilities[company.rows.as_of < ORIGINS[0]]).all()
    assert (found.origin[company.rows.as_of < ORIGINS[0]] == UNKNOWN).all()
    for origin, end in zip(ORIGINS, (ORIGINS[1], 10**6), strict=True):
        part = (company.rows.as_of >= origin) & (company.rows.as_of < end)
        model = fit_hazard(known_by(company.rows, origin), "linear")
        assert isinstance(model, HazardModel) and (found.origin[part] == origin).all()
        assert np.array_equal(found.probabilities[part], model.probabilities(company.rows.take(part)))


def test_what_happened_from_an_origin_on_does_not_reach_its_predictions() -> None:
    company = make_company(seed=8, accounts=300)
    rows = company.rows
    later = (rows.decided_on == UNKNOWN) | (rows.decided_on >= ORIGINS[1])
    other = replace(rows, outcome=np.where(later, (rows.outcome + 1) % 4, rows.outcome).astype(np.int8))
    assert np.array_equal(rolling(rows, ORIGINS, LINEAR).probabilities, rolling(other, ORIGINS, LINEAR).probabilities, equal_nan=True)


def test_before_enough_has_churned_there_is_no_model_and_it_says_why() -> None:
    company = make_company(seed=8, accounts=300)
    found = rolling(company.rows, (FIRST_DAY + 200, ORIGINS[1]), RollingSettings(candidates=("base rate", "linear")))
    assert isinstance(found.models[0], NoEstimate) and found.chosen[0] == ""
    assert found.chosen[1] == "linear" and np.isfinite(found.probabilities[company.rows.as_of >= ORIGINS[1]]).all()
