"""The rows that retention is judged on, as SQL over the views of a book opened at the as-of date."""

from __future__ import annotations

from unspun.book.retention.question import CURRENCY, RetentionQuestion
from unspun.book.retention.result import FIGURES, unescaped
from unspun.book.sql_words import sql_name, sql_text
from unspun.errors import BadInput, Fault

_SUBSCRIPTIONS = """\
SELECT account_id, started, ended, CAST(CAST(amount AS DECIMAL(38, 4)) * 10000 AS BIGINT) AS amount_units, amount_months, currency, product,
  COALESCE(is_addon, FALSE) AS is_addon, notice, cancelled_on, source_file, source_row
FROM subscriptions
ORDER BY account_id, started, source_file, source_row"""

_PARENTS = """\
SELECT account_id, parent_id FROM accounts
WHERE parent_id IS NOT NULL AND parent_id <> account_id
ORDER BY account_id"""

_DATED = """\
SELECT account_id, {day} AS day, {columns}
FROM accounts_history
WHERE account_id IN (SELECT account_id FROM subscriptions)
QUALIFY row_number() OVER (PARTITION BY account_id, {day} ORDER BY happened_at DESC, known_at DESC, source_file DESC, source_row DESC) = 1
ORDER BY account_id, day"""

_FIXED = """\
SELECT account_id, {columns}
FROM accounts
WHERE account_id IN (SELECT account_id FROM subscriptions)
ORDER BY account_id"""

_RATES = """\
SELECT currency, rate, day FROM rates
WHERE "into" = {into} AND day <= DATE '{as_of}'
QUALIFY row_number() OVER (PARTITION BY currency ORDER BY day DESC, known_at DESC, source_file DESC, source_row DESC) = 1
ORDER BY currency"""


def queries(question: RetentionQuestion) -> dict[str, str]:
    """SQL by name, over the views of a book opened at the end of the as-of date.

    `subscriptions`: the terms, amounts as whole ten-thousandths. `parents`: the hierarchy. `dated` and `fixed`: the columns of accounts
    that the question groups by, as they were said to be from a day on, or once for ever. `rates`: the latest rate of each
    currency on or before the as-of date. Only those that the question needs.
    """
    fixed = [name for name in question.account_columns if name in question.fixed]
    dated = [name for name in question.account_columns if name not in question.fixed]
    asked = {"subscriptions": _SUBSCRIPTIONS, "parents": _PARENTS}
    if dated:
        day = f"CAST(happened_at AT TIME ZONE {sql_text(question.time_zone)} AS DATE)"
        asked["dated"] = _DATED.format(day=day, columns=_as_text(dated))
    if fixed:
        asked["fixed"] = _FIXED.format(columns=_as_text(fixed))
    if question.into is not None:
        asked["rates"] = _RATES.format(into=sql_text(question.into), as_of=question.as_of.isoformat())
    return asked


def _as_text(columns: list[str]) -> str:
    return ", ".join(f"CAST({sql_name(name)} AS VARCHAR) AS {sql_name(name)}" for name in columns)


def rows_sql(question: RetentionQuestion, figure: str) -> str:
    """SQL over the tables of `judge.account_months`: the accounts behind a figure, a row each.

    The column `amount` sums to a figure of money or a count; `kept` / `base`, summed, is a rate. Raises BadInput for an unknown name.
    """
    name, month, group, currency = _parsed(question, figure)
    where = [f"month = {sql_text(month)}"]
    if group is not None:
        where.append(f"{sql_name('by_' + group[0])} = {sql_text(group[1])}")
    if currency is not None:
        where.append(f"currency = {sql_text(currency)}")
    measure, _, what = name.partition(".")
    if measure == "renewals":
        return _select(_RENEWALS, _renewal_amount(what, where), "account_renewals", where)
    return _select(_MONTHS, _month_amount(measure, what, where), "account_months", where)


_MONTHS = "account_id, parent_id, currency, opening, closing, movement, pending"
_RENEWALS = "account_id, parent_id, currency, outcome, arr_before, arr_after"
_KEPT = {
    "grr": "least(opening, closing) AS kept, opening AS base",
    "nrr": "closing AS kept, opening AS base",
    "logo": "CAST(holds AS INTEGER) AS kept, 1 AS base",
}
_COUNTED = {"opening": "held", "closing": "holds", "pending": "pending > 0"}


def _select(columns: str, amount: str, table: str, where: list[str]) -> str:
    return f"SELECT {columns}, {amount}\nFROM {table}\nWHERE {' AND '.join(where)}\nORDER BY account_id"


def _month_amount(measure: str, what: str, where: list[str]) -> str:
    """The column of a figure of `account_months`; adds its conditions."""
    if measure in _KEPT:
        where += ["pair = 'window'", "held", *(["in_money"] if measure != "logo" else [])]
        return _KEPT[measure]
    where += ["pair = 'month'", "in_money", _COUNTED.get(what) or f"movement = {sql_text(what)}"]
    if measure == "accounts":
        return "1 AS amount"
    return f"{what} AS amount" if what in _COUNTED else "abs(closing - opening) AS amount"


def _renewal_amount(what: str, where: list[str]) -> str:
    if what == "logo":
        where.append("outcome <> 'undecided'")
        return "CAST(outcome <> 'churned' AS INTEGER) AS kept, 1 AS base"
    if what == "arr":
        where.append("compared")
        return "arr_renewed AS kept, arr_before AS base"
    where.append(f"outcome = {sql_text(what)}")
    return "1 AS amount"


def _parsed(question: RetentionQuestion, figure: str) -> tuple[str, str, tuple[str, str] | None, str | None]:
    """The parts of a figure's name: what, month, grouping and value, currency."""
    name, *rest = figure.split("/")
    pairs = [(unescaped(key), unescaped(value)) for key, _, value in (part.partition("=") for part in rest[1:])]
    group = next((pair for pair in pairs if pair[0] in question.by), None)
    currency = next((value for key, value in pairs if key == CURRENCY), None)
    if name not in FIGURES or not rest or len(pairs) != (group is not None) + (currency is not None):
        raise BadInput(Fault("unknown_figure", f"'{figure}' is no figure of this question.", "figure", "Such as grr/2023-12."))
    return name, rest[0], group, currency
