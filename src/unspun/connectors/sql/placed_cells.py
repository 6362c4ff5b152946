"""Cells of a company's own Postgres as values of the book, said in its SQL: what a reading of the same columns would make of them.

What holds for typed columns only is said; a column of which a reading would have to look at each cell (dates as text, amounts with signs)
is refused in words. Words of columns with few different ones are read here, and said as a CASE.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unspun.book.dates import FIRST_YEAR, LAST_YEAR
from unspun.book.entities import Kind
from unspun.book.sql_words import sql_name, sql_text
from unspun.book.subscriptions import FAR_YEARS
from unspun.book.text import BLANK_WORDS, UNSEEN
from unspun.book.typed_columns import AS_WRITTEN, ColumnPlan, read_column

MOST_WORDS = 1_000
"""So many different words of a column are read one by one."""
MOST_MONEY = "100000000000000"
TEXT_NEVER = ("float4", "float8", "numeric", "money", "timestamptz", "timestamp", "date", "bytea")
WHOLE, FLOATS, NUMBERS = ("int2", "int4", "int8"), ("float4", "float8"), ("int2", "int4", "int8", "float4", "float8", "numeric")
SQL_TYPES: dict[Kind, str] = {
    "text": "text", "whole": "bigint", "number": "double precision", "money": "numeric(18, 4)", "day": "date",
    "instant": "timestamptz", "flag": "boolean",
}  # fmt: skip
WORDED = {("renewals", "outcome")}
CURRENCIES = ("currency", "into")
IN_QUERY = "Give the source a `query` that casts it, or load the table."

Distinct = Callable[[str], list[str]]
"""The different values of an SQL expression of text, MOST_WORDS and one more at most."""


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A column in SQL. `rejects`: a row for which it holds cannot be used; `never`: what must hold for no row, and what it would mean."""

    sql: str
    rejects: str = ""
    never: tuple[tuple[str, str], ...] = ()


class Unsayable(Exception):
    """Why a column cannot be read where it is, and what to do."""

    def __init__(self, why: str, hint: str = IN_QUERY) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


def placed_cell(plan: ColumnPlan, kind: str, distinct: Distinct) -> PlacedCell:
    """A column of the Postgres type `kind` as a plan of the mapping reads it. Raises Unsayable."""
    name = sql_name(plan.title)
    if plan.words or (plan.table, plan.name) in WORDED or plan.name in CURRENCIES or (plan.kind == "flag" and kind != "bool"):
        return _by_words(name, plan, kind, distinct)
    return SAID[plan.kind](name, plan, kind)


def constant(value: pa.Scalar, kind: Kind) -> str:
    """A value that all rows have."""
    said = sql_text(str(value.as_py()))
    return f'({said} COLLATE "C")' if kind == "text" else f"CAST({said} AS {SQL_TYPES[kind]})"


def nothing(kind: Kind) -> str:
    """An empty cell."""
    empty = f"CAST(NULL AS {SQL_TYPES[kind]})"
    return f'({empty} COLLATE "C")' if kind == "text" else empty


def clean_text(name: str, plan: ColumnPlan) -> tuple[str, str]:
    """A text as a reading takes it (without blanks about it, words for nothing empty), and for which texts that is not the text itself."""
    bare = f"btrim({name}::text, {sql_text(UNSEEN)})"
    words = ", ".join(sql_text(word) for word in sorted(BLANK_WORDS if plan.name not in AS_WRITTEN else {""}))
    blank = f'lower({bare} COLLATE "C") IN ({words})' if plan.name not in AS_WRITTEN else f"{bare} = ''"
    whole, odd = bare, f"{bare} <> {name}::text OR {blank}"
    if plan.name.endswith("_id"):
        whole, odd = f"regexp_replace({bare}, '^(-?[0-9]+)[.]0+$', '\\1')", f"{odd} OR {bare} ~ '^-?[0-9]+[.]0+$'"
    return f'(CASE WHEN {blank} THEN NULL ELSE {whole} END COLLATE "C")', odd


