"""Additive hazards: shrunk fits against ridge regression, design effects, and what is found of known curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from unspun.stats.additive import AdditiveFit, fit_additive
from unspun.stats.discrete_hazard import CodedTerm, HazardLikelihood, Spells
from unspun.stats.estimate import NoEstimate
from unspun.stats.fading import FadingFit, Moderator, fit_fading
from unspun.stats.logistic import fit_logistic
from unspun.stats.splines import BASES, centred, choose_scale, curve_table, line_table

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    spells: Spells
    terms: list[CodedTerm]
    values: Floats
    linear: Floats


def _term(name: str, values: Floats, scaled: bool = False) -> CodedTerm:
    scale = choose_scale(values)
    assert scale is not None
    codes = scale.place(values)
    counts = np.bincount(codes, minlength=scale.steps).astype(np.float64)
    table = centred(np.hstack([line_table(scale, counts), curve_table(scale, counts)]), counts)
    return CodedTerm(name, codes, table, ((f"line:{name}", 1), (f"curve:{name}", BASES - 2)), scaled)


def _draw(seed: int, n: int, times: int = 1, periods: int = 3) -> Drawn:
    """Each row `times` times over. A line, a wave, and three terms that do nothing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 5))
    linear = 0.8 * values[:, 0] + 0.9 * np.sin(2 * values[:, 1])
    happens = rng.random((n, periods)) < special.expit(-2.0 + linear[:, None])
    event = np.asarray(happens.any(axis=1))
    exit = np.where(event, happens.argmax(axis=1), periods - 1)
    rows = np.repeat(np.arange(n), times)
    spells = Spells(np.zeros(len(rows), dtype=np.int64), exit[rows], event[rows], np.zeros(len(rows)), rows, periods)
    return Drawn(spells, [_term(str(j), values[rows, j]) for j in range(5)], values[rows], linear[rows])


def _fitted(drawn: Drawn) -> AdditiveFit:
    found = fit_additive(drawn.spells, drawn.terms)
    assert isinstance(found, AdditiveFit)
    return found


def _linear(drawn: Drawn, fit: AdditiveFit) -> Floats:
    return HazardLikelihood(drawn.spells, drawn.terms).linear(np.concatenate([fit.intercepts[fit.live], fit.coefficients]))


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return _draw(0, 2_500)


@pytest.fixture(scope="module")
def fit(drawn: Drawn) -> AdditiveFit:
    return _fitted(drawn)


def test_at_its_own_strengths_the_fit_is_the_ridge_regression_of_the_rows_of_one_period() -> None:
    drawn = _draw(1, 800, periods=1)
    fit = _fitted(drawn)
    strength = {group.name: group.precision * group.design_effect for group in fit.groups}
    penalty = np.concatenate([np.full(length, strength[name]) for term in drawn.terms for name, length in term.groups])
    design = np.hstack([np.ones((800, 1)), *(term.table[term.codes] for term in drawn.terms)])
    ridge = fit_logistic(design, drawn.spells.event, np.append(0.0, penalty))
    assert np.append(fit.intercepts, fit.coefficients) == pytest.approx(ridge.coefficients, abs=1e-5)


def test_known_curves_are_found_and_what_does_nothing_is_shrunk_away(drawn: Drawn, fit: AdditiveFit) -> None:
    assert np.corrcoef(_linear(drawn, fit), drawn.linear)[0, 1] > 0.97
    own = np.split(fit.coefficients, len(drawn.terms))
    size = [float(np.std((term.table @ part)[term.codes])) for term, part in zip(drawn.terms, own, strict=True)]
    assert min(size[:2]) > 0.5 > 0.12 > max(size[2:])
    assert (fit.p_values[:2] < 1e-6).all()
    assert (fit.p_values[2:] > 0.01).all()


def test_rows_told_eight_times_over_give_the_fit_of_rows_told_once() -> None:
    once, often = _draw(2, 700), _draw(2, 700, times=8)
    one, other = _fitted(once), _fitted(often)
    assert np.mean([group.design_effect for group in other.groups]) == pytest.approx(8.0, rel=0.15)
    assert all(group.design_effect < 2 for group in one.groups)
    assert _linear(often, other)[::8] == pytest.approx(_linear(once, one), abs=0.1)
    assert np.sqrt(other.covariance.diagonal()) == pytest.approx(np.sqrt(one.covariance.diagonal()), rel=0.2)
    assert other.p_values[:2] == pytest.approx(one.p_values[:2], abs=1e-4)


