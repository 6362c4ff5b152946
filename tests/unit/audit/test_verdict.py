"""The verdict: the first rule that matches, and what it would take where nobody can tell."""

from __future__ import annotations

from datetime import date

import pytest

from unspun.audit.result import VERDICTS, HorizonResult, LeakCheck, Split, Verdict
from unspun.audit.result import TestResult as OnUnseenUnits
from unspun.audit.verdict import rule, work_out_need
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

NOTHING = NoEstimate("not asked")
Span = tuple[float, float, float]


def estimate(span: Span | None) -> MaybeEstimate:
    return NOTHING if span is None else Estimate(span[1], span[0], span[2], "by hand", 100)


def horizon(auc: Span | None, gain: Span | None = None, clusters: int = 50, trained: int = 75) -> HorizonResult:
    """A horizon of which only what the verdict reads is filled in. Spans are low, point, high."""
    test = OnUnseenUnits(
        n=500,
        n_churned=clusters,
        n_scored=500,
        n_scored_churned=clusters,
        n_churned_clusters=clusters,
        auc=estimate(auc),
        auc_baseline=NOTHING,
        auc_both=NOTHING,
        gain=estimate(gain),
        gain_p=None,
        gain_log_loss=NOTHING,
        others=(),
    )
    return HorizonResult(
        horizon_days=90,
        n=1000,
        n_churned=100,
        n_scored=1000,
        n_scored_churned=100,
        coverage=1.0,
        not_applicable=0,
        auc=NOTHING,
        auc_contracted=NOTHING,
        auc_expanded=NOTHING,
        split=Split(date(2025, 1, 1), 700, trained, 0, 300, clusters, trained, clusters),
        test=test,
        calibration=NOTHING,
        captured_arr=NOTHING,
        flow=(),
    )


def leak(leaks: bool) -> LeakCheck:
    return LeakCheck(True, "", 9, 50, 0, 450, 0.001, NOTHING, NOTHING, NOTHING, leaks)


GOOD: Span = (0.65, 0.70, 0.75)
RULES: list[tuple[str, bool, Span | None, Span | None, int, bool | None, Verdict]] = [
    # what it shows, leaks, AUC, gain, churned clusters in the test, rejected by the false discovery control, verdict
    ("a leak comes before all else", True, GOOD, (0.01, 0.05, 0.09), 50, None, "leaks"),
    ("a leak comes before too few", True, GOOD, None, 3, None, "leaks"),
    ("19 churned clusters are too few", False, GOOD, (0.01, 0.05, 0.09), 19, None, "cannot tell"),
    ("19 are too few even to be reversed", False, (0.20, 0.30, 0.40), None, 19, None, "cannot tell"),
    ("20 are enough", False, GOOD, (0.01, 0.05, 0.09), 20, None, "foretells"),
    ("no AUC is no answer", False, None, None, 50, None, "cannot tell"),
    ("the whole interval under one half", False, (0.40, 0.45, 0.49), (0.01, 0.05, 0.09), 50, None, "reversed"),
    ("an interval that ends at one half", False, (0.40, 0.45, 0.50), None, 50, None, "no evidence"),
    ("above one half, and a gain", False, GOOD, (0.001, 0.05, 0.09), 50, None, "foretells"),
    ("a tiny gain that is certain", False, GOOD, (0.001, 0.005, 0.009), 50, None, "foretells"),
    ("a gain rejected among several", False, GOOD, (0.001, 0.05, 0.09), 50, True, "foretells"),
    ("a gain that is not rejected among several", False, GOOD, (0.001, 0.05, 0.09), 50, False, "foretells, gain unproven"),
    ("not rejected, and small for certain", False, GOOD, (0.001, 0.005, 0.019), 50, False, "foretells, adds nothing"),
    ("rejected, but its interval holds 0", False, GOOD, (-0.001, 0.05, 0.09), 50, True, "foretells, gain unproven"),
    ("no gain at all", False, GOOD, (0.0, 0.0, 0.0), 50, None, "foretells, adds nothing"),
    ("a gain under .02 at most", False, GOOD, (-0.03, 0.0, 0.019), 50, None, "foretells, adds nothing"),
    ("a gain of .02 at most", False, GOOD, (-0.03, 0.0, 0.02), 50, None, "foretells, gain unproven"),
    ("no gain could be worked out", False, GOOD, None, 50, None, "foretells, gain unproven"),
    ("one half inside, under .60", False, (0.45, 0.52, 0.59), None, 50, None, "no evidence"),
    ("a low end of one half is not above it", False, (0.50, 0.55, 0.59), (0.01, 0.05, 0.09), 50, None, "no evidence"),
    ("both one half and .60 inside", False, (0.45, 0.55, 0.60), (0.01, 0.05, 0.09), 50, None, "cannot tell"),
]


