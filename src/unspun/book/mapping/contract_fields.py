"""The words of `contracts` in book.yml and what each means: what the reader takes, the schema offers and the reference page prints."""

from __future__ import annotations

import re

from unspun.book.mapping.contract_definition import Form

CONTRACTS = "what must hold of the tables of the book, by table; `unspun check` tells what does not"
CONTRACT_FIELDS = {
    "columns": "rules on the cells of columns, by column: the words of the next table, or a list of such entries where severities differ",
    "unique": "columns (a list of lists where there are several rules, or entries with `columns`) of which no two rows have the same "
    "values; rows in which one of them is empty are not compared",
    "freshness": "how old the newest row may be",
    "volume": "how many rows a day, week, month or load has",
    "severity": "`error` (where it is left out), `warning` or `note`: of the rules that give none",
    "why": "why it is asked, for those who read the finding",
}
RULE_FIELDS = {
    "severity": "`error`, `warning` or `note`; the table's where it is left out",
    "why": "why it is asked, for those who read the finding",
}
ALLOWED = "the share of rows that may fail, as `0.02` or `2 %`; none where it is left out"
COLUMN_RULES = {
    "type": "what every cell reads as: a kind, or `email`, `url`, `uuid`, `currency` (ISO 4217)",
    "required": "`true`: no cell is empty. The other rules pass over empty cells",
    "matches": "a regular expression (RE2) that the whole text matches",
    "min": "least number, or earliest day: `2020-01-31`, `today`, `today - 30 days` (weeks, months, years). Times count by their day "
    "in the book's zone",
    "max": "greatest number, or latest day",
    "one_of": "the values that there are: texts, or numbers",
    "min_length": "fewest characters",
    "max_length": "most characters",
    "references": "`table.column` in which every value stands",
    "allowed": ALLOWED,
    **RULE_FIELDS,
}
UNIQUE_FIELDS = {"columns": "the columns", "allowed": ALLOWED, **RULE_FIELDS}
FRESHNESS_FIELDS = {
    "within": "the greatest age: `36 hours`, `2 days`, `1 week`",
    "dated": "by when a row `happened` (this where it is left out) or was `known`; rows dated after the check do not count",
    "by": "a column: the newest row of each of its values (each event, each feed)",
    **RULE_FIELDS,
}
VOLUME_FIELDS = {
    "per": "`day`, `week` (from Monday), `month`, in which rows happened; or `load`, which added them or changed them",
    "min": "fewest rows of a period; a period without rows counts as none",
    "max": "most rows of a period",
    "factor": "how many times the median of the periods before it a period may have, or how many times less. A day is compared with the "
    "same weekday. Told from the fifth period on",
    "periods": "periods that the median is of; 8 where it is left out",
    "weekdays": "the days that count, such as `[monday, friday]`, for `per: day`; all where it is left out",
    "last": "only so many of the latest complete periods are judged; all where it is left out",
    **RULE_FIELDS,
}
FORMS: dict[Form, str] = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s.]+",
    "url": r"https?://[^\s/]+\S*",
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "currency": r"[A-Z]{3}",
}
"""What cells of a form look like; currencies must be among the ISO codes besides."""

SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,9})?) ?%")
AGE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) (hour|day|week)s?")
RELATIVE_DAY = re.compile(r"today(?: ([+-]) ([0-9]{1,3}) (day|week|month|year)s?)?")
DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
TARGET = re.compile(r"[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}")
HOURS = {"hour": 1, "day": 24, "week": 168}
MOST_ROWS = 10**12
MOST_PERIODS = 1_000
LONGEST_LENGTH = 1_000_000
