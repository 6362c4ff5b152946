"""What renewal risk says in words: claims that a reader can check against its figures, and no stronger than their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from unspun.reports import words
from unspun.reports.evidence_charts import measure
from unspun.reports.words import NBSP
from unspun.risk.check import NEAR_ONE
from unspun.risk.result import (
    CANNOT_TELL,
    WIDEST_INTERVAL,
    CannotTell,
    DueTotal,
    ModelCheck,
    ModelRecord,
    Reason,
    RenewalRisk,
    RiskCoverage,
    RiskResult,
    SimilarAccounts,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Side = Literal["above", "holds", "below"]
OUTCOME_WORDS = {"churn": "churns", "contraction": "contracts", "flat": "renews flat", "expansion": "expands"}
OUTCOME_DONE = {"churn": "churned", "contraction": "contracted", "flat": "renewed flat", "expansion": "expanded"}
HEAD_DAYS = 90  # the span that the headline speaks of
LEAST_MOVED = 0.005  # a probability that moved by less reads the same at two decimals
SPANS: tuple[tuple[int, str], ...] = ((0, "overdue"), (31, "within 30 days"), (91, "in 31 to 90"), (181, "in 91 to 180"))
LATER = "later"
NEXT_TO_NOTHING = 0.01
SHORT_UNITS = {"standard deviations": "SD"}
ALL_ELSE = "All else, each too small to tell"
Parts = tuple[float | None, float | None, float | None]  # of a change: new data, time, another model
Way = tuple[str, str, float, float | None, float | None]  # label, note, points and their interval


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the run before said: its entry in the ledger, when and as of when, P(churn) by (account, due), and what differs as a whole.

    `parts` are what a change of P(churn) comes from; `decided` are the renewals of then that are decided now, what was said of each and
    what came; `note` says why changes could not be split.
    """

    entry: int
    at: datetime
    as_of: date
    churn: Mapping[tuple[str, date], MaybeEstimate]
    causes: tuple[str, ...] = ()
    parts: Mapping[tuple[str, date], Parts] = field(default_factory=dict[tuple[str, date], Parts])
    decided: tuple[tuple[MaybeEstimate, str], ...] = ()
    note: str = ""

    def said(self, one: RenewalRisk) -> MaybeEstimate | None:
        """What it said of a renewal; None where the renewal was not in it."""
        return self.churn.get((one.account, one.due))

    @property
    def told(self) -> str:
        """`entry 9, as of 9 Oct 2026; what differs: book version 6 (then 4)`, and why changes could not be split."""
        causes = [f"{now} (then {then})" if then else now for now, _, then in (one.partition("; then ") for one in self.causes)]
        differs = f"; what differs: {'; '.join(causes)}" if causes else ""
        return f"entry {self.entry}, as of {words.day(self.as_of)}{differs}{f'. {capital(self.note)}' if self.note else ''}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the typical renewal to this one: what it is, and the probability of churn before and after it."""

    label: str
    note: str
    points: float
    low: float | None
    high: float | None
    before: float
    after: float

    @property
    def raises(self) -> bool:
        return self.points > 0


def renewal_key(one: RenewalRisk) -> str:
    """What the names of its figures begin with."""
    return f"{one.account}@{one.due.isoformat()}"


def address(entry: int, one: RenewalRisk, figure: str = "churn") -> str:
    """Where a figure is found: the ledger's entry, the renewal, the figure."""
    return f"{entry}/{renewal_key(one)}/{figure}"


def foretold(result: RiskResult) -> list[RenewalRisk]:
    """The renewals that have a probability, in the order of the result."""
    return [one for one in result.renewals if isinstance(one.churn, Estimate)]


def noticed(result: RiskResult) -> list[RenewalRisk]:
    """Those of which notice was given: a fact, and no forecast. The soonest due first."""
    return sorted((one for one in result.renewals if one.status == "notice given"), key=lambda one: (one.due, one.account))


def untold(result: RiskResult) -> dict[CannotTell, list[RenewalRisk]]:
    """Those that nothing can be told of, by why; in each the largest first."""
    found = [one for one in result.renewals if one.cannot_tell and one.status != "notice given"]
    ordered = sorted(found, key=lambda one: (-(one.arr or 0.0), one.due, one.account))
    return {code: some for code in CANNOT_TELL if (some := [one for one in ordered if one.cannot_tell == code])}


