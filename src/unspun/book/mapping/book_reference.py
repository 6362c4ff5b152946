"""The reference of book.yml, printed from what its reading uses (docs/reference/book-yml.md)."""

from __future__ import annotations

from collections.abc import Iterable

from unspun.book.entities import ROW_COLUMNS, STATED, TABLES, Table
from unspun.book.mapping.book_fields import (
    BOOK_FIELDS,
    COLUMN_FIELDS,
    CURSOR_FIELDS,
    DATABASE_FIELDS,
    KINDS,
    KNOWN_AT,
    KNOWN_AT_MEANING,
    SOURCE_FIELDS,
)
from unspun.book.mapping.contract_reference import contract_reference

EXAMPLE = """time_zone: Europe/Berlin
currency: EUR
fiscal_year_starts: 2
sources:
  - files: ["subscriptions*.csv", "exports/contracts-*.xlsx"]
    table: subscriptions
    key: subscription_id
    columns:
      subscription_id: Contract No
      account_id: Account ID
      started: Start Date
      ended: End Date
      amount: {column: MRR, covers: month}
      currency: {value: EUR}
      is_addon: {column: Type, words: {Base: no, Add-on: yes}}
      billing_months: {column: Billed every, kind: whole}
    ignore: [Sales Rep]
    date_format: "%d/%m/%Y"
"""
INTRODUCTION = """# book.yml

Generated from what its reading uses; a test keeps this page equal to it.

`book.yml` says which of a company's files feed which table of the book, and which of their columns is which. `unspun load` proposes
a source for a file that no source fits; whatever it proposed can be changed here. All that is wrong with the file is told at once,
each with its line. `sources` may be empty.
"""
COLUMNS = f"""## Columns

A column of the book is given as `name: Column of the file`, or with more to say of it, as `name: {{column: ..., ...}}`.

The columns of each table stand below. Any other name in small letters, digits and `_` (a letter first, 63 at most, no word of SQL)
is a column of your own. It is text where no kind is given; one whose name is nearly that of a standard column must say its kind.
`{KNOWN_AT}` can be mapped in every table: {KNOWN_AT_MEANING}. Without it, `known` decides.
"""


def book_reference() -> str:
    """The page as Markdown."""
    parts = [
        INTRODUCTION,
        f"```yaml\n{EXAMPLE}```\n",
        _fields("## The book", BOOK_FIELDS.items()),
        _fields("## A source", SOURCE_FIELDS.items()),
        _fields("## A database", DATABASE_FIELDS.items()),
        _fields("## A cursor", CURSOR_FIELDS.items()),
        COLUMNS,
        _fields("", COLUMN_FIELDS.items()),
        _fields("## Kinds", KINDS.items(), "Kind"),
        *contract_reference(),
        "## Tables\n",
        *(_table(table) for table in TABLES.values()),
        _row_columns(),
    ]
    return "\n".join(parts)


def _fields(title: str, fields: Iterable[tuple[str, str]], head: str = "Word") -> str:
    lines = [title, ""] if title else []
    return "\n".join([*lines, f"| {head} | |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in fields), ""])


def _table(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    usual = f"Usual key: {key}." if key else "No usual key: rows are told apart by their file and row."
    dated = f" Statements are dated by `{table.happened}`; without it, by the load." if table.state else f" Dated by `{table.happened}`."
    needed = f" Each row needs {' or '.join(f'`{name}`' for name in table.one_of)}." if table.one_of else ""
    lines = [
        f"### {table.name}",
        "",
        f"{table.meaning[:1].upper()}{table.meaning[1:]}. {usual}{dated}{needed}",
        "",
        "| Column | Kind | |",
        "|---|---|---|",
    ]
    for column in table.columns:
        lines.append(f"| `{column.name}`{' (required)' if column.required else ''} | {column.kind} | {column.meaning} |")
    return "\n".join([*lines, ""])


def _row_columns() -> str:
    names = ", ".join(f"`{name}`" for name, _ in ROW_COLUMNS)
    states = " and ".join(name for name, table in TABLES.items() if table.state)
    stated = f"{states} have `{STATED[0]}` too, the columns that the row states. No column of a file can be called by one of these names"
    return f"Every table also has {names}; {stated} but `{KNOWN_AT}`.\n"
