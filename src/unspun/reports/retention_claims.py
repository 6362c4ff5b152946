"""What a retention report says in words: claims a reader can check, no stronger than their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from unspun.book.retention.ratios import told_apart
from unspun.book.retention.result import Part, Rate, RateName, RenewalRates, RetentionResult, Waterfall
from unspun.book.terms.rules import describe_rules
from unspun.reports import words
from unspun.reports.retention_charts import short_month
from unspun.stats.estimate import Estimate

SHORT_TITLES: dict[RateName, str] = {"grr": "GRR", "nrr": "NRR", "logo": "logos"}
RULE_NAMES = ("Grace days", "Early renewal", "Flat", "Add-ons", "Cancellation", "Open terms")
READ_RULES = (("End dates", "an end date"), ("ARR", "ARR ="))
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
    """The whole book, once a currency, the largest closing ARR first; once where no term has an amount."""
    last: dict[Part, Decimal] = {fall.part: fall.closing for fall in result.waterfalls if not fall.part.by} or {Part(): Decimal(0)}
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
    """The sentence that matters: what was kept of the ARR of a window ago; of the accounts where there is no estimate of it."""
    month = last_month(result, part)
    grr, nrr, logo = (rate_at(result, name, part, month) for name in ("grr", "nrr", "logo"))
    gross, net, accounts = (None if rate is None else rate.estimate for rate in (grr, nrr, logo))
    by = f"{window(result)} before {'were' if not isinstance(gross, Estimate) else 'was'} kept by {short_month(month)}" if month else ""
    if isinstance(gross, Estimate):
        added = (
            f"with what those customers added, {words.percent(net.point)}" if isinstance(net, Estimate) else "of NRR there is no estimate"
        )
        return f"{words.percent(gross.point)} of the ARR of {by}; {added}"
    if isinstance(accounts, Estimate):
        return f"{words.percent(accounts.point)} of the accounts of {by}; of the ARR there is no estimate"
    opened = any(rate is not None and rate.base for rate in (grr, logo))
    return f"No estimate of retention yet for {short_month(month)}" if opened else f"No window of {window(result)} is complete yet"


def intervals(result: RetentionResult, part: Part) -> str:
    """The intervals of the headline's rates; "" where there are none."""
    month, told = last_month(result, part), []
    for name, title in SHORT_TITLES.items():
        rate = rate_at(result, name, part, month)
        if rate is not None and isinstance(rate.estimate, Estimate):
            told.append(f"{title} {words.interval(rate.estimate, words.SHARE).strip('()')}")
    return f"95 % intervals, in per cent: {', '.join(told)}" if told else ""


def window(result: RetentionResult) -> str:
    months = result.question.window
    return "one month" if months == 1 else "a year" if months == 12 else f"{months} months"


def trend(rates: Sequence[Rate]) -> str:
    """Whether the last GRR differs from that of the window before (else the first) by more than both intervals allow."""
    known = [(rate, rate.estimate) for rate in rates if rate.name == "grr" and isinstance(rate.estimate, Estimate)]
    if len(known) < 2:
        return "One window is too few to tell a direction" if known else ""
    last, b = known[-1]
    first, a = next((one for one in reversed(known) if _months_between(one[0].month, last.month) >= last.window_months), known[0])
    before = f"{words.percent(a.point)} in {short_month(first.month)}"
    after = f"{words.percent(b.point)} in {short_month(last.month)}"
    if a.high < b.low or b.high < a.low:
        return f"Gross retention {'rose' if b.point > a.point else 'fell'} from {before} to {after}"
    return f"Gross retention was {before} and {after}: their intervals overlap"


def _months_between(first: str, last: str) -> int:
    return 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:])


def moved(falls: Sequence[Waterfall]) -> bool:
    """Whether there is any movement to draw."""
    return any(fall.new or fall.reactivation or fall.expansion or fall.contraction or fall.churn for fall in falls)


