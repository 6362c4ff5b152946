"""Headings that are claims: worked out from the result, and no stronger than its intervals."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from unspun.audit.result import (
    AuditResult,
    Bands,
    Beside,
    Calibration,
    CapturedArr,
    Description,
    InputReport,
    LeadTime,
    LeakCheck,
    Listing,
    ScorePair,
    ScoreResult,
    Stability,
    Verdict,
)
from unspun.audit.vocabulary import Vocabulary
from unspun.reports import words
from unspun.reports.words import NBSP, Units
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

ADDS_NOTHING_BELOW = 0.02  # the protocol's line under which a gain is called nothing

_MEANINGS: dict[Verdict, str] = {
    "foretells": "Ranks those that {lost} above a coin, and adds to the baseline.",
    "foretells, gain unproven": "Ranks above a coin; the gain over the baseline could be nothing or something.",
    "foretells, adds nothing": "Ranks above a coin; the gain over the baseline is under 0.02, whichever end of the interval is true.",
    "no evidence": "If it ranks at all, it does so too weakly to use: the whole interval is under 0.60.",
    "reversed": "Higher scores, read as declared, go with more {loss}: the whole interval is under 0.50.",
    "leaks": "Values were recorded after the outcome was known, and it looks better for them.",
    "cannot tell": "Too few that {lost}, or too wide an interval; the report says what it would take.",
}
_COUNTED: dict[Verdict, tuple[str, str]] = {
    "foretells": ("foretells {loss}", "foretell {loss}"),
    "foretells, gain unproven": ("foretells {loss} with its gain unproven", "foretell {loss} with their gain unproven"),
    "foretells, adds nothing": ("foretells {loss} but adds nothing", "foretell {loss} but add nothing"),
    "no evidence": ("shows no evidence", "show no evidence"),
    "reversed": ("points the wrong way", "point the wrong way"),
    "leaks": ("leaks", "leak"),
    "cannot tell": ("cannot be judged yet", "cannot be judged yet"),
}


def verdict_meanings(v: Vocabulary) -> dict[Verdict, str]:
    """What each verdict says, in a line."""
    return {verdict: text.format(lost=v.lost, loss=v.loss) for verdict, text in _MEANINGS.items()}


def claim_of_all(result: AuditResult) -> str:
    """Of three scores, one foretells churn, one leaks and one shows no evidence."""
    found = Counter(score.verdict for score in result.scores)
    loss = result.design.vocabulary.loss
    parts = [f"{words.in_words(n)} {_COUNTED[verdict][n > 1].format(loss=loss)}" for verdict in _MEANINGS if (n := found[verdict])]
    total = words.in_words(len(result.scores))
    if len(found) == 1:
        return _same_of_all(result.scores[0].verdict, total, loss)
    return f"Of {total} scores, {words.listed(parts)}"


def _same_of_all(verdict: Verdict, total: str, loss: str) -> str:
    if verdict == "cannot tell":
        return f"{'Neither score' if total == 'two' else f'None of the {total} scores'} can be judged yet"
    return f"{'Both' if total == 'two' else f'All {total}'} scores {_COUNTED[verdict][1].format(loss=loss)}"


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


def baseline_claim(score: ScoreResult) -> str:
    """What was known without the score, and whether the score adds to it."""
    baseline, gain = score.primary.test.auc_baseline, score.primary.test.gain
    if isinstance(baseline, NoEstimate) or isinstance(gain, NoEstimate):
        return "What the simple baseline already tells could not be worked out"
    knows = (
        f"The simple baseline already ranks with an AUC of {words.point(baseline, words.AUC)}"
        if baseline.low > 0.5
        else "The simple baseline is not clear of a coin"
    )
    if gain.low > 0:
        return f"{knows}; the score lifts it by {words.point(gain, words.GAIN)}"
    if gain.high < ADDS_NOTHING_BELOW:
        return f"{knows}; the score adds nothing to it"
    return f"{knows}; whether the score adds to it, these data cannot tell"


def paths_claim(lead: LeadTime, v: Vocabulary) -> str:
    """From when on the mean scores of those lost and those kept lie apart, as far as their bands tell."""
    both = [(p.days_before, p.churned_score, p.renewed_score) for p in sorted(lead.points, key=lambda p: p.days_before)]
    told = [(days, a, b) for days, a, b in both if isinstance(a, Estimate) and isinstance(b, Estimate)]
    if not told:
        return lead_claim(lead, v)
    sides = [(days, -1 if a.high < b.low else 1 if a.low > b.high else 0) for days, a, b in told]
    side, apart = max(
        ((side, list(run)) for side, run in itertools.groupby(sides, key=lambda one: one[1]) if side), key=_length, default=(0, [])
    )
    start = f"On average those that {v.lost}"
    if not side:
        return f"{start} cannot be told from the rest at any lead"
    way = f"{start} scored {'lower' if side < 0 else 'higher'} than the rest"
    first, last = apart[-1][0], apart[0][0]
    if first == last:
        return f"{way} {first} days before the due date, and at no lead next to it"
    return f"{way} from {first} days before the due date {'on' if last == told[0][0] else f'to {last} days before it'}"


def _length(run: tuple[int, list[tuple[int, int]]]) -> int:
    return len(run[1])


def alarm_claim(lead: LeadTime, looked_at_days: int, v: Vocabulary) -> str:
    """How many of those lost and of those kept were in alarm when looked at, and whether the two lie apart."""
    at = min(lead.points, key=lambda p: abs(p.days_before - looked_at_days))
    lost, kept = at.churned_in_alarm, at.renewed_in_alarm
    if isinstance(lost, NoEstimate) or isinstance(kept, NoEstimate):
        return lead_claim(lead, v)
    seen = f"{at.days_before} days ahead {words.percent(lost.point)} of those that {v.lost} were in alarm"
    apart = lost.low > kept.high or lost.high < kept.low
    rest = f"and {words.percent(kept.point)} of those that {v.kept}"
    return f"{seen}, {rest}" if apart else f"{seen}, {rest}: no clear difference"


def beside_claim(rivals: Sequence[Beside]) -> str:
    """Which of the other ways to rank did better or worse than the score on the same units, as far as intervals tell."""
    told = [(one.name, one.difference) for one in rivals if isinstance(one.difference, Estimate)]
    better = words.listed([name for name, difference in told if difference.high < 0])
    worse = words.listed([name for name, difference in told if difference.low > 0])
    if not told:
        return "Whether anything else ranks as well cannot be told"
    if better:
        return f"On the same units, {better} {'ranks' if ' and ' not in better else 'rank'} better than the score"
    if worse:
        return f"On the same units, the score ranks better than {worse}"
    return "On the same units, no other ranking is clearly better or worse than the score"


def gaming_claim(score: ScoreResult) -> str:
    """What the checks for steering saw. Evidence, never an accusation."""
    seen = sum(check.found == "evidence" for check in score.gaming)
    total = len(score.gaming)
    if seen:
        return f"{words.in_words(seen).capitalize()} of {words.in_words(total)} checks see signs that the score may have been steered"
    blind = sum(check.found == "cannot tell" for check in score.gaming)
    if blind == total:
        return "Whether the score was steered could not be checked"
    return f"No sign that the score was steered, in the {words.in_words(total - blind)} checks that could be made"


def comparison_claims(result: AuditResult) -> list[str]:
    """The best and the worst of several scores, as far as their intervals lie apart."""
    told = [(score, score.primary.test.auc) for score in result.scores]
    known = sorted(((s, auc) for s, auc in told if isinstance(auc, Estimate)), key=lambda one: -one[1].point)
    if len(known) < 2:
        return []
    (best, high), (worst, low) = known[0], known[-1]
    first = f"{words.shorten(best.name, 60)} ranks best in the test, {words.estimated(high, words.AUC)}"
    others = [auc for _, auc in known[1:]]
    apart = all(auc.high < high.low for auc in others)
    said = [f"{first}{', its interval clear of every other' if apart else '; its interval and the next overlap'}."]
    verdict = "" if worst.verdict == best.verdict else f": {worst.verdict}"
    said.append(f"{words.shorten(worst.name, 60)} ranks worst, {words.estimated(low, words.AUC)}{verdict}.")
    return said


def pairs_claim(pairs: Sequence[ScorePair]) -> str:
    """Whether the score that ranks best stands clear of the next ones."""
    best = words.shorten(pairs[0].first, 40)
    told = [pair for pair in pairs if isinstance(pair.difference, Estimate)]
    clear = [pair for pair in told if isinstance(pair.difference, Estimate) and pair.difference.low > 0]
    if not told:
        return "The scores could not be compared in pairs"
    if len(clear) == len(pairs):
        return f"{best} ranks better than {'the other' if len(pairs) == 1 else 'each of the next'}, pair by pair"
    if not clear:
        return f"{best} does not rank reliably better than {'the other' if len(pairs) == 1 else 'the next ones'}"
    return f"{best} ranks better than {words.listed([words.shorten(pair.second, 40) for pair in clear])}; of the rest it cannot be told"


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


def calibration_claim(calibration: Calibration, v: Vocabulary) -> str:
    """Where what it said and what was seen part, if their intervals do."""
    if isinstance(calibration.slope, NoEstimate) and len(calibration.bins) <= 1:
        return "Read as a risk, it says the same of everybody"
    worst = max(calibration.bins, key=lambda b: b.predicted, default=None)
    if worst is not None and len(calibration.bins) > 2:
        said, seen = words.percent(worst.predicted), words.percent(worst.observed.point)
        if worst.predicted > worst.observed.high:
            return f"Read as a risk, it cries wolf at the top: it says {said} where {seen} {v.lost}"
        if worst.predicted < worst.observed.low:
            return f"Read as a risk, it is too calm at the top: it says {said} where {seen} {v.lost}"
    ratio, slope = calibration.expected_over_observed, calibration.slope
    if isinstance(ratio, Estimate) and not ratio.low <= 1 <= ratio.high:
        return f"Read as a risk, it is {'too gloomy' if ratio.point > 1 else 'too cheerful'} on the whole"
    if isinstance(slope, Estimate) and not slope.low <= 1 <= slope.high:
        return f"Read as a risk, its extremes are {'too extreme' if slope.point < 1 else 'not extreme enough'}"
    return f"Read as a risk, it agrees with what happened, as far as {words.count(calibration.n_churned)} that {v.lost} can tell"


def capture_claim(captured: CapturedArr, v: Vocabulary) -> str:
    """Which way of choosing reaches more of the lost money, where the intervals lie apart."""
    start = f"With time for {captured.capacity} accounts a month"
    score, alone, chance = captured.score, captured.arr_alone, captured.random
    if not isinstance(score, Estimate):
        return f"{start}, there is too little to say what the score would reach"
    if captured.reaches_everybody:
        return f"{start}, the team can call everybody, so that the order does not matter"
    if isinstance(chance, Estimate) and score.high < chance.low:
        return f"{start}, the score reaches less {v.lost_money} than accounts drawn at random"
    if isinstance(alone, Estimate) and alone.low > score.high:
        return f"{start}, sorting by {v.money} reaches more {v.lost_money} than the score does"
    if isinstance(alone, Estimate) and score.low > alone.high:
        return f"{start}, the score reaches more {v.lost_money} than sorting by {v.money} does"
    if isinstance(chance, Estimate) and score.low > chance.high:
        return f"{start}, the score reaches more {v.lost_money} than chance; against sorting by {v.money}, these data cannot tell"
    return f"{start}, what the score reaches cannot be told apart from chance"


def bands_claim(bands: Bands, v: Vocabulary) -> str:
    """Of the red how many left, and of those who left how many were red."""
    worst = bands.rows[0] if bands.rows else None
    if worst is None or isinstance(worst.left, NoEstimate):
        return f"How many {v.lost} in each band cannot be told"
    name = words.shorten(worst.band, 30)
    left = words.percent(worst.left.point)
    if isinstance(worst.share_of_churned, NoEstimate):
        return f"Of the {name}, {left} {v.lost}"
    were = "in it" if " " in name else name
    return f"Of the {name}, {left} {v.lost}; of those that {v.lost}, {words.percent(worst.share_of_churned.point)} were {were}"


def lead_claim(lead: LeadTime, v: Vocabulary) -> str:
    """From how long before the due date the AUC stays above a coin."""
    told = lead.first_told_days
    longest = max((p.days_before for p in lead.points), default=0)
    if not any(isinstance(p.auc, Estimate) for p in lead.points):
        return "How early it tells cannot be told"
    above = [p.days_before for p in lead.points if isinstance(p.auc, Estimate) and p.auc.low > 0.5]
    if told is None and above:
        return f"Its ranking is clear of a coin {_between(above)} days before the due date, but not at the nearest lead"
    if told is None:
        return f"At no lead does it tell those that {v.lost} from the rest"
    if told == 0:
        return "Before the due date its ranking is not steadily clear of a coin"
    if told == longest:
        return f"It tells those that {v.lost} from the rest as far back as was looked, {told} days before the due date"
    return f"Its ranking is clear of a coin from {told} days before the due date on, and not steadily so before"


def _between(days: list[int]) -> str:
    return f"between {min(days)} and {max(days)}" if len(days) > 1 else str(days[0])


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


def missed_claim(score: ScoreResult, description: Description, units: Units, v: Vocabulary) -> str:
    """Green, then gone: how many, of how many, with how much money."""
    missed, of = description.missed, score.primary.n_scored_churned
    if not missed.total:
        return f"No account that {v.lost} had looked well"
    band = missed.units[0].band if missed.units else ""
    gone = f"{words.shorten(band, 30).capitalize()}, then gone" if band else "Looked well, then gone"
    listed_once = units.one != "renewal"  # an account is listed once, though it is many account-months
    total = (
        f"{words.count(missed.total)}{NBSP}{'account' if missed.total == 1 else 'accounts'}" if listed_once else words.count(missed.total)
    )
    among = "" if listed_once else f" of {words.count(of)} that {v.lost}"
    return f"{gone}: {total}{among}{_with_money(missed)}"


def _with_money(listing: Listing) -> str:
    if listing.total_amount is None:
        return ""
    currency = next((unit.currency for unit in listing.units if unit.currency), None)
    return f", with {words.money_short(listing.total_amount, currency)}"


def false_alarms_claim(listing: Listing) -> str:
    return f"False alarms: {words.count(listing.total)} looked ill and stayed{_with_money(listing)}"


def leak_claim(leak: LeakCheck, v: Vocabulary) -> str:
    if not leak.possible:
        return "Whether it was recorded after the fact could not be checked"
    if leak.leaks:
        edited = f"{words.count(leak.churned_edited)} of {words.count(leak.churned)}"
        return f"It was recorded after the outcome was known, for {edited} that {v.lost}"
    return "No sign that it was recorded after the outcome was known"


def rows_claim(inputs: tuple[InputReport, ...]) -> str:
    whole = all(i.rows_read == i.rows_used + sum(s.n for s in i.set_aside) for i in inputs)
    return "Every row is accounted for" if whole else "The rows do not add up: please report this as a fault"
