"""Headings that are claims: worked out from the result, and no stronger than its intervals."""

from __future__ import annotations

from collections import Counter

from unspun.audit.result import (
    AuditResult,
    Bands,
    Calibration,
    CapturedArr,
    Description,
    InputReport,
    LeadTime,
    LeakCheck,
    Listing,
    ScoreResult,
    Stability,
    Verdict,
)
from unspun.reports import words
from unspun.reports.words import NBSP, Units
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

ADDS_NOTHING_BELOW = 0.02  # the protocol's line under which a gain is called nothing

VERDICT_MEANINGS: dict[Verdict, str] = {
    "foretells": "Ranks churners above a coin, and adds to the baseline.",
    "foretells, gain unproven": "Ranks above a coin; the gain over the baseline could be nothing or something.",
    "foretells, adds nothing": "Ranks above a coin; the gain over the baseline is under 0.02, whichever end of the interval is true.",
    "no evidence": "If it ranks at all, it does so too weakly to use: the whole interval is under 0.60.",
    "reversed": "Higher scores, read as declared, go with more churn: the whole interval is under 0.50.",
    "leaks": "Values were recorded after the outcome was known, and it looks better for them.",
    "cannot tell": "Too few churned accounts, or too wide an interval; the report says what it would take.",
}
_COUNTED: dict[Verdict, tuple[str, str]] = {
    "foretells": ("foretells churn", "foretell churn"),
    "foretells, gain unproven": ("foretells churn with its gain unproven", "foretell churn with their gain unproven"),
    "foretells, adds nothing": ("foretells churn but adds nothing", "foretell churn but add nothing"),
    "no evidence": ("shows no evidence", "show no evidence"),
    "reversed": ("points the wrong way", "point the wrong way"),
    "leaks": ("leaks", "leak"),
    "cannot tell": ("cannot be judged yet", "cannot be judged yet"),
}


def claim_of_all(result: AuditResult) -> str:
    """Of three scores, one foretells churn, one leaks and one shows no evidence."""
    found = Counter(score.verdict for score in result.scores)
    parts = [f"{words.in_words(n)} {_COUNTED[v][n > 1]}" for v in VERDICT_MEANINGS if (n := found[v])]
    total = words.in_words(len(result.scores))
    if len(found) == 1:
        return _same_of_all(result.scores[0].verdict, total)
    return f"Of {total} scores, {words.listed(parts)}"


def _same_of_all(verdict: Verdict, total: str) -> str:
    if verdict == "cannot tell":
        return f"{'Neither score' if total == 'two' else f'None of the {total} scores'} can be judged yet"
    return f"{'Both' if total == 'two' else f'All {total}'} scores {_COUNTED[verdict][1]}"


def rank_claim(score: ScoreResult) -> str:
    """Whether it ranks better than a coin, how far out, and whether that adds to the baseline."""
    judged = [(h.horizon_days, h.test.auc) for h in score.horizons if isinstance(h.test.auc, Estimate)]
    if not judged:
        return "There is too little to say whether it ranks better than a coin"
    told = [days for days, auc in judged if auc.low > 0.5]
    if not told:
        reversed_at = [days for days, auc in judged if auc.high < 0.5]
        if reversed_at:
            return f"It ranks the wrong way round {_at_days(reversed_at, [d for d, _ in judged])}"
        return "At no horizon does its ranking stand clear of a coin"
    ranks = f"It ranks better than a coin {_at_days(told, [days for days, _ in judged])}"
    primary = score.primary
    if score.primary_horizon_days not in told:
        return f"{ranks}, but not at the {primary.horizon_days} days that decide"
    return f"{ranks}, {_gain_clause(primary.test.gain)}"


def _at_days(told: list[int], judged: list[int]) -> str:
    """Up to 90 days out; at 60 and 180 days; at all horizons tried."""
    if len(judged) == 1:
        return f"{told[0]} days out"
    if len(told) == len(judged):
        return f"at every horizon, {min(told)} to {max(told)} days out"
    if sorted(judged)[: len(told)] == sorted(told):
        return f"up to {max(told)} days out"
    return f"at {words.listed([str(days) for days in sorted(told)])} days"


def _gain_clause(gain: MaybeEstimate) -> str:
    if isinstance(gain, NoEstimate):
        return "and what it adds to the baseline could not be worked out"
    if gain.low > 0:
        return "and adds to the baseline"
    return "but adds nothing to the baseline" if gain.high < ADDS_NOTHING_BELOW else "but not reliably more than the baseline knows"


def calibration_claim(calibration: Calibration) -> str:
    """Where what it said and what was seen part, if their intervals do."""
    if isinstance(calibration.slope, NoEstimate) and len(calibration.bins) <= 1:
        return "Read as a risk, it says the same of everybody"
    worst = max(calibration.bins, key=lambda b: b.predicted, default=None)
    if worst is not None and len(calibration.bins) > 2:
        said, seen = words.percent(worst.predicted), words.percent(worst.observed.point)
        if worst.predicted > worst.observed.high:
            return f"Read as a risk, it cries wolf at the top: it says {said} where {seen} churned"
        if worst.predicted < worst.observed.low:
            return f"Read as a risk, it is too calm at the top: it says {said} where {seen} churned"
    ratio, slope = calibration.expected_over_observed, calibration.slope
    if isinstance(ratio, Estimate) and not ratio.low <= 1 <= ratio.high:
        return f"Read as a risk, it is {'too gloomy' if ratio.point > 1 else 'too cheerful'} on the whole"
    if isinstance(slope, Estimate) and not slope.low <= 1 <= slope.high:
        return f"Read as a risk, its extremes are {'too extreme' if slope.point < 1 else 'not extreme enough'}"
    return f"Read as a risk, it agrees with what happened, as far as {words.count(calibration.n_churned)} churned can tell"


