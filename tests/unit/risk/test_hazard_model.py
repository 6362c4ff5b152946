"""The hazard model on companies whose true risk is known, and what it does with what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.risk_companies import MadeCompany, make_company
from unspun.book.tables import Codes
from unspun.risk.coding import TERMS_KINDS
from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.outcomes import CAUSES
from unspun.risk.rows import CHURN, EXPANSION, OUTAGE, KnownRows, RiskRows, known_by
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
METRICS = 5


def _fit(known: KnownRows, kind: str = "splines") -> HazardModel:
    found = fit_hazard(known, next(each for each in TERMS_KINDS if each == kind))
    assert isinstance(found, HazardModel)
    return found


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(450, METRICS, 1)


@pytest.fixture(scope="module")
def other() -> MadeCompany:
    """Another company of the same kind, to be judged on."""
    return make_company(150, METRICS, 2)


@pytest.fixture(scope="module")
def known(company: MadeCompany) -> KnownRows:
    return known_by(company.rows, company.today)


@pytest.fixture(scope="module")
def model(known: KnownRows) -> HazardModel:
    return _fit(known)


def _with(rows: RiskRows, name: str, value: float | Floats, reason: str | None = None) -> RiskRows:
    """The rows with a metric's values put in place, or missing for a reason."""
    n = len(rows)
    codes = Codes(np.full(n, -1 if reason is None else 0, dtype=np.int32), () if reason is None else (reason,))
    column = np.full(n, np.nan if reason is not None else value)
    return replace(rows, columns={**rows.columns, name: column}, reasons={**rows.reasons, name: codes})


def test_true_probabilities_are_found_and_the_intervals_hold_them(model: HazardModel, other: MadeCompany) -> None:
    stated, truth = model.probabilities(other.rows), other.probabilities
    low, high = model.intervals(other.rows)
    assert np.corrcoef(stated[:, CHURN], truth[:, CHURN])[0, 1] > 0.9
    assert stated.sum(axis=1) == pytest.approx(np.ones(len(stated)), abs=1e-12)
    assert (low <= stated).all() and (stated <= high).all()
    assert ((low <= truth) & (truth <= high))[:, CHURN].mean() > 0.85  # of one company; the study has the mean over many
    assert np.median(high[:, CHURN] - low[:, CHURN]) < 0.35


def test_richer_models_come_nearer_to_the_truth(known: KnownRows, model: HazardModel, other: MadeCompany) -> None:
    def loss(one: HazardModel) -> float:
        return float(-(other.probabilities * np.log(one.probabilities(other.rows))).sum(axis=1).mean())

    losses = [loss(_fit(known, kind)) for kind in TERMS_KINDS[:3]] + [loss(model)]
    assert losses == sorted(losses, reverse=True)


def test_what_drives_churn_is_told_and_what_does_nothing_is_not(model: HazardModel) -> None:
    told = dict(zip(model.terms, model.told.tolist(), strict=True))
    assert told["metric 00"] and told["metric 01"]
    assert not any(told[f"metric {j:02d}"] for j in range(3, METRICS))


def test_the_shape_of_an_effect_is_found(model: HazardModel) -> None:
    """The second metric drives churn by its distance from zero: low in the middle, high at both ends."""
    curve = next(each for each in model.curves() if each.feature.id == "metric 01")
    at = [int(np.argmin(np.abs(curve.at - value))) for value in (-1.8, 0.0, 1.8)]
    left, middle, right = curve.effect[at]
    assert min(left, right) > middle + 0.5
    assert (curve.low <= curve.effect).all() and (curve.effect <= curve.high).all()
    assert curve.told and curve.rows.sum() == model.rows


