"""What a forecast says in words: claims no stronger than their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unspun.reports import forecast_words as fw
from unspun.reports import words
from unspun.reports.retention_charts import short_month
from unspun.risk.forecast.result import ArrFan, Forecast, GroupForecast, MoneyForecast, Predicted, RenewalForecast, SharedShock

LONGEST_IN_A_CLAIM = 40


def currencies_of(result: Forecast) -> list[str]:
    """The currencies of what is due and of what runs, the largest ARR due first."""
    due = {one.currency: one.arr_due for one in result.total.money}
    running = {one.currency: one.opening for one in result.fans}
    return sorted({**running, **due}, key=lambda one: (-due.get(one, 0), -running.get(one, 0), one))


def money_of(group: GroupForecast, currency: str) -> MoneyForecast | None:
    return next((one for one in group.money if one.currency == currency), None)


def fan_of(result: Forecast, currency: str) -> ArrFan | None:
    """The path of the ARR in that currency; None where nothing can be told of it."""
    return next((one for one in result.fans if one.currency == currency and one.points), None)


def due_in_all(money: MoneyForecast) -> float:
    """The ARR due of the running terms, and that expected to be due of the terms after them within the horizon."""
    return float(money.arr_due) + (money.arr_due_later.mean if isinstance(money.arr_due_later, Predicted) else 0.0)


def renews_often(money: MoneyForecast) -> bool:
    """Whether most of what falls due are further terms of the same accounts, as with monthly terms."""
    return isinstance(money.arr_due_later, Predicted) and money.arr_due_later.mean > float(money.arr_due)


def span(result: Forecast) -> str:
    """`the 12 months to 30 Nov 2026`."""
    return f"the {'month' if result.months == 1 else f'{result.months} months'} to {words.day(result.until)}"


def headline(result: Forecast, currency: str) -> str:
    """The sentence that matters: what is expected to be kept of what falls due."""
    total, money = result.total, money_of(result.total, currency)
    if not total.renewals:
        return f"No renewal falls due in {span(result)}"
    if money is None:
        return f"{_renewals(total.renewals)} {_falls(total.renewals)} due by {words.day(result.until)}; no ARR is stated"
    due, by = fw.amount(due_in_all(money), currency), words.day(result.until)
    rates = headline_rates(result, currency)
    if rates is None:
        return f"{due} of ARR falls due by {by}; what will be kept of it cannot be told yet"
    gross, net = (fw.share(one) for one in rates)
    if renews_often(money) and (fan := fan_of(result, currency)) is not None:
        of = f"Of the {fw.amount(float(fan.opening), currency)} of ARR of today's customers"
        return f"{of}, {gross} is expected to be left by {by}; with expansion, {net}"
    return f"Of the {due} of ARR that falls due by {by}, {gross} is expected to be kept; with expansion, {net}"


def headline_rates(result: Forecast, currency: str) -> tuple[Predicted, Predicted] | None:
    """GRR and NRR of the headline: of what falls due, or of all ARR where most terms fall due several times. None: no forecast."""
    money, fan = money_of(result.total, currency), fan_of(result, currency)
    if money is None:
        return None
    gross, net = (fan.grr, fan.nrr) if fan is not None and renews_often(money) else (money.grr, money.nrr)
    return (gross, net) if isinstance(gross, Predicted) and isinstance(net, Predicted) else None


def intervals(result: Forecast, currency: str) -> str:
    """The intervals of the headline, and the number expected to churn; "" where there is no forecast."""
    rates, churned = headline_rates(result, currency), result.total.churned
    if rates is None:
        return ""
    ends = ", ".join(f"{name} {_ends(fw.share_interval(value))}" for name, value in zip(("gross", "net"), rates, strict=True))
    told = f"95 % intervals, in per cent: {ends}"
    if isinstance(churned, Predicted):
        count = f"{fw.count(churned)} {fw.count_interval(churned)}"
        told += f". Of {_renewals(result.total.renewals)}{_again(result.total)}, {count} are expected to churn"
    return told


def _again(total: GroupForecast) -> str:
    later = total.later
    if not isinstance(later, Predicted) or round(later.mean) < 1:
        return ""
    return f" and {words.number(later.mean)} further terms of the same accounts"


@dataclass(frozen=True, slots=True)
class Fact:
    """A share beside the headline: what it is of, and in words."""

    label: str
    value: Predicted
    text: str


def headline_facts(result: Forecast, currency: str) -> list[Fact]:
    """GRR and NRR of what falls due, and what is left of all ARR; none where there is no forecast."""
    money, fan = money_of(result.total, currency), fan_of(result, currency)
    facts = []
    if money is not None and isinstance(money.grr, Predicted) and isinstance(money.nrr, Predicted):
        due = f"{fw.amount(due_in_all(money), currency)} of ARR that falls due"
        facts.append(Fact("Expected GRR of what is due", money.grr, f"of {due}, before expansion"))
        facts.append(
            Fact("Expected NRR of what is due", money.nrr, f"of the same, with {fw.money(money.expansion, currency)} of expansion")
        )
    if fan is not None and isinstance(fan.nrr, Predicted):
        now, then = fw.amount(float(fan.opening), currency), fw.amount(fan.points[-1].mean, currency)
        facts.append(Fact("Expected NRR of all ARR", fan.nrr, f"{now} today, {then} expected on {words.day(fan.points[-1].day)}"))
    return facts


def interval_ends(result: Forecast, currency: str) -> str:
    """The headline's intervals alone, for a second currency."""
    return words.sentence(told) if (told := intervals(result, currency).partition(". ")[0]) else ""


