"""What a comparison of groups says in sentences. A claim never says more than its intervals carry."""

from __future__ import annotations

from collections.abc import Sequence

from unspun.reports import words
from unspun.reports.words import Style
from unspun.risk.performance.result import Comparison, GroupMoney, GroupPerformance, GroupVerdict, PerformanceResult, plural_of
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

SPREAD = Style(2)
MOST_NAMED = 3
SIGNIFICANT = 0.05
NAMED: dict[GroupVerdict, str] = {"renews more": "renew more", "renews less": "renew less", "cannot tell": "cannot be told"}


def headline(comparison: Comparison) -> str:
    """The sentence that matters: whether any group can be told from the company, and that it is no ranking where it is none."""
    n, nouns = len(comparison.groups), plural(comparison)
    if isinstance(comparison.spread, NoEstimate):
        return f"The {nouns} cannot be compared: {comparison.spread.reason}"
    if not comparison.told:
        return f"None of the {words.count(n)} {nouns} can be told from the company as a whole"
    return f"{words.in_words(comparison.told).capitalize()} of {words.count(n)} {nouns} can be told from the company as a whole"


def told_named(comparison: Comparison) -> list[str]:
    """Which groups can be told, with how they differ: a sentence for those that renew more, and one for those that renew less."""
    parts = []
    for verdict, said in (("renews more", "More renewed than expected"), ("renews less", "Fewer renewed than expected")):
        found = [one for one in comparison.groups if one.verdict == verdict]
        if found:
            names = [f"{words.shorten(one.name, 30)} {points(one.effect)}" for one in found[:MOST_NAMED]]
            others = [f"{len(found) - MOST_NAMED:,} more"] if len(found) > MOST_NAMED else []
            parts.append(f"{said}, in points of the rate: {words.listed([*names, *others])}")
    return parts


def plural(comparison: Comparison) -> str:
    return plural_of(comparison.noun)


def differ_claim(comparison: Comparison) -> str:
    """Whether groups differ at all, and by how much."""
    if isinstance(comparison.spread, NoEstimate) or comparison.differ_p is None:
        return ""
    nouns, spread = plural(comparison), words.estimated(comparison.spread, SPREAD)
    p = words.p_value(comparison.differ_p).replace("<", "under ")
    if comparison.differ_p < SIGNIFICANT:
        return f"Taken together the {nouns} do differ (p {p}): by a standard deviation of {spread} in log odds"
    return f"Chance alone may explain all of it (p {p}); if the {nouns} differ, it is by a standard deviation of {spread} in log odds"


def counted(result: PerformanceResult) -> str:
    """What came beside what was expected, of all."""
    renewals = (
        f"{words.count(result.renewed)} of {words.count(result.renewals)} renewals of {words.count(result.accounts)} accounts renewed"
    )
    return f"{renewals}; the models of the time foretold {words.number(result.expected_given)}"


def put_right(result: PerformanceResult) -> str:
    """That what all share is nobody's difference."""
    gap = result.renewed - result.expected_given
    if abs(gap) < 0.5:
        return ""
    said = f"That {words.number(abs(gap))} {'more' if gap > 0 else 'fewer'} renewed than foretold is shared by all and set down to nobody"
    return f"{said}: groups are put beside the company"


def left_out(result: PerformanceResult) -> list[str]:
    """Renewals that are not judged, and why; due = judged + these."""
    told = [f"{words.count(n)} {'renewal' if n == 1 else 'renewals'} left out: {reason}" for reason, n in result.left_out if n]
    whole = f"Of {words.count(result.due)} renewals due, {words.count(result.renewals)} are judged"
    first = f"; the first earlier model is of {words.day(result.first_model)}" if result.first_model else ""
    return [f"{whole}{first}", *told] if told else []


def multiplicity(comparison: Comparison) -> str:
    """How the number of groups looked at was allowed for."""
    looked = f"{words.count(len(comparison.groups))} {plural(comparison)} were looked at"
    rule = "its shrunken interval leaves out zero and its exact test is rejected at a false discovery rate of 5 % among all of them"
    return f"{looked}: one is called different only where {rule}"


def overdispersion(comparison: Comparison) -> str:
    """How far groups scatter beside what chance alone gives."""
    if comparison.overdispersion is None:
        return ""
    times = words.number(comparison.overdispersion, 2)
    return f"squared differences are {times} times what chance alone gives (1 is chance; the outermost tenths are drawn in)"


def points(value: MaybeEstimate) -> str:
    """A difference of rates in percentage points, with its interval: `+2.7 (1.3 to 4.1)`."""
    if not isinstance(value, Estimate):
        return "no estimate"
    return f"{points_alone(value)}{words.NBSP}{points_between(value)}"


def points_alone(value: Estimate) -> str:
    return words.number(100 * value.point, _decimals(value), signed=True)


def points_between(value: Estimate) -> str:
    """The interval of `points`."""
    low, high = (words.number(100 * end, _decimals(value)) for end in (value.low, value.high))
    return f"({low}{words.NBSP}to{words.NBSP}{high})"


def _decimals(value: Estimate) -> int:
    """One, and another where an end would be rounded onto zero."""
    return 2 if any(abs(end) < 0.0005 for end in (value.low, value.high)) else 1


def article(noun: str) -> str:
    """`an owner`, `a segment`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def chance_of(money: GroupMoney) -> str:
    """How far chance alone carries the ARR beyond expectation, in 95 of 100 cases."""
    ends = (end - money.expected for end in (money.limits[0].low, money.limits[0].high))
    low, high = (words.money_short(end, money.currency or None) for end in ends)
    return f"{low} to {high}"


def amount(value: float) -> str:
    """A count that may be a fraction."""
    return words.number(value, 0 if abs(value - round(value)) < 0.005 or abs(value) >= 999.5 else 1)


def difference(value: float) -> str:
    return words.number(value, 1, signed=True)


def rank(group: GroupPerformance) -> str:
    """`3 to 41`; "" where there is none."""
    if group.rank_low is None or group.rank_high is None:
        return ""
    same = group.rank_low == group.rank_high
    return str(group.rank_low) if same else f"{group.rank_low} to {group.rank_high}"


def drawn_out(comparison: Comparison, least: float) -> int:
    """Groups with too few churned expected to have a place in the funnel."""
    return sum(one.expected_churned < least for one in comparison.groups)


def handed_over(comparison: Comparison) -> str:
    """How many renewals several groups share."""
    if not comparison.shared:
        return ""
    some = f"{words.count(comparison.shared)} of {words.count(comparison.renewals)} renewals"
    return f"{some} were held by several {plural(comparison)} within their term and are shared by days"


def named(groups: Sequence[GroupPerformance]) -> list[GroupPerformance]:
    """Those whose names stand in the funnel: the ones that can be told, or all where they are few."""
    return [one for one in groups if one.verdict != "cannot tell"] or (list(groups) if len(groups) <= MOST_NAMED * 2 else [])