def test_many_rows_are_fitted_by_way_of_some_and_end_where_they_would_without(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _draw(3, 4_000)
    plain = _fitted(drawn)
    monkeypatch.setattr("unspun.stats.additive.SCOUT_ROWS", 1_000)
    assert _linear(drawn, _fitted(drawn)) == pytest.approx(_linear(drawn, plain), abs=0.15)


def test_a_cause_never_seen_is_refused_and_a_period_without_it_has_no_hazard(drawn: Drawn) -> None:
    nobody = np.zeros(len(drawn.spells), dtype=bool)
    assert isinstance(fit_additive(replace(drawn.spells, event=nobody), drawn.terms), NoEstimate)
    seldom = drawn.spells.event & (drawn.spells.exit != 1)
    fit = fit_additive(replace(drawn.spells, event=seldom), [])
    assert isinstance(fit, AdditiveFit)
    assert np.isneginf(fit.intercepts).tolist() == [False, True, False]


def test_idle_terms_are_called_so_at_no_more_than_the_nominal_rate() -> None:
    p = np.concatenate([_fitted(_draw(seed, 300)).p_values[2:] for seed in range(10, 40)])
    assert (p < 0.05).mean() <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(p))
    assert (p < 0.2).mean() > 0.05  # a test that never rejects would be none


def test_effects_that_fade_along_the_moderator_are_found_to_fade() -> None:
    rng = np.random.default_rng(5)
    n = 12_000
    lead, value, given = rng.integers(0, 360, n).astype(np.float64), rng.normal(size=n), rng.normal(size=n)
    fade = 1.6 - lead / 300
    event = np.asarray(rng.random(n) < special.expit(-1.5 + fade * value + 0.5 * given))
    still = np.zeros(n, dtype=np.int64)
    spells = Spells(still, still, event, np.zeros(n), np.arange(n), 1)
    found = fit_fading(spells, [_term("metric", value, scaled=True), _term("given", given)], Moderator((0.0, 120.0, 240.0, 360.0)), lead)
    assert isinstance(found, FadingFit)
    assert found.heights / found.heights[0] == pytest.approx([1.0, 0.75, 0.5, 0.25], abs=0.12)
    assert found.level == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("near_base", "far_base"), [(-3.0, 0.0), (0.0, -3.0)])
def test_what_fades_is_multiplied_once_wherever_most_events_fall(near_base: float, far_base: float) -> None:
    """A fit without a curve lies near the effect of those rows that tell most of it; the curve must not correct for that a second time."""
    rng = np.random.default_rng(6)
    n = 30_000
    near, value = rng.integers(0, 2, n), rng.normal(size=n)
    effect = np.where(near, 1.2, 0.4)
    event = np.asarray(rng.random(n) < special.expit(np.where(near, near_base, far_base) + effect * value))
    term, lead = _term("metric", value, scaled=True), np.where(near, 0.0, 360.0)
    found = fit_fading(Spells(near, near, event, np.zeros(n), np.arange(n), 2), [term], Moderator((0.0, 360.0)), lead)
    assert isinstance(found, FadingFit)
    stated = np.interp(lead, (0.0, 360.0), found.heights) * (term.table @ found.fit.coefficients)[term.codes]
    for part in (near == 0, near == 1):
        assert np.polyfit((effect * value)[part], stated[part], 1)[0] == pytest.approx(1.0, abs=0.16)


def test_what_is_stated_too_boldly_is_toned_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that may not be shrunk say too much; what they are multiplied by brings the slope nearer to 1, whether they fade or not."""
    monkeypatch.setattr("unspun.stats.additive.STRONGEST", 2.0)
    for scaled in (False, True):
        raw, toned = [], []
        for seed in range(8):
            drawn, later = _draw(seed, 200), _draw(seed + 100, 3_000)
            terms = [replace(term, scaled=scaled) for term in drawn.terms]
            found = fit_fading(drawn.spells, terms, Moderator((0.0, 1.0)), np.zeros(200))
            assert isinstance(found, FadingFit)
            own, stated = np.split(found.fit.coefficients, len(drawn.terms)), np.zeros(len(later.linear))
            for j, (term, part) in enumerate(zip(drawn.terms, own, strict=True)):
                scale = choose_scale(drawn.values[:, j])
                stated += np.zeros(1) if scale is None else (term.table @ part)[scale.place(later.values[:, j])]
            raw.append(np.polyfit(stated, later.linear, 1)[0])
            toned.append(raw[-1] / (found.heights[0] if scaled else found.level))
        assert np.mean(raw) < 0.9
        assert np.mean(toned) == pytest.approx(1.0, abs=0.18)
