"""The fitted points score against a logistic regression, planted truth, and what it must never do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.points_companies import Company, Made, company
from unspun.health.definition import Input, Steps
from unspun.health.fit import LEAST_CHURNED, MOST_INPUTS, FittedScore, FitUnits, fit_points, independent_share, later_blocks
from unspun.health.formula import as_series, compute
from unspun.health.write_yaml import as_yaml
from unspun.stats.estimate import NoEstimate


def fitted(one: Company, most: int = MOST_INPUTS) -> FittedScore:
    found = fit_points(one.units, one.train, most)
    assert isinstance(found, FittedScore)
    return found


def auc_of(found: FittedScore, one: Company) -> float:
    return float(roc_auc_score(one.units.churned[one.test], -as_series(compute(found.score, one.units.columns))[one.test]))


def knots_of(one: Input) -> tuple[list[float], list[float]]:
    assert isinstance(one.scale, Steps)
    return [value for value, _ in one.scale.knots], [float(points) for _, points in one.scale.knots]


def banded(one: Input, values: np.ndarray) -> np.ndarray:
    """Indicators of an input's bands, its lowest left out, written without the product's own code."""
    starts = knots_of(one)[0][1:]
    return np.column_stack([values >= start for start in starts]).astype(float)


@pytest.mark.parametrize("seed", range(2))
def test_whole_points_rank_nearly_as_well_as_an_unrounded_regression_on_the_drivers_themselves(seed: int) -> None:
    one = company(seed, Made(n=12_000))
    found = fitted(one)
    drivers, events = one.values[:, :4], one.units.churned
    ceiling = LogisticRegression(C=1e6).fit(drivers[one.train], events[one.train])
    assert auc_of(found, one) > roc_auc_score(events[one.test], ceiling.decision_function(drivers[one.test])) - 0.025


def test_rounding_to_whole_points_costs_next_to_nothing() -> None:
    lost = []
    for seed in range(4):
        one = company(seed)
        found, events = fitted(one), one.units.churned
        bands = np.hstack([banded(each, one.units.columns[each.metric]) for each in found.score.inputs])
        unrounded = LogisticRegression(C=1.0).fit(bands[one.train], events[one.train])
        lost.append(roc_auc_score(events[one.test], unrounded.decision_function(bands[one.test])) - auc_of(found, one))
    assert np.mean(lost) < 0.004


def test_drivers_are_inputs_and_noise_is_mostly_left_out() -> None:
    names = [name for seed in range(5) for name in fitted(company(seed)).score.metrics]
    drivers, noise = (sum(name.startswith(letter) for name in names) for letter in "dn")
    assert drivers >= 0.7 * 5 * 4
    assert noise <= 0.05 * 5 * 20


def test_where_nothing_drives_churn_few_inputs_are_found_and_they_foretell_nothing() -> None:
    aucs = []
    for seed in range(6):
        one = company(seed, Made(n=3_000, drivers=0, noise=20))
        found = fit_points(one.units, one.train)
        if isinstance(found, FittedScore):
            aucs.append(auc_of(found, one))
    assert len(aucs) > 0
    assert abs(np.mean(aucs) - 0.5) < 0.03


@given(data=st.data())
@settings(max_examples=40)
def test_points_never_fall_as_a_metric_gets_healthier_whatever_the_data(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n, kinds = 400, data.draw(st.lists(st.sampled_from(["bell", "ties", "few", "heavy", "whole"]), min_size=1, max_size=5))
    columns = {f"m{at}": values_of(kind, rng, n) for at, kind in enumerate(kinds)}
    directions = {name: data.draw(st.sampled_from([-1, 0, 1])) for name in columns}
    lean = sum(rng.normal() * np.nan_to_num(np.argsort(np.argsort(column)) / n) for column in columns.values())
    churned = rng.random(n) < 1 / (1 + np.exp(1.5 - lean))
    as_of = np.sort(rng.integers(0, 300, n))
    units = FitUnits(columns, directions, churned, rng.integers(0, 150, n), as_of, as_of + 20)
    found = fit_points(units, np.ones(n, dtype=bool), data.draw(st.integers(1, MOST_INPUTS)))
    if isinstance(found, NoEstimate):
        return
    assert sum(one.weight for one in found.score.inputs) == 100
    for one in found.score.inputs:
        values, points = knots_of(one)
        rising = points == sorted(points)
        assert rising or points == sorted(points, reverse=True)
        assert directions[one.metric] in (0, 1 if rising else -1)
        assert values == sorted(set(values))
        assert (min(points), max(points)) == (0, 100)
        assert all(worth == round(worth) for worth in [*points, one.weight])


def values_of(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    values = {
        "bell": rng.normal(size=n),
        "ties": rng.poisson(0.7, n).astype(float),
        "few": rng.integers(0, 2, n).astype(float),
        "heavy": np.exp(3 * rng.normal(size=n)) * 1e6,
        "whole": rng.integers(-50, 50, n).astype(float),
    }[kind]
    values[rng.random(n) < 0.2] = np.nan
    return values


def test_churn_falls_from_band_to_band_of_the_training_units() -> None:
    one = company(2)
    for each in fitted(one).score.inputs:
        band = np.searchsorted(knots_of(each)[0][1:], one.units.columns[each.metric][one.train], side="right")
        rates = [one.units.churned[one.train][band == at].mean() for at in range(band.max() + 1)]
        assert rates == sorted(rates, reverse=True)
        assert np.bincount(band).min() >= 0.04 * one.train.sum()


def test_nothing_of_the_test_units_changes_the_fit() -> None:
    one = company(3, Made(missing=0.1))
    rng = np.random.default_rng(9)
    columns = {name: np.where(one.train, column, rng.normal(5, 9, len(column))) for name, column in one.units.columns.items()}
    other = replace(
        one.units,
        columns=columns,
        churned=np.where(one.train, one.units.churned, ~one.units.churned),
        cluster=np.where(one.train, one.units.cluster, 0),
        as_of=np.where(one.train, one.units.as_of, 10**6),
        known_on=np.where(one.train, one.units.known_on, -(10**6)),
    )
    assert fit_points(other, one.train) == fit_points(one.units, one.train)


def test_the_same_units_give_the_same_score_whatever_order_the_metrics_stand_in() -> None:
    one = company(4)
    turned = replace(one.units, columns={name: one.units.columns[name] for name in reversed(list(one.units.columns))})
    found, again = fitted(one), fit_points(turned, one.train)
    assert again == found
    assert as_yaml(found.score) == as_yaml(fitted(one).score)


def test_a_metric_that_runs_against_its_declared_direction_is_no_input() -> None:
    found = fitted(company(5, Made(directions={"d0": -1})))
    assert "d0" not in found.score.metrics
    assert ("d0", "churn does not fall with health") in found.left_out


def test_where_no_direction_is_declared_the_training_units_say() -> None:
    one = company(5, Made(directions={"d0": 0, "d1": 0}))
    flipped = {**one.units.columns, "d1": -one.units.columns["d1"]}
    found = fit_points(replace(one.units, columns=flipped), one.train)
    assert isinstance(found, FittedScore)
    points = {each.metric: knots_of(each)[1] for each in found.score.inputs}
    assert (points["d0"][0], points["d1"][0]) == (0, 100)


def test_a_metric_that_most_units_lack_is_left_out_and_says_so() -> None:
    one = company(6)
    rare = np.where(np.arange(len(one.units.churned)) % 5 == 0, one.units.columns["d0"], np.nan)
    constant = np.full(len(rare), 3.0)
    found = fit_points(replace(one.units, columns={**one.units.columns, "d0": rare, "n0": constant}), one.train)
    assert isinstance(found, FittedScore)
    assert {("d0", "too few values"), ("n0", "does not vary")} <= set(found.left_out)


def test_every_metric_is_an_input_or_left_out_with_a_reason() -> None:
    one = company(7)
    found = fitted(one)
    told = [*found.score.metrics, *(metric for metric, _ in found.left_out)]
    assert sorted(told) == sorted(one.units.columns)


def test_no_more_inputs_than_asked_for() -> None:
    one = company(8)
    assert len(fitted(one, 2).score.inputs) <= 2
    with pytest.raises(ValueError, match="1 to 12"):
        fit_points(one.units, one.train, 13)


def test_too_few_that_churned_bear_no_score_and_it_is_said_what_it_would_take() -> None:
    one = company(1, Made(n=400, rate=0.05))
    found = fit_points(one.units, one.train)
    assert isinstance(found, NoEstimate)
    lost = int(one.units.churned[one.train].sum())
    assert found.what_it_would_take.startswith(f"{LEAST_CHURNED - lost} more")


def test_copies_of_a_metric_are_one_input() -> None:
    one = company(2, Made(noise=2))
    copies = {f"copy{k}": one.units.columns["d0"] * (k + 2) for k in range(3)}
    units = replace(one.units, columns={**one.units.columns, **copies}, directions={})
    for each in (units, replace(units, as_of=np.zeros_like(units.as_of))):
        found = fit_points(each, one.train)
        assert isinstance(found, FittedScore)
        assert len({"d0", *copies} & set(found.score.metrics)) == 1


def test_a_churn_that_is_counted_in_several_months_is_no_more_evidence() -> None:
    one = company(3, Made(n=2_000))
    five = np.repeat(np.arange(2_000), 5)
    units = one.units.take(np.ones(2_000, dtype=bool))
    columns = {name: column[five] for name, column in units.columns.items()}
    months = FitUnits(columns, units.directions, units.churned[five], units.cluster[five], units.as_of[five], units.known_on[five])
    assert independent_share(months) == pytest.approx(0.2)
    once, often = fit_points(units, one.train), fit_points(months, one.train[five])
    assert isinstance(once, FittedScore)
    assert isinstance(often, FittedScore)
    assert sum(len(knots_of(each)[0]) for each in often.score.inputs) <= sum(len(knots_of(each)[0]) for each in once.score.inputs) + 1


def test_trial_scores_are_judged_on_later_units_than_they_were_fitted_on() -> None:
    one = company(4)
    units = one.units.take(one.train)
    blocks = later_blocks(units)
    assert len(blocks) == 3
    for before, later in blocks:
        assert units.known_on[before].max() < units.as_of[later].min()
    assert not (blocks[0][1] & blocks[1][1]).any()
    assert sum(later.sum() for _, later in blocks) < len(later_blocks(units)[0][1])


def test_the_fewest_inputs_within_one_standard_error_of_the_best_are_taken() -> None:
    spared = 0
    for seed in (1, 5, 6):
        found = fitted(company(seed))
        best = max(found.tried, key=lambda one: one.auc)
        enough = next(one for one in found.tried if best.auc - one.auc <= one.standard_error)
        assert len(found.score.inputs) == enough.inputs
        assert best.behind == best.standard_error == 0
        spared += best.inputs - enough.inputs
    assert spared > 0


def test_no_input_is_taken_that_turns_another_against_its_direction() -> None:
    """A sum that also holds what lowers health ranks best alone, and would count against itself once its parts are inputs."""
    rng = np.random.default_rng(11)
    parts, lowers = rng.normal(size=(6_000, 4)), rng.normal(size=6_000)
    churned = rng.random(6_000) < 1 / (1 + np.exp(1.5 + 0.5 * (2 * parts.sum(axis=1) - lowers)))
    columns = {"sum": parts.sum(axis=1) + lowers} | {f"part{k}": parts[:, k] for k in range(4)}
    as_of = np.sort(rng.integers(0, 1000, 6_000))
    found = fit_points(FitUnits(columns, dict.fromkeys(columns, 1), churned, np.arange(6_000), as_of, as_of), np.ones(6_000, dtype=bool))
    assert isinstance(found, FittedScore)
    assert sum(one.weight for one in found.score.inputs) == 100
    assert "sum" in found.score.metrics
    assert len(found.score.metrics) < 5


def test_where_training_cannot_be_cut_in_time_only_significant_inputs_are_taken() -> None:
    names: list[str] = []
    for seed in range(5):
        one = company(seed)
        at_once = replace(one.units, as_of=np.zeros(len(one.train), dtype=np.int64), known_on=np.ones(len(one.train), dtype=np.int64))
        found = fit_points(at_once, one.train)
        assert isinstance(found, FittedScore)
        assert found.tried == ()
        names += found.score.metrics
    assert not any(name.startswith("n") for name in names)
    assert len(names) >= 0.6 * 5 * 4
