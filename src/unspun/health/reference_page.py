"""The reference of scores.yml, printed from what its reading uses (docs/reference/scores-yml.md)."""

from __future__ import annotations

from collections.abc import Iterable

from unspun.health.definition import LARGEST_POINTS, LARGEST_WEIGHT, MOST_BANDS, MOST_INPUTS, MOST_KNOTS, MOST_SCORES, POINT_DIGITS
from unspun.health.fields import FILE_FIELDS, GROUP_FIELDS, INPUT_FIELDS, MISSING_FIELDS, SCORE_FIELDS
from unspun.health.formula import INPUT_REASONS, NOT_LISTED, REASONS

EXAMPLE = """scores:
  health:
    name: Health
    description: Whether the account uses what it pays for, without trouble.
    owner: CS operations
    digits: 1
    groups:
      usage:
        weight: 60
        metrics:
          logins_per_seat: {weight: 2, points: {0: 0, 5: 60, 20: 100}}
          active_days_28d: {weight: 1, points: {10: 0, 28: 100}}
      support:
        weight: 40
        metrics:
          open_tickets: {steps: {0: 100, 1: 70, 5: 0}}
          support_plan: {values: {premium: 100, basic: 60}, otherwise: 40}
    bands: {red: 0, yellow: 40, green: 70}
    missing: {least_weight: 50 %}
  adoption:
    digits: 0
    range: [0, 10]
    metrics:
      active_days_28d: {points: {0: 0, 28: 10}}
      single_sign_on: {values: {true: 10, false: 0}}
"""
INTRODUCTION = """# scores.yml

Generated from what its reading uses; a test keeps this page equal to it.

`scores.yml` says what a health score is made of: metrics of [metrics.yml](metrics-yml.md), how their values become points, and what each
weighs. A score is published with this formula. Higher is healthier. How to go about it:
[declare a health score](../how-to/health-score.md). All that is wrong with the file is told at once, each with its line.
`unspun schema scores` prints a JSON Schema of it for editors.
"""
BOUNDS = f"""A file has at most {MOST_SCORES} scores, a score at most {MOST_INPUTS} metrics, each once, and {MOST_BANDS} bands.
A score needs `groups` or `metrics`, and an id that no metric has.
"""
SCALES = f"""Each metric has exactly one of `points`, `steps` and `values`. Values are compared as 64-bit floating-point numbers, the
numbers of the file too; of a metric that is a number, `values` are found by the number as it is written. Up to {MOST_KNOTS} values may
have points, at most {LARGEST_POINTS:,} and with up to {POINT_DIGITS} decimals; weights are above 0 and at most {LARGEST_WEIGHT:,}. A day
has no points: declare a metric of the days since.

| | below the first | between two | above the last |
|---|---|---|---|
| `points: {{0: 0, 5: 60, 20: 100}}` | 0 | a straight line: 12.5 has 80 points | 100 |
| `steps: {{0: 100, 1: 70, 5: 0}}` | 100 | those of the lower: 4 has 70 points | 0 |
"""
FORMULA = f"""## The formula

1. The value of each metric becomes points, rounded half to even to {POINT_DIGITS} decimals.
2. A metric weighs its weight by that of all metrics of its group that have a value, times the weight of its group by that of all groups
   that have a value. So the weights that count add up to 1.
3. The score is the sum of weight times points, rounded once, half to even, to `digits` decimals. Nothing before is rounded: weights are
   fractions of whole numbers.
4. A metric contributes its weight times its points, rounded down to `digits` decimals; what is then short of the score is added to the
   metrics of which most was cut, one unit of the last digit each, the earlier declared first. So the contributions add up to the score to
   the last digit.
5. The band is that of the published score.

With the file above, an account with 5 logins per seat (60 points), no active days that can be told, one open ticket (70) and no support
plan stated has the score 60 % x 60 + 40 % x 70 = 64.0: within its group each of the two metrics that are there weighs all of it.
"""
MISSING = """## What is missing

A metric without a value is left out and shown with its reason. It is never counted as 0, as the mean or as neutral. An input has the reason
of its metric, or:
"""
NO_SCORE = """There is no score where metrics with less than `least_weight` of the declared weight have a value. Its reason is
that the account is no customer (`before_birth`, `after_churn`), or what all its metrics lack their value for, where that is one reason;
else:
"""


def scores_reference() -> str:
    """The page as Markdown."""
    parts = [
        INTRODUCTION,
        f"```yaml\n{EXAMPLE}```\n",
        _fields("## The file", FILE_FIELDS.items()),
        _fields("## A score", SCORE_FIELDS.items()),
        BOUNDS,
        _fields("### A group", GROUP_FIELDS.items()),
        _fields("### A metric of a score", INPUT_FIELDS.items()),
        SCALES,
        FORMULA,
        MISSING,
        _fields("", [(NOT_LISTED, INPUT_REASONS[NOT_LISTED])], "Reason"),
        NO_SCORE,
        _fields("", REASONS.items(), "Reason"),
        _fields("`missing` takes:", MISSING_FIELDS.items()),
    ]
    return "\n".join(parts)


def _fields(title: str, fields: Iterable[tuple[str, str]], head: str = "Word") -> str:
    lines = [title, ""] if title else []
    return "\n".join([*lines, f"| {head} | |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in fields), ""])
