"""The fields of a gaming check."""

from __future__ import annotations

from unspun.reports.document import INTEGER, NUMBER, STRING, Field, ListOf, Record, Scalar
from unspun.reports.estimate_fields import ESTIMATE, always, maybe

GAMING_ROW = Record(
    "gaming_row",
    "Where a gaming check points.",
    (
        Field("what", STRING, "What is counted."),
        Field("n", INTEGER, "How many."),
        Field("expected", NUMBER, "How many there would be otherwise.", None, always("nothing to expect")),
        Field("rows", ListOf(INTEGER), "Row numbers of the scores file, the first of them."),
    ),
)
GAMING_POINT = Record(
    "gaming_point",
    "One quarter of the Goodhart curves, by the day on which units are looked at.",
    (
        Field("period", STRING, "The quarter."),
        Field("n", INTEGER, "Units with a score."),
        Field("score", NUMBER, "Their mean score, higher is healthier (turned where lower is)."),
        maybe("renewed", "The share of them that did not churn."),
        Field("implied", NUMBER, "The share the score implied by its relation in the early half.", None, always("no relation fitted")),
    ),
)
GAMING_CHECK = Record(
    "gaming_check",
    "One way a score may have been steered, and what is seen of it: evidence, never an accusation.",
    (
        Field(
            "code",
            Scalar("string", ("bunching", "period_end", "back_dated", "before_reviews", "goodhart_gap")),
            "Which check.",
        ),
        Field("question", STRING, "What it asks."),
        Field("found", Scalar("string", ("evidence", "none seen", "cannot tell")), "evidence: p below 0.01."),
        Field("evidence", STRING, "What is seen, in words; or why nobody can tell and what it would take."),
        Field("measured", STRING, "What the statistic is, in words."),
        maybe("statistic", "The statistic."),
        Field("p", NUMBER, "One-sided p of seeing this in an honest score.", None, always("nobody can tell")),
        Field("n", INTEGER, "Score rows, or units, the check rests on."),
        Field("listed", ListOf(GAMING_ROW), "Where it points."),
        Field("series", ListOf(GAMING_POINT), "The Goodhart curves; empty in other checks."),
        Field("innocent", ListOf(STRING), "Explanations under which the same would be seen."),
        Field("false_alarm", ESTIMATE, "Share of simulated honest histories in which the check saw evidence."),
    ),
)
