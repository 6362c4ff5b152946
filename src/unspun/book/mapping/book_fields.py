"""The words of book.yml and what each means: what the reader takes, the schema offers and the reference page prints."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from unspun.book.entities import ROW_COLUMNS, STATED, Kind, Table
from unspun.book.mapping.contract_fields import CONTRACTS

BOOK_FIELDS = {
    "time_zone": "zone of the times in files that name none, as in the IANA database (`Europe/Berlin`); `UTC` where it is left out",
    "currency": "ISO 4217 code of the amounts whose row and source name no currency",
    "fiscal_year_starts": "month in which the fiscal year starts, 1 to 12; 1 where it is left out",
    "sources": "the company's files, a kind of file each; or tables of its databases",
    "databases": "databases that sources name, each by a name of your choice",
    "contracts": CONTRACTS,
}
DATABASE_FIELDS = {
    "url_from": "the environment variable that holds the database's URL, `postgresql://user:password@host/database`",
    "url": "the URL itself, where it holds no password: `postgresql://host/database`, `sqlite:///file.db` (relative to the workspace)",
    "statement_seconds": "how long one statement may take; without end where it is left out",
}
CURSOR_FIELDS = {
    "column": "the relation's column that only grows: a time, a day or a whole number",
    "overlap": "how far before the last value that was loaded reading begins, for rows that are committed late: `1 hour`, `2 days`, or a "
    "number for a cursor of numbers. One hour, or 1000, where it is left out",
}
SOURCE_FIELDS = {
    "files": "names of the files, `*` for any part of a name; a list where there are several. With a `/` it fits the end of the path. "
    "Case does not count. A file that fits two sources is refused",
    "table": "the table of the book that the rows go to",
    "key": "the columns (of the book) that tell one thing from another: a row with the same key is a new version of it. "
    "The table's usual key where it is left out",
    "columns": "the columns of the book, and where each comes from",
    "known": "when a row without `known_at` was known: `happened` (the file is a history; this where it is left out) or `received` "
    "(the file tells what was known on the day it was loaded)",
    "fixed": "columns of a dated table that never change, so that the latest value holds for every date",
    "ignore": "columns of the files that are left out on purpose, so that no load mentions them",
    "date_format": "how dates are written, where the files leave a doubt: `%d` day, `%m` month, `%Y` year, as in Python's strptime",
    "time_zone": "zone of the times in these files, where it is not the book's",
    "currency": "ISO 4217 code of the amounts of rows that name none, where it is not the book's",
    "database": "one of the book's `databases`, in place of `files`",
    "relation": "the table or view of the database, `schema.table`",
    "query": "a SELECT of the database, in place of `relation`",
    "cursor": "the relation's column that tells which rows are new, so that a load reads only these; `{column: ..., overlap: 1 hour}` says "
    "how far back it looks",
    "in_place": "`true`: the rows stay in the database, and are read whenever the book is opened",
}
COLUMN_FIELDS = {
    "column": "the file's column",
    "value": "the same value for every row, in place of a column",
    "kind": "kind of an own column",
    "words": "what words in the file stand for: `{Closed Won: renewed}`, `{J: yes}`",
    "covers": "what an amount is for: `month`, `quarter`, `year`, `term` or a number of months (`amount` of subscriptions only)",
}
KINDS: dict[Kind, str] = {
    "text": "text, as it stands in the file",
    "whole": "whole numbers",
    "number": "numbers",
    "money": "amounts of money, exact to four places",
    "day": "days",
    "instant": "times, kept in UTC",
    "flag": "yes or no",
}
KNOWN_RULES = ("happened", "received")
COVERS = {"month": 1.0, "quarter": 3.0, "half_year": 6.0, "year": 12.0, "term": 0.0}
KNOWN_AT = "known_at"
KNOWN_AT_MEANING = "when the row was known: nothing as of an earlier day reads it"
TAKEN = frozenset(name for name, _ in (*ROW_COLUMNS, STATED)) - {KNOWN_AT}
"""Columns that every row version has: no file's column can go by their names."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SQL = (
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default deferrable desc "
    "describe distinct do else end except false fetch for foreign from group having in initially intersect into lambda lateral leading "
    "limit not null offset on only or order pivot pivot_longer pivot_wider placing primary qualify references returning select show some "
    "summarize symmetric table then to trailing true union unique unpivot using variadic when where window with"
)
SQL_WORDS = frozenset(_SQL.split())
"""Words that SQL reads as its own: an own column of that name could not be asked for without quotes."""
NEARLY = 0.85


def nearly_standard(table: Table, name: str, given: Collection[str]) -> str | None:
    """The standard column, not among those given, that an own column's name is so near to that it may be a slip for it."""
    free = [column.name for column in table.columns if column.name not in given]
    return next(iter(difflib.get_close_matches(name, free, n=1, cutoff=NEARLY)), None)
