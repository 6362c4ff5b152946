"""The scale of the log odds: learnt where stated risks are too extreme or too timid, little where little was seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from tests.unit.risk.made_months import make_company
from unspun.risk.boosting import BoostedModel, fit_boosting
from unspun.risk.recalibrate import NOTHING_LEARNT, Recalibration, StatedScores, learn_scale
from unspun.risk.rows import CHURN, known_by

N = 20_000


def stated_by(factor: float) -> tuple[StatedScores, np.ndarray]:
    """Scores that are `factor` times what they should be, and what happened."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=N)
    churned = rng.random(N) < special.expit(truth - 1)
    return StatedScores(special.expit(factor * truth - 1), factor * truth, np.arange(N) % 3), churned


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_the_scale_undoes_what_is_wrong_with_the_scores(factor: float) -> None:
    stated, churned = stated_by(factor)
    found = learn_scale(stated, churned, np.arange(N), (1000, 1000, 1000))
    assert 1 + found.excess == pytest.approx(1 / factor, abs=0.06)
    assert found.scale(1000) == pytest.approx(1 + found.excess, abs=0.03)


def test_a_rough_estimate_is_shrunk_towards_one_and_a_larger_model_needs_less() -> None:
    rough, sure = Recalibration(-0.3, 0.3, 100), Recalibration(-0.3, 0.01, 100)
    assert sure.scale(100) == pytest.approx(0.7, abs=0.01) and 0.93 < rough.scale(100) < 0.95
    assert sure.scale(400) == pytest.approx(1 - 0.3 / 4, abs=0.01)
    assert "multiplied by 0.70" in sure.say(100) and NOTHING_LEARNT.scale(50) == 1.0 and not NOTHING_LEARNT.say(50)


def test_where_the_score_does_not_vary_nothing_is_learnt() -> None:
    stated, churned = stated_by(1.0)
    flat = StatedScores(np.full(N, 0.3), np.zeros(N), stated.origin)
    assert learn_scale(flat, churned, np.arange(N), (10,)) == NOTHING_LEARNT


def test_a_scaled_boosted_model_keeps_its_level_and_its_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.risk.boosting.TREES", 8)
    monkeypatch.setattr("unspun.risk.boosting.PERMUTATIONS", 1)
    company = make_company(seed=11, accounts=150)
    known, rows = known_by(company.rows, company.cutoff), company.rows.take(company.today).take(np.arange(30))
    plain, scaled = fit_boosting(known, seed=0, replicates=2), fit_boosting(known, seed=0, replicates=2, scale=1.5)
    assert isinstance(plain, BoostedModel) and isinstance(scaled, BoostedModel)
    assert scaled.log_odds(rows) == pytest.approx(1.5 * plain.log_odds(rows), abs=1e-9)
    assert scaled.probabilities(rows)[:, CHURN].mean() == pytest.approx(plain.probabilities(rows)[:, CHURN].mean(), rel=0.05)
    found = scaled.contributions(rows)
    assert found.points.sum(axis=1) + found.reference == pytest.approx(scaled.probabilities(rows)[:, CHURN], abs=1e-10)
