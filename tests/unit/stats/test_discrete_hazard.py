"""The likelihood of a discrete hazard against the same rows written out period by period."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from unspun.stats.discrete_hazard import CodedTerm, HazardLikelihood, Spells

Floats = NDArray[np.float64]
PERIODS = 5


@dataclass(frozen=True)
class Case:
    spells: Spells
    terms: tuple[CodedTerm, ...]


@pytest.fixture(scope="module")
def case() -> Case:
    rng = np.random.default_rng(0)
    n = 400
    entry = rng.integers(0, PERIODS, n)
    exit = np.minimum(entry + rng.integers(-1, 3, n), PERIODS - 1)  # some are never at risk
    event = (rng.random(n) < 0.4) & (exit >= entry) & (exit != 2)  # in period 2 nothing ever happens
    spells = Spells(entry, exit, event, np.log(rng.random(n)), rng.integers(0, 60, n), PERIODS, rng.normal(size=n), rng.random(n) + 0.5)
    sizes = ((7, 2, False), (4, 3, True), (5, 1, True))
    terms = tuple(
        CodedTerm(str(i), rng.integers(0, levels, n), rng.normal(size=(levels, columns)), ((str(i), columns),), scaled)
        for i, (levels, columns, scaled) in enumerate(sizes)
    )
    return Case(spells, terms)


def _write_out(case: Case, live: list[int]) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """The design of the rows at risk in each live period, the offset, the event and the cluster."""
    spells, rows = case.spells, []
    for i in range(len(spells)):
        columns = [
            term.table[term.codes[i]] * (spells.scale[i] if term.scaled and spells.scale is not None else 1.0) for term in case.terms
        ]
        for period in range(spells.entry[i], spells.exit[i] + 1):
            if period not in live:
                continue
            offset = (spells.log_share[i] if period == spells.entry[i] else 0.0) + (0.0 if spells.offset is None else spells.offset[i])
            happened = spells.event[i] and period == spells.exit[i]
            rows.append((np.concatenate([np.eye(len(live))[live.index(period)], *columns]), offset, float(happened), spells.cluster[i]))
    design, offset, event, cluster = zip(*rows, strict=True)
    return np.array(design), np.array(offset), np.array(event), np.array(cluster)


def test_loss_and_its_derivatives_are_those_of_the_rows_written_out(case: Case) -> None:
    problem = HazardLikelihood(case.spells, case.terms)
    assert problem.live.tolist() == [0, 1, 3, 4]  # no event, no intercept
    design, offset, event, cluster = _write_out(case, problem.live.tolist())
    parameters = np.random.default_rng(1).normal(size=design.shape[1]) / 2
    log_odds = design @ parameters + offset
    hazard = special.expit(log_odds)
    sums = problem.sums(parameters)
    assert problem.loss(parameters) == pytest.approx(-(event * np.log(hazard) + (1 - event) * np.log(1 - hazard)).sum(), rel=1e-12)
    assert problem.gradient(sums) == pytest.approx(design.T @ (hazard - event), abs=1e-9)
    assert problem.hessian(sums) == pytest.approx((design * (hazard * (1 - hazard))[:, None]).T @ design, abs=1e-9)
    scores = np.array([(design * (hazard - event)[:, None])[cluster == one].sum(axis=0) for one in np.unique(cluster)])
    known = np.unique(case.spells.cluster[case.spells.exit >= case.spells.entry])
    assert problem.meat(sums) == pytest.approx(scores.T @ scores * len(known) / (len(known) - 1), abs=1e-9)


def test_the_order_of_the_rows_changes_nothing(case: Case) -> None:
    shuffled = np.random.default_rng(2).permutation(len(case.spells))
    one = HazardLikelihood(case.spells, case.terms)
    other = HazardLikelihood(case.spells.take(shuffled), [term.take(shuffled) for term in case.terms])
    parameters = np.full(len(one.start()), 0.1)
    assert one.loss(parameters) == pytest.approx(other.loss(parameters), rel=1e-12)
    assert one.meat(one.sums(parameters)) == pytest.approx(other.meat(other.sums(parameters)), abs=1e-9)


def test_many_clusters_are_summed_in_parts_without_loss(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    spells = replace(case.spells, cluster=np.arange(len(case.spells)))
    problem = HazardLikelihood(spells, case.terms)
    sums = problem.sums(problem.start())
    whole = problem.meat(sums)
    monkeypatch.setattr("unspun.stats.discrete_hazard.BLOCK", 7)
    assert problem.meat(sums) == pytest.approx(whole, abs=1e-9)