def _text(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    if kind in TEXT_NEVER:
        raise Unsayable(f"it is {kind}, and is read as text")
    return PlacedCell(f'({name}::text COLLATE "C")')


def _number(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    _refuse_unless(kind in NUMBERS and plan.name != "probability", kind, "a number")
    return PlacedCell(f"{name}::float8", never=_not_finite(name, kind))


def _not_finite(name: str, kind: str) -> tuple[tuple[str, str], ...]:
    if kind in WHOLE:
        return ()
    return ((f"{name}::text IN ('NaN', 'Infinity', '-Infinity')", "numbers that are none (NaN, Infinity)"),)


def _whole(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    _refuse_unless(kind in NUMBERS, kind, "a whole number")
    if kind in WHOLE:
        return PlacedCell(f"{name}::bigint")
    odd = f"{name} <> trunc({name}) OR abs({name}) >= 9000000000000000000"
    return PlacedCell(f"{name}::bigint", never=((odd, "numbers that are not whole"), *_not_finite(name, kind)))


def _money(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    _refuse_unless(kind in NUMBERS, kind, "an amount")
    exact = f"{name}::text::numeric" if kind in FLOATS else f"{name}::numeric"
    odd = f"{exact} <> round({exact}, 4) OR abs({exact}) >= {MOST_MONEY}"
    never = () if kind in WHOLE else (*_not_finite(name, kind), (odd, "amounts of more than four decimals, or of 10^14 or more"))
    rejects = f"{exact} < 0" if (plan.table, plan.name) == ("subscriptions", "amount") else ""
    return PlacedCell(f"{exact}::numeric(18, 4)", rejects, never)


def _day(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    _refuse_unless(kind in ("date", "timestamp", "timestamptz"), kind, "a day")
    there = f"({name} AT TIME ZONE {sql_text(plan.zone.key)})" if kind == "timestamptz" else name
    return _in_years(name, f"{there}::date", plan)


def _instant(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    _refuse_unless(kind in ("date", "timestamp", "timestamptz"), kind, "a time")
    if kind == "timestamp" and plan.zone.key != "UTC":
        why = f"it is a time without a zone, of which some stand for two instants, or none, in {plan.zone.key}"
        raise Unsayable(why, f"Give the source a `query` with {name} AT TIME ZONE {sql_text(plan.zone.key)}, or load the table.")
    return _in_years(name, name if kind == "timestamptz" else first_instant(name, plan.zone.key), plan)


def first_instant(day: str, zone: str) -> str:
    """The first instant of a day in a zone: of two midnights the first; where there is none, the change of the clock."""
    local, zone = f"{day}::timestamp", sql_text(zone)
    if zone == "'UTC'":
        return f"({local} AT TIME ZONE 'UTC')"
    at = f"({local} AT TIME ZONE {zone})"
    return f"(CASE WHEN (({at} - INTERVAL '1 hour') AT TIME ZONE {zone}) = {local} THEN {at} - INTERVAL '1 hour' ELSE {at} END)"


def _in_years(name: str, value: str, plan: ColumnPlan) -> PlacedCell:
    """A time of the years that are read. One of no calendar with four-digit years is empty; one of other years cannot be used, unless it
    stands for no end."""
    there = f"{name} >= '{FIRST_YEAR}-01-01' AND {name} < '{LAST_YEAR + 1}-01-01'"
    outside = f"{name} >= '0001-01-01' AND {name} < '10000-01-01' AND NOT ({there})"
    if (plan.table, plan.name) == ("subscriptions", "ended"):
        outside = f"{outside} AND to_char({name}, 'YYYY') NOT IN ({', '.join(map(sql_text, FAR_YEARS))})"
    return PlacedCell(f"CASE WHEN {there} THEN {value} END", outside)


def _flag(name: str, plan: ColumnPlan, kind: str) -> PlacedCell:
    return PlacedCell(name)


def _by_words(name: str, plan: ColumnPlan, kind: str, distinct: Distinct) -> PlacedCell:
    """A column of few different words, each read as a file's cell is."""
    _refuse_unless(kind not in TEXT_NEVER, kind, "words")
    words = distinct(f"{name}::text")
    if len(words) > MOST_WORDS:
        raise Unsayable(f"it holds more than {MOST_WORDS:,} different words, which have to be looked at one by one")
    if not words:
        return PlacedCell(nothing(plan.kind))
    cells = read_column(pa.chunked_array([pa.array(words, pa.string())]), plan)
    if cells.complaint is not None:
        raise Unsayable(cells.complaint.message.rstrip("."), cells.complaint.hint)
    bad = np.logical_or.reduce([np.zeros(len(words), bool), *(one.mask for one in cells.bad)])
    values = cells.values.cast(pa.string()) if pa.types.is_dictionary(cells.values.type) else cells.values
    whens = " ".join(f"WHEN {sql_text(word)} THEN {_literal(value)}" for word, value in zip(words, values, strict=True))
    collate = ' COLLATE "C"' if plan.kind == "text" else ""
    otherwise = " ELSE 'undecided'" if (plan.table, plan.name) in WORDED else ""
    rejects = [word for word, is_bad in zip(words, bad.tolist(), strict=True) if is_bad]
    return PlacedCell(
        f"(CASE {name}::text {whens}{otherwise} END{collate})", f"{name}::text IN ({', '.join(map(sql_text, rejects))})" if rejects else ""
    )


def _literal(value: pa.Scalar) -> str:
    if not value.is_valid:
        return "NULL"
    plain = value.as_py()
    return ("TRUE" if plain else "FALSE") if isinstance(plain, bool) else sql_text(plain) if isinstance(plain, str) else str(plain)


def _refuse_unless(fits: bool, kind: str, wanted: str) -> None:
    if not fits:
        raise Unsayable(f"it is {kind or 'of a type of its own'}, and is read as {wanted}")


SAID: dict[Kind, Callable[[str, ColumnPlan, str], PlacedCell]] = {
    "text": _text, "number": _number, "whole": _whole, "money": _money, "day": _day, "instant": _instant, "flag": _flag,
}  # fmt: skip


def any_of(conditions: Sequence[str]) -> str:
    """Whether any condition holds, never NULL."""
    told = [f"COALESCE({one}, FALSE)" for one in conditions if one]
    return f"({' OR '.join(told)})" if told else "FALSE"
