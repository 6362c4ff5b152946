"""Every field of the performance document: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unspun.reports.document import DATE, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar
from unspun.reports.estimate_fields import always, maybe
from unspun.reports.result_fields import CAUTION
from unspun.risk.performance.result import GROUP_VERDICTS, Comparison, GroupPerformance

SCHEMA_VERSION = "1.0"
_NOT_ESTIMATED = always("no difference between groups could be estimated; `spread_reason` says why")


def _at_due(name: str) -> Callable[[GroupPerformance], Any]:
    return lambda group: None if group.at_due is None else getattr(group.at_due, name)


_NO_CHANGE = always("groups of this kind do not change within a term")
LIMITS = Record(
    "chance_limits",
    "Between which ends chance alone keeps a number at a level, if the group were like the company.",
    (
        Field("level", NUMBER, "Such as 0.95."),
        Field("low", NUMBER, "The lower end."),
        Field("high", NUMBER, "The upper end."),
    ),
)
MONEY = Record(
    "group_money",
    "ARR due in one currency, of renewals that state it.",
    (
        Field("currency", STRING, "Its currency; empty where none is stated."),
        Field("due", NUMBER, "ARR before the renewals, by share."),
        Field("kept", NUMBER, "Of it, ARR of accounts that did not churn."),
        Field("expected", NUMBER, "ARR expected to be kept."),
        Field("difference", NUMBER, "Kept less expected."),
        Field("limits", ListOf(LIMITS), "How far chance alone goes, for `kept`."),
        Field("without_amount", INTEGER, "Renewals of the currency that state no amount."),
    ),
)
GROUP = Record(
    "group",
    "One group. Counts are sums of shares, so that they may be fractions.",
    (
        Field("name", STRING, "Its name."),
        Field("renewals", NUMBER, "Renewals due and decided, each by the share that is the group's."),
        Field("accounts", INTEGER, "Accounts they are of."),
        Field("shared", INTEGER, "Of the renewals, those shared with other groups."),
        Field("renewed", NUMBER, "Renewals that did not churn."),
        Field("expected", NUMBER, "How many would have renewed if all groups were alike."),
        Field("expected_given", NUMBER, "The same as the models foretold it, before it was put right on all renewals."),
        Field("difference", NUMBER, "Renewed less expected."),
        Field("limits", ListOf(LIMITS), "How far chance alone goes, for `renewed`."),
        Field("p", NUMBER, "Two-sided exact p that the group is like the company, allowing for the group being part of it."),
        maybe("effect", "The shrunken difference in the renewal rate of the group's own accounts, a part of 1; above 0 more renew."),
        maybe("odds_ratio", "The same as a ratio of the odds of churn; under 1 more renew."),
        Field("rank_low", INTEGER, "Best rank in 95 of 100 draws, 1 renewing most.", None, _NOT_ESTIMATED),
        Field("rank_high", INTEGER, "Worst rank in 95 of 100 draws.", None, _NOT_ESTIMATED),
        Field("verdict", Scalar("string", tuple(GROUP_VERDICTS)), "What can be told of it."),
        Field("money", ListOf(MONEY), "ARR by currency."),
        Field(
            "renewals_at_due", INTEGER, "Renewals counted whole to who held the account on the due date.", _at_due("renewals"), _NO_CHANGE
        ),
        Field("renewed_at_due", INTEGER, "Of those, renewed.", _at_due("renewed"), _NO_CHANGE),
        Field("expected_at_due", NUMBER, "Of those, expected to renew.", _at_due("expected"), _NO_CHANGE),
    ),
)
FUNNEL_POINT = Record(
    "funnel_point",
    "Limits of the funnel plot, in multiples of the churned that are expected.",
    (
        Field("expected_churned", NUMBER, "Churned expected in a group."),
        Field("limits", ListOf(LIMITS), "Between which multiples chance alone keeps it, for the company's mean risk."),
    ),
)


def _verdicts(comparison: Comparison) -> list[tuple[str, int]]:
    return [(word, sum(one.verdict == word for one in comparison.groups)) for word in GROUP_VERDICTS]


COMPARISON = Record(
    "comparison",
    "Groups of one kind beside each other.",
    (
        Field("by", STRING, "What groups are: owner, segment, cohort, or a column of accounts."),
        Field("renewals", INTEGER, "Renewals that belong to a group."),
        Field("shared", INTEGER, "Of them, those of several groups."),
        Field("without_group", INTEGER, "Renewals that belong to none, and are left out."),
        Field("ranking", STRING, "Whether the groups can be put in an order, as a sentence."),
        Field("pairs", INTEGER, "Pairs of groups."),
        Field("pairs_apart", INTEGER, "Of them, those whose intervals do not overlap."),
        Field("overlapping", INTEGER, "Groups whose interval overlaps another's."),
        Field("verdicts", MapOf(INTEGER), "Groups by verdict.", _verdicts),
        maybe("spread", "Standard deviation between groups, in log odds of churn."),
        Field("differ_p", NUMBER, "Monte Carlo p of groups not differing at all.", None, _NOT_ESTIMATED),
        Field(
            "overdispersion", NUMBER, "Mean squared standardised difference, winsorised; 1 where there is but chance.", None, _NOT_ESTIMATED
        ),
        maybe("intercept", "By how much the log odds foretold had to be moved, on all renewals."),
        maybe("slope", "By what their differences from each other had to be multiplied."),
        Field("cluster_factor", NUMBER, "By what variances were multiplied as outcomes of one customer go together.", None, _NOT_ESTIMATED),
        Field("cautions", ListOf(CAUTION), "What a reader must know."),
        Field("groups", ListOf(GROUP), "Every group, those with most renewals first; cohorts in order of time."),
        Field("funnel", ListOf(FUNNEL_POINT), "The limits of the funnel plot."),
    ),
)


_NO_SINCE = always("all renewals due by the as-of date were asked for")
PERFORMANCE = Record(
    "performance",
    "What one run of `unspun performance` found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", lambda result: result.package_version),
        Field("as_of", DATE, "Nothing known later was read."),
        Field("since", DATE, "Only renewals due from this day on were asked for.", None, _NO_SINCE),
        Field("due", INTEGER, "Renewals due: judged and left out."),
        Field("left_out", MapOf(INTEGER), "Renewals that are not judged, by why."),
        Field("settle_days", INTEGER, "A renewal is judged once it was due for so many days, by when nearly all outcomes are known."),
        Field("renewals", INTEGER, "Renewals judged."),
        Field("accounts", INTEGER, "Accounts they are of."),
        Field("renewed", INTEGER, "Of the renewals, those that did not churn."),
        Field("expected_given", NUMBER, "How many the models foretold to renew, each when its term began."),
        Field("first_due", DATE, "The earliest due date judged.", None, always("none was judged")),
        Field("last_due", DATE, "The latest.", None, always("none was judged")),
        Field("models", INTEGER, "Earlier models that gave expectations, each knowing only what came before it."),
        Field("first_model", DATE, "The day before which the first of them knew everything.", None, always("there was none")),
        Field("candidate", STRING, "Which kind of model: baseline (what the book says of an account) or splines (metrics too)."),
        Field("seed", INTEGER, "Seed of the random numbers."),
        Field("cautions", ListOf(CAUTION), "What a reader must know of all comparisons."),
        Field("comparisons", ListOf(COMPARISON), "One for each way of grouping."),
    ),
)