def side_of(one: RenewalRisk) -> Side:
    """Whether the whole interval is above or below what is typical at its lead and term, or holds it."""
    if not isinstance(one.churn, Estimate) or one.typical is None:
        return "holds"
    return "above" if one.churn.low > one.typical else "below" if one.churn.high < one.typical else "holds"


def span_of(one: RenewalRisk) -> str:
    """How soon it is due, of a few words."""
    return next((word for days, word in SPANS if one.lead_days < days), LATER)


def totals_of(result: RiskResult) -> tuple[str | None, list[DueTotal], list[DueTotal]]:
    """The currency with the most ARR, its totals, and those of the other currencies; both by days."""
    size: dict[str | None, float] = {}
    for total in result.due:
        size[total.currency] = max(size.get(total.currency, 0.0), total.arr)
    main = max(size, key=lambda currency: (size[currency], currency or ""), default=None)
    ordered = sorted(result.due, key=lambda one: (one.currency or "", one.within_days))
    return main, [one for one in ordered if one.currency == main], [one for one in ordered if one.currency != main]


def headline(result: RiskResult) -> str:
    """Of $6.42M due within 90 days, $860k (690k-1.06M) is expected to be lost to churn."""
    _, totals, _ = totals_of(result)
    held = [one for one in totals if one.within_days >= HEAD_DAYS and one.n] or [one for one in totals if one.n]
    if not held:
        return "No renewal is open"
    one = min(held, key=lambda total: abs(total.within_days - HEAD_DAYS))
    due = f"{counted(one.n, 'renewal')}, {words.money_short(one.arr, one.currency)} of ARR, due within {one.within_days} days"
    if isinstance(one.expected_lost, NoEstimate):
        return f"What is at risk of {due} cannot be told"
    return f"Of {due}, {money_range(one.expected_lost, one.currency)} is expected to be lost to churn"


def money_range(value: Estimate, currency: str | None) -> str:
    """`$860k (690k-1.06M)`: three digits, never broken across lines."""
    low, high = (words.money_short(end, None) for end in (value.low, value.high))
    return f"{words.money_short(value.point, currency)}{NBSP}({low}{words.JOIN}{words.DASH}{words.JOIN}{high})"


def counted(n: int, one: str, many: str = "") -> str:
    return f"{words.count(n)}{NBSP}{one if n == 1 else many or one + 's'}"


def due_in(one: RenewalRisk) -> str:
    """`in 75 days`, `today`, `12 days overdue`."""
    if one.lead_days > 0:
        return f"in {counted(one.lead_days, 'day')}"
    return "today" if one.lead_days == 0 else f"{counted(-one.lead_days, 'day')} overdue"


