"""What `book.yml` says once it is read: which files feed which table, which column is which, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from unspun.book.entities import TABLES, Kind, Table, TableName
from unspun.book.mapping.contract_definition import TableContract

KnownRule = Literal["happened", "received"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The column of a database's relation that tells which rows are new: it only grows.

    Reading begins `overlap` before the last value that was loaded, for rows that are committed late: seconds where `in_seconds`, else
    steps of a whole number; None is the usual overlap.
    """

    column: str
    overlap: float | None = None
    in_seconds: bool = True


@dataclass(frozen=True, slots=True)
class Database:
    """A database by name. Its URL is in the environment variable `url_from`, or is `url`, which then holds no password.

    `statement_seconds` is how long one statement may take; 0 is without end.
    """

    name: str
    url_from: str = ""
    url: str = ""
    statement_seconds: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """How the files of one source become rows of one table.

    `files` are patterns on file names (case does not count). `columns` maps a name in the book (a standard column, an own one, or
    `known_at`) to the file's column; `kinds` gives the kinds of own columns; `values` gives columns a constant for every row.
    `key` are names in the book; empty is the table's usual key where all its columns are mapped, else none. `known` says when rows
    without `known_at` were known: when they happened (a history) or on receipt (a feed). `fixed` are columns of a state table that
    never change, so that they may be read for any date. `ignored` are the file's columns that are left out on purpose. `words` gives, by
    column, what the file's words stand for (outcomes, flags). `amount_months` is for amounts whose period the file does not state.
    """

    files: tuple[str, ...]
    table: TableName
    columns: dict[str, str]
    kinds: dict[str, Kind] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    known: KnownRule = "happened"
    fixed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    date_format: str | None = None
    time_zone: str | None = None  # None: the book's
    currency: str | None = None  # of rows whose file names none; None: the book's
    amount_months: float | None = None
    line: int = 0  # in book.yml, for messages
    database: str = ""  # the rows come from there, and `files` is what they go by: `billing:public.subscriptions`
    relation: str = ""
    query: str = ""
    cursor: Cursor | None = None
    in_place: bool = False

    @property
    def entity(self) -> Table:
        return TABLES[self.table]

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that identify a row; empty where it is identified by its file and row number."""
        given = {*self.columns, *self.values}
        return self.key or (self.entity.key if self.entity.key and set(self.entity.key) <= given else ())

    def kind_of(self, name: str) -> Kind:
        """The kind of a mapped column: the standard one's, the declared one's, text for an own column that declares none."""
        if name == "known_at":
            return "instant"
        standard = self.entity.column(name)
        return standard.kind if standard is not None else self.kinds.get(name, "text")


@dataclass(frozen=True, slots=True)
class BookDefinition:
    """A whole `book.yml`. `text` is the file as it stands and `sha256` its hash: what the ledger records."""

    sources: tuple[SourceMapping, ...]
    time_zone: str = "UTC"
    currency: str | None = None
    fiscal_year_starts: int = 1  # month, 1 to 12
    text: str = ""
    sha256: str = ""
    contracts: tuple[TableContract, ...] = ()
    databases: tuple[Database, ...] = ()
