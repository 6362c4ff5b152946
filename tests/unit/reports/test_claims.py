"""Headings claim what the intervals carry, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.unit.reports import sample
from tests.unit.reports.sample import NOTHING, estimate
from unspun.audit.result import Bands, LeadPoint, LeadTime, ScorePair, ScoreResult, Verdict
from unspun.audit.vocabulary import CHURN
from unspun.reports import claims
from unspun.reports.words import units_of

BETTER = "It ranks better than a coin"


def ranked(*lows: float, gain: tuple[float, float, float] = (0.006, -0.007, 0.018)) -> ScoreResult:
    """A score whose AUC intervals at 30, 60, 90 and 180 days have these low ends."""
    horizons = []
    for days, low in zip((30, 60, 90, 180), lows, strict=True):
        one = sample.horizon(days, gain=gain)
        horizons.append(replace(one, test=replace(one.test, auc=estimate(low + 0.05, low, low + 0.1))))
    return replace(sample.score(), horizons=tuple(horizons))


@pytest.mark.parametrize(
    ("score", "claim"),
    [
        (ranked(0.61, 0.59, 0.57, 0.5), f"{BETTER} up to 90 days out, but adds nothing to the baseline"),
        (
            ranked(0.61, 0.59, 0.57, 0.51, gain=(0.05, 0.02, 0.08)),
            f"{BETTER} at every horizon, 30 to 180 days out, and adds to the baseline",
        ),
        (
            ranked(0.51, 0.49, 0.52, 0.49, gain=(0.01, -0.01, 0.03)),
            f"{BETTER} at 30 and 90 days, but not reliably more than the baseline knows",
        ),
        (ranked(0.61, 0.59, 0.49, 0.49), f"{BETTER} up to 60 days out, but not at the 90 days that decide"),
        (ranked(0.49, 0.49, 0.49, 0.49), "At no horizon does its ranking stand clear of a coin"),
        (ranked(0.3, 0.3, 0.3, 0.45), "It ranks the wrong way round up to 90 days out"),
        (sample.blank_score(), "There is too little to say whether it ranks better than a coin"),
    ],
)
def test_what_is_claimed_of_the_ranking(score: ScoreResult, claim: str) -> None:
    assert claims.rank_claim(score) == claim


def test_calibration_cries_wolf_only_where_the_interval_says_so() -> None:
    said = sample.calibration()
    assert (
        claims.calibration_claim(said, CHURN).replace("\u00a0", " ")
        == "Read as a risk, it cries wolf at the top: it says 27 % where 20 % churned"
    )
    top = replace(said.bins[-1], observed=estimate(0.195, 0.14, 0.27, 210))
    unsure = replace(said, bins=(*said.bins[:-1], top), slope=estimate(0.8, 0.5, 1.1))
    assert claims.calibration_claim(unsure, CHURN) == "Read as a risk, it agrees with what happened, as far as 193 that churned can tell"


def test_calibration_names_the_slope_when_only_the_slope_is_off() -> None:
    said = sample.calibration()
    assert claims.calibration_claim(replace(said, bins=said.bins[:-1]), CHURN) == "Read as a risk, its extremes are too extreme"


@pytest.mark.parametrize(
    ("score", "alone", "claim"),
    [
        ((0.24, 0.18, 0.31), (0.4, 0.33, 0.48), "sorting by ARR reaches more churned ARR than the score does"),
        ((0.6, 0.5, 0.7), (0.4, 0.33, 0.48), "the score reaches more churned ARR than sorting by ARR does"),
        (
            (0.4, 0.3, 0.5),
            (0.4, 0.33, 0.48),
            "the score reaches more churned ARR than chance; against sorting by ARR, these data cannot tell",
        ),
        ((0.2, 0.1, 0.35), (0.3, 0.2, 0.4), "what the score reaches cannot be told apart from chance"),
    ],
)
def test_capture_is_compared_only_where_the_intervals_lie_apart(
    score: tuple[float, float, float], alone: tuple[float, float, float], claim: str
) -> None:
    captured = replace(sample.captured_arr(), score=estimate(*score), arr_alone=estimate(*alone))
    assert claims.capture_claim(captured, CHURN) == f"With time for 20 accounts a month, {claim}"


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        (None, "At no lead does it tell those that churned from the rest"),
        (0, "Before the due date its ranking is not steadily clear of a coin"),
        (90, "Its ranking is clear of a coin from 90 days before the due date on, and not steadily so before"),
        (360, "It tells those that churned from the rest as far back as was looked, 360 days before the due date"),
    ],
)
def test_lead_time_is_claimed_from_the_first_lead_that_told(told: int | None, claim: str) -> None:
    lead = sample.description().lead_time
    assert isinstance(lead, LeadTime)
    unsure = tuple(replace(point, auc=estimate(0.5, 0.45, 0.55)) for point in lead.points)
    points = unsure if told is None else lead.points
    assert claims.lead_claim(replace(lead, points=points, first_told_days=told), CHURN) == claim


def test_a_ranking_that_is_clear_further_ahead_but_not_at_the_due_date_is_not_called_blind() -> None:
    lead = sample.description().lead_time
    assert isinstance(lead, LeadTime)
    at = {0: estimate(0.5, 0.42, 0.58)}
    points = tuple(replace(p, auc=at.get(p.days_before, estimate(0.6, 0.55, 0.65))) for p in lead.points)
    claim = claims.lead_claim(replace(lead, points=points, first_told_days=None), CHURN)
    assert claim.startswith("Its ranking is clear of a coin between ") and claim.endswith(
        " days before the due date, but not at the nearest lead"
    )


@pytest.mark.parametrize(
    ("trend", "claim"),
    [
        ((-0.0104, -0.0241, 0.0043), "It may be fading; seven quarters cannot tell"),
        ((-0.0104, -0.0141, -0.0043), "It is fading: over seven quarters its ranking has grown worse"),
        ((0.0104, 0.0041, 0.0243), "Its ranking has grown better over seven quarters"),
        ((0.001, -0.01, 0.012), "No sign of fading, as far as seven quarters can tell"),
    ],
)
def test_fading_is_claimed_only_where_the_trend_excludes_none(trend: tuple[float, float, float], claim: str) -> None:
    stability = replace(sample.description().stability, trend_per_quarter=estimate(*trend))
    assert claims.stability_claim(stability) == claim


def test_no_quarter_with_an_interval_is_no_stability() -> None:
    stability = sample.description().stability
    blank = tuple(replace(quarter, auc=NOTHING) for quarter in stability.quarters)
    assert claims.stability_claim(replace(stability, quarters=blank)) == "Whether it holds over time cannot be told"


def test_the_missed_are_counted_with_their_money() -> None:
    said = claims.missed_claim(sample.score(), sample.description(), units_of(sample.one_score().design), CHURN)
    assert said == "Green, then gone: 61 of 488 that churned, with $3.11M"


def test_money_that_could_not_be_added_up_is_not_claimed() -> None:
    description = sample.description()
    mixed = replace(description, missed=replace(description.missed, total_amount=None))
    assert (
        claims.missed_claim(sample.score(), mixed, units_of(sample.one_score().design), CHURN) == "Green, then gone: 61 of 488 that churned"
    )


def test_bands_are_told_as_teams_tell_them() -> None:
    bands = sample.description().bands
    assert isinstance(bands, Bands)
    assert claims.bands_claim(bands, CHURN).replace("\u00a0", " ") == "Of the red, 21 % churned; of those that churned, 20 % were red"


def test_rows_that_do_not_add_up_are_not_said_to() -> None:
    one = sample.one_score()
    assert claims.rows_claim(one.inputs) == "Every row is accounted for"
    short = (replace(one.inputs[0], rows_used=one.inputs[0].rows_used - 1), one.inputs[1])
    assert claims.rows_claim(short).startswith("The rows do not add up")


@pytest.mark.parametrize(
    ("verdicts", "claim"),
    [
        (
            ("foretells", "leaks", "foretells, adds nothing"),
            "Of three scores, one foretells churn, one foretells churn but adds nothing and one leaks",
        ),
        (("no evidence", "no evidence"), "Both scores show no evidence"),
        (("cannot tell", "cannot tell"), "Neither score can be judged yet"),
        (("cannot tell",) * 7, "None of the seven scores can be judged yet"),
        (("foretells", "foretells", "reversed"), "Of three scores, two foretell churn and one points the wrong way"),
    ],
)
def test_several_scores_are_counted_by_verdict(verdicts: tuple[Verdict, ...], claim: str) -> None:
    assert claims.claim_of_all(sample.result(*(sample.score(f"score {i}", v) for i, v in enumerate(verdicts)))) == claim


def test_every_verdict_has_a_meaning() -> None:
    assert set(claims.verdict_meanings(CHURN)) == set(get_args(Verdict))


def lead_of(*gaps: float) -> LeadTime:
    """A lead every 30 days from the due date on; where the gap is not nought, those that churned scored that much lower."""
    points = tuple(
        LeadPoint(
            30 * i,
            900,
            90,
            NOTHING,
            NOTHING,
            NOTHING,
            estimate(60 - gap, 59 - gap, 61 - gap),
            estimate(60, 59, 61),
        )
        for i, gap in enumerate(gaps)
    )
    return LeadTime("red", points, None, "")


@pytest.mark.parametrize(
    ("gaps", "claim"),
    [
        ((9, 7, 5, 0, 0), "On average those that churned scored lower than the rest from 60 days before the due date on"),
        ((0, 7, 5, 3, 0), "On average those that churned scored lower than the rest from 90 days before the due date to 30 days before it"),
        ((-9, -7, 0, 0, 0), "On average those that churned scored higher than the rest from 30 days before the due date on"),
        ((1, 0, 1, 0, 1), "On average those that churned cannot be told from the rest at any lead"),
        (
            (0, 0, 9, 0, 0),
            "On average those that churned scored lower than the rest 60 days before the due date, and at no lead next to it",
        ),
    ],
)
def test_paths_are_said_to_part_only_where_their_bands_do(gaps: tuple[float, ...], claim: str) -> None:
    assert claims.paths_claim(lead_of(*gaps), CHURN) == claim


@pytest.mark.parametrize(
    ("gain", "claim"),
    [
        ((0.05, 0.02, 0.08), "The simple baseline already ranks with an AUC of 0.64; the score lifts it by +0.050"),
        ((0.006, -0.007, 0.018), "The simple baseline already ranks with an AUC of 0.64; the score adds nothing to it"),
        (
            (0.01, -0.01, 0.03),
            "The simple baseline already ranks with an AUC of 0.64; whether the score adds to it, these data cannot tell",
        ),
    ],
)
def test_what_the_baseline_knows_is_said_with_what_the_score_adds(gain: tuple[float, float, float], claim: str) -> None:
    assert claims.baseline_claim(ranked(0.61, 0.59, 0.57, 0.5, gain=gain)) == claim


def test_the_best_of_several_scores_is_best_only_pair_by_pair() -> None:
    clear = ScorePair("usage", "pulse", 900, 90, estimate(0.1, 0.05, 0.15))
    unclear = replace(clear, second="health", difference=estimate(0.05, -0.01, 0.11))
    assert claims.pairs_claim((clear,)) == "usage ranks better than the other, pair by pair"
    assert claims.pairs_claim((clear, unclear)) == "usage ranks better than pulse; of the rest it cannot be told"
    assert claims.pairs_claim((unclear,)) == "usage does not rank reliably better than the other"
