"""What a record of forecasters says in words: who was nearer the truth, who was too hopeful; no stronger than the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unspun.reports import forecast_words as fw
from unspun.reports import words
from unspun.reports.forecast_claims import period_name
from unspun.reports.marks import Shape
from unspun.risk.forecast.result import (
    ForecasterKind,
    ForecasterRecord,
    ForecastMiss,
    ForecastRecord,
    IntervalCoverage,
    LeadRecord,
    PairRecord,
    PeriodOutcome,
    SnapshotRecord,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

SHAPES: dict[ForecasterKind, Shape] = {
    "model": "score",
    "model, replayed": "score",
    "CSM": "second",
    "person": "second",
    "last year's rate": "base",
}
QUANTITIES = {"churned": "Renewals that churn", "grr": "GRR of what is due", "nrr": "NRR of what is due", "arr": "ARR at the end"}
USUAL_LEAD = 90  # days; another where too little is known there
MOST_BIASED = 2
LEAST_BIAS = 0.005  # said to the nearest point


def leads_of(record: ForecastRecord) -> list[int]:
    """The leads at which anybody spoke, longest first."""
    return sorted({lead.lead_days for one in record.forecasters for lead in one.leads if lead.n}, reverse=True)


def lead_of(one: ForecasterRecord, days: int) -> LeadRecord | None:
    return next((lead for lead in one.leads if lead.lead_days == days), None)


def currencies_of(record: ForecastRecord) -> list[str]:
    """The currencies in which anything was said or came."""
    said = (currency for one in record.forecasters for lead in one.leads for currency, _ in lead.arr_bias)
    return sorted({*said, *(one.currency for shot in record.snapshots for one in shot.outcomes if one.currency)})


def primary_lead(record: ForecastRecord) -> int | None:
    """The lead shown first: of those at which most forecasters have a Brier score that nearest to 90 days."""
    leads = leads_of(record)
    judged = {days: sum(1 for one in record.forecasters if _is_judged(one, days)) for days in leads}
    return min(leads, key=lambda days: (-judged[days], abs(days - USUAL_LEAD)), default=None)


def _is_judged(one: ForecasterRecord, days: int) -> bool:
    lead = lead_of(one, days)
    return lead is not None and isinstance(lead.brier, Estimate)


def named(one: ForecasterRecord) -> str:
    """The forecaster as a sentence names it."""
    return {"model": "the model", "model, replayed": "the replayed model"}.get(one.kind, one.name)


def headline(record: ForecastRecord) -> str:
    """Who was nearest the truth, where that can be told of everybody set beside; else that it cannot."""
    days = primary_lead(record)
    if days is None:
        return "Nobody has said anything yet of a renewal that is decided"
    judged = [one for one in record.forecasters if _is_judged(one, days)]
    if not judged:
        return f"Too few renewals are decided to tell how any forecaster did {days} days ahead"
    if len(judged) == 1:
        return f"{_capital(named(judged[0]))} alone has a record {days} days ahead"
    best = [one for one in judged if _beats_all(record, one, judged, days)]
    if best:
        return f"{_capital(named(best[0]))} was nearer to what happened than {_others(len(judged) - 1)}, {days} days ahead"
    beating = beats_base(record, days)
    if beating:
        return f"{_capital(words.listed(beating))} did better than last year's rate {days} days ahead"
    return f"Nobody is known to have been nearer to what happened than all the others, {days} days ahead"


def _others(n: int) -> str:
    return "the other forecaster" if n == 1 else f"each of the other {words.in_words(n)}"


def _beats_all(record: ForecastRecord, one: ForecasterRecord, judged: Sequence[ForecasterRecord], days: int) -> bool:
    return all(_beats(record, one.name, other.name, days) for other in judged if other is not one)


def _beats(record: ForecastRecord, one: str, other: str, days: int) -> bool:
    """Whether the whole interval of the difference of their Brier scores says that the one is better."""
    for pair in pairs_at(record, days):
        if {pair.first, pair.second} == {one, other} and isinstance(pair.brier, Estimate):
            return pair.brier.high < 0 if pair.first == one else pair.brier.low > 0
    return False


def beats_base(record: ForecastRecord, days: int) -> list[str]:
    """Those who were better than last year's rate."""
    base = _base(record)
    return [named(one) for one in record.forecasters if base is not None and _beats(record, one.name, base.name, days)]