def shown_value(value: float | str | None, unit: str = "") -> str:
    """A value in its own unit, short; a category's is its name."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return value
    if unit == "flag":
        return "yes" if value else "no"
    return f"{measure(value)}{NBSP}{unit}" if unit else measure(value)


def points(value: float) -> str:
    """Points of probability with their sign: +6.1 of a hundred."""
    return words.number(100 * value, 1, signed=True)


def ends_of(low: float, high: float) -> str:
    """(2.1 to 9.8) points of a hundred."""
    first, last = (words.number(100 * end, 1) for end in (low, high))
    return f"({first}{NBSP}to{NBSP}{last})"


def short_reason(reason: Reason) -> str:
    """`Logins a seat 0.4 logins (+6)`: for a list."""
    said = "" if reason.unit == "flag" and reason.value == 1 else f" {shown_value(reason.value, _short_unit(reason))}"
    digits = 0 if abs(reason.points) >= 0.01 else 1
    return f"{reason.label}{said} ({words.number(100 * reason.points, digits, signed=True)})"


def _short_unit(reason: Reason) -> str:
    """The unit, unless the label says it all: `Tickets 10`."""
    return "" if reason.unit.casefold() == reason.label.casefold() else SHORT_UNITS.get(reason.unit, reason.unit)


def leading_reasons(one: RenewalRisk, most: int = 2) -> list[Reason]:
    """The reasons of a list: those that raise the risk, on which somebody can act, the largest first; then those that lower it."""
    return sorted(one.reasons, key=lambda reason: (reason.points <= 0, -abs(reason.points)))[:most]


def steps_of(one: RenewalRisk) -> list[Step]:
    """From the typical renewal to this one: what raises first, the largest first, then the small ones together, then what lowers.

    Empty where there is no probability. The last step ends at the probability of churn.
    """
    if not isinstance(one.churn, Estimate) or one.typical is None:
        return []
    up = sorted((reason for reason in one.reasons if reason.points > 0), key=lambda reason: -reason.points)
    down = sorted((reason for reason in one.reasons if reason.points <= 0), key=lambda reason: -reason.points)
    return list(_walked(one.typical, [*map(_way, up), (ALL_ELSE, "", one.others, None, None), *map(_way, down)]))


def _way(reason: Reason) -> Way:
    return reason.label, _note(reason), reason.points, reason.low, reason.high


def _walked(start: float, ways: Sequence[Way]) -> Iterator[Step]:
    at = start
    for label, note, moved, low, high in ways:
        yield Step(label, note, moved, low, high, at, at + moved)
        at += moved


def _note(reason: Reason) -> str:
    """`0.4 logins, typical 2.1`, and how old the value is where tracking was down."""
    typical = "" if reason.typical is None else f", typical {shown_value(_near(reason), reason.unit if reason.unit == 'flag' else '')}"
    stale = f"; {counted(reason.stale_days, 'day')} old, as tracking was down" if reason.stale_days else ""
    return f"{shown_value(reason.value, reason.unit)}{typical}{stale}"


def _near(reason: Reason) -> float | str | None:
    """The typical value; nought where it is next to nothing beside the account's own."""
    near, own = reason.typical, reason.value
    return 0.0 if isinstance(near, float) and isinstance(own, float) and abs(near) < NEXT_TO_NOTHING * abs(own) else near


def renewal_claim(one: RenewalRisk) -> str:
    """Of a hundred renewals like this one, about 41 churn (28 to 55)."""
    if one.status == "notice given":
        return "Notice was given: it will not renew as it is, and there is nothing to foretell"
    if not isinstance(one.churn, Estimate):
        return f"The risk of this renewal cannot be told: {CANNOT_TELL.get(one.cannot_tell, 'there is no estimate')}"
    low, point, high = (round(100 * value) for value in (one.churn.low, one.churn.point, one.churn.high))
    return f"Of a hundred renewals like this one, about {point} churn ({low} to {high})"


def carried_claim(one: RenewalRisk) -> str:
    """What carries the risk, as a sentence; empty where there is no probability."""
    if not isinstance(one.churn, Estimate) or one.typical is None:
        return ""
    if not one.reasons:
        return "No single thing sets it apart from a typical renewal that can be told from chance"
    named = [f"{reason.label} ({points(reason.points)})" for reason in leading_reasons(one, 3)]
    return f"Set apart from a typical renewal, {words.percent(one.typical)}, by {words.listed(named)} points"


def waterfall_claim(one: RenewalRisk) -> str:
    """`Weekly users and Sponsor left make most of the step from 11 % to 41 %`, where the interval leaves out what is typical."""
    if not isinstance(one.churn, Estimate) or one.typical is None:
        return "No reasons, as there is no probability"
    ends = f"from {words.percent(one.typical)} to {words.percent(one.churn.point)}"
    moved = one.churn.point - one.typical
    pushing, against = ([r for r in one.reasons if r.points * way * moved > 0] for way in (1, -1))
    pushed, held = (abs(sum(reason.points for reason in some)) for some in (pushing[:2], against))
    if pushing and against and held >= pushed / 2:
        way, other = ("raise", "lower") if moved > 0 else ("lower", "raise")
        return f"{_doing(pushing[:2], way)}, {_doing(against[:2], other)}: {ends}"
    if side_of(one) == "holds" or pushed < abs(moved) / 2:
        return f"Step by step {ends}{'; the interval holds what is typical' if side_of(one) == 'holds' else ''}"
    return f"{_doing(pushing[:2], 'make')} most of the step {ends}"


