"""The verdict: a closed set of words, the first rule that matches, and what it would take where nobody can tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from unspun.audit.protocol import (
    ADDS_NOTHING_BELOW,
    MIN_TEST_CHURNED_CLUSTERS,
    MIN_TRAIN_CHURNED_FOR_GAIN,
    NO_EVIDENCE_BELOW,
    TEST_SHARE_OF_CHURNED,
)
from unspun.audit.result import HorizonResult, LeakCheck, Needed, Verdict
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.stats.estimate import Estimate, NoEstimate

LEAST, FIRST_BASELINE = "for the least that is judged", "before a baseline can be fitted"
LONGEST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict and the rule that gave it."""

    verdict: Verdict
    why: str


def rule(result: HorizonResult, leak: LeakCheck, rejected: bool | None, words: Vocabulary = CHURN) -> Ruling:
    """Apply the protocol's rules in order to the primary horizon. `rejected` is the false discovery control, if any."""
    test, auc = result.test, result.test.auc
    if leak.leaks:
        late = f"{leak.churned_edited} {words.lost} units' scores were recorded after the outcome was known"
        return Ruling("leaks", f"{late}, and the AUC rests on them")
    if test.n_churned_clusters < MIN_TEST_CHURNED_CLUSTERS:
        clusters = f"{test.n_churned_clusters} {words.lost} cluster{'' if test.n_churned_clusters == 1 else 's'}"
        return Ruling("cannot tell", f"the test holds {clusters} with a score, under {MIN_TEST_CHURNED_CLUSTERS}")
    if isinstance(auc, NoEstimate):
        return Ruling("cannot tell", f"there is no AUC: {auc.reason}")
    if auc.high < 0.5:
        return Ruling("reversed", f"the whole AUC interval, {_span(auc)}, is under 0.50")
    if auc.low > 0.5:
        return _foretells(result, auc, rejected)
    if auc.high < NO_EVIDENCE_BELOW:
        return Ruling("no evidence", f"the AUC interval, {_span(auc)}, holds 0.50 and stays under {NO_EVIDENCE_BELOW:.2f}")
    return Ruling("cannot tell", f"the AUC interval, {_span(auc)}, holds both 0.50 and {NO_EVIDENCE_BELOW:.2f}")


def _foretells(result: HorizonResult, auc: Estimate, rejected: bool | None) -> Ruling:
    gain, ranks = result.test.gain, f"the AUC interval, {_span(auc)}, is above 0.50"
    if isinstance(gain, NoEstimate):
        return Ruling("foretells, gain unproven", f"{ranks}; no gain over the baseline could be worked out: {gain.reason}")
    if gain.low > 0 and rejected is not False:
        return Ruling("foretells", f"{ranks}, and the gain over the baseline, {_span(gain, 3)}, is above 0")
    if gain.high < ADDS_NOTHING_BELOW:
        return Ruling(
            "foretells, adds nothing", f"{ranks}; the gain over the baseline, {_span(gain, 3)}, stays under {ADDS_NOTHING_BELOW:.2f}"
        )
    if gain.low > 0:
        return Ruling(
            "foretells, gain unproven", f"{ranks}; the gain, {_span(gain, 3)}, is above 0 alone but not among all scores tested together"
        )
    return Ruling(
        "foretells, gain unproven", f"{ranks}; the gain over the baseline, {_span(gain, 3)}, holds both 0 and {ADDS_NOTHING_BELOW:.2f}"
    )