def _base(record: ForecastRecord) -> ForecasterRecord | None:
    return next((one for one in record.forecasters if one.kind == "last year's rate"), None)


def against_base(record: ForecastRecord, days: int) -> str:
    """Who was better than last year's rate, who worse, and of whom it cannot be told."""
    base = _base(record)
    others = [one for one in record.forecasters if one is not base]
    if base is None or not others:
        return ""
    better = beats_base(record, days)
    worse = [named(one) for one in others if _beats(record, base.name, one.name, days)]
    rest = [named(one) for one in others if named(one) not in (*better, *worse)]
    parts = (("better", better), ("worse", worse), ("cannot tell", rest))
    return f"Beside last year's rate, {days} days ahead: {'; '.join(f'{word}: {words.listed(who)}' for word, who in parts if who)}"


def pairs_at(record: ForecastRecord, days: int | None) -> list[PairRecord]:
    return [one for one in record.pairs if one.lead_days == days]


def is_told(pair: PairRecord) -> bool:
    """Whether the whole interval lies on one side."""
    return isinstance(pair.brier, Estimate) and (pair.brier.high < 0 or pair.brier.low > 0)


def unpaired(pairs: Sequence[PairRecord]) -> list[str]:
    """The pairs that have no difference, by the reason why."""
    by: dict[str, list[str]] = {}
    for pair in pairs:
        if isinstance(pair.brier, NoEstimate):
            by.setdefault(pair.brier.reason, []).append(f"{pair.first} and {pair.second}")
    return [f"{'; '.join(who)}: {reason}" for reason, who in by.items()]


def pairs_claim(record: ForecastRecord, days: int) -> str:
    pairs = pairs_at(record, days)
    told = sum(is_told(one) for one in pairs)
    if not told:
        return f"Of {words.count(len(pairs))} pairs of forecasters, none can be told apart"
    return f"Of {words.count(len(pairs))} pairs of forecasters, {words.count(told)} can be told apart"


def bias_words(value: MaybeEstimate) -> str:
    """What a bias means: stated less came."""
    if not isinstance(value, Estimate):
        return "cannot tell"
    if value.high < 0:
        return "too hopeful"
    return "too gloomy" if value.low > 0 else "no bias found"


def bias_claim(record: ForecastRecord, days: int) -> str:
    """Who is too hopeful or too gloomy, and by how much, those most so first."""
    held = [(one, lead.bias) for one in record.forecasters if (lead := lead_of(one, days)) is not None]
    off = [(one, bias) for one, bias in held if isinstance(bias, Estimate) and (bias.high < 0 or bias.low > 0)]
    if not off:
        return "No forecaster is known to be too hopeful or too gloomy"
    ordered = sorted(off, key=lambda pair: -abs(pair[1].point))
    told = [f"{named(one)} was {bias_words(bias)}, by {points(abs(bias.point))} of churn" for one, bias in ordered[:MOST_BIASED]]
    more = len(off) - MOST_BIASED
    return _capital("; ".join([*told, *([f"{words.in_words(more)} more {'is' if more == 1 else 'are'} off"] if more > 0 else [])]))


def in_points(value: Estimate) -> Estimate:
    """A difference of shares as points of a per cent."""
    return replace(value, point=100 * value.point, low=100 * value.low, high=100 * value.high)


def points(share: float) -> str:
    """A difference of shares in points of a per cent."""
    n = words.number(100 * share, 0 if share >= 10 * LEAST_BIAS else 1)
    return f"{n} {'point' if n == '1' else 'points'}"


def money_claim(record: ForecastRecord, days: int) -> str:
    """Who said less would be lost than was."""
    said: dict[str, list[str]] = {"too hopeful": [], "too gloomy": []}
    for one in record.forecasters:
        lead = lead_of(one, days)
        for _, value in lead.arr_bias[:1] if lead is not None else ():
            if (word := bias_words(value)) in said:
                said[word].append(named(one))
    told = [
        f"{words.listed(who)} expected to lose {'less' if word == 'too hopeful' else 'more'} than was lost"
        for word, who in said.items()
        if who
    ]
    return _capital("; ".join(told)) if told else "In money, no forecaster is known to be off"


