"""The reference of metrics.yml, printed from what its reading uses (docs/reference/metrics-yml.md)."""

from __future__ import annotations

from collections.abc import Iterable

from unspun.metrics.fields import (
    BY_FIELDS,
    CONDITION_FIELDS,
    DERIVED_KINDS,
    ELAPSED_FIELDS,
    FILE_FIELDS,
    LOGIC_FIELDS,
    MEASURE_KINDS,
    METRIC_FIELDS,
    PART_FIELDS,
    ROWS_FIELDS,
    SOURCE_FIELDS,
    STANDING_KINDS,
)
from unspun.metrics.forms import DEEPEST
from unspun.metrics.metric import MOST_METRICS
from unspun.metrics.missing import REASONS
from unspun.metrics.nesting import DEEPEST_THROUGH, MOST_READINGS
from unspun.metrics.nodes import DATED_TABLES
from unspun.metrics.windows import MOST_DAYS, MOST_MONTHS

EXAMPLE = """sources:
  events: {covers: seen accounts, silent_days: 14}
metrics:
  logins_28d:
    name: Logins
    description: How often anybody of the account logged in.
    unit: logins
    direction: higher
    owner: CS operations
    count: events
    where: {event: [login, sso_login]}
    window: 28d
  users_28d:
    description: People who did something of value; views alone do not count.
    distinct: events.user_id
    where:
      not: {event: {starts_with: view_}}
      value: {at_least: 1}
    window: 28d
  logins_per_seat:
    description: Logins by the seats that are paid for.
    per_seat: logins_28d
  logins_change:
    description: Logins by those of the 28 days before, less one.
    change: {of: logins_28d, days: 28d, as: ratio}
  urgent_share:
    description: The share of the last quarter's tickets that were urgent.
    share:
      of: {count: tickets, window: last quarter}
      where: {priority: {is: urgent}}
  usage:
    description: Use in words, by logins and people.
    case:
      - {when: {logins_28d: {above: 20}, users_28d: {at_least: 3}}, then: 2}
      - {when: {logins_28d: {above: 0}}, then: 1}
      - {otherwise: 0}
  usage_z:
    description: How use lies beside that of other accounts of the segment.
    z_score: {of: logins_28d, within: segment}
"""
INTRODUCTION = """# metrics.yml

Generated from what its reading uses; a test keeps this page equal to it.

`metrics.yml` says what is measured of each account. A metric names no date: it is computed as of any, and reads nothing that happened
later or was not known by then. What each kind computes, with worked tables: [the metric language](metric-language.md). How to go about
it: [declare metrics](../how-to/metrics.md). All that is wrong with the file is told at once, each with its line.
`unspun schema metrics` prints a JSON Schema of it for editors.
"""
KINDS = f"""## What is measured

Each metric has exactly one of these words. Rows are measured in {", ".join(f"`{name}`" for name in DATED_TABLES)}. Columns are those of
the book, your own ones too; of `table.column` the first dot parts the two.
"""
ELAPSED = """#### The time from one cell to another

`sum`, `average`, `min`, `max`, `median` and, with `q`, `percentile` may be of the time that lies between two cells of a row, in place of a
column: `median: {of: tickets, from: opened, to: closed, unit: hours}`. Rows in which either is empty do not count.
"""
BY = """#### by

Beside a measure of rows, and beside `open`, may stand `by`: a column that the rows are told apart by. The metric stays, over all rows, and
for each value there is one more, of the rows that have it: `logins_28d` with `by: {column: platform, values: [web, iOS app], other: true}`
makes `logins_28d_web`, `logins_28d_ios_app` and `logins_28d_other` besides. These are listed, explained and named like any other metric.
"""
DERIVED = f"""### From other series

Wherever a series stands, it is a metric's id, a number, or a mapping with one of the words of this page, as in
`{{count: tickets, window: 90d}}`. A metric may not be made of itself, however far around. `before`, `change` and `trend` may not be of
`arr`, of one another, of `z_score` or of a window since contract start, also not through other metrics; a `z_score` may not be of another.
One metric takes at most {DEEPEST} levels of the file, nests at most {DEEPEST_THROUGH} deep through the metrics that it names, and is
made of at most {MOST_READINGS:,} values of the book. A file has at most {MOST_METRICS:,} metrics.
"""
WINDOWS = f"""## Windows

Days are calendar days in the book's time zone, and the as-of date is the last of them. At most {MOST_DAYS:,} days or {MOST_MONTHS:,}
months.

| Window | Days as of 31 May 2026 |
|---|---|
| `28d` | 4 May to 31 May |
| `4w` | the same: 28 days |
| `3mo` | 1 March to 31 May: from the day after the same day three months earlier, or after that month's last day |
| `month`, `quarter`, `year` | from the first day of the calendar month, fiscal quarter or fiscal year, to 31 May |
| `last month`, `last quarter`, `last year` | the whole one before: `last month` is 1 April to 30 April |
| `contract` | from the first day of the account's current base term |
| `lifetime` | all days |
"""
CONDITIONS = """## Conditions

`where` is a mapping of columns. All of its lines must hold. A value or a list of values must be in the cell; for anything else a
column has a mapping of these tests, which must all hold:
"""
VALUES = """Texts are compared sign by sign: case counts, nothing is trimmed, and whatever stands in quotes is data. A comparison with an
empty cell does not hold, so its negation does. Numbers and days are written as they are (`2026-01-31`), and a time counts by its day in
the book's zone. Where text and days could be confused, as in a list of values of an own column of days, a day is written
`{day: 2026-01-31}`.
"""
MISSING = """## Where there is no value

Missing is not zero. A metric without a value for an account and date says why, in the column `<id>__missing`:
"""


def metrics_reference() -> str:
    """The page as Markdown."""
    parts = [
        INTRODUCTION,
        f"```yaml\n{EXAMPLE}```\n",
        _fields("## The file", FILE_FIELDS.items()),
        _fields("## A metric", METRIC_FIELDS.items()),
        KINDS,
        _fields("### Measures of rows", MEASURE_KINDS.items()),
        _fields("Beside them may stand:", ROWS_FIELDS.items()),
        *(_fields(f"#### {kind}", words.items()) for kind, words in PART_FIELDS.items() if kind in MEASURE_KINDS),
        ELAPSED,
        _fields("", ELAPSED_FIELDS.items()),
        BY,
        _fields("", BY_FIELDS.items()),
        _fields("### What stands on a date", STANDING_KINDS.items()),
        DERIVED,
        _fields("", DERIVED_KINDS.items()),
        *(_fields(f"#### {kind}", words.items()) for kind, words in PART_FIELDS.items() if kind not in MEASURE_KINDS),
        WINDOWS,
        CONDITIONS,
        _fields("", CONDITION_FIELDS.items()),
        _fields("In place of a column may stand:", LOGIC_FIELDS.items()),
        VALUES,
        _fields("## Sources", SOURCE_FIELDS.items()),
        MISSING,
        _fields("", REASONS.items(), "Reason"),
    ]
    return "\n".join(parts)


def _fields(title: str, fields: Iterable[tuple[str, str]], head: str = "Word") -> str:
    lines = [title, ""] if title else []
    return "\n".join([*lines, f"| {head} | |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in fields), ""])