def test_contributions_add_up_on_both_scales(model: HazardModel, other: MadeCompany) -> None:
    shares = model.contributions(other.rows)
    assert shares.log_odds.sum(axis=1) == pytest.approx(model.log_odds(other.rows), abs=1e-12)
    assert shares.points.sum(axis=1) == pytest.approx(model.probabilities(other.rows)[:, CHURN] - shares.reference, abs=1e-12)
    strong = np.abs(shares.log_odds) > 0.3
    churn_alone = [model.terms.index(name) for name in ("metric 01", "segment")]
    signs = np.sign(shares.points) == np.sign(shares.log_odds)
    assert signs[:, churn_alone][strong[:, churn_alone]].all()


def test_a_typical_account_has_nothing_to_explain(model: HazardModel, other: MadeCompany) -> None:
    """Where every feature is unknown for no reason seen in training, every term adds nothing."""
    rows = other.rows.take(np.arange(5))
    for feature in rows.features:
        rows = _with(rows, feature.id, np.nan, reason="of another world")
    shares = model.contributions(rows)
    own = [i for i, name in enumerate(shares.terms) if name not in ("lead", "term class")]
    assert (shares.log_odds[:, own] == 0).all() and (shares.points[:, own] == 0).all()


def test_an_outage_raises_nobodys_risk_though_all_it_hit_in_training_churned(company: MadeCompany, other: MadeCompany) -> None:
    hit = company.rows.outcome == CHURN
    column = np.where(hit, np.nan, company.rows.columns["metric 04"])
    by_reason = {}
    for reason in (OUTAGE, "no_source"):
        codes = Codes(np.where(hit, 0, -1).astype(np.int32), (reason,))
        rows = replace(
            company.rows,
            features=company.rows.features[4:5],
            columns={**company.rows.columns, "metric 04": column},
            reasons={**company.rows.reasons, "metric 04": codes},
        )
        model = _fit(known_by(rows, company.today), "linear")
        shares = model.contributions(_with(other.rows, "metric 04", np.nan, reason))
        by_reason[reason] = shares.log_odds[:, shares.terms.index("metric 04")]
    assert (by_reason[OUTAGE] == 0).all()
    assert (by_reason["no_source"] > 0.5).all()  # a reason that says something is heard


def test_values_missing_here_and_there_cost_no_row_and_keep_the_rest(other: MadeCompany) -> None:
    holes = make_company(450, METRICS, 1, missing_share=0.3)
    model = _fit(known_by(holes.rows, holes.today), "linear")
    stated = model.probabilities(make_company(150, METRICS, 2, missing_share=0.3).rows)
    assert np.isfinite(stated).all()
    assert np.corrcoef(model.probabilities(other.rows)[:, CHURN], other.probabilities[:, CHURN])[0, 1] > 0.7


def test_a_segment_never_seen_is_typical_and_names_count_not_codes(model: HazardModel, other: MadeCompany) -> None:
    turned = tuple(replace(each, names=("new", *reversed(each.names))) if each.id == "segment" else each for each in other.rows.features)
    codes = 3.0 - other.rows.columns["segment"]
    again = replace(other.rows, features=turned, columns={**other.rows.columns, "segment": codes})
    assert (model.probabilities(again) == model.probabilities(other.rows)).all()
    shares = model.contributions(replace(again, columns={**again.columns, "segment": np.zeros(len(codes))}))
    assert (shares.log_odds[:, shares.terms.index("segment")] == 0).all()


def test_draws_spread_as_the_intervals_say_and_depend_on_the_seed_alone(model: HazardModel, other: MadeCompany) -> None:
    rows = other.rows.take(np.arange(40))
    drawn = model.draws(rows, 400, np.random.default_rng(7))
    low, high = model.intervals(rows)
    inside = (drawn >= low) & (drawn <= high)
    assert inside[:, :, CHURN].mean() == pytest.approx(0.95, abs=0.02)
    part = model.draws(rows.take(np.arange(10, 20)), 400, np.random.default_rng(7))
    assert part == pytest.approx(drawn[:, 10:20], abs=1e-12)
    shifted = model.draws(rows, 400, np.random.default_rng(7), shift=np.full((400, 1), 0.5))
    assert (shifted[:, :, CHURN] > drawn[:, :, CHURN]).all()


