"""Bunching, edits at the end of periods, and overrides before reviews: what is counted and said, in histories whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.gaming_histories import (
    CUT,
    OTHER_CUT,
    History,
    edits,
    gather,
    lift_before_reviews,
    lift_period_ends,
    nudge,
    values_on_scale,
)
from unspun.audit.gaming.before_reviews import check_before_reviews
from unspun.audit.gaming.bunching import check_bunching, cuts_of_bands
from unspun.audit.gaming.checks import Finding
from unspun.audit.gaming.period_end import check_period_end, ends_period
from unspun.stats.estimate import Estimate, NoEstimate

EVIDENCE = 0.01


def p_of(finding: Finding) -> float:
    assert finding.p is not None, finding.evidence
    return finding.p


def bunching(history: History, cuts: tuple[float, ...] = (OTHER_CUT, CUT)) -> Finding:
    entries = gather(history)
    return check_bunching(entries, history.value[entries.row], True, cuts)


@pytest.mark.parametrize("scale", ["whole", "fives", "tenths"])
def test_values_nudged_over_a_threshold_are_seen_and_honest_ones_are_not(scale: str) -> None:
    rng = np.random.default_rng(11)
    honest = values_on_scale(rng, "normal", scale)
    assert p_of(bunching(honest)) > EVIDENCE
    found = bunching(nudge(rng, honest, 0.5, scale))
    assert p_of(found) < EVIDENCE
    assert isinstance(found.statistic, Estimate)
    assert found.statistic.low > 1


def test_the_sentence_and_the_list_count_the_values_newly_set_on_the_healthier_side() -> None:
    rng = np.random.default_rng(12)
    history = nudge(rng, values_on_scale(rng, "normal", "whole"), 0.5, "whole")
    found = bunching(history)
    new = np.concatenate([[True], (np.diff(history.value) != 0) | (np.diff(history.account) != 0)])
    near = new & (history.value >= 70) & (history.value < 72)
    assert found.evidence.startswith(f"{near.sum():,} of {new.sum():,} values newly set lie from 70 to under 72")
    listed = next(row for row in found.listed if row.what == "values from 70 to under 72")
    assert listed.n == near.sum()
    assert listed.rows == tuple(np.flatnonzero(near)[:20].tolist())
    assert listed.expected is not None and listed.expected < listed.n


def test_values_that_a_system_set_are_left_out_where_people_are_named() -> None:
    rng = np.random.default_rng(13)
    history = values_on_scale(rng, "normal", "whole")
    nudged = nudge(rng, history, 0.5, "whole")
    by_system = bunching(replace(nudged, person=nudged.value == history.value))
    assert p_of(by_system) > EVIDENCE  # what is left of the people's values lacks the nudged ones
    assert "set by people" in by_system.evidence


def test_thresholds_are_read_off_the_band_beside_the_score() -> None:
    value = np.array([10, 39, 40, 69, 70, 95, 50.0])
    band = np.array([0, 0, 1, 1, 2, 2, np.nan])
    assert cuts_of_bands(value, band, True) == ((40.0, 70.0), "")
    assert cuts_of_bands(value / 10, band, True) == ((4.0, 7.0), "")
    assert cuts_of_bands(100 - value, band, False) == ((31.0, 61.0), "")  # lower is healthier: what was 69 begins the worse band


def test_bands_that_overlap_have_no_threshold_between_them() -> None:
    value, band = np.array([10, 80, 40, 69, 70, 95.0]), np.array([0, 0, 1, 1, 2, 2.0])
    assert cuts_of_bands(value, band, True)[0] == (70.0,)
    cuts, why = cuts_of_bands(value[:4], band[:4], True)
    assert cuts == ()
    assert "overlap" in why


def test_without_a_threshold_nobody_can_tell() -> None:
    found = bunching(values_on_scale(np.random.default_rng(1), "normal", "whole"), ())
    assert found.p is None
    assert "It would take: thresholds, declared" in found.evidence


def test_values_raised_at_month_ends_are_seen_and_batches_at_month_ends_are_not() -> None:
    rng = np.random.default_rng(14)
    honest = edits(rng, "people, at month ends")
    assert p_of(check_period_end(gather(honest))) > EVIDENCE
    found = check_period_end(gather(lift_period_ends(rng, honest, 1.0)))
    assert p_of(found) < EVIDENCE
    assert isinstance(found.statistic, Estimate)
    assert found.statistic.low > 1
    assert found.listed[0].what.startswith("raised at the end of 20")


def test_the_share_of_raised_values_is_compared_within_each_month() -> None:
    rng = np.random.default_rng(15)
    history = edits(rng, "people, any day")
    entries = gather(history)
    found = check_period_end(entries)
    moved = entries.moved
    at_end = ends_period(entries.set_on, 3 if "of quarters" in found.evidence else 1)
    assert f"Of {(moved & at_end).sum():,} changes set by people in the last 3 business days" in found.evidence


def test_a_score_set_on_the_first_of_each_month_cannot_be_compared() -> None:
    history = values_on_scale(np.random.default_rng(2), "normal", "whole")
    first = np.arange("2023-01", "2025-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    monthly = replace(history, day=np.tile(first, 240))
    found = check_period_end(gather(monthly))
    assert found.p is None
    assert isinstance(found.statistic, NoEstimate)
    assert check_before_reviews(gather(monthly), ()).p is None


@pytest.mark.parametrize("named", [True, False])
def test_values_raised_before_reviews_and_taken_back_are_seen(named: bool) -> None:
    rng = np.random.default_rng(16)
    honest = edits(rng, "people, any day")
    gamed = lift_before_reviews(rng, honest, 0.35)
    gamed = gamed if named else replace(gamed, person=None)
    found = check_before_reviews(gather(gamed), ())
    assert p_of(found) < EVIDENCE
    assert "before the ends of quarters (no reviews were declared)" in found.evidence
    assert ("changes set by people" in found.evidence) is named
    assert p_of(check_before_reviews(gather(honest), ())) > EVIDENCE


def test_declared_reviews_take_the_place_of_quarter_ends() -> None:
    rng = np.random.default_rng(17)
    gamed = lift_before_reviews(rng, edits(rng, "people, any day"), 0.35)
    elsewhere = tuple(date(2023, 2, 10) + timedelta(days=91 * i) for i in range(8))
    found = check_before_reviews(gather(gamed), elsewhere)
    assert "before the reviews declared" in found.evidence
    assert p_of(found) > EVIDENCE