def _doing(some: Sequence[Reason], verb: str) -> str:
    """`Logins and Tickets raise it`, `Segment lowers it`; what they make stands behind."""
    told = words.listed([reason.label for reason in some])
    return f"{told} {verb}{'s' if len(some) == 1 else ''}{'' if verb == 'make' else ' it'}"


def similar_claim(found: SimilarAccounts) -> str:
    """Of 50 past renewals most like it, 15 churned."""
    churned = sum(one.outcome == "churn" for one in found.renewals)
    part = found.outcomes["churn"]
    share = f", {words.estimated(part, words.SHARE)}" if isinstance(part, Estimate) else ""
    return f"Of {counted(found.n, 'past renewal')} most like it, {words.count(churned)} churned{share}"


def coverage_claim(found: RiskCoverage) -> str:
    """6 of 8 metrics have a value, 1 of them from before an outage."""
    old = f", {words.count(len(found.stale))} of them from before an outage" if found.stale else ""
    has = "has" if found.with_value == 1 else "have"
    return f"{words.count(found.with_value)} of {counted(found.of, 'metric')} {has} a value{old}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def change_of(one: RenewalRisk, earlier: Earlier | None) -> str:
    """`+0.17`, `as before`, `new`, `was cannot tell`; empty where there is nothing to compare."""
    if earlier is None:
        return ""
    then, now = earlier.said(one), one.churn
    if then is None:
        return "new"
    if not isinstance(then, Estimate) or not isinstance(now, Estimate):
        return "" if isinstance(then, Estimate) is isinstance(now, Estimate) else "told now" if isinstance(now, Estimate) else "told then"
    moved = now.point - then.point
    return "as before" if abs(moved) < LEAST_MOVED else words.number(moved, 2, signed=True)


def was(one: RenewalRisk, earlier: Earlier | None) -> str:
    """`P(churn) was 0.24 (0.14-0.38) as of 9 Oct 2026`, or empty."""
    then = earlier.said(one) if earlier is not None else None
    if earlier is None or then is None:
        return ""
    said = f"P(churn) was {words.estimated(then, words.PROBABILITY)}" if isinstance(then, Estimate) else "P(churn) could not be told"
    return f"{said} as of {words.day(earlier.as_of)}"


def decided_since(earlier: Earlier) -> str:
    """`Of the renewals open then, 12 were decided since: 3 churned, 2.4 were foretold`; empty where none was."""
    told = [(then.point, outcome) for then, outcome in earlier.decided if isinstance(then, Estimate) and outcome]
    if not told:
        return ""
    churned, expected = sum(outcome == "churn" for _, outcome in told), words.number(sum(point for point, _ in told), 1)
    decided = f"{words.count(len(told))} {'was' if len(told) == 1 else 'were'} decided since"
    return f"Of the renewals open then, {decided}: {words.count(churned)} churned, {expected} were foretold"


def moved_because(one: RenewalRisk, earlier: Earlier | None) -> str:
    """`Of the change of +0.17, data made +0.12, time +0.03, the model +0.02`; empty where nothing is known of it."""
    parts = None if earlier is None else earlier.parts.get((one.account, one.due))
    if earlier is None or parts is None or all(part is None for part in parts):
        return ""
    named = zip(("new data", "the time that passed", "another model"), parts, strict=True)
    made = [f"{name} {words.number(part, 2, signed=True)}" for name, part in named if part is not None and abs(part) >= LEAST_MOVED]
    return f"Of the change of {change_of(one, earlier)} comes from {words.listed(made)}" if made else ""


def model_claim(model: ModelRecord | NoEstimate) -> str:
    """What may be made of the probabilities, by what the model did on later renewals."""
    if isinstance(model, NoEstimate):
        return f"No model could be fitted: {model.reason}"
    check = model.check
    if check.verdict == "cannot tell" or isinstance(check.slope, NoEstimate):
        return f"Whether its risks come true cannot be told: {check.why}"
    slope = f"calibration slope {words.estimated(check.slope, words.RATIO)}"
    if check.verdict == "not calibrated":
        return f"Its risks did not come true as it said them: {slope}, and no renewal is given one"
    level, near = check.expected_over_observed, "" if check.slope.low <= 1 <= check.slope.high else "nearly "
    if isinstance(level, NoEstimate) or level.low <= 1 <= level.high:
        return f"On later renewals its risks came about {near}as often as it said: {slope}"
    seen = f"it foretold {words.point(level, words.RATIO)} churned for each one seen"
    return f"On later renewals high and low risks lay {near}as far apart as it said, {slope}, but {seen}"