def capture_claim(captured: CapturedArr) -> str:
    """Which way of choosing reaches more of the lost money, where the intervals lie apart."""
    start = f"With time for {captured.capacity} accounts a month"
    score, alone, chance = captured.score, captured.arr_alone, captured.random
    if not isinstance(score, Estimate):
        return f"{start}, there is too little to say what the score would reach"
    if captured.reaches_everybody:
        return f"{start}, the team can call everybody, so that the order does not matter"
    if isinstance(chance, Estimate) and score.high < chance.low:
        return f"{start}, the score reaches less lost money than accounts drawn at random"
    if isinstance(alone, Estimate) and alone.low > score.high:
        return f"{start}, sorting by ARR reaches more lost money than the score does"
    if isinstance(alone, Estimate) and score.low > alone.high:
        return f"{start}, the score reaches more lost money than sorting by ARR does"
    if isinstance(chance, Estimate) and score.low > chance.high:
        return f"{start}, the score reaches more lost money than chance; against sorting by ARR, these data cannot tell"
    return f"{start}, what the score reaches cannot be told apart from chance"


def bands_claim(bands: Bands) -> str:
    """Of the red how many left, and of those who left how many were red."""
    worst = bands.rows[0] if bands.rows else None
    if worst is None or isinstance(worst.left, NoEstimate):
        return "How many left in each band cannot be told"
    name = words.shorten(worst.band, 30)
    left = words.percent(worst.left.point)
    if isinstance(worst.share_of_churned, NoEstimate):
        return f"Of the {name}, {left} left"
    were = "in it" if " " in name else name
    return f"Of the {name}, {left} left; of those who left, {words.percent(worst.share_of_churned.point)} were {were}"


def lead_claim(lead: LeadTime) -> str:
    """From how long before the due date the AUC stays above a coin."""
    told = lead.first_told_days
    longest = max((p.days_before for p in lead.points), default=0)
    if not any(isinstance(p.auc, Estimate) for p in lead.points):
        return "How early it tells cannot be told"
    if told is None:
        return "At no lead does it tell the churned from the rest"
    if told == 0:
        return "Before the due date its ranking is not steadily clear of a coin"
    if told == longest:
        return f"It tells the churned from the rest as far back as was looked, {told} days before the due date"
    return f"Its ranking is clear of a coin from {told} days before the due date on, and not steadily so before"


def stability_claim(stability: Stability) -> str:
    """Whether the trend by quarter is there, or cannot be told."""
    known = sum(isinstance(q.auc, Estimate) for q in stability.quarters)
    trend = stability.trend_per_quarter
    quarters = f"{words.in_words(known)} {'quarter' if known == 1 else 'quarters'}"
    if not known:
        return "Whether it holds over time cannot be told"
    if isinstance(trend, NoEstimate):
        return f"{quarters.capitalize()} {'is' if known == 1 else 'are'} too few to say whether it holds"
    if trend.high < 0:
        return f"It is fading: over {quarters} its ranking has grown worse"
    if trend.low > 0:
        return f"Its ranking has grown better over {quarters}"
    return f"It may be fading; {quarters} cannot tell" if trend.point < -0.003 else f"No sign of fading, as far as {quarters} can tell"


def missed_claim(score: ScoreResult, description: Description, units: Units) -> str:
    """Green, then gone: how many, of how many, with how much money."""
    missed, of = description.missed, score.primary.n_scored_churned
    if not missed.total:
        return "No churned account had looked well"
    band = missed.units[0].band if missed.units else ""
    gone = f"{words.shorten(band, 30).capitalize()}, then gone" if band else "Looked well, then gone"
    listed_once = units.one != "renewal"  # an account is listed once, though it is many account-months
    total = (
        f"{words.count(missed.total)}{NBSP}{'account' if missed.total == 1 else 'accounts'}" if listed_once else words.count(missed.total)
    )
    among = "" if listed_once else f" of {words.count(of)} churned renewals"
    return f"{gone}: {total}{among}{_with_money(missed)}"


def _with_money(listing: Listing) -> str:
    if listing.total_amount is None:
        return ""
    currency = next((unit.currency for unit in listing.units if unit.currency), None)
    return f", with {words.money_short(listing.total_amount, currency)}"


def false_alarms_claim(listing: Listing) -> str:
    return f"False alarms: {words.count(listing.total)} looked ill and stayed{_with_money(listing)}"


def leak_claim(leak: LeakCheck) -> str:
    if not leak.possible:
        return "Whether it was recorded after the fact could not be checked"
    if leak.leaks:
        return f"It was recorded after the outcome was known, for {words.count(leak.churned_edited)} of {words.count(leak.churned)} churned"
    return "No sign that it was recorded after the outcome was known"


def rows_claim(inputs: tuple[InputReport, ...]) -> str:
    whole = all(i.rows_read == i.rows_used + sum(s.n for s in i.set_aside) for i in inputs)
    return "Every row is accounted for" if whole else "The rows do not add up: please report this as a fault"
