"""What a retention report says in words: claims a reader can check, no stronger than their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from unspun.book.retention.result import Part, Rate, RateName, RenewalRates, RetentionResult, Waterfall
from unspun.reports import words
from unspun.reports.retention_charts import short_month
from unspun.stats.estimate import Estimate

RATE_TITLES: dict[RateName, str] = {"grr": "Gross revenue retention", "nrr": "Net revenue retention", "logo": "Logo retention"}
MOVEMENT_TITLES = {
    "opening": "Opening",
    "new": "New",
    "reactivation": "Reactivation",
    "expansion": "Expansion",
    "contraction": "Contraction",
    "churn": "Churn",
    "closing": "Closing",
}


def totals(result: RetentionResult) -> list[Part]:
    """The whole book, once a currency, the largest closing ARR first."""
    last: dict[Part, Decimal] = {fall.part: fall.closing for fall in result.waterfalls if not fall.part.by}
    return sorted(last, key=lambda part: (-last[part], part.currency))


def rate_at(result: RetentionResult, name: RateName, part: Part, month: str) -> Rate | None:
    """The rate of that name, part and month; logo retention has no currency of its own where there are several."""
    of = [
        rate
        for rate in result.rates
        if rate.name == name and rate.month == month and (rate.part.by, rate.part.value) == (part.by, part.value)
    ]
    return next((rate for rate in of if rate.part.currency == part.currency), of[0] if of and name == "logo" else None)


def last_month(result: RetentionResult, part: Part) -> str:
    """The last month with a rate for the part; "" where there is none."""
    return max((rate.month for rate in result.rates if rate.part == part), default="")


def headline(result: RetentionResult, part: Part) -> str:
    """The sentence that matters: what was kept of the ARR of a window ago."""
    month = last_month(result, part)
    grr, nrr = rate_at(result, "grr", part, month), rate_at(result, "nrr", part, month)
    if grr is None or nrr is None:
        return f"No window of {window(result)} is complete yet"
    if not isinstance(grr.estimate, Estimate) or not isinstance(nrr.estimate, Estimate):
        return f"Too few customers to say how retention stands in {short_month(month)}"
    kept = f"{words.percent(grr.estimate.point)} of the ARR of {window(result)} before was kept by {short_month(month)}"
    return f"{kept}; with what those customers added, {words.percent(nrr.estimate.point)}"


def window(result: RetentionResult) -> str:
    months = result.question.window
    return "one month" if months == 1 else "a year" if months == 12 else f"{months} months"


def trend(rates: Sequence[Rate]) -> str:
    """Whether the last GRR differs from the first by more than both intervals allow."""
    known = [(rate, rate.estimate) for rate in rates if rate.name == "grr" and isinstance(rate.estimate, Estimate)]
    if len(known) < 2:
        return "One window is too few to tell a direction"
    (first, a), (last, b) = known[0], known[-1]
    before = f"{words.percent(a.point)} in {short_month(first.month)}"
    after = f"{words.percent(b.point)} in {short_month(last.month)}"
    if a.high < b.low or b.high < a.low:
        return f"Gross retention {'rose' if b.point > a.point else 'fell'} from {before} to {after}"
    return f"Gross retention was {before} and {after}: their intervals overlap"


def movement_claim(falls: Sequence[Waterfall]) -> str:
    """Where the ARR of the months shown came from and went, in sums."""
    came = sum((fall.new + fall.expansion + fall.reactivation for fall in falls), Decimal(0))
    went = sum((fall.churn + fall.contraction for fall in falls), Decimal(0))
    currency = falls[0].part.currency or None
    months = f"{len(falls)} month{'' if len(falls) == 1 else 's'}"
    return f"{words.money_short(float(came), currency)} came and {words.money_short(float(went), currency)} went in {months}"


def groups_claim(rates: Sequence[Rate], by: str) -> str:
    """Whether the parts differ as far as their intervals tell."""
    known = [(rate, rate.estimate) for rate in rates if isinstance(rate.estimate, Estimate)]
    if len(known) < 2:
        return f"By {words_of(by)}, too few parts have an estimate to be compared"
    best, worst = max(known, key=lambda one: one[1].point), min(known, key=lambda one: one[1].point)
    apart = worst[1].high < best[1].low
    said = f"{best[0].part.value} kept {words.percent(best[1].point)}, {worst[0].part.value} {words.percent(worst[1].point)}"
    return f"By {words_of(by)}: {said}" + ("" if apart else "; their intervals overlap")


def renewals_claim(renewals: Sequence[RenewalRates]) -> str:
    decided = sum(one.renewed + one.churned + one.contracted + one.expanded for one in renewals)
    churned = sum(one.churned for one in renewals)
    return f"Of {words.count(decided)} renewals decided in these months, {words.count(churned)} churned"


def words_of(by: str) -> str:
    return by.replace("_", " ")


def exact(amount: Decimal, currency: str) -> str:
    """An amount to the cent; a true minus."""
    return words.money(float(amount), currency or None)