def movement_claim(falls: Sequence[Waterfall]) -> str:
    """Where the ARR of the months shown came from and went, in sums."""
    came = sum((fall.new + fall.expansion + fall.reactivation for fall in falls), Decimal(0))
    went = sum((fall.churn + fall.contraction for fall in falls), Decimal(0))
    currency = falls[0].part.currency or None
    if not came and not went:
        return f"Nothing came and nothing went in {words.count(len(falls))} month{'' if len(falls) == 1 else 's'}"
    months = f"in {short_month(falls[-1].month)}" if len(falls) == 1 else f"in the {len(falls)} months to {short_month(falls[-1].month)}"
    return f"{words.money_short(float(came), currency)} came and {words.money_short(float(went), currency)} went {months}"


def groups_claim(rates: Sequence[Rate], by: str) -> str:
    """Whether the best part differs from the worst, allowing for their having been picked from all; names them only if so."""
    known = [(rate, rate.estimate) for rate in rates if isinstance(rate.estimate, Estimate)]
    if len(known) < 2:
        return f"By {words_of(by)}, too few parts have an estimate to be compared"
    best, worst = max(known, key=lambda one: one[1].point), min(known, key=lambda one: one[1].point)
    high, low = words.percent(best[1].point), words.percent(worst[1].point)
    if told_apart(best[1], worst[1], len(known)):
        several = len({rate.part.currency for rate in rates}) > 1
        return f"By {words_of(by)}: {_named(best[0], several)} kept {high}, more than {_named(worst[0], several)} with {low}"
    return f"By {words_of(by)}, {low} to {high} was kept: no more apart than {words.count(len(known))} parts may be by chance"


def _named(rate: Rate, several: bool) -> str:
    return words.shorten(rate.part.value, 40) + (f" ({rate.part.currency})" if several and rate.part.currency else "")


def renewals_claim(renewals: Sequence[RenewalRates]) -> str:
    decided = sum(one.renewed + one.churned + one.contracted + one.expanded for one in renewals)
    churned = sum(one.churned for one in renewals)
    return f"Of {words.count(decided)} renewals decided in these months, {words.count(churned)} churned"


def beside_claim(result: RetentionResult, other: RetentionResult) -> str:
    """What the last GRR is under either definition."""
    part = totals(result)[0]
    month = last_month(result, part)
    now, before = (rate_at(one, "grr", part, month) for one in (result, other))
    if now is None or before is None or not isinstance(now.estimate, Estimate) or not isinstance(before.estimate, Estimate):
        return "The same months under two definitions"
    if (now.kept, now.base) == (before.kept, before.base):
        return f"The two definitions agree on gross retention to {short_month(month)}, {words.percent(now.estimate.point)}"
    one, two = (words.number(100 * rate.estimate.point, 1) for rate in (now, before) if isinstance(rate.estimate, Estimate))
    return f"Gross retention to {short_month(month)} is {one} % by today's definition and {two} % by the one before"


def changed_rules(result: RetentionResult, other: RetentionResult) -> str:
    """The rules that differ, by their names in retention.yml."""
    now, before = ({**asdict(one.question.rules.terms), "window_months": one.question.window} for one in (result, other))
    told = [f"{name} {_said(before[name])} before, {_said(now[name])} now" for name in now if now[name] != before[name]]
    return "; ".join(told) or "no rule differs, only how the file is written"


def _said(value: object) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def rules_in_force(result: RetentionResult) -> list[tuple[str, str]]:
    """The rules that counted, each with its name."""
    rules = [note.removeprefix("rule: ") for note in describe_rules(result.question.rules.terms)]
    read = [(name, note) for name, start in READ_RULES for note in result.notes if note.startswith(start)]
    return [*zip(RULE_NAMES, rules, strict=True), *((name, note.removeprefix("ARR = ")) for name, note in read)]


def remarks(result: RetentionResult) -> list[str]:
    """The notes that are no rules: what was counted, at which rates."""
    return [note for note in result.notes if not note.startswith(("rule:", *(start for _, start in READ_RULES)))]


def words_of(by: str) -> str:
    return by.replace("_", " ")


def exact(amount: Decimal, currency: str) -> str:
    """An amount to the cent; a true minus."""
    return words.money(float(amount), currency or None)
