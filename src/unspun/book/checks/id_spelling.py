"""Ids that tables spell differently: case, spaces, leading zeros, the letter O for a zero. Joins lose their rows without a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import Finding
from unspun.book.checks.reach import REACHED
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import WRONG_SHARE, counted, only_row, plural
from unspun.book.sql_words import sql_name, sql_text

HOMES = {"account_id": "accounts", "contact_id": "contacts", "subscription_id": "subscriptions"}
THINGS = {"account_id": "account", "contact_id": "contact", "subscription_id": "subscription"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of a table that names things of another, its home."""

    table: str
    column: str

    @property
    def home(self) -> str:
        return HOMES[self.column]


def _references(shape: BookShape) -> tuple[Reference, ...]:
    return tuple(
        Reference(table, column)
        for column, home in HOMES.items()
        for table in shape.tables
        if table != home and shape.has(home, column) and shape.has(table, column)
    )


def _spelt(identifier: str) -> str:
    """An id without case, spaces and the difference between O and 0, between _ and -."""
    return f"translate(upper({identifier}), 'O_ \t', '0-')"


def _stripped(identifier: str) -> str:
    """The same without the zeros that a number begins with: A-00123 is A-123."""
    return f"regexp_replace({_spelt(identifier)}, '(^|[^0-9])0+([0-9])', '\\1\\2', 'g')"


def _same_zeros(one: str, other: str) -> str:
    """Zeros account for a difference only where they were added: ids of one length that differ in where zeros stand are two ids."""
    return f"({_spelt(one)} = {_spelt(other)} OR length({_spelt(one)}) <> length({_spelt(other)}))"


def _misspelt_sql(reference: Reference) -> str:
    """The ids of a table that its home lacks, but for an id spelt otherwise, which is named with it."""
    column, home = sql_name(reference.column), sql_name(reference.home)
    source = f"(SELECT DISTINCT {column} FROM {sql_name(reference.table)} WHERE {column} IS NOT NULL)"
    return misspelt_sql(source, column, home)


def misspelt_sql(source: str, column: str, home: str) -> str:
    """The ids of `source` (a relation with `column`) that `home` lacks, but for an id spelt otherwise: id, and the one meant."""
    return (
        f"SELECT o.id, min(h.id) AS meant FROM (SELECT {column} AS id, {_stripped(column)} AS stripped FROM {source} ANTI JOIN {home} "
        f"USING ({column})) o JOIN (SELECT DISTINCT {column} AS id, {_stripped(column)} AS stripped FROM {home}) h "
        f"ON o.stripped = h.stripped AND {_same_zeros('o.id', 'h.id')} GROUP BY o.id"
    )


def _counts_sql(column: str, references: Sequence[Reference]) -> str:
    """By table, the ids and rows that are spelt otherwise, and the rows that name any; all tables at once, as their home is read once."""
    name, home = sql_name(column), sql_name(HOMES[column])
    named = " UNION ALL ".join(_named_sql(reference) for reference in references)
    return (
        f"WITH ids AS MATERIALIZED ({named}) SELECT i.source, count(m.id) AS ids, "
        "coalesce(sum(i.rows) FILTER (m.id IS NOT NULL), 0) AS rows, sum(i.rows) AS held "
        f"FROM ids i LEFT JOIN ({misspelt_sql('(SELECT DISTINCT ' + name + ' FROM ids)', name, home)}) m ON m.id = i.{name} "
        "GROUP BY i.source ORDER BY i.source"
    )


def _named_sql(reference: Reference) -> str:
    """The ids that a table names, each with its rows; those of events by the days made once for all checks."""
    by_day = reference.table == "events" and reference.column in ("account_id", "subscription_id")
    held, rows = (EVENT_DAYS, "sum(rows)") if by_day else (sql_name(reference.table), "count(*)")
    column = sql_name(reference.column)
    return (
        f"SELECT {sql_text(reference.table)} AS source, {column}, {rows} AS rows FROM {held} WHERE {column} IS NOT NULL GROUP BY {column}"
    )


TWINS_SQL = (
    "SELECT account_id, spelt, source_file, source_row FROM (SELECT account_id, source_file, source_row, "
    "upper(replace(replace(account_id, ' ', ''), '_', '-')) AS spelt FROM accounts) QUALIFY count(*) OVER (PARTITION BY spelt) > 1"
)
"""Accounts whose ids differ by case and spaces alone."""


def _ask(shape: BookShape) -> dict[str, str]:
    by_column = {column: [one for one in _references(shape) if one.column == column] for column in HOMES}
    asked = {column: _counts_sql(column, references) for column, references in by_column.items() if references}
    if shape.has("accounts", "account_id"):
        counts = f"SELECT count(*) AS accounts, count(DISTINCT spelt) AS ids FROM ({TWINS_SQL})"
        asked |= {"twins": counts, "accounts": "SELECT count(*) AS accounts FROM accounts"}
    return asked


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for column in HOMES:
        for found in answers[column].to_pylist() if column in answers else ():
            if found["ids"]:
                yield _lost(Reference(found["source"], column), int(found["ids"]), int(found["rows"]), int(found["held"]))
    if "twins" in answers and (twins := only_row(answers, "twins"))["accounts"]:
        yield _twins(twins["accounts"], twins["ids"], only_row(answers, "accounts")["accounts"])


def _lost(reference: Reference, ids: int, rows: int, held: int) -> Finding:
    column, table, home = reference.column, reference.table, reference.home
    return Finding(
        check="id_spelling",
        table=table,
        subject=column,
        severity="error" if rows >= WRONG_SHARE * held else "warning",
        count=rows,
        of=held,
        unit="rows",
        message=f"{counted(rows, held, f'rows of {table}')} name {plural(ids, THINGS[column])} that the table of {home} spells otherwise "
        "(case, spaces, leading zeros, O for 0): no figure joins them.",
        affects=REACHED[table],
        mend=f"Export {column} as text from the same field in both systems, so that {table} and {home} spell it alike, and load again.",
        rows_sql=f"SELECT t.source_file, t.source_row, t.{sql_name(column)}, m.meant FROM {sql_name(table)} t JOIN "
        f"({_misspelt_sql(reference)}) m "
        f"ON m.id = t.{sql_name(column)} ORDER BY t.{sql_name(column)}, t.source_file, t.source_row",
        facts={"ids": ids},
    )


def _twins(accounts: int, ids: int, held: int) -> Finding:
    return Finding(
        check="id_spelling",
        table="accounts",
        subject="account_id",
        severity="error" if accounts >= WRONG_SHARE * held else "warning",
        count=accounts,
        of=held,
        unit="accounts",
        message=f"{counted(accounts, held, 'accounts')} have an id that another account has in another spelling (case, spaces): "
        f"{plural(ids, 'customer')} may be told as several.",
        affects=("account counts", "retention: GRR, NRR"),
        mend="Export account_id from one field, spelt alike in every file, and load again.",
        rows_sql=f"SELECT * FROM ({TWINS_SQL}) ORDER BY spelt, account_id",
        facts={"ids": ids},
    )


def _hindrance(shape: BookShape) -> str:
    return "" if _references(shape) or shape.has("accounts", "account_id") else "the book holds no table whose ids others name"


ID_SPELLING = Check(
    "id_spelling", "ids spelt differently", ("accounts", "events", "subscriptions"), _hindrance, _ask, _judge, (EVENT_DAYS,)
)