def period_name(name: str) -> str:
    """2025-12 as Dec 2025; 2025-Q4 as Q4 2025."""
    year, _, part = name.partition("-")
    return f"{part}{words.NBSP}{year}" if part.startswith("Q") else short_month(name)


def shock_name(shock: SharedShock) -> str:
    return "All accounts of one parent" if shock.name == "family" else f"{shock.name.capitalize()}, all renewals of one quarter"


def shock_groups(shock: SharedShock) -> str:
    groups = "parents with two or more renewals" if shock.name == "family" else "quarters"
    return f"estimated on {words.count(shock.groups)} {groups}"


def path_claim(fan: ArrFan) -> str:
    """Where the ARR of today's customers goes; of a direction only what the 95 % interval carries."""
    last, opening = fan.points[-1], float(fan.opening)
    low, high = last.quantiles[0], last.quantiles[-1]
    expected, now = fw.amount(last.mean, fan.currency), fw.amount(opening, fan.currency)
    if high < opening:
        return f"ARR of today's customers is expected to fall from {now} to {expected}"
    if low > opening:
        return f"ARR of today's customers is expected to rise from {now} to {expected}"
    return f"ARR of today's customers is {now}, and {expected} is expected; whether it falls or rises cannot be told"


def path_text(fan: ArrFan) -> str:
    """The expected end and its interval as a sentence."""
    last = fan.points[-1]
    ends = fw.between(fw.amount(last.quantiles[0], fan.currency), fw.amount(last.quantiles[-1], fan.currency))
    now, then = fw.amount(float(fan.opening), fan.currency), fw.amount(last.mean, fan.currency)
    return f"ARR of today's customers: {now} now, {then} {ends} expected on {words.day(last.day)}, without any new customer"


def months_claim(result: Forecast, currency: str) -> str:
    """The month in which most falls due, and the one in which most is expected to be lost where that is another."""
    held = [(one, money) for one in result.by_month if (money := money_of(one, currency)) is not None]
    if not held:
        return f"{_renewals(result.total.renewals)} by the month of the due date"
    heaviest, most = max(held, key=lambda one: due_in_all(one[1]))
    due = f"{short_month(heaviest.name)} has the most ARR due: {fw.amount(due_in_all(most), currency)} in {_renewals(heaviest.renewals)}"
    losses = [(one, _lost(money)) for one, money in held]
    worst, loss = max(losses, key=lambda one: one[1])
    if loss <= 0 or worst is heaviest:
        return due
    return f"{due}; {short_month(worst.name)} has the most to lose, {fw.amount(loss, currency)} expected"