def calibration_claim(record: ForecastRecord, days: int) -> str:
    """Of whom a stated probability can be taken as it is: their slope and their total both hold one."""
    held = [(one, lead) for one in record.forecasters if (lead := lead_of(one, days)) is not None and lead.bins]
    good = [named(one) for one, lead in held if _holds_one(lead.slope) and _holds_one(lead.expected_over_observed)]
    if good:
        return f"Of {words.listed(good)}, 10 % may be read as 10 %: nothing found speaks against it"
    return "No forecaster's probabilities can be taken as they are" if held else "Whether 10 % means 10 % cannot be told of anybody"


def _holds_one(value: MaybeEstimate) -> bool:
    return isinstance(value, Estimate) and value.low <= 1 <= value.high


def coverage_claim(record: ForecastRecord) -> str:
    """Whether the stated intervals held what they should."""
    known = [one for one in record.coverage if isinstance(one.in_95, Estimate) and isinstance(one.in_80, Estimate)]
    if not known:
        return "Too few forecast quarters are over to say whether the intervals hold"
    off = [one for one in known if not (_holds(one.in_80, 0.8) and _holds(one.in_95, 0.95))]
    if off:
        return f"Of {words.count(len(known))} kinds of interval, {words.count(len(off))} held another share than stated"
    return "The intervals held the share they should, as far as can be told"


def _holds(value: MaybeEstimate, stated: float) -> bool:
    return isinstance(value, Estimate) and value.low <= stated <= value.high


def coverage_word(value: MaybeEstimate, stated: float) -> str:
    if not isinstance(value, Estimate):
        return "cannot tell"
    return "as stated" if _holds(value, stated) else "too narrow" if value.high < stated else "too wide"


def figure_name(one: ForecasterRecord, lead_days: int) -> str:
    """The name of a forecaster's figure at a lead in the ledger's entry."""
    return f"{one.name}/{lead_days}"


def coverage_name(one: IntervalCoverage) -> str:
    """The name of the figure that says how many intervals held."""
    return f"intervals/{'replayed' if one.replayed else 'of the time'}/{one.quantity}"


def quantity(one: IntervalCoverage | PeriodOutcome) -> str:
    return QUANTITIES[one.quantity]


def calls(record: ForecastRecord, of: str) -> list[tuple[SnapshotRecord, PeriodOutcome]]:
    """What past forecasts said of one quantity and what came, by period, the earliest forecast first."""
    held = [(shot, one) for shot in record.snapshots for one in shot.outcomes if one.quantity == of]
    return sorted(held, key=lambda pair: (pair[1].period, pair[1].currency, -pair[1].lead_months, pair[0].entry))


def calls_claim(held: Sequence[tuple[SnapshotRecord, PeriodOutcome]]) -> str:
    inside = sum(one.in_95 for _, one in held)
    return f"{words.count(inside)} of {words.count(len(held))} outcomes lay within the 95 % interval stated before"


def period(one: PeriodOutcome) -> str:
    return period_name(one.period)


def said(one: PeriodOutcome) -> str:
    return _written(one, one.predicted.mean)


def said_interval(one: PeriodOutcome) -> str:
    return fw.between(*(_written(one, end).removesuffix(f"{words.NBSP}%") for end in (one.predicted.low_95, one.predicted.high_95)))


def came(one: PeriodOutcome) -> str:
    return _written(one, one.actual)


def _written(one: PeriodOutcome, value: float) -> str:
    """A value in the words of its quantity: a count, a share or an amount."""
    if one.quantity == "churned":
        return words.number(value, 0 if float(value).is_integer() else 1)
    return fw.amount(value, one.currency) if one.quantity == "arr" else words.percent(value)


def missed_claim(misses: Sequence[ForecastMiss]) -> str:
    churned = sum(one.churned for one in misses)
    if churned in (0, len(misses)):
        return f"The {words.count(len(misses))} largest surprises all {'churned' if churned else 'stayed'}"
    return f"The {words.count(len(misses))} largest surprises: {words.count(churned)} churned, {words.count(len(misses) - churned)} stayed"


def judged_on(record: ForecastRecord) -> str:
    """How many renewals the record rests on, and from when."""
    due = ""
    if record.first_due is not None and record.last_due is not None:
        first, last = words.month(record.first_due), words.month(record.last_due)
        due = f", due in {first}" if first == last else f", due from {first} to {last}"
    n, churned = words.count(record.n_renewals), words.count(record.n_churned)
    return f"On {n} renewals decided by {words.day(record.as_of)}{due}, of which {churned} churned"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