def work_out_need(result: HorizonResult, verdict: Verdict, churned_per_month: float | None, words: Vocabulary = CHURN) -> Needed | None:
    """How many more churned renewals an undecided verdict would take, if the estimate stayed where it is.

    Intervals narrow with the square root of the churned clusters in the test, which holds 40 % of all churned units.
    """
    test = result.test
    if verdict == "foretells, gain unproven":
        return _need_for_gain(result, churned_per_month, words)
    if verdict != "cannot tell":
        return None
    have = test.n_churned_clusters
    if have < MIN_TEST_CHURNED_CLUSTERS or isinstance(test.auc, NoEstimate) or test.auc.high <= test.auc.low:
        return None if blame(result) != "churned" else _needed(LEAST, max(MIN_TEST_CHURNED_CLUSTERS - have, 1), churned_per_month, words)
    centre, half = float(special.logit(test.auc.point)), _logit_half(test.auc)
    ways = []
    if centre:
        aim = "to show that it ranks above a coin" if centre > 0 else "to show that it is reversed"
        ways.append((aim, have * (half / centre) ** 2))
    ceiling = float(special.logit(NO_EVIDENCE_BELOW))
    if centre < ceiling:
        ways.append((f"to show that its AUC is under {NO_EVIDENCE_BELOW:.2f}", have * (half / (ceiling - centre)) ** 2))
    question, clusters = min(ways, key=lambda way: way[1])
    return _needed(question, max(clusters - have, 1), churned_per_month, words)


def blame(result: HorizonResult) -> Literal["units", "scores", "renewed", "scored churned", "churned"]:
    """What there is too little of, where the test holds too few churned clusters with a score."""
    test = result.test
    if not result.n:
        return "units"
    if not result.n_scored or (test.n and not test.n_scored):
        return "scores"
    if result.n_churned == result.n:
        return "renewed"
    return "scored churned" if test.n_churned - test.n_scored_churned >= MIN_TEST_CHURNED_CLUSTERS else "churned"


def _need_for_gain(result: HorizonResult, churned_per_month: float | None, words: Vocabulary) -> Needed | None:
    gain, have = result.test.gain, result.test.n_churned_clusters
    if isinstance(gain, NoEstimate):
        short = max(1, MIN_TRAIN_CHURNED_FOR_GAIN - (0 if isinstance(result.split, NoEstimate) else result.split.n_train_scored_churned))
        per_training_unit = TEST_SHARE_OF_CHURNED / (1 - TEST_SHARE_OF_CHURNED)
        return _needed(FIRST_BASELINE, short * per_training_unit, churned_per_month, words)
    half = (gain.high - gain.low) / 2
    ways = []
    if gain.point > 0:
        ways.append(("to show a gain over the baseline", have * (half / gain.point) ** 2))
    if gain.point < ADDS_NOTHING_BELOW:
        ways.append((f"to show that the gain is under {ADDS_NOTHING_BELOW:.2f}", have * (half / (ADDS_NOTHING_BELOW - gain.point)) ** 2))
    question, clusters = min(ways, key=lambda way: way[1])
    return _needed(question, max(clusters - have, 1), churned_per_month, words)


def _needed(question: str, more_in_test: float, churned_per_month: float | None, words: Vocabulary) -> Needed:
    more = math.ceil(more_in_test / TEST_SHARE_OF_CHURNED)
    months = more / churned_per_month if churned_per_month else None
    if_so = "" if question in (LEAST, FIRST_BASELINE) else ", if it stays as good as it looks"
    text = f"About {more:,} more {words.losses} would be needed {question}{if_so}{_about(months)}."
    return Needed(question, more, months, text)


def _about(months: float | None) -> str:
    if months is None:
        return ""
    if months > LONGEST_MONTHS:
        return ", more than ten years at the present rate"
    return f", about {months:,.0f} months at the present rate" if months >= 1.5 else ", about a month at the present rate"


def _logit_half(auc: Estimate) -> float:
    return float(special.logit(min(auc.high, 1 - 1e-9)) - special.logit(max(auc.low, 1e-9))) / 2


def _span(estimate: Estimate, digits: int = 2) -> str:
    joint = " to " if estimate.low < 0 or estimate.high < 0 else "–"  # noqa: RUF001
    return f"{estimate.low:.{digits}f}{joint}{estimate.high:.{digits}f}".replace("-", "−")  # noqa: RUF001
