"""The boosted candidate: what it foretells, what it must not do, and that it is the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.risk.made_months import MadeCompany, make_company
from unspun.book.tables import Codes
from unspun.risk.boosting import BoostedModel, fit_boosting
from unspun.risk.hazard import fit_hazard
from unspun.risk.rows import CHURN, CONTRACTION, FLAT, OUTAGE, RiskRows, known_by
from unspun.stats.estimate import NoEstimate


@pytest.fixture(scope="module", autouse=True)
def fewer_trees() -> Iterator[None]:
    """Enough to see what the trees do, in a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unspun.risk.boosting.TREES", 30)
        patch.setattr("unspun.risk.boosting.PERMUTATIONS", 1)
        yield


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=4, accounts=350, effect=1.6)


@pytest.fixture(scope="module")
def model(company: MadeCompany) -> BoostedModel:
    fitted = fit_boosting(known_by(company.rows, company.cutoff), seed=0, replicates=5)
    assert isinstance(fitted, BoostedModel)
    return fitted


@pytest.fixture(scope="module")
def today(company: MadeCompany) -> RiskRows:
    return company.rows.take(company.today).take(np.arange(60))


def with_values(rows: RiskRows, name: str, value: float, reason: str = "") -> RiskRows:
    """The rows with one value everywhere, or none for a reason."""
    codes = Codes(np.full(len(rows), -1 if not reason else 0, dtype=np.int32), (reason or OUTAGE,))
    return replace(rows, columns={**rows.columns, name: np.full(len(rows), value)}, reasons={**rows.reasons, name: codes})


def test_probabilities_add_up_to_one_and_follow_the_driver(company: MadeCompany, model: BoostedModel, today: RiskRows) -> None:
    stated = model.probabilities(today)
    assert np.allclose(stated.sum(axis=1), 1) and (stated >= 0).all()
    assert np.corrcoef(np.log(stated[:, CHURN]), np.log(company.true_churn[company.today][:60]))[0, 1] > 0.75


def test_the_level_is_that_of_the_additive_model(company: MadeCompany, model: BoostedModel, today: RiskRows) -> None:
    additive = fit_hazard(known_by(company.rows, company.cutoff), "linear")
    assert not isinstance(additive, NoEstimate)
    assert model.probabilities(today).mean(axis=0) == pytest.approx(additive.probabilities(today).mean(axis=0), abs=0.02)


def test_a_metric_declared_healthier_when_higher_never_raises_churn(model: BoostedModel, today: RiskRows) -> None:
    scores = np.stack([model.log_odds(with_values(today, "usage", value)) for value in np.linspace(-3, 3, 25)])
    assert (np.diff(scores, axis=0) <= 1e-12).all() and np.ptp(scores) > 1


def test_a_value_hidden_by_an_outage_moves_nothing(model: BoostedModel, today: RiskRows) -> None:
    hidden = with_values(today, "usage", np.nan, OUTAGE)
    at = [one.id for one in model.columns.features].index("usage")
    found = model.contributions(hidden)
    assert (found.log_odds[:, at] == 0).all() and (found.points[:, at] == 0).all()


def test_contributions_add_up_to_the_difference_from_the_typical_account(model: BoostedModel, today: RiskRows) -> None:
    found = model.contributions(today)
    churn = model.probabilities(today)[:, CHURN]
    assert found.points.sum(axis=1) + found.reference == pytest.approx(churn, abs=1e-10)
    assert found.terms[int(np.abs(found.points).mean(axis=0).argmax())] == "usage"
    assert dict(zip(found.terms, found.told.tolist(), strict=True))["usage"]


def test_draws_depend_on_the_generator_alone_and_spread_like_the_intervals(model: BoostedModel, today: RiskRows) -> None:
    whole = model.draws(today, 40, np.random.default_rng(1))
    parts = [model.draws(today.take(part), 40, np.random.default_rng(1)) for part in (np.arange(20), np.arange(20, len(today)))]
    assert np.array_equal(whole, np.concatenate(parts, axis=1))
    low, high = model.intervals(today)
    assert (low <= model.probabilities(today)).all() and (model.probabilities(today) <= high).all()
    shifted = model.draws(today, 40, np.random.default_rng(1), shift=np.full((40, 1), 1.0))
    assert (shifted[:, :, CHURN] > whole[:, :, CHURN]).all()


def test_the_same_rows_give_the_same_bytes(company: MadeCompany, model: BoostedModel, today: RiskRows) -> None:
    again = fit_boosting(known_by(company.rows, company.cutoff), seed=0, replicates=0)
    assert isinstance(again, BoostedModel)
    assert again.probabilities(today).tobytes() == model.probabilities(today).tobytes()


def test_curves_fall_where_the_driver_is_healthier(model: BoostedModel) -> None:
    curve = {one.feature.id: one for one in model.curves()}["usage"]
    assert (np.diff(curve.effect) <= 1e-12).all() and curve.told
    assert len(curve.at) == len(curve.effect) == len(curve.low) == len(curve.high)


def test_without_a_churned_renewal_there_is_no_model(company: MadeCompany) -> None:
    kept = company.rows.take(company.rows.outcome != CHURN)
    refusal = fit_boosting(known_by(kept, company.cutoff), seed=0)
    assert isinstance(refusal, NoEstimate)


def test_an_outcome_that_was_never_seen_has_hardly_a_chance_and_breaks_nothing(company: MadeCompany, today: RiskRows) -> None:
    rows = company.rows
    none_contracted = replace(rows, outcome=np.where(rows.outcome == CONTRACTION, FLAT, rows.outcome).astype(np.int8))
    fitted = fit_boosting(known_by(none_contracted, company.cutoff), seed=0)
    assert isinstance(fitted, BoostedModel)
    stated = fitted.probabilities(today)
    assert stated[:, CONTRACTION].max() < 0.02 and np.allclose(stated.sum(axis=1), 1)
