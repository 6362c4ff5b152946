"""The words of metrics.yml and what each means: what the reader takes, the schema offers and the reference page prints."""

from __future__ import annotations

import re

FILE_FIELDS = {
    "sources": "what may be said of accounts and days without rows, by table; what is usual where it is left out",
    "metrics": "the metrics, each by its id: a to z, digits and single underscores, a letter first, 60 at most",
}
SOURCE_FIELDS = {
    "covers": "`every account`: an account without a row had none, which is 0. `seen accounts`: an account has no value until it appears "
    "in the table. Events cover seen accounts, every other table covers every account, where it is left out",
    "silent_days": "after so many days on which nobody had a row, the table counts as not filled, and no metric of it has a value; `null`: "
    "it never does. 7 for events, `null` for every other table, where it is left out",
}
COVERS = {"every account": True, "seen accounts": False}
METRIC_FIELDS = {
    "name": "how it is called in reports; its id where it is left out",
    "description": "what it measures and what it is for, in words. Every metric needs one",
    "unit": "what it counts: `logins`, `days`, `EUR a year`",
    "direction": "which is the healthier: `higher`, `lower`, or `neutral` where it is not said (this where it is left out)",
    "reference": "where the definition comes from: a page, a paper, a decision",
    "owner": "who answers for it",
}
BY_FIELDS = {
    "column": "a column of the rows that are measured",
    "values": "a list of values, the ids made of them, or a mapping of the ends of ids to values or lists of them: "
    "`[web, iOS]`, `{web: web, mobile: [iOS, Android]}`",
    "other": "`true`: one metric more, of all other rows, those without a value among them",
}
ROWS_FIELDS = {
    "where": "conditions on the rows; all rows where it is left out",
    "window": "the days it looks at, back from the as-of date: `28d`, `4w`, `3mo`, `month`, `quarter`, `year`, `last month`, "
    "`last quarter`, `last year`, `contract` or `lifetime` (this where it is left out)",
}
MEASURE_KINDS = {
    "count": "how many rows: a table",
    "sum": "the sum of a column: `table.column`",
    "average": "the mean of a column's cells that are not empty: `table.column`",
    "min": "the least number or first day of a column: `table.column`",
    "max": "the greatest number or last day of a column: `table.column`",
    "distinct": "how many different values a column has: `table.column`",
    "active_days": "on how many days there was a row: a table",
    "user_days": "on how many days each value of a column had a row, added up over the values: `table.column`",
    "last": "what a column held in the last row in which it is not empty: `table.column`",
    "days_since_last": "days from the last row to the as-of date: a table",
    "days_since_first": "days from the first row to the as-of date: a table",
    "median": "the median of a column's cells that are not empty: `table.column`",
    "percentile": "a percentile of a column's cells that are not empty: `{of: table.column, q: 0.9}`",
    "days_to_first": "time to value: days from the account's start, or with `window: contract` its term's, to the first row: a table",
    "streak": "how many days, or weeks, in a row had a row: a table, or `{of, run, every, grace}`",
    "time_between": "how many days lie between days with a row: a table, or `{of, as}`",
    "funnel": "how far an account came through steps in order: `{of, steps, within, as}`",
}
TERMS = "subscriptions"
"""The table whose rows are terms, which end."""
STANDING_KINDS = {
    "open": "how many subscriptions run, tickets are open or contacts there are on the as-of date; with `table.column`, the sum of that "
    "column over them. Takes `where`, and no window",
    "attribute": "a column of accounts, as it was stated last by the as-of date",
    "arr": "annual recurring revenue on the as-of date: `arr: true`",
    "seats": "seats on the as-of date: `seats: true`",
    "days_to_end": "days from the as-of date to the next end of a base term that runs: `days_to_end: subscriptions`",
    "value": "a number",
}
DERIVED_KINDS = {
    "metric": "the value of another metric, by its id",
    "ratio": "one by the other: `[a, b]` or `{of: a, by: b}`",
    "add": "the sum of several: a list",
    "subtract": "the first less the second: `[a, b]`",
    "multiply": "the product of several: a list",
    "before": "what it was so many days earlier, by what is known on the as-of date: `{of, days}`",
    "change": "now less what it was so many days earlier: `{of, days, as}`",
    "trend": "the slope per step of the line through several values, the last on the as-of date: `{of, steps, every}`",
    "share": "a measure over the rows that fit a further condition, by the same measure over all its rows: `{of, where}`",
    "per_seat": "a series by the seats on the as-of date",
    "per_arr": "a series by the annual recurring revenue on the as-of date",
    "z_score": "how many standard deviations it lies above the mean of its peers: a series, or `{of, within}`",
    "case": "the value of the first case whose criteria all hold: a list of `{when, then}`, the last of which may be `{otherwise}`",
}
KINDS = {**MEASURE_KINDS, **STANDING_KINDS, **DERIVED_KINDS}
"""Of these a metric, or a series within one, has exactly one."""
WITH_WHERE = (*MEASURE_KINDS, "open")
WITH_WINDOW = tuple(MEASURE_KINDS)
OF_A_COLUMN = ("sum", "average", "min", "max", "distinct", "user_days", "last", "median", "percentile")
ELAPSED_FIELDS = {
    "of": "a table",
    "from": "the column, of instants or days, with which it starts",
    "to": "the column with which it ends",
    "unit": "`minutes`, `hours` (this where it is left out) or `days`",
}
"""In place of `table.column`: the time from one cell of a row to another."""
OF_ELAPSED = {"sum": "sum", "average": "average", "min": "minimum", "max": "maximum", "median": "quantile", "percentile": "quantile"}
PART_FIELDS: dict[str, dict[str, str]] = {
    "percentile": {"of": "`table.column`", "q": "between 0 and 1, with at most four decimals: 0.9 for the 90th percentile"},
    "streak": {
        "of": "a table",
        "run": "`longest` (this where it is left out), or `current`: the one that ends on the last day of the window",
        "every": "`day` (this where it is left out), or `week`, Monday to Sunday",
        "grace": "`true`: the current run may also have ended on the day, or in the week, before",
    },
    "time_between": {"of": "a table", "as": "`average` (this where it is left out), or `median`"},
    "funnel": {
        "of": "a table",
        "steps": "a list of 2 to 20 conditions, in their order, each as in `where`",
        "within": "how many days after the first step the others may lie: `14`, `14d` or `2w`; any number where it is left out",
        "as": "`steps`, how many were reached (this where it is left out), or `days` from the first to the last",
    },
    "ratio": {"of": "the numerator", "by": "the denominator"},
    "before": {"of": "a series", "days": "how many days earlier: `28`, `28d` or `4w`"},
    "change": {
        "of": "a series",
        "days": "how many days earlier: `28`, `28d` or `4w`",
        "as": "`difference` (this where it is left out), or `ratio`: by what it was then",
    },
    "trend": {"of": "a series", "steps": "how many values, 3 to 24", "every": "days between them: `28`, `28d` or `4w`"},
    "share": {"of": "a measure written out: `count`, `sum`, `distinct`, `active_days` or `user_days`", "where": "the further condition"},
    "z_score": {"of": "a series", "within": "a column of accounts that says who is compared with whom; all accounts where it is left out"},
    "case": {
        "when": "criteria that must all hold: `{metric: value}`, or a list of `{of: series, above: 3}`",
        "then": "the value where they hold",
        "otherwise": "the value where no case holds; without it there is none",
    },
}
CONDITION_FIELDS = {
    "is": "the cell is the value, or one of a list; a column with a plain value or list means the same",
    "not": "the cell is not the value, nor one of a list; an empty cell is not either",
    "above": "the cell is above a number or a day",
    "below": "the cell is below a number or a day",
    "at_least": "the cell is a number or a day, or above it",
    "at_most": "the cell is a number or a day, or below it",
    "between": "the cell lies from the first to the second of `[a, b]`, both included",
    "empty": "`true`: the cell is empty; `false`: it is not",
    "starts_with": "the text starts with this; case counts",
    "ends_with": "the text ends with this; case counts",
    "contains": "the text contains this; case counts",
}
LOGIC_FIELDS = {
    "all": "a list of conditions that must all hold",
    "any": "a list of conditions of which one must hold",
    "not": "a condition that must not hold",
    "column": "a column by its name, for one that is called `all`, `any`, `not` or `column`: `{column: all, is: 3}`",
}
CRITERION_FIELDS = {name: CONDITION_FIELDS[name] for name in ("is", "above", "below", "at_least", "at_most")}
WINDOW = re.compile(r"([0-9]{1,9})(d|w|mo)")
DAYS = re.compile(r"([0-9]{1,9})(d|w)")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PERIOD_WINDOWS = ("month", "quarter", "year", "last month", "last quarter", "last year", "contract", "lifetime")