def test_a_model_that_was_written_and_read_is_the_same_to_the_last_bit(model: HazardModel, other: MadeCompany) -> None:
    written = json.dumps(model.to_json())
    again = HazardModel.from_json(json.loads(written))
    assert json.dumps(again.to_json()) == written
    assert (again.probabilities(other.rows) == model.probabilities(other.rows)).all()
    for one, two in zip(again.intervals(other.rows), model.intervals(other.rows), strict=True):
        assert (one == two).all()
    with pytest.raises(ValueError, match="format 99"):
        HazardModel.from_json(model.to_json() | {"format": 99})


@pytest.mark.parametrize("others", [1, 7, 26, 500, 700])
def test_a_renewals_figures_do_not_depend_on_who_else_is_asked_about(model: HazardModel, other: MadeCompany, others: int) -> None:
    def told(rows: RiskRows) -> tuple[bytes, ...]:
        draws = model.draws(rows, 50, np.random.default_rng(3))[:, 0]
        given = (model.probabilities(rows)[0], *(each[0] for each in model.intervals(rows)), model.contributions(rows).points[0], draws)
        return tuple(each.tobytes() for each in given)

    rows = other.rows.take(np.arange(700))
    assert told(rows.take(np.arange(others))) == told(rows)


def test_a_renewal_overdue_has_what_is_left_to_happen(model: HazardModel, other: MadeCompany) -> None:
    late = replace(other.rows, as_of=other.rows.due + 3)
    stated = model.probabilities(late)
    assert stated.sum(axis=1) == pytest.approx(np.ones(len(late)), abs=1e-12)
    assert stated[:, CHURN].mean() > model.probabilities(other.rows)[:, CHURN].mean()


def test_an_outcome_never_seen_has_no_probability_but_a_bound(known: KnownRows, other: MadeCompany) -> None:
    kept = known.take(known.outcome != EXPANSION)
    model = _fit(kept, "baseline")
    stated, (low, high) = model.probabilities(other.rows), model.intervals(other.rows)
    assert (stated[:, EXPANSION] == 0).all() and (low[:, EXPANSION] == 0).all()
    accounts = len(np.unique(kept.rows.cluster))
    assert high[:, EXPANSION] == pytest.approx(np.full(len(other.rows), 1 - 0.05 ** (1 / accounts)))
    assert model.causes[CAUSES.index(EXPANSION)].events == 0


def test_a_feature_without_values_is_left_out_and_said_to_be(known: KnownRows) -> None:
    rows = _with(known.rows, "metric 04", 3.0)
    model = _fit(replace(known, rows=rows), "linear")
    assert model.left_out == (("metric 04", "no value, or one value only, in training"),)
    assert "metric 04" not in model.terms


def test_with_hardly_any_churn_there_is_no_model(known: KnownRows) -> None:
    churned = np.unique(known.rows.cluster[known.outcome == CHURN])[:4]
    kept = known.take((known.outcome != CHURN) | np.isin(known.rows.cluster, churned))
    found = fit_hazard(kept, "baseline")
    assert isinstance(found, NoEstimate)
    assert "4 accounts" in found.reason


PRINT = """
import hashlib, json
from benchmarks.risk_companies import make_company
from unspun.risk.hazard import fit_hazard
from unspun.risk.rows import known_by
company = make_company(60, 3, 3)
model = fit_hazard(known_by(company.rows, company.today), "linear")
stated = [model.probabilities(company.rows), *model.intervals(company.rows), model.contributions(company.rows).points]
print(hashlib.sha256(json.dumps(model.to_json()).encode() + b"".join(each.tobytes() for each in stated)).hexdigest())
"""


def test_the_same_rows_give_the_same_bytes_in_one_thread_and_in_two(root: Path) -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", PRINT], cwd=root, env={**os.environ, "OPENBLAS_NUM_THREADS": threads}, capture_output=True, text=True
        )
        for threads in ("1", "2")
    ]
    assert not found[0].stderr and len(found[0].stdout) == 65
    assert found[0].stdout == found[1].stdout