def _lost(money: MoneyForecast) -> float:
    """Expected churn and contraction; nought where there is no forecast."""
    return sum(one.mean for one in (money.churned, money.contraction) if isinstance(one, Predicted))


def groups_claim(groups: Sequence[GroupForecast], currency: str, by: str) -> str:
    """Whether the highest and lowest expected GRR are apart; names them only where their intervals are."""
    known = [(one, money.grr) for one in groups if (money := money_of(one, currency)) is not None and isinstance(money.grr, Predicted)]
    if len(known) < 2:
        return f"What falls due by {by}"
    best, worst = max(known, key=lambda one: one[1].mean), min(known, key=lambda one: one[1].mean)
    high, low = fw.share(best[1]), fw.share(worst[1])
    if best[1].low_95 > worst[1].high_95:
        return f"By {by}: {_named(best[0])} is expected to keep {high}, more than {_named(worst[0])} with {low}"
    return f"By {by}, {low} to {high} is expected to be kept; the intervals overlap, so this is no ranking"


def _named(group: GroupForecast) -> str:
    return words.shorten(fw.group_name(group.name), LONGEST_IN_A_CLAIM)


def expansion_claim(result: Forecast, currency: str) -> str:
    """How much expansion is expected, with its interval."""
    money = money_of(result.total, currency)
    if money is None or not isinstance(money.expansion, Predicted):
        return "Expansion cannot be told yet"
    expansion, n = money.expansion, result.total.expanded
    of = f", in {fw.count(n)} {fw.count_interval(n)} renewals" if isinstance(n, Predicted) else ""
    return f"{fw.money(expansion, currency)} {fw.money_interval(expansion, currency)} of expansion is expected{of}"


def at_stake(result: Forecast, currency: str, most: int) -> list[RenewalForecast]:
    """The renewals with most ARR expected to be lost by churn."""
    return _first(result, currency, 0, most)


def likely_to_grow(result: Forecast, currency: str, most: int) -> list[RenewalForecast]:
    """The renewals with most ARR times the probability of expansion."""
    return _first(result, currency, 3, most)


def _first(result: Forecast, currency: str, cause: int, most: int) -> list[RenewalForecast]:
    own = [one for one in result.renewals if one.currency == currency and one.status in ("open", "overdue") and moved_by(one, cause) > 0]
    return sorted(own, key=lambda one: (-moved_by(one, cause), one.due, one.account))[:most]


def moved_by(renewal: RenewalForecast, cause: int) -> float:
    """ARR times the probability of an outcome (its place in OUTCOMES4); nought where either is not known."""
    return float(renewal.arr or 0) * renewal.probabilities[cause] if renewal.probabilities is not None else 0.0


def stake_claim(listed: Sequence[RenewalForecast], result: Forecast, currency: str) -> str:
    """Which share of the expected churn the listed renewals make up."""
    money = money_of(result.total, currency)
    expected = sum(moved_by(one, 0) for one in listed)
    whole = sum(moved_by(one, 0) for one in result.renewals if one.currency == currency)
    if money is None or not whole:
        return "No renewal stands out"
    return f"{words.percent(expected / whole)} of the ARR expected to churn is in {words.in_words(len(listed))} renewals"


def facts_said(result: Forecast) -> list[str]:
    """What is known and what is missing among the renewals, one sentence each."""
    total, told = result.total, []
    if total.facts:
        told.append(f"{_renewals(total.facts)} {_are(total.facts)} decided already, by notice or an early renewal: facts, not forecasts")
    if total.overdue:
        told.append(f"{_renewals(total.overdue)} {_are(total.overdue)} past the due date without an outcome, counted in the first month")
    if total.n_without_amount:
        told.append(f"{_renewals(total.n_without_amount)} {_falls(total.n_without_amount, 'state')} no amount and are in no money")
    return told


def _renewals(n: int) -> str:
    return f"{words.count(n)} {'renewal' if n == 1 else 'renewals'}"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _falls(n: int, verb: str = "fall") -> str:
    return f"{verb}s" if n == 1 else verb


def _ends(interval: str) -> str:
    return interval.strip("()")
