"""Rules on the cells of columns: all those of a table are asked in one scan, but patterns of the different texts of a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from unspun.book.checks.contracts_words import (
    breaks,
    broken,
    given_sql,
    kind_held,
    origins,
    row_columns,
    sql_instant,
    start_of_day,
)
from unspun.book.checks.finding import Finding
from unspun.book.checks.running import today
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted
from unspun.book.currencies import ISO_CODES
from unspun.book.entities import Kind
from unspun.book.mapping.contract_definition import NUMBERS, ColumnRule, DayBound
from unspun.book.mapping.contract_fields import FORMS
from unspun.book.outcomes import NO, YES
from unspun.book.sql_words import sql_day, sql_name, sql_text

_DAY = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
READS_AS: dict[str, str] = {
    "whole": "[+-]?[0-9]{1,18}",
    "number": r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?",
    "money": r"[+-]?[0-9]{1,14}(\.[0-9]{1,4}0*)?",
    "day": _DAY,
    "instant": rf"{_DAY}([T ]{_CLOCK} ?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?",
    **FORMS,
}
"""How text reads as a kind or a form, blanks around it aside; a day must also be one of the calendar."""
CURRENCIES = tuple(ISO_CODES.split())
FORM_WORDS = {
    "text": "text", "whole": "a whole number", "number": "a number", "money": "an amount of money", "day": "a day (2026-01-31)",
    "instant": "a time (2026-01-31T12:00:00Z)", "flag": "yes or no", "email": "an e-mail address", "url": "a URL", "uuid": "a UUID",
    "currency": "an ISO 4217 code",
}  # fmt: skip


def columns_sql(shape: BookShape, table: str, rules: Sequence[ColumnRule]) -> tuple[str, ...]:
    """The aggregates of a scan of the table: of the rule at position i, `r<i>` rows at fault and `g<i>` rows that it is asked of."""
    return tuple(
        part
        for i, rule in enumerate(rules)
        for part in (
            f"count(*) FILTER ({fault_sql(shape, table, rule)}) AS r{i}",
            f"count(*) FILTER ({_asked_sql(shape, table, rule)}) AS g{i}",
        )
    )


def is_of_words(shape: BookShape, table: str, rule: ColumnRule) -> bool:
    """Whether the rule holds text against a pattern: that is slow, so it is asked once of each different text."""
    return rule.rule == "matches" or (rule.rule == "type" and kind_held(shape, table, rule.column) == "text")


def words_sql(shape: BookShape, table: str, rule: ColumnRule) -> str:
    """As `columns_sql` for one rule, at position 0, from the different texts of its column and how many rows have each."""
    name = sql_name(rule.column)
    return (
        f"SELECT CAST(coalesce(sum(n) FILTER ({fault_sql(shape, table, rule)}), 0) AS BIGINT) AS r0, "
        f"CAST(coalesce(sum(n) FILTER ({_asked_sql(shape, table, rule)}), 0) AS BIGINT) AS g0 "
        f"FROM (SELECT {name}, count(*) AS n FROM {sql_name(table)} GROUP BY {name})"
    )


def column_findings(shape: BookShape, table: str, rules: Sequence[ColumnRule], found: Mapping[str, Any]) -> Iterator[Finding]:
    """The rules that do not hold, from the row of aggregates."""
    for i, rule in enumerate(rules):
        count, of = int(found[f"r{i}"]), int(found[f"g{i}"])
        if breaks(count, of, rule):
            yield _finding(shape, table, rule, count, of)


def _finding(shape: BookShape, table: str, rule: ColumnRule, count: int, of: int) -> Finding:
    things = f"rows of {table}" if rule.rule == "required" else f"values of {table}.{rule.column}"
    where = origins(shape, table, rule.column)
    verb = "Fill" if rule.rule == "required" else "Correct"
    return broken(
        table,
        rule,
        (count, of, "rows"),
        f"{counted(count, of, things)} {_said(shape, rule)}.",
        f"{verb} {where} and load it again.",
        f"SELECT {row_columns(shape, table, rule.column)} FROM {sql_name(table)} WHERE {fault_sql(shape, table, rule)} "
        "ORDER BY source_file, source_row",
    )


def _said(shape: BookShape, rule: ColumnRule) -> str:
    wanted, by_day = rule.wanted, isinstance(rule.wanted, DayBound)
    bound = wanted.on(today(shape)).isoformat() if isinstance(wanted, DayBound) else wanted
    return {
        "required": f"have no {rule.column}",
        "type": f"do not read as {FORM_WORDS.get(str(wanted), wanted)}",
        "matches": f"do not match '{wanted}'",
        "min": f"are {'before' if by_day else 'below'} {bound}",
        "max": f"are {'after' if by_day else 'above'} {bound}",
        "one_of": f"are none of {', '.join(map(str, wanted)) if isinstance(wanted, tuple) else wanted}",
        "min_length": f"have fewer than {wanted} characters",
        "max_length": f"have more than {wanted} characters",
    }[rule.rule]


def _asked_sql(shape: BookShape, table: str, rule: ColumnRule) -> str:
    return "true" if rule.rule == "required" else given_sql(rule.column, kind_held(shape, table, rule.column))


def fault_sql(shape: BookShape, table: str, rule: ColumnRule) -> str:
    """The condition that a row breaks the rule; never NULL."""
    kind = kind_held(shape, table, rule.column)
    given = given_sql(rule.column, kind)
    if rule.rule == "required":
        return f"NOT {given}"
    return f"({given} AND NOT coalesce({_holds_sql(shape, rule, kind)}, false))"


def _holds_sql(shape: BookShape, rule: ColumnRule, kind: Kind) -> str:
    name, wanted = sql_name(rule.column), rule.wanted
    if rule.rule == "type":
        return _type_sql(name, str(wanted), kind)
    if rule.rule == "matches":
        return f"regexp_full_match({name}, {sql_text(str(wanted))})"
    if rule.rule == "one_of" and isinstance(wanted, tuple):
        return f"{name} IN ({', '.join(sql_text(one) if isinstance(one, str) else repr(one) for one in wanted)})"
    if rule.rule in ("min_length", "max_length"):
        return f"length({name}) {'>=' if rule.rule == 'min_length' else '<='} {wanted}"
    sign = ">=" if rule.rule == "min" else "<="
    if not isinstance(wanted, DayBound):
        return f"{name} {sign} {wanted!r}"
    day = wanted.on(today(shape))
    if kind == "day":
        return f"{name} {sign} {sql_day(day)}"
    if rule.rule == "min":
        return f"{name} >= {sql_instant(start_of_day(shape, day))}"
    return f"{name} < {sql_instant(start_of_day(shape, day + timedelta(days=1)))}"


def _type_sql(name: str, wanted: str, kind: Kind) -> str:
    """That a cell of a column of one kind reads as another kind or form."""
    if kind in NUMBERS:
        return f"{name} = trunc({name})" if wanted == "whole" else "true"
    if kind == wanted:
        return "true"
    bare = f"trim({name})"
    if wanted == "flag":
        return f"lower({bare}) IN ({', '.join(sql_text(word) for word in sorted(YES | NO))})"
    reads = f"regexp_full_match({bare}, {sql_text(READS_AS[wanted])})"
    if wanted in ("day", "instant"):
        return f"({reads} AND TRY_CAST(left({bare}, 10) AS DATE) IS NOT NULL)"
    if wanted == "currency":
        return f"{bare} IN ({', '.join(map(sql_text, CURRENCIES))})"
    return reads