def short_model(model: ModelRecord | NoEstimate) -> str:
    """`calibrated: slope 0.97 (0.81-1.13) on 612 later renewals`."""
    if isinstance(model, NoEstimate):
        return "no model"
    check = model.check
    slope = f": slope {words.estimated(check.slope, words.RATIO)}" if isinstance(check.slope, Estimate) else ""
    return f"{check.verdict}{slope} on {counted(check.n_renewals, 'later renewal')}, of which {words.count(check.n_churned)} churned"


def candidates_claim(model: ModelRecord) -> str:
    """Which of how many was chosen."""
    best = min((one for one in model.candidates if isinstance(one.log_loss, Estimate)), key=_loss, default=None)
    if best is None or best.name == model.chosen:
        return f"Of {counted(len(model.candidates), 'candidate')} {model.chosen} foretold later outcomes best"
    return f"{model.chosen[:1].upper()}{model.chosen[1:]} was chosen: the simplest within one standard error of the best, {best.name}"


def _loss(one: object) -> float:
    value = getattr(one, "log_loss", None)
    return value.point if isinstance(value, Estimate) else float("inf")


def calibration_claim(check: ModelCheck) -> str:
    """What was seen where most was said, against what was said."""
    if not check.bins:
        return "Whether its risks come true cannot be told"
    top = max(check.bins, key=lambda b: b.predicted)
    said, seen = words.percent(top.predicted), words.estimated(top.observed, words.SHARE)
    return f"Of those it gave {said}, the riskiest group, {seen} churned"


def lead_claim(check: ModelCheck) -> str:
    """At how many spans of lead what was said fits what was seen."""
    told = [one.expected_over_observed for one in check.by_lead if isinstance(one.expected_over_observed, Estimate)]
    if not told:
        return "How early it can tell cannot be told"
    fits = sum(one.low <= 1 <= one.high for one in told)
    of = f"all {words.in_words(len(told))}" if fits == len(told) else f"{words.in_words(fits)} of {words.in_words(len(told))}"
    return f"What it said fits what was seen, within the interval, at {of} leads that can be judged"


def terms_claim(model: ModelRecord) -> str:
    """How many of its terms can be told from nothing."""
    told = [term.label for term in sorted(model.terms, key=lambda term: 1.0 if term.p is None else term.p) if term.told]
    if not told:
        return f"Of {counted(len(model.terms), 'term')} none can be told from nothing alone"
    first = f", first of all {told[0]}" if len(told) > 1 else f": {told[0]}"
    return f"Of {counted(len(model.terms), 'term')} {words.in_words(len(told))} can be told from nothing{first}"


def lead_words(low_days: int, high_days: int) -> str:
    """`31 to 60 days`."""
    return f"{words.count(low_days)} to {words.count(high_days)} days"


def cannot_tell_rules(check: ModelCheck | None) -> list[tuple[str, str]]:
    """How `cannot tell` is decided, each rule with its meaning."""
    (low, high) = NEAR_ONE
    state = "" if check is None else f" Here the verdict on the model is: {check.verdict}."
    return [
        (
            "The model as a whole",
            f"Where the 95 % interval of its calibration slope on later renewals neither holds 1 nor lies within {low:g} to {high:g}, "
            f"or too few of them churned for a slope, no renewal is given a probability.{state}",
        ),
        (
            "Lead",
            "The same rule at each lead with enough churn, the intervals of all leads held at once: where it is broken, no renewal "
            "that far ahead is given a probability.",
        ),
        ("Lead and term", f"{CANNOT_TELL['beyond_leads'][:1].upper()}{CANNOT_TELL['beyond_leads'][1:]}."),
        ("Width", f"The interval of P(churn) is wider than {WIDEST_INTERVAL:g}."),
        ("Nothing known", f"{CANNOT_TELL['nothing_known'][:1].upper()}{CANNOT_TELL['nothing_known'][1:]}."),
        ("Notice", "Where notice was given there is a fact, and nothing to foretell."),
    ]