@pytest.mark.parametrize(
    ("leaks", "auc", "gain", "clusters", "rejected", "verdict"), [case[1:] for case in RULES], ids=[case[0] for case in RULES]
)
def test_the_first_rule_that_matches_gives_the_verdict(
    leaks: bool, auc: Span | None, gain: Span | None, clusters: int, rejected: bool | None, verdict: Verdict
) -> None:
    ruling = rule(horizon(auc, gain, clusters), leak(leaks), rejected)
    assert ruling.verdict == verdict
    assert ruling.why


def test_the_table_above_reaches_each_of_the_seven_words() -> None:
    assert {case[-1] for case in RULES} == set(VERDICTS)
    assert len(VERDICTS) == 7


def more(result: HorizonResult, verdict: Verdict) -> tuple[str, int]:
    need = work_out_need(result, verdict, 10)
    assert need is not None
    assert need.months == pytest.approx(need.more_churned / 10)
    assert f"{need.more_churned:,}" in need.text
    return need.question, need.more_churned


@pytest.mark.parametrize("verdict", ["leaks", "reversed", "foretells", "foretells, adds nothing", "no evidence"])
def test_a_verdict_that_is_told_needs_nothing_more(verdict: Verdict) -> None:
    assert work_out_need(horizon(GOOD, (0.01, 0.05, 0.09)), verdict, 10) is None


def test_too_few_churned_clusters_need_at_least_the_rest_of_twenty_of_which_the_test_gets_two_in_five() -> None:
    assert more(horizon((0.60, 0.90, 0.98), None, clusters=12), "cannot tell")[1] == 8 / 0.4
    assert more(horizon(None, None, clusters=0), "cannot tell") == ("for the least that is judged", 50)


def test_an_interval_twice_too_wide_needs_four_times_the_churned_clusters() -> None:
    # gain .01 with a half-width of .02, 40 clusters: 160 would do, that is 120 more in the test and 300 in all
    assert more(horizon(GOOD, (-0.01, 0.01, 0.03), clusters=40), "foretells, gain unproven")[1] == 300


def test_the_nearer_of_two_answers_is_the_one_named() -> None:
    assert more(horizon(GOOD, (-0.01, 0.018, 0.046)), "foretells, gain unproven")[0] == "to show a gain over the baseline"
    assert more(horizon(GOOD, (-0.03, -0.001, 0.028)), "foretells, gain unproven")[0] == "to show that the gain is under 0.02"
    assert more(horizon((0.48, 0.58, 0.67)), "cannot tell")[0] == "to show that it ranks above a coin"
    assert more(horizon((0.38, 0.50, 0.62)), "cannot tell")[0] == "to show that its AUC is under 0.60"
    assert more(horizon((0.20, 0.40, 0.62)), "cannot tell")[0] in ("to show that it is reversed", "to show that its AUC is under 0.60")


def test_more_churned_are_needed_the_closer_a_score_is_to_a_coin() -> None:
    needs = [more(horizon((point - 0.1, point, point + 0.1)), "cannot tell")[1] for point in (0.598, 0.59, 0.58)]
    assert needs == sorted(needs)


def test_ten_more_in_training_need_a_sixth_of_a_hundred_in_all() -> None:
    # 20 of the 30 that a baseline takes have churned in training, which holds three in five of all
    assert more(horizon(GOOD, None, trained=20), "foretells, gain unproven") == ("before a baseline can be fitted", 17)


def test_without_a_rate_of_churn_no_months_are_named() -> None:
    need = work_out_need(horizon(GOOD, (-0.01, 0.01, 0.03)), "foretells, gain unproven", None)
    assert need is not None
    assert need.months is None
    assert "month" not in need.text


@pytest.mark.parametrize("auc", [(0.2, 1.0, 1.0), (0.0, 0.0, 0.8), (0.3, 0.5, 0.7)])
def test_the_need_is_finite_even_at_the_ends_of_the_scale_and_at_a_coin(auc: Span) -> None:
    assert 0 < more(horizon(auc, None, clusters=5), "cannot tell")[1] < 10_000
